// Sequential: layers applied one after another.
#pragma once
#include "tenon/nn/layer.h"

namespace tenon::nn {

struct Sequential {
  static constexpr std::string_view kKind = "sequential";
  std::vector<Layer> layers;

  Sequential() = default;
  Sequential(std::initializer_list<Layer> list) : layers(list) {}
  explicit Sequential(std::vector<Layer> list) : layers(std::move(list)) {}
  void add(Layer layer) { layers.push_back(std::move(layer)); }

  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("layers", layers); }
};

}  // namespace tenon::nn
