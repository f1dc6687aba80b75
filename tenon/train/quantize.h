// Post-training quantisation: weights of 8 bits for each channel, activations of 8 bits by what a
// dataset shows.
#pragma once
#include <string>
#include <vector>

#include "tenon/train/trainer.h"

namespace tenon {

struct QuantizeOptions {
  // Samples that are looked at for the range of each layer's inputs.
  std::int64_t samples = 512;
  std::int64_t batch_size = 64;
  // The part of a layer's inputs, in percent, that lies within its range, from the middle of the
  // sorted values: 100 is from the least to the largest; 99.9 leaves 0.05 % beyond each end, which
  // are clipped. In (50, 100].
  double percentile = 100;
};

// One number for each channel of the last axis: q = round(w / scale), halves to even, within [-127,
// 127], for scale = max |w| / 127 of the channel (1 for a channel of zeros).
struct QuantizedKernel {
  HostTensor values;  // i8 of the kernel's shape
  HostTensor scale;   // of the kernel's element type, [channels]
};
// UserError for a kernel that is no float, has no axis, or is not finite.
QuantizedKernel quantize_kernel(const HostTensor& kernel);

// The affine range of Jacob et al. 2018, section 2.3: scale = (high - low) / 255 and zero_point =
// round(-128 - low / scale), after low and high are widened to hold 0, so that 0 is exact; scale 1
// if nothing but 0 was seen.
struct InputRange {
  double scale = 1;
  std::int64_t zero_point = 0;
};
InputRange input_range(double low, double high);

struct QuantizedLayers {
  std::vector<std::string> quantized;  // paths of layers that compute in integers now
  std::vector<std::string> kept;       // and of weights with two axes or more that stay floats
};

// Writes a run folder whose Dense and Conv2D layers are nn::QuantizedDense and nn::QuantizedConv2D:
// the Trainer's own run with another model, 8-bit kernels in model.safetensors and without what
// training would need. tenon::load opens it to evaluate and predict. Layers with sums too long for
// i32, and weights of other layers, stay floats.
// UserError if the model is not built or of parts that are not known to make_layer, the data does
// not fit, has no samples or gives values that are not finite, and if `folder` holds a run already.
QuantizedLayers quantize(Trainer& trainer, const data::Dataset& calibration,
                         const std::string& folder, const QuantizeOptions& options = {});
// Whether some of its weights have 8 bits. Such a model is evaluated and predicts, but has no
// training step.
bool is_quantized(const Trainer& trainer);

}  // namespace tenon
