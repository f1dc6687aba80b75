#include "tenon/tensor/nn_functions.h"

#include "tenon/base/ceil_divide.h"
#include "tenon/tensor/build.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/promotion.h"
#include "tenon/tensor/shape.h"

namespace tenon {
namespace {

constexpr std::int64_t kLargestStep = 1
                                      << 20;  // of windows; products of extents stay far from 2^63

struct Amounts {
  std::int64_t low = 0, high = 0;
};

// TensorFlow's "same": outputs = ceil(extent / stride), the odd padding element goes after.
Amounts padding_amounts(Padding padding, std::int64_t extent, std::int64_t window,
                        std::int64_t stride, std::int64_t dilation) {
  if (padding == Padding::valid) return {};
  const std::int64_t outputs = ceil_divide(extent, stride);
  const std::int64_t reach = (window - 1) * dilation + 1;
  const std::int64_t total = std::max<std::int64_t>(0, (outputs - 1) * stride + reach - extent);
  return {total / 2, total - total / 2};
}

// A window without padding must fit the image at least once.
void require_window(const Tensor& x, std::size_t axis, std::int64_t reach, Padding padding,
                    std::string_view what) {
  if (padding == Padding::same || reach <= x.shape()[axis + 1]) return;
  // [batch, channels, height, width], as other programs have images.
  constexpr std::int64_t kMostColours = 4;
  const Shape& shape = x.shape();
  const bool is_channels_first =
      shape[1] <= kMostColours && shape[2] == shape[3] && shape[3] > kMostColours;
  throw UserError(fmt::format(
      "{}: a window of {} does not fit the {} {} of {} without padding\n  help: {}", what, reach,
      shape[axis + 1], axis == 0 ? "rows" : "columns", x.type(),
      is_channels_first ? "channels are the last axis, [batch, height, width, channels]; "
                          "transpose(x, {0, 2, 3, 1}) makes it so"
                        : "use a smaller window or same padding"));
}

void require_image(const Tensor& x, std::string_view what) {
  require(x.rank() == 4, "{}: expected x [batch, height, width, channels], got {}{}", what,
          x.type(), x.rank() == 3 ? "; add the missing axis with expand_dims" : "");
}

ir::Window image_window(const Tensor& x, const PoolOptions& options, std::string_view what) {
  require_image(x, what);
  ir::Window window{{1, 1, 1, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}, {1, 1, 1, 1}};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t size = options.size[i];
    const std::int64_t stride = options.strides[i] == 0 ? size : options.strides[i];
    require(size > 0 && stride > 0, "{}: size {} and stride {} must be above 0", what, size,
            stride);
    require_window(x, i, size, options.padding, what);
    const Amounts amounts = padding_amounts(options.padding, x.shape()[i + 1], size, stride, 1);
    window.size[i + 1] = size;
    window.strides[i + 1] = stride;
    window.low[i + 1] = amounts.low;
    window.high[i + 1] = amounts.high;
  }
  return window;
}

// x and the kernel in one type.
std::vector<Tensor> with_image_kernel(const Tensor& x, const Tensor& kernel,
                                      std::string_view what) {
  require(kernel.rank() == 4, "{}: expected kernel [height, width, in / groups, out], got {}", what,
          kernel.type());
  return promote_types(std::array{x, kernel}, what);
}

// All but strides, paddings and, for a transposed convolution, base dilation.
ir::Convolution image_convolution(const ConvolutionOptions& options, DType result,
                                  std::string_view what) {
  ir::Convolution op;
  op.input_batch = 0;
  op.input_feature = 3;
  op.input_spatial = {1, 2};
  op.kernel_input = 2;
  op.kernel_output = 3;
  op.kernel_spatial = {0, 1};
  op.output_batch = 0;
  op.output_feature = 3;
  op.output_spatial = {1, 2};
  op.base_dilation = {1, 1};
  op.feature_groups = options.groups;
  op.result = result;
  for (std::size_t i = 0; i < 2; ++i) {
    require(options.strides[i] > 0 && options.dilation[i] > 0,
            "{}: strides and dilation must be above 0", what);
    require(options.strides[i] <= kLargestStep && options.dilation[i] <= kLargestStep,
            "{}: strides and dilation must be at most {}", what, kLargestStep);
    op.window_dilation.push_back(options.dilation[i]);
  }
  return op;
}

}  // namespace

