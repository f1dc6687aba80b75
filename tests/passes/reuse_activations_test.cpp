#include "same_after.h"
#include "tenon/ir/print.h"

namespace tenon::testing {
namespace {
using namespace ir;

struct Layer {
  bool keeps_gradient_of_weights = true;
  double bound = 0;  // select(x <= bound, 0, x)
};

// A relu before a product, and the gradients of both.
Graph layer_step(const Layer& layer) {
  Program p;
  const Value x = p.input(DType::f32, {4, 5}), w = p.input(DType::f32, {5, 3});
  const Value upstream = p.input(DType::f32, {4, 3});
  const Value zero = splat(p.b, 0, {DType::f32, {4, 5}});
  const Value bound = splat(p.b, layer.bound, {DType::f32, {4, 5}});
  const Value mask = p.b.add(Elementwise{ScalarFunction::less_equal}, {x, bound});
  const Value y = p.b.add(Select{}, {mask, zero, x});
  const auto product = [&](Value a, Value b, std::int64_t in_a, std::int64_t in_b) {
    Dot op;
    op.lhs_contracting = {in_a};
    op.rhs_contracting = {in_b};
    op.result = DType::f32;
    return p.b.add(op, {a, b});
  };
  std::vector<Value> outputs{product(y, w, 1, 0)};
  if (layer.keeps_gradient_of_weights) outputs.push_back(product(y, upstream, 0, 0));
  outputs.push_back(p.b.add(Select{}, {mask, zero, product(upstream, w, 1, 1)}));
  return p.done(outputs);
}

TEST(ReuseActivations, MasksReadWhatIsKept) {
  const Graph before = layer_step({});
  const Graph after = passes::reuse_activations(before);
  expect_same_values(before, after, "reuse_activations");
  // The last select: its mask compares the first one's result.
  const Node& masked = after.node(after.outputs()[2].value.node);
  const Node& mask = after.node(masked.operands[0].node);
  EXPECT_TRUE(std::holds_alternative<Select>(after.node(mask.operands[0].node).op)) << print(after);
}

TEST(ReuseActivations, LeavesAlone) {
  for (const Layer& layer : {Layer{false, 0}, Layer{true, 1}, Layer{true, -0.0}}) {
    const Graph before = layer_step(layer);
    EXPECT_EQ(print(passes::reuse_activations(before)), print(before));
  }
}

}  // namespace
}  // namespace tenon::testing
