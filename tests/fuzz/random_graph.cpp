#include "random_graph.h"

#include <numeric>
#include <set>

#include "graph_maker.h"

namespace tenon::fuzz {
using namespace ir;

Shape GraphMaker::shape(std::int64_t highest_rank) {
  for (;;) {
    Shape result;
    for (std::int64_t i = below(highest_rank + 1); i > 0; --i)
      result.push_back(chance(4) ? 0 : 1 + below(5));
    if (fits(result)) return result;
  }
}

Axes GraphMaker::some_axes(std::int64_t rank) {
  Axes axes;
  for (std::int64_t i = 0; i < rank; ++i)
    if (chance(40)) axes.push_back(i);
  return axes;
}

Axes GraphMaker::permutation(std::int64_t rank) {
  Axes axes(static_cast<std::size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  for (std::size_t i = axes.size(); i > 1; --i)
    std::swap(axes[i - 1], axes[static_cast<std::size_t>(below(static_cast<std::int64_t>(i)))]);
  return axes;
}

ScalarFunction GraphMaker::function(int arity, DType dtype) {
  static const std::set<ScalarFunction> kRounded = {
      ScalarFunction::exp,   ScalarFunction::expm1,   ScalarFunction::log,  ScalarFunction::log1p,
      ScalarFunction::tan,   ScalarFunction::rsqrt,   ScalarFunction::cbrt, ScalarFunction::sin,
      ScalarFunction::cos,   ScalarFunction::tanh,    ScalarFunction::erf,  ScalarFunction::power,
      ScalarFunction::atan2, ScalarFunction::logistic};
  for (;;) {
    const auto& row = kScalarFunctions[static_cast<std::size_t>(
        below(static_cast<std::int64_t>(kScalarFunctions.size())))];
    if (row.arity != arity || !accepts(row.function, dtype)) continue;
    if (!only_exact(dtype) || !kRounded.contains(row.function)) return row.function;
  }
}

Value GraphMaker::any() {
  const auto size = static_cast<std::int64_t>(pool_.size());
  const std::int64_t back = chance(50) ? below(std::min<std::int64_t>(size, 4)) : below(size);
  return pool_[static_cast<std::size_t>(size - 1 - back)];
}

std::optional<Value> GraphMaker::where(bool (*fits)(DType)) {
  for (int attempt = 0; attempt < 8; ++attempt)
    if (const Value v = any(); fits(type(v).dtype)) return v;
  return std::nullopt;
}

bool GraphMaker::fits(const Shape& shape) const {
  return element_count(shape) <= options_.most_elements && shape.size() <= 5;
}

Value GraphMaker::fresh(const TensorType& type) {
  switch (below(4)) {
    case 0: return builder.input({fmt::format("x{}", inputs_++), type, Role::data, Sharding{}});
    case 1: {
      HostTensor tensor(type);
      for (std::byte& byte : tensor.bytes()) byte = static_cast<std::byte>(below(256));
      if (is_boolean(type.dtype))
        for (bool& b : tensor.as<bool>()) b = below(2) == 1;
      return constant(builder, std::move(tensor));
    }
    case 2:
      if (!is_boolean(type.dtype) && !type.shape.empty())
        return builder.add(Iota{type, below(type.rank())}, {});
      [[fallthrough]];
    default: return splat(builder, one_of<double>({0.0, -0.0, 1, -1, 2, 0.25, 100}), type);
  }
}

Value GraphMaker::like(const TensorType& wanted) {
  for (int attempt = 0; attempt < 6; ++attempt)
    if (const Value v = any(); type(v) == wanted) return v;
  return fresh(wanted);
}

void GraphMaker::add(Op op, std::vector<Value> operands) {
  const TensorTypes types = infer_types(op, types_of(builder, operands));
  for (const TensorType& result : types)
    if (!fits(result.shape)) return;
  const Value first = builder.add(std::move(op), operands);
  if (chance(5)) builder.describe(first.node, {fmt::format("layer_{}", below(9)), "a.cpp:7"});
  for (const Value result : builder.results(first)) pool_.push_back(result);
}

Graph GraphMaker::make() {
  const auto make_inputs = 2 + below(3);
  for (std::int64_t i = 0; i < make_inputs; ++i)
    pool_.push_back(
        builder.input({fmt::format("x{}", inputs_++), {dtype(), shape()}, Role::data, {}}));
  std::vector<std::vector<Maker>> families = {arithmetic_makers(), movement_makers(),
                                              reduction_makers()};
  if (options_.composites) families.push_back(composite_makers());
  while (static_cast<int>(builder.node_count()) < options_.nodes) {
    if (options_.control && chance(8)) one_of(control_makers())(*this);
    // Half of all nodes are arithmetic, a third movement.
    const std::int64_t draw = below(100);
    std::size_t family = draw < 45 ? 0 : draw < 80 ? 1 : draw < 95 ? 2 : 3;
    family = std::min(family, families.size() - 1);
    one_of(families[family])(*this);
    if (chance(3)) pool_.push_back(fresh({dtype(), shape()}));
  }
  std::vector<Output> outputs;
  for (std::int64_t i = 1 + below(4); i > 0; --i)
    outputs.push_back({chance(50) ? fmt::format("y{}", i) : "", any(), std::nullopt, Merge::carry});
  return std::move(builder).finish(std::move(outputs));
}

Graph random_graph(std::uint64_t seed, const RandomGraphOptions& options) {
  return GraphMaker(seed, options).make();
}

Graph with_random_state(const Graph& graph, std::uint64_t seed) {
  ThreefrySequence random{seed ^ 77};
  Builder b;
  std::vector<Value> inputs;
  for (Input input : graph.inputs()) {
    if (random.below(100) < 75) input.role = Role::state;
    inputs.push_back(b.input(std::move(input)));
  }
  const std::vector<Value> results = inline_graph(b, graph, inputs);
  std::vector<Value> all;
  for (std::uint32_t i = 0; i < b.node_count(); ++i)
    for (std::uint32_t k = 0; k < b.node(i).results.size(); ++k) all.push_back({i, k});
  std::vector<Output> outputs;
  for (std::uint32_t i = 0; i < inputs.size(); ++i) {
    if (b.inputs()[i].role == Role::data || random.below(100) < 10) continue;
    std::vector<Value> fitting;
    for (const Value v : all)
      if (b.type(v) == b.inputs()[i].type) fitting.push_back(v);
    outputs.push_back({"", fitting[random.below(fitting.size())], i, Merge::carry});
  }
  for (const Value v : results) outputs.push_back({"", v, std::nullopt, Merge::carry});
  return std::move(b).finish(std::move(outputs));
}

}  // namespace tenon::fuzz
