// The layers of a model that quantisation replaces.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "tenon/nn/layer.h"

namespace tenon {

// A layer that is to be quantised, and what replaces it.
struct QuantizeSite {
  nn::Layer original;
  nn::Layer replacement;
  Variable kernel, bias;  // of the original
  Variable new_kernel, new_scale, new_bias, input_scale, input_zero_point;
  bool use_bias = true;
  std::string path;  // of the original
};

// Copies of the model, with its weights, adding the layers that are met to `sites` in their order.
// Each has a probe around it: a trace leaves all inputs of layer i, flat, in (*inputs)[i].
nn::Layer with_probes(const nn::Layer& model, std::vector<QuantizeSite>& sites,
                      const std::shared_ptr<std::vector<Tensor>>& inputs);
// Each is replaced.
nn::Layer with_replacements(const nn::Layer& model, std::vector<QuantizeSite>& sites);

}  // namespace tenon
