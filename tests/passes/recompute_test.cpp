// Rematerialisation: what is computed again, behind which gradients, and that no value changes.
#include "tenon/passes/recompute.h"

#include "same_after.h"
#include "tenon/autodiff/grad.h"
#include "tenon/ir/build.h"

namespace tenon::passes {
namespace {
using namespace ir;
using testing::count_ops;
using testing::expect_same_values;
using testing::Program;

constexpr std::int64_t kRows = 64, kWidth = 32;

Value tanh_of(Builder& b, Value x) { return elementwise(b, ScalarFunction::tanh, {x}); }

// Layers, each a function of x [kRows, kWidth] and its weight [kWidth, kWidth]: the gradient of
// each weight, then the loss.
template <class Layer>
Graph stack(int layers, const Layer& layer) {
  Program p;
  Value x = p.input(DType::f32, {kRows, kWidth});
  std::vector<Value> weights;
  for (int i = 0; i < layers; ++i) {
    weights.push_back(p.input(DType::f32, {kWidth, kWidth}));
    x = layer(p.b, x, weights.back());
  }
  const Value loss = reduce_sum(p.b, multiply(p.b, x, x), {0, 1});
  std::vector<Value> outputs = autodiff::append_gradients(p.b, loss, weights);
  outputs.push_back(loss);
  return p.done(outputs);
}

// tanh(x w1), tanh(.. w2), ...
Graph chain(int layers) {
  return stack(layers, [](Builder& b, Value x, Value w) { return tanh_of(b, matmul(b, x, w)); });
}

Graph recomputed(const Graph& graph, RecomputePolicy policy, int segments) {
  PassOptions options;
  options.context.recompute = policy;
  options.context.recompute_segments = segments;
  return run_passes(graph, options, recompute_passes()).graph;
}

// Most bytes alive at once, in the order of the nodes; barriers are only other names.
std::int64_t peak_bytes(const Graph& graph) {
  const auto root = [&](Value value) {
    while (std::holds_alternative<Barrier>(graph.node(value.node).op))
      value = graph.node(value.node).operands[value.result];
    return value.node;
  };
  std::vector<std::uint32_t> last(graph.nodes().size());
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i)
    for (const Value operand : graph.node(i).operands) last[root(operand)] = i;
  std::int64_t alive = 0, peak = 0;
  std::multimap<std::uint32_t, std::int64_t> ends;
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.node(i);
    if (node.operands.empty() || std::holds_alternative<Barrier>(node.op)) continue;
    const std::int64_t bytes = byte_size(node.results[0]);
    alive += bytes;
    peak = std::max(peak, alive);
    ends.emplace(std::max(last[i], i), bytes);
    for (; !ends.empty() && ends.begin()->first <= i; ends.erase(ends.begin()))
      alive -= ends.begin()->second;
  }
  return peak;
}

TEST(Recompute, ChangesNoValue) {
  const Graph graph = chain(8);
  for (const RecomputePolicy policy : {RecomputePolicy::cheap, RecomputePolicy::full})
    for (const int segments : {2, 3, 8, 100})
      expect_same_values(graph, recomputed(graph, policy, segments), name(policy));
}

TEST(Recompute, KeepsLessAlive) {
  const Graph graph = chain(24);
  const std::int64_t all = peak_bytes(graph);
  EXPECT_LT(peak_bytes(recomputed(graph, RecomputePolicy::full, 5)), all / 2);
}

TEST(Recompute, OfFullComputesEachSegmentButTheLastOnceMore) {
  const Graph graph = chain(24);
  const Graph changed = recomputed(graph, RecomputePolicy::full, 4);
  const int again = count_ops(changed, "dot") - count_ops(graph, "dot");
  EXPECT_GE(again, 10);
  EXPECT_LT(again, 24);
  EXPECT_GT(count_ops(changed, "barrier"), 0);
}

TEST(Recompute, OfCheapLeavesProductsAlone) {
  const Graph graph = chain(24);
  const Graph changed = recomputed(graph, RecomputePolicy::cheap, 4);
  EXPECT_EQ(count_ops(changed, "dot"), count_ops(graph, "dot"));
  EXPECT_GT(count_ops(changed, "tanh"), count_ops(graph, "tanh"));
}

// What a gradient of one's own is for may be as cheap as anything else.
TEST(Recompute, OfCheapLooksIntoFunctionsWithGradientsOfTheirOwn) {
  const TensorType type{DType::f32, {kRows, kWidth}};
  const auto function_of = [&](const auto& body, int inputs) {
    Program p;
    std::vector<Value> values;
    for (int i = 0; i < inputs; ++i) values.push_back(p.input(type.dtype, type.shape));
    return GraphRef(p.done({body(p.b, values)}));
  };
  const auto forward = [](Builder& b, const std::vector<Value>& in) { return tanh_of(b, in[0]); };
  // Of the operand, the result and the gradient of the result.
  const auto backward = [](Builder& b, const std::vector<Value>& in) {
    return multiply(b, in[2], subtract(b, in[0], in[1]));
  };
  const CustomGradient own{function_of(forward, 1), function_of(backward, 3)};
  const Graph graph =
      stack(24, [&](Builder& b, Value x, Value w) { return b.add(own, {matmul(b, x, w)}); });
  const Graph changed = recomputed(graph, RecomputePolicy::cheap, 4);
  expect_same_values(graph, changed, "own gradient");
  EXPECT_EQ(count_ops(changed, "dot"), count_ops(graph, "dot"));
  EXPECT_GT(count_ops(changed, "custom_gradient"), count_ops(graph, "custom_gradient"));
  EXPECT_LT(peak_bytes(changed), peak_bytes(graph));
}

