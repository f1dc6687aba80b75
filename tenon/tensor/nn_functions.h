// Convolution, pooling, normalisation and attention on channels-last tensors.
#pragma once
#include <array>

#include "tenon/tensor/tensor.h"

namespace tenon {

enum class Padding : std::uint8_t { valid, same };

struct ConvolutionOptions {
  std::array<std::int64_t, 2> strides{1, 1};
  Padding padding = Padding::valid;  // same: ceil(extent / stride) outputs, the odd pixel after
  std::array<std::int64_t, 2> dilation{1, 1};
  std::int64_t groups = 1;
};
// x [batch, height, width, in], kernel [kernel height, kernel width, in / groups, out]
// -> [batch, height', width', out].
Tensor convolution(const Tensor& x, const Tensor& kernel, const ConvolutionOptions& options = {});

// The gradient of a convolution as a layer (a "deconvolution"): strides multiply the extents.
// x [batch, height, width, in], kernel [kernel height, kernel width, in / groups, out]
// -> [batch, height', width', out], where height' is (height - 1) * stride + reach without padding
// (reach = (kernel height - 1) * dilation + 1) and height * stride with same padding.
// Dumoulin, Visin 2016. UserError for ranks, strides or channels that do not fit.
Tensor transposed_convolution(const Tensor& x, const Tensor& kernel,
                              const ConvolutionOptions& options = {});

struct PoolOptions {
  std::array<std::int64_t, 2> size{2, 2};
  std::array<std::int64_t, 2> strides{0, 0};  // 0: equal to size
  Padding padding = Padding::valid;
};
// x [batch, height, width, channels].
Tensor max_pool(const Tensor& x, const PoolOptions& options = {});
// The mean of the elements inside the image (padding does not count).
Tensor avg_pool(const Tensor& x, const PoolOptions& options = {});

// Over the last axis; scale and offset [features]. Ba, Kiros, Hinton 2016.
Tensor layer_norm(const Tensor& x, const Tensor& scale, const Tensor& offset,
                  double epsilon = 1e-5);
// UserError that starts with `what` unless epsilon is finite and not negative.
void require_epsilon(std::string_view what, double epsilon);
Tensor rms_norm(const Tensor& x, const Tensor& scale, double epsilon = 1e-6);
// softmax(q k^T / sqrt(d)) v; q [..., t, d], k [..., s, d], v [..., s, e].
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, bool causal = false);
// -log softmax(logits)[label]; logits [..., classes], labels [...] integers. Result [...].
Tensor sparse_cross_entropy_with_logits(const Tensor& logits, const Tensor& labels);

}  // namespace tenon
