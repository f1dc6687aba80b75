// Pooling layers on channels-last images and sequences.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// The largest element of each window. x [batch, height, width, channels].
struct MaxPool2D {
  static constexpr std::string_view kKind = "max_pool2d";
  static constexpr bool kMixesSteps = true;
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
  static constexpr bool kMixesSteps = true;
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

// The largest element of each window. x [batch, length, channels].
struct MaxPool1D {
  static constexpr std::string_view kKind = "max_pool1d";
  static constexpr bool kMixesSteps = true;
  std::int64_t size = 2;
  std::int64_t stride = 0;  // 0: equal to size
  bool same_padding = false;

  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("size", size);
    visit("stride", stride);
    visit("same_padding", same_padding);
  }
};

// The mean of each window (padding does not count). x [batch, length, channels].
struct AvgPool1D {
  static constexpr std::string_view kKind = "avg_pool1d";
  static constexpr bool kMixesSteps = true;
  std::int64_t size = 2;
  std::int64_t stride = 0;  // 0: equal to size
  bool same_padding = false;

  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("size", size);
    visit("stride", stride);
    visit("same_padding", same_padding);
  }
};

// The largest element of each channel. x [batch, height, width, channels] -> [batch, channels], or
// [batch, 1, 1, channels] with keep_axes.
struct GlobalMaxPool2D {
  static constexpr std::string_view kKind = "global_max_pool2d";
  static constexpr bool kMixesSteps = true;
  bool keep_axes = false;

  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("keep_axes", keep_axes); }
};

// The mean of each channel. x [batch, height, width, channels] -> [batch, channels], or
// [batch, 1, 1, channels] with keep_axes.
struct GlobalAvgPool2D {
  static constexpr std::string_view kKind = "global_avg_pool2d";
  static constexpr bool kMixesSteps = true;
  bool keep_axes = false;

  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("keep_axes", keep_axes); }
};

// The largest element of each channel. x [batch, length, channels] -> [batch, channels], or
// [batch, 1, channels] with keep_axes.
struct GlobalMaxPool1D {
  static constexpr std::string_view kKind = "global_max_pool1d";
  static constexpr bool kMixesSteps = true;
  bool keep_axes = false;

  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("keep_axes", keep_axes); }
};

// The mean of each channel. x [batch, length, channels] -> [batch, channels], or
// [batch, 1, channels] with keep_axes.
struct GlobalAvgPool1D {
  static constexpr std::string_view kKind = "global_avg_pool1d";
  static constexpr bool kMixesSteps = true;
  bool keep_axes = false;

  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("keep_axes", keep_axes); }
};

using MaxPool = MaxPool2D;
using AvgPool = AvgPool2D;

}  // namespace tenon::nn
