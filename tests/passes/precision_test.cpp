// Mixed precision: which ops compute in the narrow type, and where the casts stand.
#include "tenon/passes/precision.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "same_after.h"
#include "tenon/autodiff/grad.h"
#include "tenon/ir/build.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/print.h"
#include "tenon/ir/rebuild.h"
#include "tenon/ir/verify.h"

namespace tenon::passes {
namespace {
using namespace ir;

struct MixedProgram {
  Builder b;
  Value data(Shape shape, DType dtype = DType::f32) {
    return input(std::move(shape), Role::data, dtype);
  }
  Value weight(Shape shape, DType dtype = DType::f32) {
    return input(std::move(shape), Role::state, dtype);
  }
  Value input(Shape shape, Role role, DType dtype) {
    const auto name = fmt::format("{}{}", role == Role::data ? "x" : "w", b.inputs().size());
    return b.input({name, {dtype, std::move(shape)}, role, {}});
  }
  Graph done(std::vector<Value> outputs) {
    return std::move(b).finish(std::span<const Value>(outputs));
  }
};

Graph under(PrecisionPolicy policy, const Graph& graph,
            std::vector<std::uint32_t> optimizer_inputs = {}) {
  PassOptions options;
  options.context.precision = policy;
  options.context.optimizer_inputs = std::move(optimizer_inputs);
  Graph after = run_passes(graph, options, precision_passes()).graph;
  EXPECT_EQ(input_types(after), input_types(graph));
  EXPECT_EQ(output_types(after), output_types(graph));
  return after;
}
Graph in_bf16(const Graph& graph, std::vector<std::uint32_t> optimizer_inputs = {}) {
  return under(PrecisionPolicy::bf16, graph, std::move(optimizer_inputs));
}
std::string text_in_bf16(const Graph& graph) { return print(in_bf16(graph)); }

TEST(Precision, F32LeavesTheGraphAsItIs) {
  MixedProgram p;
  const Value x = p.data({2, 3});
  const Graph graph = p.done({matmul(p.b, x, p.weight({3, 4}))});
  EXPECT_EQ(under(PrecisionPolicy::f32, graph), graph);
}

TEST(Precision, WithoutProductsNothingIsNarrow) {
  MixedProgram p;
  const Value x = p.data({2, 3}), w = p.weight({2, 3});
  const Graph graph = p.done({maximum(p.b, multiply(p.b, x, w), zeros_like(p.b, x))});
  EXPECT_EQ(in_bf16(graph), rebuild(graph, [](const RebuildNode&) -> Replacement { return {}; }));
}

// dot, bias and relu are narrow, the last dot gives f32 at once.
TEST(Precision, TwoLayers) {
  MixedProgram p;
  const Value x = p.data({2, 3});
  const Value w = p.weight({3, 4}), bias = p.weight({4}), v = p.weight({4, 5});
  Value h = add(p.b, matmul(p.b, x, w), broadcast(p.b, bias, {2, 4}, {1}));
  h = maximum(p.b, h, zeros_like(p.b, h));
  EXPECT_EQ(text_in_bf16(p.done({matmul(p.b, h, v)})), R"(graph(
    %0 "x0": f32[2,3] data,
    %1 "w1": f32[3,4] state,
    %2 "w2": f32[4] state,
    %3 "w3": f32[4,5] state) {
  %4: bf16[2,3] = cast(%0) dtype=bf16
  %5: bf16[3,4] = cast(%1) dtype=bf16
  %6: bf16[2,4] = dot(%4, %5) lhs_batch=[] rhs_batch=[] lhs_contracting=[1] rhs_contracting=[0] result=bf16 precision=highest
  %7: f32[2,4] = cast(%6) dtype=f32
  %8: f32[2,4] = broadcast(%2) shape=[2,4] axes=[1]
  %9: f32[2,4] = add(%7, %8)
  %10: bf16[2,4] = cast(%9) dtype=bf16
  %11: bf16[] = constant() value=bf16[]{0}
  %12: bf16[2,4] = broadcast(%11) shape=[2,4] axes=[]
  %13: bf16[2,4] = maximum(%10, %12)
  %14: bf16[4,5] = cast(%3) dtype=bf16
  %15: f32[2,5] = dot(%13, %14) lhs_batch=[] rhs_batch=[] lhs_contracting=[1] rhs_contracting=[0] result=f32 precision=highest
  return %15
}
)");
}

TEST(Precision, WeightGradientsAreF32AndWeightsAreCastOnce) {
  MixedProgram p;
  const Value x = p.data({2, 3}), w = p.weight({3, 3});
  const Value h = matmul(p.b, matmul(p.b, x, w), w);
  const Value loss = reduce_sum(p.b, multiply(p.b, h, h), {0, 1});
  const std::vector<Value> gradients = autodiff::append_gradients(p.b, loss, std::array{w});
  const Graph after = in_bf16(p.done({loss, gradients[0]}));
  int casts_of_weight = 0, wide_products = 0, narrow_products = 0;
  for (const Node& node : after.nodes()) {
    if (std::holds_alternative<Cast>(node.op) &&
        after.type(node.operands[0]) == (TensorType{DType::f32, {3, 3}}))
      ++casts_of_weight;
    if (const auto* dot = std::get_if<Dot>(&node.op)) {
      EXPECT_EQ(after.type(node.operands[0]).dtype, DType::bf16);
      EXPECT_EQ(after.type(node.operands[1]).dtype, DType::bf16);
      ++(dot->result == DType::f32 ? wide_products : narrow_products);
    }
  }
  EXPECT_EQ(casts_of_weight, 1);
  EXPECT_EQ(wide_products, 2);    // the gradients of both uses
  EXPECT_EQ(narrow_products, 3);  // forward twice, and the gradient of h
}

// Rules that multiply matrices (Muon) do so in f32: what depends on a moment is the optimizer's.
TEST(Precision, ProductsOfTheOptimizerStayInF32) {
  MixedProgram p;
  const Value x = p.data({3, 3}), w = p.weight({3, 3}), moment = p.weight({3, 3});
  const Value gradient = matmul(p.b, x, matmul(p.b, x, w));
  const Value next = add(p.b, moment, gradient);
  const Graph graph = p.done({matmul(p.b, next, next)});
  const auto wide_operands = [](const Graph& after) {
    int found = 0;
    for (const Node& node : after.nodes())
      if (std::holds_alternative<Dot>(node.op))
        found += after.type(node.operands[0]).dtype == DType::f32;
    return found;
  };
  EXPECT_EQ(wide_operands(in_bf16(graph)), 0);
  const Graph after = in_bf16(graph, {2});
  EXPECT_EQ(wide_operands(after), 1);
  EXPECT_EQ(testing::count_ops(after, "dot"), 3);
}

TEST(Precision, ListedOpsStayInF32) {
  MixedProgram p;
  const Value x = p.data({2, 2});
  const Value h = matmul(p.b, x, p.weight({2, 2}));
  std::vector<Value> wide = {exp(p.b, h),
                             log(p.b, h),
                             divide(p.b, h, h),
                             elementwise(p.b, ScalarFunction::tanh, {h}),
                             reduce_sum(p.b, h, {0}),
                             p.b.add(Softmax{1}, {h}),
                             p.b.add(CumulativeReduce{ReduceKind::sum, 0, false, DType::f32}, {h})};
  wide.push_back(matmul(p.b, h, x));  // so that h is narrow
  const Graph after = in_bf16(p.done(wide));
  for (const Node& node : after.nodes()) {
    if (std::holds_alternative<Cast>(node.op) || std::holds_alternative<Dot>(node.op)) continue;
    for (const TensorType& type : node.results) EXPECT_EQ(type.dtype, DType::f32) << name(node.op);
  }
}

TEST(Precision, MaxPoolingAndItsGradientStayNarrow) {
  MixedProgram p;
  const Value x = p.data({4, 4});
  const Value h = matmul(p.b, x, p.weight({4, 4}));
  const Window window{{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}};
  const Value pooled = p.b.add(WindowReduce{ReduceKind::max, window, DType::f32}, {h});
  const Value out = matmul(p.b, pooled, p.weight({2, 2}));
  const std::string text = text_in_bf16(p.done({out}));
  EXPECT_NE(text.find("bf16[2,2] = window_reduce"), std::string::npos) << text;
  // One that overlaps adds up.
  Window overlapping = window;
  overlapping.strides = {1, 1};
  EXPECT_EQ(precision_role(WindowSelect{ReduceKind::max, WindowDirection::scatter, window}),
            PrecisionRole::follow);
  EXPECT_EQ(precision_role(WindowSelect{ReduceKind::max, WindowDirection::scatter, overlapping}),
            PrecisionRole::wide);
  EXPECT_EQ(precision_role(WindowSelect{ReduceKind::max, WindowDirection::gather, overlapping}),
            PrecisionRole::follow);
}

TEST(Precision, ConstantsThatAreNotExactAreNotRounded) {
  const auto scaled_by = [](double factor) {
    MixedProgram p;
    const Value h = matmul(p.b, p.data({2, 2}), p.weight({2, 2}));
    const Value scaled = multiply(p.b, h, splat(p.b, factor, p.b.type(h)));
    return text_in_bf16(p.done({matmul(p.b, scaled, p.weight({2, 2}))}));
  };
  EXPECT_NE(scaled_by(0.5).find("bf16[2,2] = multiply"), std::string::npos) << scaled_by(0.5);
  EXPECT_NE(scaled_by(0.1).find("f32[2,2] = multiply"), std::string::npos) << scaled_by(0.1);
}

TEST(Precision, LoopsKeepTheTypesTheyCarry) {
  Builder body;
  const Value h = body.input({"h", {DType::f32, {2, 2}}, Role::data, {}});
  const Value w = body.input({"w", {DType::f32, {2, 2}}, Role::data, {}});
  const Value next = matmul(body, matmul(body, h, w), w);
  const GraphRef loop(std::move(body).finish({next, next}));
  MixedProgram p;
  const Value start = p.data({2, 2}), weight = p.weight({2, 2});
  const Value scan = p.b.add(Scan{loop, 3, 1, 0, false}, {start, weight});
  const Graph graph = p.done({scan, {scan.node, 1}});
  const std::string text = text_in_bf16(graph);
  EXPECT_EQ(text,
            R"(graph(%0 "x0": f32[2,2] data, %1 "w1": f32[2,2] state) {
  %2: (f32[2,2], f32[3,2,2]) = scan(%0, %1) body=graph(%0 "h": f32[2,2] data, %1 "w": f32[2,2] data) {
    %2: bf16[2,2] = cast(%0) dtype=bf16
    %3: bf16[2,2] = cast(%1) dtype=bf16
    %4: bf16[2,2] = dot(%2, %3) lhs_batch=[] rhs_batch=[] lhs_contracting=[1] rhs_contracting=[0] result=bf16 precision=highest
    %5: f32[2,2] = dot(%4, %3) lhs_batch=[] rhs_batch=[] lhs_contracting=[1] rhs_contracting=[0] result=f32 precision=highest
    return %5, %5
  } length=3 carried=1 scanned=0 reverse=false
  return %2.0, %2.1
}
)");
}

