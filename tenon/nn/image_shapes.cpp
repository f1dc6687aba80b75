#include "tenon/nn/image_shapes.h"

#include "tenon/nn/convolution_checks.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

constexpr std::int64_t kMostPixels = 65536, kMostChannels = 1 << 24;

// One or two numbers in [low, kMostPixels].
std::array<std::int64_t, 2> pixel_counts(const std::vector<std::int64_t>& values, std::int64_t low,
                                         std::string_view layer, std::string_view what) {
  require(values.size() == 1 || values.size() == 2, "{}: {} takes one or two numbers, got {}",
          layer, what, values.size());
  for (const std::int64_t value : values)
    require(value >= low && value <= kMostPixels, "{}: {} must be from {} to {}, got {}", layer,
            what, low, kMostPixels, value);
  return {values.front(), values.back()};
}

}  // namespace

Tensor ZeroPad2D::operator()(const Tensor& x, Context&) {
  require_image(x, "ZeroPad2D");
  const std::array<std::int64_t, 2> first = pixel_counts(before, 0, "ZeroPad2D", "before"),
                                    last = pixel_counts(after, 0, "ZeroPad2D", "after");
  return pad(x, {0, first[0], first[1], 0}, {0, last[0], last[1], 0});
}

Tensor UpSample2D::operator()(const Tensor& x, Context&) {
  require_image(x, "UpSample2D");
  const std::array<std::int64_t, 2> by = pixel_counts(size, 1, "UpSample2D", "size");
  return repeat(repeat(x, by[0], 1), by[1], 2);
}

Tensor ChannelShortcut::operator()(const Tensor& x, Context&) {
  require_image(x, "ChannelShortcut");
  require(stride > 0 && stride <= kMostPixels,
          "ChannelShortcut: stride must be from 1 to {}, got {}", kMostPixels, stride);
  require(channels >= x.extent(-1) && channels <= kMostChannels,
          "ChannelShortcut: {} channels cannot be made of {}; it adds channels, up to {}", channels,
          x.type(), kMostChannels);
  const Tensor some = slice(slice(x, 1, 0, {}, stride), 2, 0, {}, stride);
  return pad(some, {0, 0, 0, 0}, {0, 0, 0, channels - x.extent(-1)});
}

}  // namespace tenon::nn
