// Local rewrites as data: named rules, applied until none applies any more.
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tenon/ir/build.h"
#include "tenon/ir/rebuild.h"

namespace tenon::passes {

// The node a rule looks at. Rules add what they need through the builder; nodes that end up unused
// disappear. References into the builder die with the next add: rules copy what they keep.
struct Match {
  ir::Builder& builder;
  const ir::Op& op;
  std::span<const ir::Value> operands;
  // How often the graph uses the value of each operand.
  std::span<const std::uint32_t> uses;

  const TensorType& type(std::size_t operand) const { return builder.type(operands[operand]); }
  TensorType result_type() const;  // of the node's first result
};

struct Rule {
  std::string_view name;
  // One value per result of the node, or none where the rule does not apply. A rule must make the
  // graph smaller by some measure, so that rewriting ends.
  ir::Replacement (*apply)(const Match&);
};

struct RewriteReport {
  int rounds = 0;
  bool finished = true;                     // false: stopped by the limit on rounds
  std::map<std::string_view, int> applied;  // how often each rule applied
};

// Offers each node, operands first, to the rules in order; the first that applies wins. Repeats
// until nothing applies, at most kMostRounds times, sub-graphs included.
inline constexpr int kMostRounds = 64;
ir::Graph rewrite(const ir::Graph& graph, std::span<const Rule> rules,
                  RewriteReport* report = nullptr);

// A rule's way to return one value.
inline ir::Replacement replace_with(ir::Value value) { return std::vector<ir::Value>{value}; }

// The node that makes a value, copied, if its op is a T.
template <class T>
struct Producer {
  T op;
  std::vector<ir::Value> operands;
};
template <class T>
std::optional<Producer<T>> producer(const ir::Builder& builder, ir::Value value) {
  const ir::Node& node = builder.node(value.node);
  if (const T* op = std::get_if<T>(&node.op)) return Producer<T>{*op, node.operands};
  return std::nullopt;
}

}  // namespace tenon::passes
