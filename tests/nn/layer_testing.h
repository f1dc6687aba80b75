// Helpers for tests of layers: attributes from JSON, a model traced and run once.
#pragma once
#include <gtest/gtest.h>

#include "../data/sample_reading.h"
#include "../tensor/tensor_testing.h"
#include "tenon/nn/activation.h"
#include "tenon/nn/attention.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/convolution.h"
#include "tenon/nn/convolution_transpose.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/embedding.h"
#include "tenon/nn/metric.h"
#include "tenon/nn/normalization.h"
#include "tenon/nn/pooling.h"
#include "tenon/nn/recurrent.h"
#include "tenon/nn/residual.h"
#include "tenon/nn/sequential.h"
#include "tenon/session/session.h"

namespace tenon::nn {

// Sets the attributes that a JSON object names.
class AttributeReader final : public FieldVisitor {
 public:
  explicit AttributeReader(const nlohmann::json& json) : json_(json) {}
  using FieldVisitor::operator();
  void operator()(std::string_view name, std::int64_t& value) override { read(name, value); }
  void operator()(std::string_view name, double& value) override { read(name, value); }
  void operator()(std::string_view name, bool& value) override { read(name, value); }
  void operator()(std::string_view name, std::string& value) override { read(name, value); }
  void operator()(std::string_view name, std::vector<std::int64_t>& value) override {
    read(name, value);
  }
  void operator()(std::string_view name, Activation& value) override {
    std::string text;
    read(name, text);
    if (!text.empty()) value = parse_activation(text);
  }
  void operator()(std::string_view, Initializer&) override {}
  void operator()(std::string_view, Variable&) override {}
  // {"kind": ..., attributes}.
  void operator()(std::string_view name, Layer& value) override {
    const auto found = json_.find(std::string(name));
    if (found == json_.end()) return;
    value = make_layer(found->at("kind").get<std::string>());
    AttributeReader reader(*found);
    value.fields(reader);
  }
  void operator()(std::string_view, std::vector<Layer>&) override {}

 private:
  template <class T>
  void read(std::string_view name, T& value) {
    const auto found = json_.find(std::string(name));
    if (found != json_.end()) value = found->get<T>();
  }
  const nlohmann::json& json_;
};

// The names of variables, in order.
inline std::vector<std::string> names_of(std::span<const Variable> variables) {
  std::vector<std::string> names;
  for (const Variable& variable : variables) names.push_back(variable.name());
  return names;
}

// The names of the weights that a layer makes for an input of this type.
inline std::vector<std::string> weight_names(const Layer& layer, const TensorType& input) {
  Context context(Mode::inference);
  layer.call_as_root(placeholder("x", input), context);
  return names_of(context.variables());
}

}  // namespace tenon::nn
