// Ready-made networks, as functions that return a Sequential.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/base/tensor_type.h"
#include "tenon/nn/activation.h"
#include "tenon/nn/sequential.h"

namespace tenon::models {

// Fully connected: inputs of any shape flattened, then a Dense layer of each hidden width with the
// activation, then `outputs` units without one. UserError for a width below 1.
nn::Sequential mlp(const std::vector<std::int64_t>& hidden, std::int64_t outputs,
                   nn::Activation activation = nn::relu);

struct LenetOptions {
  std::vector<std::int64_t> filters{6, 16};  // of the two convolutions
  std::vector<std::int64_t> hidden{120, 84};
  nn::Activation activation = nn::relu;
  // Of one image; [height, width] and [height, width, channels] are both taken.
  Shape image{28, 28};
};

// LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998) with max pooling and rectifiers: conv 5x5 padded to
// the same size, pool 2x2, conv 5x5, pool 2x2, then fully connected layers to `classes` outputs.
// UserError for sizes below 1 and for images too small for the windows.
nn::Sequential lenet(std::int64_t classes = 10, const LenetOptions& options = {});

}  // namespace tenon::models