Tensor convolution(const Tensor& x, const Tensor& kernel, const ConvolutionOptions& options) {
  require_image(x, "convolution");
  const std::vector<Tensor> v = with_image_kernel(x, kernel, "convolution");
  ir::Convolution op = image_convolution(options, v[0].dtype(), "convolution");
  op.strides = {options.strides[0], options.strides[1]};
  for (std::size_t i = 0; i < 2; ++i) {
    require_window(x, i, (kernel.shape()[i] - 1) * options.dilation[i] + 1, options.padding,
                   "convolution");
    const Amounts amounts = padding_amounts(options.padding, x.shape()[i + 1], kernel.shape()[i],
                                            options.strides[i], options.dilation[i]);
    op.low.push_back(amounts.low);
    op.high.push_back(amounts.high);
  }
  return apply_op(std::move(op), v);
}

Tensor transposed_convolution(const Tensor& x, const Tensor& kernel,
                              const ConvolutionOptions& options) {
  constexpr std::string_view kName = "transposed_convolution";
  require_image(x, kName);
  const std::vector<Tensor> v = with_image_kernel(x, flip(kernel, {0, 1}), kName);
  ir::Convolution op = image_convolution(options, v[0].dtype(), kName);
  op.strides = {1, 1};
  op.base_dilation = {options.strides[0], options.strides[1]};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t stride = options.strides[i];
    const std::int64_t reach = (kernel.shape()[i] - 1) * options.dilation[i] + 1;
    require(reach >= 1, "{}: expected a kernel with a window, got {}", kName, kernel.type());
    // What the convolution whose gradient this is pads, from extent * stride to extent.
    const bool is_same = options.padding == Padding::same;
    const std::int64_t before = is_same ? std::max<std::int64_t>(0, reach - stride) / 2 : 0;
    op.low.push_back(reach - 1 - before);
    op.high.push_back(is_same ? stride - 1 + before : reach - 1);
  }
  return apply_op(std::move(op), v);
}

Tensor max_pool(const Tensor& x, const PoolOptions& options) {
  return apply_op(
      ir::WindowReduce{ir::ReduceKind::max, image_window(x, options, "max_pool"), x.dtype()}, {x});
}

Tensor avg_pool(const Tensor& x, const PoolOptions& options) {
  require(is_float(x.dtype()), "avg_pool: needs floats, got {}", x.type());
  const ir::WindowReduce op{ir::ReduceKind::sum, image_window(x, options, "avg_pool"),
                            ir::accumulation_type(x.dtype())};
  const Tensor total = apply_op(op, {x});
  if (options.padding == Padding::valid)
    return total / static_cast<double>(options.size[0] * options.size[1]);
  Shape one_image = x.shape();
  one_image[0] = one_image[3] = 1;
  return total / apply_op(op, {ones(one_image, x.dtype())});
}

void require_epsilon(std::string_view what, double epsilon) {
  require(epsilon >= 0 && std::isfinite(epsilon),
          "{}: epsilon must be a finite number of 0 or more, got {}", what, epsilon);
}

Tensor layer_norm(const Tensor& x, const Tensor& scale, const Tensor& offset, double epsilon) {
  require_epsilon("layer_norm", epsilon);
  return apply_op(ir::LayerNorm{epsilon}, {x, scale, offset});
}

Tensor rms_norm(const Tensor& x, const Tensor& scale, double epsilon) {
  require_epsilon("rms_norm", epsilon);
  return apply_op(ir::RmsNorm{epsilon}, {x, scale});
}

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, bool causal) {
  require(q.rank() >= 2, "attention: expected q [..., t, d], got {}", q.type());
  const double scale = 1 / std::sqrt(static_cast<double>(q.extent(-1)));
  return apply_op(ir::Attention{scale, causal}, {q, k, v});
}

Tensor sparse_cross_entropy_with_logits(const Tensor& logits, const Tensor& labels) {
  return apply_op(ir::SparseCrossEntropy{}, {logits, labels});
}

}  // namespace tenon
