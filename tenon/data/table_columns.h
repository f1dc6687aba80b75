// The names of a table's columns, as a run keeps them.
#pragma once
#include <string>
#include <vector>

namespace tenon::data {

struct TableColumns {
  std::vector<std::string> features;  // in the order of x; empty if the columns have no names
  std::string label;                  // empty without one

  bool is_known() const { return !features.empty(); }
};

}  // namespace tenon::data
