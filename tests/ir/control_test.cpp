#include "tenon/ir/ops/control.h"

#include "gradient_testing.h"

namespace tenon::ir {
namespace {

using D = DType;
const TensorType kScalarF64{D::f64, {}};

// A graph over inputs of the types, made by `make(builder, inputs)`.
template <class Make>
GraphRef subgraph(const TensorTypes& types, const Make& make) {
  Builder b;
  std::vector<Value> inputs;
  for (const TensorType& type : types)
    inputs.push_back(b.input({fmt::format("i{}", inputs.size()), type, Role::data, {}}));
  const std::vector<Value> outputs = make(b, inputs);
  return GraphRef(std::move(b).finish(outputs));
}
using Values = std::vector<Value>;

// c' = c * x + w, stacked c'.
Scan horner(std::int64_t length, bool reverse = false) {
  return {subgraph({kScalarF64, kScalarF64, kScalarF64},
                   [](Builder& b, const Values& v) -> Values {
                     const Value next = add(b, multiply(b, v[0], v[1]), v[2]);
                     return {next, next};
                   }),
          length, 1, 1, reverse};
}

TEST(Scan, RunsStepsInOrder) {
  const HostTensors inputs = {numbers({}, {1}), numbers({3}, {2, 3, 4}), numbers({}, {10})};
  EXPECT_EQ(run_op_results(horner(3), inputs),
            (HostTensors{numbers({}, {194}), numbers({3}, {12, 46, 194})}));
  EXPECT_EQ(run_op_results(horner(3, true), inputs),
            (HostTensors{numbers({}, {114}), numbers({3}, {114, 52, 14})}));
}

TEST(Scan, OfNoStepsReturnsWhatItCarries) {
  EXPECT_EQ(run_op_results(horner(0), {numbers({}, {7}), numbers({0}, {}), numbers({}, {1})}),
            (HostTensors{numbers({}, {7}), numbers({0}, {})}));
}

TEST(Scan, TypeRule) {
  const TensorType xs{D::f64, {3}};
  EXPECT_EQ(type_rule(horner(3), {kScalarF64, xs, kScalarF64}), "accepted: f64[] f64[3]");
  EXPECT_EQ(type_rule(horner(4), {kScalarF64, xs, kScalarF64}),
            "scan: scanned operand 1 is f64[3]; its first extent must be the length 4");
  EXPECT_EQ(type_rule(horner(-1), {kScalarF64, xs, kScalarF64}), "scan: length -1 is negative");
  EXPECT_EQ(type_rule(horner(3), {kScalarF64}),
            "scan: 1 carried and 1 scanned operands expected, 1 operands given");
  EXPECT_EQ(type_rule(horner(3), {kScalarF64, xs, {D::f32, {}}}),
            "scan: body takes (f64[], f64[], f64[]), it is given (f64[], f64[], f32[])");
  EXPECT_EQ(type_rule(Scan{{}, 3, 0, 0, false}, {}), "scan: body is missing");
  const GraphRef widens = subgraph({{D::f32, {}}}, [](Builder& b, const Values& v) -> Values {
    return {cast(b, v[0], D::f64)};
  });
  EXPECT_EQ(type_rule(Scan{widens, 3, 1, 0, false}, {{D::f32, {}}}),
            "scan: carried value 0 is f32[], body returns f64[]");
  const GraphRef nothing =
      subgraph({kScalarF64}, [](Builder&, const Values&) -> Values { return {}; });
  EXPECT_EQ(type_rule(Scan{nothing, 3, 1, 0, false}, {kScalarF64}),
            "scan: body has 0 outputs for 1 carried values");
}

TEST(Scan, BodiesAssignNoState) {
  Builder b;
  const Value x = b.input({"average", kScalarF64, Role::state, {}});
  const GraphRef body(std::move(b).finish({{"", x, 0, Merge::carry}}));
  EXPECT_EQ(type_rule(Scan{body, 3, 1, 0, false}, {kScalarF64}),
            "scan: body assigns \"average\"; only the outermost graph updates state");
}

TEST(Scan, DerivativesOfEveryOrderOfSteps) {
  for (const bool reverse : {false, true})
    for (const HostTensor& steps :
         {numbers({0}, {}), numbers({1}, {1.5}), numbers({4}, {0.5, -1, 2, 0.25})})
      expect_derivatives(horner(steps.size(), reverse),
                         {numbers({}, {0.7}), steps, numbers({}, {-0.3})});
}

TEST(Scan, SumsOfInvariantGradientsAreWide) {
  // 4096 steps each add 1 to the gradient of w: in f16 the sum would stop at 2048.
  const TensorType half{D::f16, {}};
  const Scan sum{
      subgraph({half, half},
               [](Builder& b, const Values& v) -> Values { return {add(b, v[0], v[1])}; }),
      4096, 1, 0, false};
  const HostTensors gradients = gradients_of(
      sum, {numbers({}, {0}, D::f16), numbers({}, {0}, D::f16)}, {numbers({}, {1}, D::f16)});
  EXPECT_EQ(gradients, (HostTensors{numbers({}, {1}, D::f16), numbers({}, {4096}, D::f16)}));
}

While doubling() {
  const TensorTypes types = {kScalarF64, kScalarF64};
  return {subgraph(types,
                   [](Builder& b, const Values& v) -> Values {
                     return {compare(b, ScalarFunction::less, v[0], v[1])};
                   }),
          subgraph(types, [](Builder& b, const Values& v) -> Values {
            return {add(b, v[0], v[0]), v[1]};
          })};
}

TEST(While, RunsUntilTheConditionFails) {
  EXPECT_EQ(run_op(doubling(), {numbers({}, {3}), numbers({}, {40})}), numbers({}, {48}));
  EXPECT_EQ(run_op(doubling(), {numbers({}, {50}), numbers({}, {40})}), numbers({}, {50}));
}

TEST(While, HasNoDerivative) {
  EXPECT_EQ(error_of([] {
              gradients_of(doubling(), {numbers({}, {3}), numbers({}, {40})},
                           {numbers({}, {1}), numbers({}, {1})});
            }),
            "while: has no derivative; use scan (a known number of steps)");
}

TEST(While, TypeRule) {
  While broken = doubling();
  std::swap(broken.condition, broken.body);
  EXPECT_EQ(type_rule(broken, {kScalarF64, kScalarF64}),
            "while: condition must return one bool[], it returns (f64[], f64[])");
  broken = doubling();
  broken.body = broken.condition;
  EXPECT_EQ(type_rule(broken, {kScalarF64, kScalarF64}),
            "while: the state is (f64[], f64[]), body returns (bool[])");
}

Cond choose() {
  const TensorTypes types = {kScalarF64, kScalarF64};
  return {subgraph(types,
                   [](Builder& b, const Values& v) -> Values { return {multiply(b, v[0], v[1])}; }),
          subgraph(types, [](Builder& b, const Values& v) -> Values { return {exp(b, v[1])}; })};
}

TEST(Cond, RunsOneBranch) {
  EXPECT_EQ(run_op(choose(), {make_scalar(true), numbers({}, {3}), numbers({}, {5})}),
            numbers({}, {15}));
  EXPECT_EQ(run_op(choose(), {make_scalar(false), numbers({}, {3}), numbers({}, {0})}),
            numbers({}, {1}));
}

TEST(Cond, Derivatives) {
  for (const bool choice : {false, true})
    expect_derivatives(choose(), {make_scalar(choice), numbers({}, {3}), numbers({}, {0.5})});
}

TEST(Cond, TypeRule) {
  EXPECT_EQ(type_rule(choose(), {kScalarF64, kScalarF64, kScalarF64}),
            "cond: the first operand must be bool[], the operands are (f64[], f64[], f64[])");
  Cond broken = choose();
  broken.on_false = subgraph({kScalarF64, kScalarF64}, [](Builder& b, const Values& v) -> Values {
    return {cast(b, v[0], D::f32)};
  });
  EXPECT_EQ(type_rule(broken, {{D::boolean, {}}, kScalarF64, kScalarF64}),
            "cond: on_true returns (f64[]), on_false returns (f32[])");
}

// Doubles the gradient of the identity.
CustomGradient amplified() {
  const auto keep = [](Builder&, const Values& v) -> Values { return {v[0]}; };
  const auto twice = [](Builder& b, const Values& v) -> Values { return {add(b, v[2], v[2])}; };
  return {subgraph({kScalarF64}, keep), subgraph({kScalarF64, kScalarF64, kScalarF64}, twice)};
}

TEST(CustomGradient, UsesTheGivenDerivative) {
  EXPECT_EQ(run_op(amplified(), {numbers({}, {3})}), numbers({}, {3}));
  EXPECT_EQ(gradients_of(amplified(), {numbers({}, {3})}, {numbers({}, {5})}),
            HostTensors{numbers({}, {10})});
}

TEST(CustomGradient, TypeRule) {
  CustomGradient broken = amplified();
  broken.backward = broken.forward;
  EXPECT_EQ(type_rule(broken, {kScalarF64}),
            "custom_gradient: backward takes (f64[]), it is given (f64[], f64[], f64[])");
  broken.backward = subgraph({kScalarF64, kScalarF64, kScalarF64},
                             [](Builder&, const Values&) -> Values { return {}; });
  EXPECT_EQ(type_rule(broken, {kScalarF64}),
            "custom_gradient: backward returns 0 gradients for 1 operands");
  broken.backward =
      subgraph({kScalarF64, kScalarF64, kScalarF64},
               [](Builder& b, const Values& v) -> Values { return {cast(b, v[0], D::f32)}; });
  EXPECT_EQ(type_rule(broken, {kScalarF64}),
            "custom_gradient: operand 0 is f64[], its gradient from backward is f32[]");
}

TEST(StopGradient, IsTheIdentityAndNothingFlowsBack) {
  Builder b;
  const Value x = b.input({"x", kScalarF64, Role::data, {}});
  const Value y = multiply(b, x, stop_gradient(b, x));
  const Graph graph = std::move(b).finish({y});
  EXPECT_EQ(interpret(graph, HostTensors{numbers({}, {3})}), HostTensors{numbers({}, {9})});
  const VectorJacobian derivative = autodiff::differentiate(graph);
  EXPECT_EQ(interpret(*derivative.graph, HostTensors{numbers({}, {3}), numbers({}, {1})}),
            HostTensors{numbers({}, {3})});
}

}  // namespace
}  // namespace tenon::ir
