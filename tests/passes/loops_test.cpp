// Passes on loops: merging, trimming, hoisting.
#include "same_after.h"
#include "tenon/autodiff/grad.h"
#include "tenon/ir/build.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/print.h"
#include "tenon/ir/verify.h"

namespace tenon::testing {
namespace {
using namespace ir;

Value body_input(Builder& b, const char* name, Shape shape) {
  return b.input({name, {DType::f32, std::move(shape)}, Role::data, {}});
}

// h' = tanh(x_t W + h U + bias); stacked outputs h' and x_t * 2 (which nothing carries).
Scan recurrent_scan(bool reverse = false) {
  Builder b;
  const Value h = body_input(b, "h", {2, 3}), x = body_input(b, "x", {2, 4});
  const Value w = body_input(b, "w", {4, 3}), u = body_input(b, "u", {3, 3});
  const Value bias = body_input(b, "bias", {3});
  const Value doubled = add(b, x, x);
  const Value from_input = matmul(b, negate(b, doubled), exp(b, w));
  const Value sum = add(b, from_input, matmul(b, h, u));
  const Value next =
      elementwise(b, ScalarFunction::tanh, {add(b, sum, broadcast(b, bias, {2, 3}, {1}))});
  return {GraphRef(std::move(b).finish({next, next, doubled})), 5, 1, 1, reverse};
}

std::vector<Value> recurrent_inputs(Program& p) {
  return {p.input(DType::f32, {2, 3}), p.input(DType::f32, {5, 2, 4}), p.input(DType::f32, {4, 3}),
          p.input(DType::f32, {3, 3}), p.input(DType::f32, {3})};
}

const Scan& only_scan(const Graph& graph) {
  for (const Node& node : graph.nodes())
    if (const auto* scan = std::get_if<Scan>(&node.op)) return *scan;
  throw InternalError("no scan");
}

TEST(Hoist, InputProductsAndInvariantsLeaveTheLoop) {
  for (const bool reverse : {false, true}) {
    Program p;
    const std::vector<Value> operands = recurrent_inputs(p);
    const Graph graph = p.done(p.b.results(p.b.add(recurrent_scan(reverse), operands)));
    const Graph after = passes::hoist(graph);
    expect_same_values(graph, after, "hoist");
    EXPECT_EQ(count_ops(*only_scan(after).body, "dot"), 1) << print(after);
    EXPECT_EQ(count_ops(*only_scan(after).body, "exp"), 0);
    EXPECT_EQ(count_ops(after, "dot"), 1);
    EXPECT_EQ(count_ops(after, "exp"), 1);
  }
}

TEST(Hoist, ProductsWithTheInvariantOnTheLeft) {
  Builder b;
  const Value sum = body_input(b, "sum", {3, 2}), x = body_input(b, "x", {4, 2});
  const Value w = body_input(b, "w", {3, 4});
  const Value next = add(b, sum, matmul(b, w, x));
  const Scan scan{GraphRef(std::move(b).finish({next})), 5, 1, 1, false};
  Program p;
  const std::vector<Value> operands = {p.input(DType::f32, {3, 2}), p.input(DType::f32, {5, 4, 2}),
                                       p.input(DType::f32, {3, 4})};
  const Graph graph = p.done({p.b.add(scan, operands)});
  const Graph after = passes::hoist(graph);
  expect_same_values(graph, after, "hoist");
  EXPECT_EQ(count_ops(*only_scan(after).body, "dot"), 0);
}

TEST(Hoist, LeavesBarriersAndLoopsWithNothingToMove) {
  Builder b;
  const Value c = body_input(b, "c", {2}), w = body_input(b, "w", {2});
  const Value kept = exp(b, b.add(Barrier{1}, {w}));
  const Value next = add(b, c, kept);
  const Scan scan{GraphRef(std::move(b).finish({next})), 3, 1, 0, false};
  Program p;
  const std::vector<Value> operands = {p.input(DType::f32, {2}), p.input(DType::f32, {2})};
  const Graph graph = p.done({p.b.add(scan, operands)});
  EXPECT_EQ(passes::hoist(graph), graph);
}

// h' = -h, with the sums over the steps of h'^T x_t and of the rows of 2 x_t.
Scan summing_scan(bool reverse, bool reads_sum) {
  Builder b;
  const Value h = body_input(b, "h", {2, 3}), products = body_input(b, "products", {3, 4});
  const Value rows = body_input(b, "rows", {4}), x = body_input(b, "x", {2, 4});
  const Value next = negate(b, h);
  const Value product = b.add(Dot{{}, {}, {0}, {0}, DType::f32, Precision::highest}, {next, x});
  const Value doubled = add(b, x, x);
  const Value row = b.add(Reduce{ReduceKind::sum, {0}, DType::f32}, {doubled});
  std::vector<Value> outputs = {next, add(b, product, products), add(b, rows, row), doubled};
  if (reads_sum) outputs.push_back(negate(b, products));
  return {GraphRef(std::move(b).finish(outputs)), 5, 3, 1, reverse};
}

Graph summing_graph(bool reverse, bool reads_sum) {
  Program p;
  const std::vector<Value> operands = {p.input(DType::f32, {2, 3}), p.input(DType::f32, {3, 4}),
                                       p.input(DType::f32, {4}), p.input(DType::f32, {5, 2, 4})};
  return p.done(p.b.results(p.b.add(summing_scan(reverse, reads_sum), operands)));
}

// On small integers, of which sums in any order are exact.
void expect_same_on_integers(const Graph& before, const Graph& after) {
  verify(after);
  std::vector<HostTensor> inputs;
  for (const Input& input : before.inputs()) {
    HostTensor& tensor = inputs.emplace_back(input.type);
    for (int next = 1; float& element : tensor.as<float>())
      element = static_cast<float>((next = next * 5 % 11) - 5);
  }
  EXPECT_EQ(interpret(before, inputs), interpret(after, inputs)) << print(after);
}

TEST(HoistSums, ProductsAndRowsAreSummedBehindTheLoop) {
  for (const bool reverse : {false, true}) {
    const Graph graph = summing_graph(reverse, false);
    const Graph after = passes::hoist_sums(graph);
    expect_same_on_integers(graph, after);
    EXPECT_EQ(only_scan(after).carried, 1) << print(after);
    EXPECT_EQ(count_ops(*only_scan(after).body, "dot"), 0);
    EXPECT_EQ(count_ops(*only_scan(after).body, "reduce"), 0);
    EXPECT_EQ(count_ops(after, "dot"), 1);
    EXPECT_EQ(count_ops(after, "reduce"), 1);
  }
}

TEST(HoistSums, LeavesSumsThatTheLoopReads) {
  const Graph graph = summing_graph(false, true);
  const Graph after = passes::hoist_sums(graph);
  expect_same_on_integers(graph, after);
  EXPECT_EQ(only_scan(after).carried, 2) << print(after);
  EXPECT_EQ(count_ops(after, "dot"), 0);
}

TEST(RemoveDead, TrimsLoops) {
  // Carries a and b; b feeds only itself, and the output of x is not read.
  Builder b;
  const Value a = body_input(b, "a", {}), other = body_input(b, "b", {});
  const Value x = body_input(b, "x", {}), w = body_input(b, "w", {}), v = body_input(b, "v", {});
  const Value next = add(b, a, x);
  const Scan scan{GraphRef(std::move(b).finish({next, multiply(b, other, v), negate(b, w), next})),
                  4, 2, 1, false};
  Program p;
  const std::vector<Value> operands = {p.input(DType::f32, {}), p.input(DType::f32, {}),
                                       p.input(DType::f32, {4}), p.input(DType::f32, {}),
                                       p.input(DType::f32, {})};
  const Value first = p.b.add(scan, operands);
  const Graph graph = p.done({first, {first.node, 3}});
  const Graph after = passes::remove_dead(graph);
  expect_same_values(graph, after, "remove_dead");
  EXPECT_EQ(only_scan(after).carried, 1);
  EXPECT_EQ(only_scan(after).body->inputs().size(), 2u);
  EXPECT_EQ(only_scan(after).body->outputs().size(), 2u);
}

TEST(MergeScans, LoopsThatCarryTheSameBecomeOne) {
  Program p;
  const std::vector<Value> operands = recurrent_inputs(p);
  const Scan scan = recurrent_scan();
  // As a gradient does: the same loop once more, saving what each step starts from.
  std::vector<Value> inputs;
  Builder b = builder_with_inputs_of(*scan.body, inputs);
  std::vector<Value> outputs = inline_graph(b, *scan.body, inputs);
  outputs.push_back(inputs[0]);
  Scan saving = scan;
  saving.body = GraphRef(std::move(b).finish(outputs));
  std::vector<Value> results = p.b.results(p.b.add(scan, operands));
  results.push_back({p.b.add(saving, operands).node, 3});
  const Graph graph = p.done(results);
  ASSERT_EQ(count_ops(graph, "scan"), 2);
  const Graph after = passes::merge_scans(graph);
  expect_same_values(graph, after, "merge_scans");
  EXPECT_EQ(count_ops(after, "scan"), 1);
}

TEST(MergeScans, LoopsThatCarryOtherValuesStay) {
  Program p;
  const std::vector<Value> operands = {p.input(DType::f32, {}), p.input(DType::f32, {4})};
  std::vector<Value> results;
  for (const ScalarFunction f : {ScalarFunction::add, ScalarFunction::multiply}) {
    Builder b;
    const Value c = body_input(b, "c", {}), x = body_input(b, "x", {});
    results.push_back(
        p.b.add(Scan{GraphRef(std::move(b).finish({elementwise(b, f, {c, x})})), 4, 1, 1, false},
                operands));
  }
  EXPECT_EQ(count_ops(passes::merge_scans(p.done(results)), "scan"), 2);
}

// The gradient of sum(h) of h' = tanh(h U + x_t) with respect to U, and with products of `units`
// terms.
Graph recurrent_gradient(std::int64_t units) {
  Builder body;
  const Value h = body_input(body, "h", {2, units}), x = body_input(body, "x", {2, units});
  const Value u = body_input(body, "u", {units, units});
  const Value next = elementwise(body, ScalarFunction::tanh, {add(body, x, matmul(body, h, u))});
  const Scan scan{GraphRef(std::move(body).finish({next})), 5, 1, 1, false};
  Program p;
  const Value first = p.input(DType::f32, {2, units}), all = p.input(DType::f32, {5, 2, units});
  const Value w = p.input(DType::f32, {units, units});
  const Value last = p.b.add(scan, {first, all, w});
  const Value loss = reduce(p.b, ReduceKind::sum, last, {0, 1});
  return p.done(autodiff::append_gradients(p.b, loss, std::array{w}));
}

TEST(ScanGradient, LongProductsAreKeptNotMadeAgain) {
  const auto reverse_body = [](const Graph& graph) {
    const Scan* reverse = nullptr;
    for (const Node& node : graph.nodes())
      if (const auto* scan = std::get_if<Scan>(&node.op); scan != nullptr && scan->reverse)
        reverse = scan;
    return *reverse->body;
  };
  // Two products are the gradient's own: of h and of U.
  EXPECT_EQ(count_ops(reverse_body(recurrent_gradient(16)), "dot"), 2);
  EXPECT_EQ(count_ops(reverse_body(recurrent_gradient(4)), "dot"), 3);
  // What is kept is the sum, so that its parts need not be: the one addition sums gradients.
  EXPECT_EQ(count_ops(reverse_body(recurrent_gradient(16)), "add"), 1);
}

}  // namespace
}  // namespace tenon::testing
