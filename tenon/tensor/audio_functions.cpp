#include "tenon/tensor/audio_functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/indexing.h"
#include "tenon/tensor/linalg.h"
#include "tenon/tensor/shape.h"

namespace tenon {
namespace {

constexpr std::int64_t kMostFftSamples = 1 << 16;

Tensor constant_of(const std::vector<double>& values, Shape shape, DType dtype) {
  return Tensor(converted(make_tensor<double>(std::move(shape), std::span(values)), dtype));
}

std::vector<double> hann_values(std::int64_t length, bool periodic) {
  std::vector<double> values(static_cast<std::size_t>(length), 1.0);
  const double period = static_cast<double>(periodic ? length : length - 1);
  for (std::size_t i = 0; i < values.size() && length > 1; ++i) {
    const double sine = std::sin(std::numbers::pi * static_cast<double>(i) / period);
    values[i] = sine * sine;
  }
  return values;
}

// [fft, 2 * frequencies]: the window times cosines, then times negative sines.
Tensor fourier_matrix(const StftOptions& options, DType dtype) {
  const std::int64_t frequencies = options.fft / 2 + 1;
  const std::vector<double> window = hann_values(options.window, true);
  const std::int64_t before = (options.fft - options.window) / 2;
  std::vector<double> matrix(static_cast<std::size_t>(options.fft * 2 * frequencies), 0.0);
  for (std::int64_t i = 0; i < options.window; ++i) {
    const std::int64_t n = before + i;
    double* row = matrix.data() + n * 2 * frequencies;
    for (std::int64_t k = 0; k < frequencies; ++k) {
      // Whole turns taken off in integers, so that the angle is exact to its last bits.
      const double turn =
          static_cast<double>(n * k % options.fft) / static_cast<double>(options.fft);
      const double weight = window[static_cast<std::size_t>(i)];
      row[k] = weight * std::cos(2 * std::numbers::pi * turn);
      row[frequencies + k] = -weight * std::sin(2 * std::numbers::pi * turn);
    }
  }
  return constant_of(matrix, {options.fft, 2 * frequencies}, dtype);
}

void check_stft(const Tensor& x, const StftOptions& options) {
  require(is_float(x.dtype()) && x.rank() >= 1, "stft: expected a float [..., samples], got {}",
          x.type());
  require(options.fft >= 1 && options.fft <= kMostFftSamples && options.window >= 1 &&
              options.window <= options.fft && options.hop >= 1,
          "stft: an fft of {} samples, a window of {} and a hop of {}; expected 1 <= window <= fft "
          "<= {} and a hop of at least 1",
          options.fft, options.window, options.hop, kMostFftSamples);
  const std::int64_t half = options.fft / 2;
  require(options.padding != StftPadding::reflect || x.extent(-1) > half,
          "stft: {} samples are too few to mirror {} at either end; use zeros", x.extent(-1), half);
}

Tensor centred(const Tensor& x, const StftOptions& options) {
  const std::int64_t half = options.fft / 2, length = x.extent(-1);
  switch (options.padding) {
    case StftPadding::none: return x;
    case StftPadding::zeros: {
      Shape around(static_cast<std::size_t>(x.rank()), 0);
      around.back() = half;
      return pad(x, around, around);
    }
    case StftPadding::reflect: break;
  }
  const Tensor before = flip(slice(x, -1, 1, half + 1), {-1});
  const Tensor after = flip(slice(x, -1, length - half - 1, length - 1), {-1});
  return concatenate(std::array{before, x, after}, -1);
}

constexpr double kSlaneyBreak = 1000.0, kSlaneyStep = 200.0 / 3.0, kSlaneyLog = 27.0;

double mel_of(double hertz, MelScale scale) {
  if (scale == MelScale::htk) return 2595.0 * std::log10(1.0 + hertz / 700.0);
  if (hertz < kSlaneyBreak) return hertz / kSlaneyStep;
  return kSlaneyBreak / kSlaneyStep + std::log(hertz / kSlaneyBreak) * kSlaneyLog / std::log(6.4);
}

double hertz_of(double mel, MelScale scale) {
  if (scale == MelScale::htk) return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
  const double mel_break = kSlaneyBreak / kSlaneyStep;
  if (mel < mel_break) return mel * kSlaneyStep;
  return kSlaneyBreak * std::exp((mel - mel_break) * std::log(6.4) / kSlaneyLog);
}

}  // namespace

Tensor hann_window(std::int64_t length, bool periodic, DType dtype) {
  require(length >= 1 && is_float(dtype),
          "hann_window: expected a length above 0 and a float type, got {} and {}", length, dtype);
  return constant_of(hann_values(length, periodic), {length}, dtype);
}

Tensor frames(const Tensor& x, std::int64_t length, std::int64_t hop) {
  require(x.rank() >= 1 && length >= 1 && hop >= 1,
          "frames: expected [..., samples], a length and a hop above 0, got {}, {} and {}",
          x.type(), length, hop);
  const std::int64_t samples = x.extent(-1);
  require(length <= samples, "frames: {} samples are too few for a frame of {}", samples, length);
  const std::int64_t count = (samples - length) / hop + 1;
  require(samples <= INT32_MAX, "frames: {} samples; at most {} are possible", samples, INT32_MAX);
  // Every sample is below 2^31, so its number fits i32.
  const auto step = static_cast<std::int32_t>(count > 1 ? hop : 0);
  const Tensor places =
      iota({count, length}, 0, DType::i32) * step + iota({count, length}, 1, DType::i32);
  return take(x, places, -1);
}

Spectrum stft(const Tensor& x, const StftOptions& options) {
  check_stft(x, options);
  const std::int64_t frequencies = options.fft / 2 + 1;
  const Tensor both = matmul(frames(centred(x, options), options.fft, options.hop),
                             fourier_matrix(options, x.dtype()));
  return {slice(both, -1, 0, frequencies), slice(both, -1, frequencies)};
}

Tensor power_spectrogram(const Tensor& x, const StftOptions& options) {
  const Spectrum spectrum = stft(x, options);
  return square(spectrum.real) + square(spectrum.imaginary);
}

Tensor mel_filter_bank(std::int64_t frequencies, const MelOptions& options, DType dtype) {
  constexpr std::int64_t kMostBands = 1 << 16;
  const double half_rate = options.rate / 2;
  const double high = options.high == 0 ? half_rate : options.high;
  require(frequencies >= 2 && frequencies <= kMostFftSamples / 2 + 1 && options.bands >= 1 &&
              options.bands <= kMostBands && is_float(dtype),
          "mel_filter_bank: expected 2 to {} frequencies, 1 to {} bands and a float type, got {}, "
          "{} and {}",
          kMostFftSamples / 2 + 1, kMostBands, frequencies, options.bands, dtype);
  require(options.low >= 0 && options.low < high && high <= half_rate && std::isfinite(half_rate),
          "mel_filter_bank: bands from {} to {} Hz at {} samples per second; expected 0 <= low < "
          "high <= half the rate",
          options.low, high, options.rate);
  const auto bands = static_cast<std::size_t>(options.bands);
  const double first = mel_of(options.low, options.scale), last = mel_of(high, options.scale);
  std::vector<double> edges(bands + 2);
  for (std::size_t i = 0; i < edges.size(); ++i)
    edges[i] =
        hertz_of(first + (last - first) * static_cast<double>(i) / static_cast<double>(bands + 1),
                 options.scale);
  std::vector<double> filters(static_cast<std::size_t>(frequencies) * bands);
  for (std::int64_t k = 0; k < frequencies; ++k) {
    const double hertz = half_rate * static_cast<double>(k) / static_cast<double>(frequencies - 1);
    for (std::size_t b = 0; b < bands; ++b) {
      const double rising = (hertz - edges[b]) / (edges[b + 1] - edges[b]);
      const double falling = (edges[b + 2] - hertz) / (edges[b + 2] - edges[b + 1]);
      const double weight = std::max(0.0, std::min(rising, falling));
      filters[static_cast<std::size_t>(k) * bands + b] =
          options.equal_area ? weight * 2 / (edges[b + 2] - edges[b]) : weight;
    }
  }
  return constant_of(filters, {frequencies, options.bands}, dtype);
}

Tensor log_mel(const Tensor& x, const StftOptions& stft, const MelOptions& mel, double floor) {
  require(floor > 0 && std::isfinite(floor), "log_mel: a floor of {}; it must be above 0", floor);
  require(stft.fft % 2 == 0, "log_mel: an fft of {} samples; an even number expected", stft.fft);
  const Tensor power = power_spectrogram(x, stft);
  const Tensor bands = matmul(power, mel_filter_bank(power.extent(-1), mel, x.dtype()));
  return log(maximum(bands, full({}, floor, x.dtype())));
}

}  // namespace tenon
