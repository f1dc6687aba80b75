// What every op must define, in its own family file: attributes, type rule, evaluation, gradient.
#pragma once
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tenon/base/host_tensor.h"
#include "tenon/base/tensor_type.h"

namespace tenon::ir {

class Builder;
class Graph;

// One result of one node.
struct Value {
  std::uint32_t node = 0;
  std::uint32_t result = 0;
  auto operator<=>(const Value&) const = default;
};

using OperandTypes = std::span<const TensorType>;
using TensorTypes = std::vector<TensorType>;
using OperandValues = std::span<const HostTensor* const>;
using HostTensors = std::vector<HostTensor>;
using Gradients = std::vector<std::optional<Value>>;  // one per operand; none = no gradient flows

// A graph shared by reference, compared by content.
class GraphRef {
 public:
  GraphRef() = default;
  explicit GraphRef(Graph graph);
  const Graph& operator*() const { return *graph_; }
  const Graph* operator->() const { return graph_.get(); }
  explicit operator bool() const { return graph_ != nullptr; }
  std::uint64_t hash() const;
  bool operator==(const GraphRef& other) const;

 private:
  std::shared_ptr<const Graph> graph_;
};

// Constant data shared by reference, compared by content, with its hash computed once.
class ConstantRef {
 public:
  ConstantRef() = default;
  explicit ConstantRef(HostTensor tensor);
  const HostTensor& operator*() const { return *tensor_; }
  const HostTensor* operator->() const { return tensor_.get(); }
  std::uint64_t hash() const { return hash_; }
  bool operator==(const ConstantRef& other) const;

 private:
  std::shared_ptr<const HostTensor> tensor_;
  std::uint64_t hash_ = 0;
};

// The reverse-mode derivative of a graph as another graph.
// Inputs: those of the original, then one cotangent for each float output (in order).
// Outputs: one gradient for each float input (in order); zeros where nothing flows.
struct VectorJacobian {
  std::vector<std::optional<std::uint32_t>> cotangent_input;  // per output of the original
  std::vector<std::optional<std::uint32_t>> gradient_output;  // per input of the original
  GraphRef graph;
};

// Everything a gradient rule may look at. Rules build ops through `builder`, as any user would.
struct GradientInputs {
  Builder& builder;
  std::span<const Value> operands;
  std::span<const Value> results;
  std::span<const std::optional<Value>> upstream;  // one per result; none = zero
  const std::function<VectorJacobian(const Graph&)>& differentiate;
};

template <class Op>
concept OpDefinition = std::equality_comparable<Op> &&
    requires(const Op& op, OperandTypes types, OperandValues values, const GradientInputs& in) {
  { Op::kName } -> std::convertible_to<std::string_view>;
  // UserError, starting with the op's name, if the operands do not fit.
  { infer_types(op, types) } -> std::same_as<TensorTypes>;
  // Slow and obvious: the judge of every backend. Operands have types infer_types accepted.
  { evaluate(op, values) } -> std::same_as<HostTensors>;
  // UserError if the op has no derivative (and an operand is a float).
  { gradient(op, in) } -> std::same_as<Gradients>;
};

// A composite is an op with a definition in terms of other ops. `definition` gives its types, its
// evaluation and, unless it overloads gradient, its derivative.
template <class Op>
concept CompositeDefinition = requires(const Op& op, OperandTypes types) {
  { definition(op, types) } -> std::same_as<Graph>;
};

// Attributes: each op lists its fields once, `fields(op, visit)` calls visit("name", op.field) for
// each in declaration order; printing, parsing and hashing all read that list.

}  // namespace tenon::ir