TEST(Precision, AttentionMultipliesInTheNarrowType) {
  MixedProgram p;
  const Value q = p.data({2, 4, 3}), k = p.data({2, 4, 3}), v = p.data({2, 4, 3});
  const Graph after = in_bf16(p.done({p.b.add(Attention{0.5, true}, {q, k, v})}));
  EXPECT_EQ(testing::count_ops(after, "attention"), 0);
  EXPECT_EQ(testing::count_ops(after, "dot"), 2);
  EXPECT_EQ(testing::count_ops(after, "softmax"), 1);
  for (const Node& node : after.nodes()) {
    if (!std::holds_alternative<Dot>(node.op)) continue;
    EXPECT_EQ(after.type(node.operands[0]).dtype, DType::bf16);
  }
}

TEST(Precision, Fp16IsBinary16) {
  MixedProgram p;
  const Graph graph = p.done({matmul(p.b, p.data({1, 1}), p.weight({1, 1}))});
  const Graph after = under(PrecisionPolicy::fp16, graph);
  const auto product = [&](const Graph& g, float x, float w) {
    const std::vector<HostTensor> inputs{make_tensor<float>({1, 1}, {x}),
                                         make_tensor<float>({1, 1}, {w})};
    return interpret(g, inputs)[0].as<float>()[0];
  };
  EXPECT_EQ(product(after, 1.0009765625f, 1), 1.0009765625f);  // 1 + 2^-10
  EXPECT_EQ(product(in_bf16(graph), 1.0009765625f, 1), 1.0f);
  EXPECT_EQ(product(after, 300, 300), 90000.0f);  // accumulated in f32
  EXPECT_EQ(product(after, 1e5f, 1), INFINITY);
  EXPECT_EQ(product(in_bf16(graph), 1e5f, 1), 99840.0f);
}

