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
// softmax(q k^T / sqrt(d)), [..., t, s], over the keys that `mask` allows (bool, broadcast to the
// result; empty: all) and, if causal, that stand at or before the query, the last of which stands
// at the last key. A row that allows none is 0. UserError for a mask that is not bool, and for
// fewer keys than queries if causal.
Tensor attention_weights(const Tensor& q, const Tensor& k, const Tensor& mask = {},
                         bool causal = false);
// x [..., time, width] with each pair of features turned by time / base^(pair / pairs) radians, so
// that products of queries and keys depend on distances alone. Pair i is (i, i + width / 2), as in
// GPT-NeoX and Llama, or neighbours (2 i, 2 i + 1) if `interleaved`. Su et al. 2021.
// UserError unless x is a float, its width even and the base above 0.
Tensor rotary_embedding(const Tensor& x, double base = 10000, bool interleaved = false);
// [length, width]: sin(t / base^(2 i / width)) at feature 2 i, its cosine at 2 i + 1.
// Vaswani et al. 2017. UserError for a width that is not above 0 or a base that is not.
Tensor sinusoidal_positions(std::int64_t length, std::int64_t width, double base = 10000,
                            DType dtype = DType::f32);
// -log softmax(logits)[label]; logits [..., classes], labels [...] integers. Result [...].
Tensor sparse_cross_entropy_with_logits(const Tensor& logits, const Tensor& labels);

}  // namespace tenon
