#include <algorithm>

#include "tenon/lower/contraction.h"

// With gaps of d - 1 zeros between the elements of the input, place h of the result and tap k of
// the window meet element (h + k - low) / d if d divides that, else a zero. Places h = h' d + p of
// one phase p meet the taps k = first, first + d, ...: those are a small convolution of their own,
// without gaps. (The gradient of a convolution with stride d is such a one; computed as it is
// written, 1 - 1 / d^2 of the products would be with zero.)
namespace tenon::lower {

std::vector<PhasedAxis> phased_axes(const ir::Convolution& op, const Shape& input,
                                    const Shape& kernel) {
  std::vector<PhasedAxis> axes;
  for (std::size_t i = 0; i < op.input_spatial.size(); ++i) {
    const std::int64_t d = op.base_dilation[i];
    const std::int64_t extent = input[static_cast<std::size_t>(op.input_spatial[i])];
    const std::int64_t window = kernel[static_cast<std::size_t>(op.kernel_spatial[i])];
    const std::int64_t padded = (extent - 1) * d + 1 + op.low[i] + op.high[i];
    const std::int64_t places = padded - window + 1;
    if (op.strides[i] != 1 || op.window_dilation[i] != 1 || places < d || places % d != 0)
      return {};
    PhasedAxis axis;
    axis.dilation = d;
    std::int64_t least = 0, most = extent - 1;
    for (std::int64_t p = 0; p < d; ++p) {
      Taps taps;
      taps.first = ((op.low[i] - p) % d + d) % d;
      taps.count = taps.first < window ? ceil_divide(window - taps.first, d) : 0;
      taps.start = (p - op.low[i] + taps.first) / d;
      if (taps.count > 0) {
        least = std::min(least, taps.start);
        most = std::max(most, taps.start + taps.count - 1 + places / d - 1);
      }
      axis.taps.push_back(taps);
    }
    axis.low = -least;
    axis.high = most - (extent - 1);
    for (Taps& taps : axis.taps) taps.start = taps.count > 0 ? taps.start + axis.low : 0;
    axes.push_back(std::move(axis));
  }
  return axes;
}

}  // namespace tenon::lower