TEST(Precision, StepsInF64AreRefused) {
  MixedProgram p;
  const Value x = p.data({2, 3}, DType::f64), w = p.weight({3, 4}, DType::f64);
  const Value y = matmul(p.b, x, w);
  p.b.describe(y.node, {"classifier/dense", "train.cpp:3"});
  const Graph graph = p.done({y});
  try {
    in_bf16(graph);
    FAIL() << "no error";
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "precision bf16 is for steps in f32: dot \"classifier/dense\" of f64[2,3] and "
                 "f64[3,4]\n  help: choose dtype f32, or precision f32, which leaves f64 as it is");
  }
  EXPECT_EQ(under(PrecisionPolicy::f32, graph), graph);
}

TEST(Precision, ProcessorsWithoutNarrowArithmeticMultiplyF32Copies) {
  MixedProgram p;
  const Value x = p.data({2, 3}), w = p.weight({3, 3});
  const Graph narrow = in_bf16(p.done({matmul(p.b, matmul(p.b, x, w), w)}));
  EXPECT_EQ(widen_products(narrow, {}), narrow);
  PassContext context;
  context.widens_products = true;
  const Graph wide = widen_products(narrow, context);
  verify(wide);
  for (const Node& node : wide.nodes()) {
    if (!std::holds_alternative<Dot>(node.op)) continue;
    EXPECT_EQ(wide.type(node.operands[0]).dtype, DType::f32);
    EXPECT_EQ(node.results[0].dtype, DType::f32);
  }
  // Whole numbers, whose sums are exact.
  const std::vector<HostTensor> inputs = {
      make_tensor<float>({2, 3}, {1, 2, -3, 4, 5, -6}),
      make_tensor<float>({3, 3}, {7, -1, 2, 0, 5, 13, -4, 3, 31})};
  EXPECT_EQ(interpret(wide, inputs)[0], interpret(narrow, inputs)[0]);
}

// docs/precision.md shows the role of every scalar function as the table of the code has it.
TEST(Precision, TheDocumentShowsEveryFunctionWhereItStands) {
  std::ifstream file(TENON_TEST_DATA "/../../docs/precision.md");
  std::stringstream stream;
  stream << file.rdbuf();
  const std::string document = stream.str();
  ASSERT_FALSE(document.empty());
  std::map<PrecisionRole, std::string> lines;
  for (const ScalarFunctionInfo& function : kScalarFunctions) {
    if (function.domain == ScalarDomain::logical || function.domain == ScalarDomain::integer)
      continue;
    std::string& line = lines[precision_role(Elementwise{function.function})];
    line += fmt::format("{}`{}`", line.empty() ? "" : ", ", function.name);
  }
  EXPECT_EQ(lines.size(), 2u);
  for (const auto& [role, line] : lines) EXPECT_NE(document.find(line), std::string::npos) << line;
}

}  // namespace
}  // namespace tenon::passes
