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

}  // namespace

Tensor MaxPool2D::operator()(const Tensor& x, Context&) {
  return max_pool(x, pool_options(size, strides, same_padding, "MaxPool2D"));
}

Tensor AvgPool2D::operator()(const Tensor& x, Context&) {
  return avg_pool(x, pool_options(size, strides, same_padding, "AvgPool2D"));
}

}  // namespace tenon::nn
