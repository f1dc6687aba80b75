#include "tenon/ir/op.h"

#include "tenon/base/flush_to_zero.h"
#include "tenon/ir/fields.h"
#include "tenon/ir/graph.h"

namespace tenon::ir {

std::string_view name(const Op& op) {
  if (const auto* elementwise = std::get_if<Elementwise>(&op))
    return info(elementwise->function).name;
  return std::visit([](const auto& o) { return o.kName; }, op);
}

std::uint64_t hash(const Op& op) {
  FieldHasher hasher{op.index()};
  std::visit([&]<class T>(const T& o) { T::fields(o, hasher); }, op);
  return hasher.state;
}

TensorTypes infer_types(const Op& op, OperandTypes types) {
  return std::visit([&](const auto& o) { return infer_types(o, types); }, op);
}

HostTensors evaluate(const Op& op, OperandValues values) {
  const FlushToZero flush;
  return std::visit([&](const auto& o) { return evaluate(o, values); }, op);
}

Gradients gradient(const Op& op, const GradientInputs& in) {
  return std::visit([&](const auto& o) { return gradient(o, in); }, op);
}

std::optional<Graph> definition_of(const Op& op, OperandTypes types) {
  return std::visit(
      [&]<class T>(const T& o) -> std::optional<Graph> {
        if constexpr (CompositeDefinition<T>) return definition(o, types);
        return std::nullopt;
      },
      op);
}

GraphRef::GraphRef(Graph graph) : graph_(std::make_shared<const Graph>(std::move(graph))) {}
std::uint64_t GraphRef::hash() const { return graph_ ? graph_->hash() : 0; }
bool GraphRef::operator==(const GraphRef& other) const {
  if (graph_ == other.graph_) return true;
  return graph_ && other.graph_ && *graph_ == *other.graph_;
}

ConstantRef::ConstantRef(HostTensor tensor)
    : tensor_(std::make_shared<const HostTensor>(std::move(tensor))) {
  FieldHasher hasher{hash_bytes(tensor_->bytes())};
  hasher.add(tensor_->type());
  hash_ = hasher.state;
}
bool ConstantRef::operator==(const ConstantRef& other) const {
  if (tensor_ == other.tensor_) return true;
  return tensor_ && other.tensor_ && hash_ == other.hash_ && *tensor_ == *other.tensor_;
}

}  // namespace tenon::ir
