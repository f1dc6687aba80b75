// Handles, values, names, prints, gradients and traces.
#include "tenon/tensor/tensor.h"

#include "tenon/tensor/build.h"
#include "tensor_testing.h"

namespace tenon {
namespace {

static_assert(std::is_nothrow_move_constructible_v<ir::Node>);

TEST(Tensor, ConstantsHaveValuesThatPrintAsNumPyDoes) {
  const Tensor a = constant({{1, 2}, {3, 4}});
  EXPECT_EQ(a.type(), (TensorType{DType::f32, {2, 2}}));
  EXPECT_EQ(matmul(a, a).to_string(), to_string(make_tensor<float>({2, 2}, {7, 10, 15, 22})));
  EXPECT_EQ(constant({1, 2, 3}).shape(), (Shape{3}));
  EXPECT_EQ(error_of([] {
              constant({{1, 2}, {3}});
            }),
            "constant: a row has 1 values, the first has 2");
  EXPECT_EQ(Tensor(2.5).value(), make_scalar(2.5));
  EXPECT_EQ(Tensor(true).value(), make_scalar(true));
}

TEST(Tensor, WithoutAConcreteValueItPrintsItsType) {
  const Tensor x = placeholder("x", {DType::f32, {2, 3}});
  EXPECT_EQ(x.to_string(), "Tensor(\"x\", f32[2,3])");
  EXPECT_EQ((x + 1).to_string(), "Tensor(f32[2,3])");
  EXPECT_EQ(Tensor().to_string(), "Tensor(empty)");
  EXPECT_EQ(error_of([&] { (x * 2).value(); }),
            "this tensor depends on \"x\", which has a value only while a Session runs");
  EXPECT_EQ((x + 1).named("h").description().substr(0, 17), "f32[2,3] from \"h\"");
}

TEST(Tensor, ExtentsCountFromTheEndToo) {
  const Tensor x = zeros({2, 3});
  EXPECT_EQ(x.extent(-1), 3);
  EXPECT_EQ(x.extent(0), 2);
  EXPECT_EQ(error_of([&] { x.extent(2); }), "extent: axis 2 is out of range for rank 2");
}

TEST(Tensor, TypesOutliveMergesOfTraces) {
  const Tensor x = zeros({2, 3});
  const TensorType& type = x.type();
  Tensor y = ones({2, 3}) * 2 + 1;
  for (int i = 0; i < 100; ++i) y = y + static_cast<float>(i);
  y = y + x;
  EXPECT_EQ(type, (TensorType{DType::f32, {2, 3}}));
  EXPECT_EQ(x.trace(), y.trace());
}

TEST(Tensor, TracesMergeInAnyOrder) {
  const Variable w(make_scalar(3.0), "w");
  std::vector<Tensor> parts;
  for (int i = 0; i < 20; ++i) parts.push_back(Tensor(w) * Tensor(make_scalar<double>(i)));
  Tensor total = parts[7];
  for (int i = 19; i >= 0; --i)
    if (i != 7) total = total + parts[static_cast<std::size_t>(i)];
  EXPECT_EQ(variables_of(std::array{total}), std::vector<Variable>{w});
  for (const Tensor& part : parts) EXPECT_EQ(part.trace(), total.trace());
  EXPECT_EQ(grad(total, Tensor(w)).value(), make_scalar(190.0));
}

TEST(Tensor, EqualExpressionsAreOneNode) {
  const Tensor x = placeholder("x", {DType::f32, {4}});
  const Tensor a = exp(x) + 1, b = exp(x) + 1;
  EXPECT_EQ(a.trace(), b.trace());
  EXPECT_EQ(a.ir_value(), b.ir_value());
}

TEST(Tensor, VariablesOfFollowsOnlyWhatIsUsed) {
  const Variable w(make_scalar(1.0f), "w"), v(make_scalar(2.0f), "v"), u(make_scalar(3.0f), "u");
  const Tensor y = Tensor(v) * Tensor(w);
  const Tensor z = y + Tensor(u);
  EXPECT_EQ(variables_of(std::array{y}).size(), 2u);
  EXPECT_EQ(variables_of(std::array{z}).size(), 3u);
  EXPECT_TRUE(variables_of(std::array{Tensor(2.0f)}).empty());
}

TEST(Find, ReturnsTheNamedTensorOfTheGraph) {
  const Variable w(make_scalar(2.0f), "dense/kernel");
  const Tensor x = placeholder("input", {DType::f32, {3}});
  const Tensor h = (x * Tensor(w)).named("h1");
  const Tensor y = sum(tanh(h)).named("loss");
  EXPECT_EQ(find(y, "h1").ir_value(), h.ir_value());
  EXPECT_EQ(find(y, "input").ir_value(), x.ir_value());
  EXPECT_EQ(find(h, "loss").ir_value(), y.ir_value());
  EXPECT_EQ(find(y, "dense/kernel").shape(), Shape{});
  EXPECT_EQ(
      error_of([&] { find(y, "h2"); }),
      "no tensor is called \"h2\"; known: dense/kernel, h1, input, loss; did you mean \"h1\"?");
  EXPECT_EQ(error_of([&] { find(Tensor(1.0f), "h"); }), "no tensor is called \"h\"; known: none");
}

TEST(Grad, OfTensorsAndVariables) {
  const Variable w(make_tensor<double>({2}, {3, 5}), "w");
  const Variable other(make_scalar(1.0), "other");
  const Tensor loss = sum(Tensor(w) * numbers({2}, {7, 11}));
  const std::vector<Tensor> g = grad(loss, std::array{w, other});
  EXPECT_EQ(doubles(g[0]), (std::vector<double>{7, 11}));
  EXPECT_EQ(doubles(g[1]), (std::vector<double>{0}));
}

TEST(Grad, Errors) {
  const Tensor x = placeholder("x", {DType::f32, {8}});
  EXPECT_EQ(error_of([&] { grad(x, x); }),
            "gradient: the loss must be a float scalar, got f32[8]; reduce it first (mean or sum)");
  const Tensor n = placeholder("n", {DType::i32, {8}});
  EXPECT_EQ(error_of([&] { grad(sum(n * 0.5f), n); }),
            "gradient: cannot differentiate with respect to a value of type i32[8]; only floats "
            "have gradients");
}

TEST(Variables, AreDefinedOnceWithOneType) {
  const Variable w;
  EXPECT_FALSE(w.is_defined());
  w.define("w", {DType::f32, {2}}, VariableKind::weight, [](std::uint64_t) {
    return make_tensor<float>({2}, {1, 2});
  });
  w.define("again", {DType::f32, {2}}, VariableKind::weight, {});
  EXPECT_EQ(w.name(), "w");
  EXPECT_EQ(error_of([&] {
              w.define("w", {DType::f32, {3}}, VariableKind::weight, {});
            }),
            "variable \"w\" was defined as f32[2], now f32[3] is asked for");
  const Variable copy = w;
  EXPECT_EQ(copy, w);
  EXPECT_NE(Variable(), w);
  const Variable wrong;
  wrong.define("wrong", {DType::f32, {2}}, VariableKind::weight,
               [](std::uint64_t) { return make_scalar(1.0f); });
  EXPECT_EQ(error_of([&] { wrong.initial_value(0); }),
            "variable \"wrong\": its initializer made f32[], expected f32[2]");
  EXPECT_EQ(error_of([&] { assign(w, zeros({3})); }),
            "assign: variable \"w\" holds f32[2], the new value is f32[3]");
}

// As in PyTorch: a vector of zeros has no direction, equal numbers no spread.
TEST(Gradients, OfNormsAndDeviationsAreZeroWhereTheyAreZero) {
  const Tensor zeros_in = zeros({2, 3}, DType::f64), ones_in = ones({2, 3}, DType::f64);
  const std::vector<double> expected(6, 0.0);
  for (const double p : {0.5, 1.0, 1.5, 2.0, 3.0, HUGE_VAL})
    EXPECT_EQ(doubles(grad(sum(norm(zeros_in, p, {1})), zeros_in)), expected) << p;
  EXPECT_EQ(doubles(grad(sum(stddev(ones_in, {1})), ones_in)), expected);
  const Tensor x = Tensor(make_tensor<double>({2}, {0, 4}));
  EXPECT_EQ(doubles(grad(norm(x), x)), (std::vector<double>{0, 1}));
  EXPECT_EQ(doubles(grad(norm(x, 0.5), x)), (std::vector<double>{0, 1}));
  EXPECT_EQ(doubles(norm(zeros_in, 3, {1})), (std::vector<double>{0, 0}));
}

}  // namespace
}  // namespace tenon
