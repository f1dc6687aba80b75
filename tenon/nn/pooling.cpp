#include "tenon/nn/pooling.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

namespace {

PoolOptions pool_options(const std::vector<std::int64_t>& size,
                         const std::vector<std::int64_t>& strides, bool same_padding,
                         std::string_view what) {
  require(size.size() == 1 || size.size() == 2, "{}: size takes one or two numbers, got {}", what,
          size.size());
  require(strides.size() <= 2, "{}: strides take up to two numbers, got {}", what, strides.size());
  PoolOptions options;
  options.size = {size.front(), size.back()};
  if (!strides.empty()) options.strides = {strides.front(), strides.back()};
  options.padding = same_padding ? Padding::same : Padding::valid;
  return options;
}

// One row of the image is the sequence.
PoolOptions row_options(const Tensor& x, std::int64_t size, std::int64_t stride, bool same_padding,
                        std::string_view what) {
  require(x.rank() == 3, "{}: expected input [batch, length, channels], got {}", what, x.type());
  require(size > 0 && stride >= 0, "{}: size must be above 0 and stride at least 0, got {} and {}",
          what, size, stride);
  PoolOptions options;
  options.size = {1, size};
  options.strides = {1, stride == 0 ? size : stride};
  options.padding = same_padding ? Padding::same : Padding::valid;
  return options;
}

// All axes between the batch and the channels; UserError unless x has `rank` axes.
Axes positions_of(const Tensor& x, std::int64_t rank, std::string_view what) {
  require(x.rank() == rank, "{}: expected input [batch, {}, channels], got {}", what,
          rank == 4 ? "height, width" : "length", x.type());
  require(is_float(x.dtype()), "{}: input must be float, got {}", what, x.type());
  return rank == 4 ? Axes{1, 2} : Axes{1};
}

}  // namespace

Tensor MaxPool2D::operator()(const Tensor& x, Context&) {
  return max_pool(x, pool_options(size, strides, same_padding, "MaxPool2D"));
}

Tensor AvgPool2D::operator()(const Tensor& x, Context&) {
  return avg_pool(x, pool_options(size, strides, same_padding, "AvgPool2D"));
}

Tensor MaxPool1D::operator()(const Tensor& x, Context&) {
  const PoolOptions options = row_options(x, size, stride, same_padding, "MaxPool1D");
  return squeeze(max_pool(expand_dims(x, 1), options), {1});
}

Tensor AvgPool1D::operator()(const Tensor& x, Context&) {
  const PoolOptions options = row_options(x, size, stride, same_padding, "AvgPool1D");
  return squeeze(avg_pool(expand_dims(x, 1), options), {1});
}

Tensor GlobalMaxPool2D::operator()(const Tensor& x, Context&) {
  return tenon::max(x, positions_of(x, 4, "GlobalMaxPool2D"), keep_axes);
}

Tensor GlobalAvgPool2D::operator()(const Tensor& x, Context&) {
  return mean(x, positions_of(x, 4, "GlobalAvgPool2D"), keep_axes);
}

Tensor GlobalMaxPool1D::operator()(const Tensor& x, Context&) {
  return tenon::max(x, positions_of(x, 3, "GlobalMaxPool1D"), keep_axes);
}

Tensor GlobalAvgPool1D::operator()(const Tensor& x, Context&) {
  return mean(x, positions_of(x, 3, "GlobalAvgPool1D"), keep_axes);
}

}  // namespace tenon::nn