TEST(Recompute, LeavesAStepWithoutGradientsAlone) {
  Program p;
  const Value x = p.input(DType::f32, {kRows, kWidth});
  const Graph forward = p.done({tanh_of(p.b, tanh_of(p.b, x))});
  EXPECT_EQ(recomputed(forward, RecomputePolicy::full, 4), forward);
  const Graph graph = chain(4);
  EXPECT_EQ(recomputed(graph, RecomputePolicy::none, 4), graph);
  EXPECT_EQ(recomputed(graph, RecomputePolicy::full, 1), graph);
}

// Both halves of a sum of two branches, and the sum of gradients that enters their origin.
TEST(Recompute, FollowsBranches) {
  const Graph graph = stack(
      12, [](Builder& b, Value x, Value w) { return add(b, x, tanh_of(b, matmul(b, x, w))); });
  const Graph changed = recomputed(graph, RecomputePolicy::full, 4);
  expect_same_values(graph, changed, "residual");
  EXPECT_LT(peak_bytes(changed), peak_bytes(graph));
}

// Products fold transposes in, with other bits than behind a barrier that stands between.
TEST(Recompute, PutsNoBarrierBehindWhatProductsFoldIn) {
  const Graph graph = stack(8, [](Builder& b, Value x, Value w) {
    x = transpose(b, tanh_of(b, matmul(b, x, transpose(b, w, {1, 0}))), {1, 0});
    x = transpose(b, x, {1, 0});
    return reshape(b, reshape(b, x, {kRows * kWidth}), {kRows, kWidth});
  });
  for (const RecomputePolicy policy : {RecomputePolicy::cheap, RecomputePolicy::full})
    for (const int segments : {2, 3, 5, 8}) {
      const Graph changed = recomputed(graph, policy, segments);
      ASSERT_GT(count_ops(changed, "barrier"), 0);
      for (const Node& node : changed.nodes()) {
        if (!std::holds_alternative<Barrier>(node.op)) continue;
        const Op& op = changed.node(node.operands[0].node).op;
        EXPECT_FALSE(std::holds_alternative<Transpose>(op) || std::holds_alternative<Reshape>(op))
            << ir::name(op);
      }
      expect_same_values(graph, changed, "transposed");
    }
}

// A loss of the end and one of the middle, of one sum or with gradients of their own: both phases
// of the second see the first.
TEST(Recompute, FollowsTwoLosses) {
  for (const bool is_one_sum : {true, false}) {
    Program p;
    const Value w = p.input(DType::f32, {kWidth, kWidth}),
                v = p.input(DType::f32, {kWidth, kWidth});
    Value x = p.input(DType::f32, {kRows, kWidth}), middle;
    for (int i = 0; i < 16; ++i) {
      x = tanh_of(p.b, matmul(p.b, x, i < 8 ? w : v));
      if (i == 7) middle = x;
    }
    const Value end = reduce_sum(p.b, multiply(p.b, x, x), {0, 1});
    const Value side = reduce_sum(p.b, tanh_of(p.b, middle), {0, 1});
    std::vector<Value> outputs;
    if (is_one_sum) {
      outputs = autodiff::append_gradients(p.b, add(p.b, end, side), std::array{w, v});
    } else {
      outputs = autodiff::append_gradients(p.b, side, std::array{w});
      outputs.push_back(autodiff::append_gradients(p.b, end, std::array{v})[0]);
    }
    outputs.push_back(end);
    outputs.push_back(side);
    const Graph graph = p.done(outputs);
    for (const RecomputePolicy policy : {RecomputePolicy::cheap, RecomputePolicy::full})
      for (const int segments : {2, 3, 5}) {
        const Graph changed = recomputed(graph, policy, segments);
        EXPECT_GT(count_ops(changed, "tanh"), count_ops(graph, "tanh"));
        expect_same_values(graph, changed, is_one_sum ? "one sum" : "two gradients");
      }
  }
}

// A second gradient, of a loss behind the first: a penalty of the gradient's size.
TEST(Recompute, FollowsGradientsOfGradients) {
  Program p;
  Value x = p.input(DType::f32, {kRows, kWidth});
  const Value w = p.input(DType::f32, {kWidth, kWidth});
  for (int i = 0; i < 6; ++i) x = tanh_of(p.b, matmul(p.b, x, w));
  const Value loss = reduce_sum(p.b, x, {0, 1});
  const Value first = autodiff::append_gradients(p.b, loss, std::array{w})[0];
  const Value size = reduce_sum(p.b, multiply(p.b, first, first), {0, 1});
  const Graph graph = p.done(autodiff::append_gradients(p.b, size, std::array{w}));
  for (const int segments : {2, 3, 6})
    expect_same_values(graph, recomputed(graph, RecomputePolicy::full, segments), "penalty");
}

TEST(Recompute, AutomaticNeedsAPlanner) {
  EXPECT_THROW(recomputed(chain(2), RecomputePolicy::automatic, 2), InternalError);
}

}  // namespace
}  // namespace tenon::passes
