// Which elements of its tiles a kernel has a use for: tiles may be wider than what they compute.
#pragma once
#include <vector>

#include "tenon/kernel/kernel.h"

namespace tenon::kernel {

// The first rows and lanes of a tile, no more than it has.
struct Extent {
  std::int64_t rows = 0, lanes = 0;
  bool operator==(const Extent&) const = default;
};

// Of every value: the least rectangle that holds all elements which stores, folds, indices and
// conditions depend on, as far as accesses and masks of the form "lane (or row) below a number" say
// it; nothing of a value that has no use. What another mask hides counts as used.
std::vector<Extent> find_needs(const Kernel& kernel);

}  // namespace tenon::kernel
