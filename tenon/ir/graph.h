// An immutable program: nodes in topological order, each using only earlier nodes, and a signature.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "tenon/ir/op.h"

namespace tenon::ir {

struct Node {
  Op op;
  std::vector<Value> operands;      // all from earlier nodes
  std::vector<TensorType> results;  // always infer_types(op, operand types)
  bool operator==(const Node&) const = default;
};

// What an input is to a training step: a batch, state that lives across steps (weights, moments,
// counters), scalar state that a host writes (learning rate), or a random key.
enum class Role : std::uint8_t { data, state, scalar_state, key };
constexpr auto enum_names(Role) {
  return std::to_array<std::string_view>({"data", "state", "scalar_state", "key"});
}
struct Input {
  std::string name;
  TensorType type;
  Role role = Role::data;
  Sharding sharding;
  bool operator==(const Input&) const = default;
};

// How results of several micro-batches or replicas combine: add them, average them by weight, or
// carry the value from one to the next.
enum class Merge : std::uint8_t { carry, sum, weighted_mean };
constexpr auto enum_names(Merge) {
  return std::to_array<std::string_view>({"carry", "sum", "weighted_mean"});
}
struct Output {
  std::string name;
  Value value;
  std::optional<std::uint32_t> updates_input;  // the state input whose next value this is
  Merge merge = Merge::carry;
  bool operator==(const Output&) const = default;
};

// A part of a model, as a profile names it.
struct Origin {
  std::string path;      // "encoder/dense_1"
  std::string location;  // where it was written, "train_mnist.cpp:42", or empty
};
// What a person called a node, where it was written, whether differentiation made it, and for
// which part of the model it was made; never part of equality.
struct NodeInfo {
  std::string name;
  std::string location;  // "train_mnist.cpp:42", or empty
  bool is_derivative = false;
  std::shared_ptr<const Origin> origin{};  // of derivatives that of what they are derivatives of
};

class Graph {
 public:
  std::span<const Node> nodes() const { return nodes_; }
  const Node& node(std::uint32_t index) const { return nodes_[index]; }
  std::span<const Input> inputs() const { return inputs_; }
  std::span<const Output> outputs() const { return outputs_; }
  const TensorType& type(Value value) const { return nodes_[value.node].results[value.result]; }
  // Nothing for a node nobody named.
  const NodeInfo* info(std::uint32_t node) const;

  std::uint64_t hash() const;
  bool operator==(const Graph& other) const {
    return nodes_ == other.nodes_ && inputs_ == other.inputs_ && outputs_ == other.outputs_;
  }

 private:
  friend class Builder;
  std::vector<Node> nodes_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  std::map<std::uint32_t, NodeInfo> info_;
};

// The only way to make nodes: infers the types and returns an equal earlier node where there is
// one. A Builder is a value: copy it to branch off.
class Builder {
 public:
  // The first result of the node; result k of the same node is Value{value.node, k}.
  // UserError from the op's type rule; InternalError if an operand does not exist.
  Value add(Op op, std::span<const Value> operands);
  Value add(Op op, std::initializer_list<Value> operands = {}) {
    return add(std::move(op), std::span<const Value>(operands.begin(), operands.size()));
  }
  // A new input of the signature, as the Parameter that reads it.
  Value input(Input input);
  // For so many nodes in all: a builder that grows holds its nodes twice at times.
  void reserve(std::size_t nodes) { graph_.nodes_.reserve(nodes); }

  const Node& node(std::uint32_t index) const { return graph_.nodes_[index]; }
  std::uint32_t node_count() const { return static_cast<std::uint32_t>(graph_.nodes_.size()); }
  const TensorType& type(Value value) const { return graph_.type(value); }
  std::span<const Input> inputs() const { return graph_.inputs_; }
  // All results of the node that made this value.
  std::vector<Value> results(Value value) const;
  // Attaches what is known to a node of which nothing but its origin is known yet, or a name to one
  // without; an origin to a node without one.
  void describe(std::uint32_t node, NodeInfo info);
  const NodeInfo* info(std::uint32_t node) const { return graph_.info(node); }

  // Checks that every updating output has the type of its state input, each input updated once.
  Graph finish(std::vector<Output> outputs) &&;
  // Outputs without names or updates.
  Graph finish(std::span<const Value> values) &&;
  Graph finish(std::initializer_list<Value> values) && {
    return std::move(*this).finish(std::span<const Value>(values.begin(), values.size()));
  }

 private:
  Graph graph_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> nodes_by_hash_;
};

// Appends the graph's nodes to the builder with its inputs replaced by `inputs` (equal types), and
// returns its outputs there. Node names travel along.
std::vector<Value> inline_graph(Builder& builder, const Graph& graph,
                                std::span<const Value> inputs);
// The same, returning `values` of the graph instead of its outputs.
std::vector<Value> inline_values(Builder& builder, const Graph& graph,
                                 std::span<const Value> inputs, std::span<const Value> values);

// A builder that starts with the graph's inputs (same names, roles and shardings), in order.
Builder builder_with_inputs_of(const Graph& graph, std::vector<Value>& inputs);

// Types of operands, inputs and outputs.
TensorTypes types_of(const Builder& builder, std::span<const Value> values);
TensorTypes input_types(const Graph& graph);
TensorTypes output_types(const Graph& graph);

static_assert(every_op_is_defined<Op>, "an op lacks infer_types, evaluate or gradient");

}  // namespace tenon::ir
