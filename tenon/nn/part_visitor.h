// PartVisitor: a visitor of weights and layers, which leaves attributes alone.
#pragma once
#include "tenon/nn/layer.h"

namespace tenon::nn {

// Descends into every layer; who derives from it says what happens to Variables, if anything.
class PartVisitor : public FieldVisitor {
 public:
  using FieldVisitor::operator();
  void operator()(std::string_view, std::int64_t&) override {}
  void operator()(std::string_view, double&) override {}
  void operator()(std::string_view, bool&) override {}
  void operator()(std::string_view, std::string&) override {}
  void operator()(std::string_view, std::vector<std::int64_t>&) override {}
  void operator()(std::string_view, Activation&) override {}
  void operator()(std::string_view, Initializer&) override {}
  void operator()(std::string_view, Variable&) override {}
  void operator()(std::string_view, Layer& layer) override { layer.fields(*this); }
  void operator()(std::string_view, std::vector<Layer>& layers) override {
    for (Layer& layer : layers) layer.fields(*this);
  }
};

}  // namespace tenon::nn
