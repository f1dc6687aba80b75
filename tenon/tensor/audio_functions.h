// Sounds as spectra: short-time Fourier transform, mel filter banks and log-mel features.
#pragma once
#include <cstdint>

#include "tenon/tensor/tensor.h"

namespace tenon {

// What stands before the first and after the last sample, so that frame t is centred on sample
// t * hop: nothing (frame t starts there), zeros as librosa, or the sound mirrored as PyTorch.
enum class StftPadding : std::uint8_t { none, zeros, reflect };

struct StftOptions {
  std::int64_t fft = 512;  // samples of a frame; fft / 2 + 1 frequencies
  std::int64_t hop = 160;  // samples from frame to frame
  std::int64_t window =
      400;  // samples of the Hann window, in the middle of the frame; the rest is 0
  StftPadding padding = StftPadding::none;
};

// sin(pi i / n)^2 for i below `length`: n is the length if periodic, as spectra want it, and
// length - 1 if symmetric. UserError unless the length is above 0 and the type a float.
Tensor hann_window(std::int64_t length, bool periodic = true, DType dtype = DType::f32);

// [..., samples] -> [..., frames, length]: frame t holds samples t * hop to t * hop + length - 1.
// UserError for a length or hop below 1 and for fewer samples than a frame has.
Tensor frames(const Tensor& x, std::int64_t length, std::int64_t hop);

// X[t, k] = sum_n window[n] frame_t[n] exp(-2 pi i k n / fft), as librosa.stft and torch.stft with
// a periodic Hann window (but [..., frames, frequencies], not transposed). The transform is a
// matrix product. Result [..., frames, fft / 2 + 1] of floats. UserError for sizes that do not fit.
struct Spectrum {
  Tensor real, imaginary;
};
Spectrum stft(const Tensor& x, const StftOptions& options = {});
// real^2 + imaginary^2.
Tensor power_spectrogram(const Tensor& x, const StftOptions& options = {});

// How frequencies become mels. htk: 2595 log10(1 + f / 700). slaney: linear below 1000 Hz, then
// logarithmic (Slaney's Auditory Toolbox, 1998; librosa's default).
enum class MelScale : std::uint8_t { htk, slaney };

struct MelOptions {
  double rate = 16000;  // samples per second
  std::int64_t bands = 80;
  double low = 0, high = 0;  // Hz; high 0: half the rate
  MelScale scale = MelScale::htk;
  bool equal_area = false;  // each filter divided by its width in Hz ("slaney" norm)
};

// [frequencies, bands]: triangles, evenly spaced in mels, over frequencies of an fft of 2 *
// (frequencies - 1) samples, as librosa.filters.mel and torchaudio.functional.melscale_fbanks.
// UserError for sizes below 1 and frequencies out of order or beyond half the rate.
Tensor mel_filter_bank(std::int64_t frequencies, const MelOptions& options = {},
                       DType dtype = DType::f32);
// The natural logarithm of the mel powers, no less than that of `floor`: [..., samples] ->
// [..., frames, bands]. UserError for an odd fft
// and unless the floor is above 0.
Tensor log_mel(const Tensor& x, const StftOptions& stft = {}, const MelOptions& mel = {},
               double floor = 1e-10);

}  // namespace tenon
