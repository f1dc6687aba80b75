// Layers that change the shape of channels-last images: ZeroPad2D, UpSample2D, ChannelShortcut.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// Zeros around the image: rows above and columns at the left by `before`, below and at the right by
// `after`. x [batch, height, width, channels]. ZeroPad2D before a convolution without padding pads
// both sides alike, as PyTorch's `padding` does; same_padding puts the odd pixel after.
struct ZeroPad2D {
  static constexpr std::string_view kKind = "zero_pad2d";
  static constexpr bool kMixesSteps = true;
  std::vector<std::int64_t> before{1, 1};  // one number serves both axes
  std::vector<std::int64_t> after{1, 1};
  // UserError unless x has rank 4 and the numbers are from 0 to 65536.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("before", before);
    visit("after", after);
  }
};

// Each pixel as a block of pixels ("nearest"). x [batch, height, width, channels]
// -> [batch, height * size[0], width * size[1], channels].
struct UpSample2D {
  static constexpr std::string_view kKind = "up_sample2d";
  static constexpr bool kMixesSteps = true;
  std::vector<std::int64_t> size{2, 2};  // one number serves both axes
  // UserError unless x has rank 4 and the numbers are from 1 to 65536.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("size", size); }
};

// Every stride-th pixel, with channels of zeros added at the end up to `channels`: the shortcut
// without weights between stages of a residual network, option A of He et al. 2016, 4.2.
// x [batch, height, width, in] -> [batch, ceil(height / stride), ceil(width / stride), channels].
struct ChannelShortcut {
  static constexpr std::string_view kKind = "channel_shortcut";
  static constexpr bool kMixesSteps = true;
  std::int64_t channels = 1;
  std::int64_t stride = 2;
  // UserError unless x has rank 4 and no more than `channels` channels.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("channels", channels);
    visit("stride", stride);
  }
};

}  // namespace tenon::nn
