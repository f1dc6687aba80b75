#include "tenon/data/resize.h"

#include <algorithm>
#include <cmath>

namespace tenon::data {
namespace {

// Where an output pixel samples one axis: between two input pixels.
struct Tap {
  std::size_t low, high;
  float weight;  // of the higher one
};

std::vector<Tap> taps_of(std::int64_t from, std::int64_t to) {
  std::vector<Tap> taps;
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  for (std::int64_t i = 0; i < to; ++i) {
    const double place = std::clamp((static_cast<double>(i) + 0.5) * scale - 0.5, 0.0,
                                    static_cast<double>(from - 1));
    const auto low = static_cast<std::int64_t>(place);
    taps.push_back({static_cast<std::size_t>(low),
                    static_cast<std::size_t>(std::min(low + 1, from - 1)),
                    static_cast<float>(place - static_cast<double>(low))});
  }
  return taps;
}

}  // namespace

HostTensor resized_bilinear(const HostTensor& image, std::int64_t height, std::int64_t width) {
  const Shape& shape = image.shape();
  require(image.dtype() == DType::u8 && shape.size() == 3 && shape[0] >= 1 && shape[1] >= 1,
          "resizing takes u8[height, width, channels] of at least one pixel, not {}", image.type());
  require(height >= 1 && width >= 1, "resizing to {} x {} pixels; at least 1 x 1 is needed", height,
          width);
  HostTensor out({DType::u8, {height, width, shape[2]}});
  const std::vector<Tap> rows = taps_of(shape[0], height), columns = taps_of(shape[1], width);
  const auto channels = static_cast<std::size_t>(shape[2]);
  const std::size_t stride = static_cast<std::size_t>(shape[1]) * channels;
  const std::uint8_t* from = image.as<std::uint8_t>().data();
  std::uint8_t* to = out.as<std::uint8_t>().data();
  for (const Tap& row : rows) {
    const std::uint8_t* upper = from + row.low * stride;
    const std::uint8_t* lower = from + row.high * stride;
    for (const Tap& column : columns)
      for (std::size_t channel = 0; channel < channels; ++channel) {
        const auto mixed = [&](const std::uint8_t* line) {
          const float left = line[column.low * channels + channel];
          const float right = line[column.high * channels + channel];
          return left + (right - left) * column.weight;
        };
        const float above = mixed(upper), below = mixed(lower);
        *to++ = static_cast<std::uint8_t>(std::lround(above + (below - above) * row.weight));
      }
  }
  return out;
}

}  // namespace tenon::data
