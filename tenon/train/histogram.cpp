#include "tenon/train/histogram.h"

#include <algorithm>
#include <cmath>

namespace tenon {
namespace {

std::vector<double> equal_edges(double low, double high, std::int64_t bins) {
  std::vector<double> edges(static_cast<std::size_t>(bins) + 1);
  const double step = (high - low) / static_cast<double>(bins);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const auto place = static_cast<double>(i);
    // A range wider than the largest number is divided without being taken whole.
    edges[i] = std::isfinite(step) ? low + place * step
                                   : std::lerp(low, high, place / static_cast<double>(bins));
  }
  edges.back() = high;
  return edges;
}

}  // namespace

Histogram histogram_of(const HostTensor& values, std::int64_t bins) {
  constexpr std::int64_t kMostBins = 10'000;
  require(bins >= 1 && bins <= kMostBins, "histogram: from 1 to {} bins expected, got {}",
          kMostBins, bins);
  Histogram histogram;
  for (std::int64_t i = 0; i < values.size(); ++i) {
    const double value = element_as_double(values, i);
    if (!std::isfinite(value)) {
      ++histogram.not_finite;
      continue;
    }
    histogram.min = histogram.count == 0 ? value : std::min(histogram.min, value);
    histogram.max = histogram.count == 0 ? value : std::max(histogram.max, value);
    histogram.sum += value;
    histogram.sum_of_squares += value * value;
    ++histogram.count;
  }
  if (histogram.count == 0) return histogram;

  double low = histogram.min, high = histogram.max;
  if (low == high) {
    const double reach = std::max(0.5, std::abs(low) * 1e-6);
    low -= reach;
    high += reach;
  }
  histogram.edges = equal_edges(low, high, bins);
  histogram.counts.resize(static_cast<std::size_t>(bins));
  // Divided by two, no difference overflows.
  const double scale = static_cast<double>(bins) / (high / 2 - low / 2) / 2;
  for (std::int64_t i = 0; i < values.size(); ++i) {
    const double value = element_as_double(values, i);
    if (!std::isfinite(value)) continue;
    const double place = (value / 2 - low / 2) * scale * 2;
    auto bin = static_cast<std::size_t>(
        std::clamp(std::isnan(place) ? 0 : place, 0.0, static_cast<double>(bins - 1)));
    while (bin > 0 && value < histogram.edges[bin]) --bin;
    while (bin + 1 < histogram.counts.size() && value >= histogram.edges[bin + 1]) ++bin;
    ++histogram.counts[bin];
  }
  return histogram;
}

}  // namespace tenon
