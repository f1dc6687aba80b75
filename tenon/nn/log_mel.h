// LogMel: sounds as images of their frequencies over time.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// tenon::log_mel as a layer without weights: x [batch, samples] -> [batch, frames, bands], frames
// of `window` samples every `hop`, without padding. Davis, Mermelstein 1980.
struct LogMel {
  static constexpr std::string_view kKind = "log_mel";
  double rate = 16000;  // samples per second
  std::int64_t fft = 512;
  std::int64_t hop = 160;
  std::int64_t window = 400;
  std::int64_t bands = 40;
  double floor = 1e-6;  // of the mel powers
  // UserError unless x is a float [batch, samples] of one frame at least.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("rate", rate);
    visit("fft", fft);
    visit("hop", hop);
    visit("window", window);
    visit("bands", bands);
    visit("floor", floor);
  }
};

}  // namespace tenon::nn
