// The middle of numbers.
#pragma once
#include <algorithm>
#include <vector>

namespace tenon::cli {

// Of an even number of values the mean of the two in the middle; 0 of none.
inline double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace tenon::cli
