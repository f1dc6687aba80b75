// Histogram: how many of a tensor's values lie where, for logs and reports.
#pragma once
#include <cstdint>
#include <vector>

#include "tenon/base/host_tensor.h"

namespace tenon {

struct Histogram {
  // Of the finite values; zeros if there are none.
  double min = 0, max = 0, sum = 0, sum_of_squares = 0;
  std::int64_t count = 0;
  std::int64_t not_finite = 0;  // values left out: NaN and infinities
  // Bin i holds the values in [edges[i], edges[i+1]), the last one its upper edge too. Both are
  // empty without finite values.
  std::vector<double> edges;
  std::vector<std::int64_t> counts;
};

// Bins of equal width between the least and the largest finite value, as numpy.histogram makes
// them: around a single value they reach half a unit (or a millionth of a large value) to each
// side. UserError unless bins is from 1 to 10,000.
Histogram histogram_of(const HostTensor& values, std::int64_t bins = 30);

}  // namespace tenon
