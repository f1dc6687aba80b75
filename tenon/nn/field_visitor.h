// How modules show their attributes, weights and parts: one visit serves naming, summaries,
// checkpoints and rebuilding a model from its description.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tenon/tensor/variable.h"

namespace tenon::nn {

class Layer;
enum class Activation : std::uint8_t;
struct Initializer;

// A module calls visitor(name, field) for each field in a fixed order. Visitors may read or write.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void operator()(std::string_view name, std::int64_t& value) = 0;
  virtual void operator()(std::string_view name, double& value) = 0;
  virtual void operator()(std::string_view name, bool& value) = 0;
  virtual void operator()(std::string_view name, std::string& value) = 0;
  virtual void operator()(std::string_view name, std::vector<std::int64_t>& value) = 0;
  virtual void operator()(std::string_view name, Activation& value) = 0;
  virtual void operator()(std::string_view name, Initializer& value) = 0;
  virtual void operator()(std::string_view name, Variable& value) = 0;
  virtual void operator()(std::string_view name, Layer& value) = 0;
  virtual void operator()(std::string_view name, std::vector<Layer>& value) = 0;
};

}  // namespace tenon::nn
