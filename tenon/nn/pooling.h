// Pooling layers on channels-last images.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// The largest element of each window. x [batch, height, width, channels].
struct MaxPool2D {
  static constexpr std::string_view kKind = "max_pool2d";
  std::vector<std::int64_t> size{2, 2};
  std::vector<std::int64_t> strides{};  // empty: equal to size
  bool same_padding = false;

  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("size", size);
    visit("strides", strides);
    visit("same_padding", same_padding);
  }
};

// The mean of each window (padding does not count). x [batch, height, width, channels].
struct AvgPool2D {
  static constexpr std::string_view kKind = "avg_pool2d";
  std::vector<std::int64_t> size{2, 2};
  std::vector<std::int64_t> strides{};  // empty: equal to size
  bool same_padding = false;

  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("size", size);
    visit("strides", strides);
    visit("same_padding", same_padding);
  }
};

using MaxPool = MaxPool2D;
using AvgPool = AvgPool2D;

}  // namespace tenon::nn
