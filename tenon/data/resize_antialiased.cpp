#include <algorithm>
#include <cmath>
#include <cstring>

#include "tenon/data/resize.h"

namespace tenon::data {
namespace {

// For each output pixel along an axis the input pixels under its triangle, and their weights.
struct TriangleTaps {
  std::size_t most = 0;  // pixels of one triangle: the stride of weights
  std::vector<std::size_t> first, count;
  std::vector<float> weights;
};

TriangleTaps triangle_taps(double start, double length, std::int64_t from, std::int64_t to) {
  const double scale = length / static_cast<double>(to), reach = std::max(scale, 1.0);
  TriangleTaps taps;
  taps.most = static_cast<std::size_t>(std::ceil(reach)) * 2 + 1;
  taps.first.resize(static_cast<std::size_t>(to));
  taps.count.resize(static_cast<std::size_t>(to));
  taps.weights.resize(static_cast<std::size_t>(to) * taps.most);
  const auto bounded = [&](double place) {
    return static_cast<std::int64_t>(std::clamp(place, 0.0, static_cast<double>(from)));
  };
  for (std::size_t i = 0; i < taps.first.size(); ++i) {
    const double centre = start + (static_cast<double>(i) + 0.5) * scale;
    // A triangle holds the centre of one pixel at least.
    const std::int64_t low = std::min(bounded(centre - reach + 0.5), from - 1);
    const std::int64_t high = std::max(bounded(centre + reach + 0.5), low + 1);
    taps.first[i] = static_cast<std::size_t>(low);
    taps.count[i] = std::min(static_cast<std::size_t>(high - low), taps.most);
    float* weights = taps.weights.data() + i * taps.most;
    double total = 0;
    for (std::size_t k = 0; k < taps.count[i]; ++k) {
      const double distance =
          std::abs(static_cast<double>(low) + static_cast<double>(k) + 0.5 - centre);
      const double weight = std::max(0.0, 1 - distance / reach);
      weights[k] = static_cast<float>(weight);
      total += weight;
    }
    for (std::size_t k = 0; k < taps.count[i]; ++k)
      weights[k] = total > 0 ? static_cast<float>(weights[k] / total) : k == 0 ? 1.0f : 0.0f;
  }
  return taps;
}

// A weighted sum of rows; `size` numbers each.
void mix_rows(const std::uint8_t* rows, std::size_t stride, const float* weights, std::size_t count,
              std::size_t size, float* sums) {
  // Two rows at a time: sums are read and written half as often.
  const std::uint8_t* upper = rows;
  const std::uint8_t* lower = count > 1 ? rows + stride : rows;
  const float first = weights[0], second = count > 1 ? weights[1] : 0;
  for (std::size_t i = 0; i < size; ++i)
    sums[i] = first * static_cast<float>(upper[i]) + second * static_cast<float>(lower[i]);
  for (std::size_t k = 2; k < count; k += 2) {
    const bool pair = k + 1 < count;
    const std::uint8_t* a = rows + k * stride;
    const std::uint8_t* b = pair ? a + stride : a;
    const float u = weights[k], v = pair ? weights[k + 1] : 0;
    for (std::size_t i = 0; i < size; ++i)
      sums[i] += u * static_cast<float>(a[i]) + v * static_cast<float>(b[i]);
  }
}

// Of a number from 0 to 255: without the call that std::lround is.
std::uint8_t rounded(float value) {
  constexpr float kHalf = 0.5f;
  return static_cast<std::uint8_t>(value + kHalf);
}

// Four lanes of which three are a pixel: the row has one float behind its end.
using FourFloats = float __attribute__((vector_size(16)));

void mix_columns_of_three(const float* row, const TriangleTaps& taps, bool mirrored,
                          std::uint8_t* out) {
  const std::size_t width = taps.first.size();
  for (std::size_t x = 0; x < width; ++x) {
    const float* weights = taps.weights.data() + x * taps.most;
    const float* from = row + taps.first[x] * 3;
    FourFloats sum = {0, 0, 0, 0};
    for (std::size_t k = 0; k < taps.count[x]; ++k) {
      FourFloats pixel;
      std::memcpy(&pixel, from + 3 * k, sizeof(pixel));
      sum += pixel * weights[k];
    }
    std::uint8_t* to = out + (mirrored ? width - 1 - x : x) * 3;
    for (int c = 0; c < 3; ++c) to[c] = rounded(sum[c]);
  }
}

void mix_columns(const float* row, const TriangleTaps& taps, std::size_t channels, bool mirrored,
                 std::uint8_t* out) {
  if (channels == 3) {
    mix_columns_of_three(row, taps, mirrored, out);
    return;
  }
  const std::size_t width = taps.first.size();
  for (std::size_t x = 0; x < width; ++x)
    for (std::size_t c = 0; c < channels; ++c) {
      float sum = 0;
      for (std::size_t k = 0; k < taps.count[x]; ++k)
        sum += row[(taps.first[x] + k) * channels + c] * taps.weights[x * taps.most + k];
      out[(mirrored ? width - 1 - x : x) * channels + c] = rounded(sum);
    }
}

}  // namespace

HostTensor resized_antialiased(const HostTensor& image, const ImageBox& box, std::int64_t height,
                               std::int64_t width, bool mirrored) {
  const Shape& shape = image.shape();
  require(image.dtype() == DType::u8 && shape.size() == 3 && shape[0] >= 1 && shape[1] >= 1,
          "resizing takes u8[height, width, channels] of at least one pixel, not {}", image.type());
  require(height >= 1 && width >= 1, "resizing to {} x {} pixels; at least 1 x 1 is needed", height,
          width);
  require(box.top >= 0 && box.left >= 0 && box.height > 0 && box.width > 0 &&
              box.top + box.height <= static_cast<double>(shape[0]) &&
              box.left + box.width <= static_cast<double>(shape[1]),
          "a box of {} x {} pixels at ({}, {}) is not inside of an image of {} x {}", box.height,
          box.width, box.top, box.left, shape[0], shape[1]);
  HostTensor out({DType::u8, {height, width, shape[2]}});
  const TriangleTaps rows = triangle_taps(box.top, box.height, shape[0], height);
  TriangleTaps columns = triangle_taps(box.left, box.width, shape[1], width);
  // Only columns that some triangle touches are mixed.
  const std::size_t begin = columns.first.front();
  const std::size_t end = columns.first.back() + columns.count.back();
  for (std::size_t& first : columns.first) first -= begin;
  const auto channels = static_cast<std::size_t>(shape[2]);
  const std::size_t stride = static_cast<std::size_t>(shape[1]) * channels;
  std::vector<float> mixed((end - begin) * channels + 1);
  const std::uint8_t* from = image.as<std::uint8_t>().data() + begin * channels;
  std::uint8_t* to = out.as<std::uint8_t>().data();
  for (std::size_t y = 0; y < rows.first.size(); ++y) {
    mix_rows(from + rows.first[y] * stride, stride, rows.weights.data() + y * rows.most,
             rows.count[y], (end - begin) * channels, mixed.data());
    mix_columns(mixed.data(), columns, channels, mirrored,
                to + y * static_cast<std::size_t>(width) * channels);
  }
  return out;
}

}  // namespace tenon::data
