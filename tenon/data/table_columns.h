// The names of a table's columns, as a run keeps them.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tenon::data {

struct TableColumns {
  std::vector<std::string> features;  // in the order of x; empty if the columns have no names
  std::string label;                  // empty without one

  bool is_known() const { return !features.empty(); }
};

// The text as a whole number; none if it is anything else, or too large.
std::optional<std::size_t> column_number(const std::string& text);
// The column of this name, else the one of this number from 1; none if there is neither.
std::optional<std::size_t> find_column(const std::vector<std::string>& columns,
                                       const std::string& wanted);
// Whether columns can be told apart by these names, and a run can keep them: all different, and
// UTF-8.
bool are_keys(const std::vector<std::string>& names);

}  // namespace tenon::data
