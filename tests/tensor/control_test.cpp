// custom_gradient, scan, while_loop, cond and stop_gradient, with their derivatives.
#include "tenon/tensor/control.h"

#include "tensor_testing.h"

namespace tenon {
namespace {

using List = std::vector<Tensor>;
using In = std::span<const Tensor>;

TEST(StopGradient, CutsTheDerivativeAndKeepsTheValue) {
  const Tensor x = numbers({3}, {1, 2, 3});
  EXPECT_EQ(stop_gradient(x).value(), x.value());
  EXPECT_EQ(doubles(grad(sum(x * stop_gradient(x)), x)), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(doubles(grad(sum(stop_gradient(x * x)), x)), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(stop_gradient(typed(DType::i32, {2})).dtype(), DType::i32);
}

TEST(CustomGradient, ReplacesTheDerivative) {
  const auto forward = [](In in) { return List{sign(in[0])}; };
  const auto straight_through = [](In in) { return List{in[2]}; };
  const Tensor x = numbers({2}, {-0.5, 2});
  const Tensor y = custom_gradient(forward, straight_through, std::array{x}).front();
  EXPECT_EQ(doubles(y), (std::vector<double>{-1, 1}));
  EXPECT_EQ(doubles(grad(sum(y * numbers({2}, {5, 7})), x)), (std::vector<double>{5, 7}));
}

TEST(CustomGradient, OneGradientPerOperandIsRequired) {
  const auto forward = [](In in) { return List{in[0] * in[1]}; };
  const auto wrong = [](In in) { return List{in[3]}; };
  const Tensor x = numbers({}, {2});
  EXPECT_NE(error_of([&] { custom_gradient(forward, wrong, std::array{x, x}); }), "no error");
}

TEST(Functions, SeeOnlyTheirArguments) {
  const Tensor outside = placeholder("outside", {DType::f64, {}});
  const auto body = [&](In in) { return List{in[0] * outside}; };
  EXPECT_EQ(error_of([&] { scan(body, std::array{numbers({}, {1})}, {}, 3); }),
            "scan: the function uses \"outside\" from outside; pass it as an operand");
  const auto printing = [](In in) { return List{print(in[0] * 2, "h")}; };
  EXPECT_EQ(
      error_of([&] { scan(printing, std::array{numbers({}, {1})}, {}, 3); }),
      "scan: print(\"h\") stands inside the function; return that value and print it outside");
  // Constants are no harm.
  const auto doubling = [](In in) { return List{in[0] * numbers({}, {2})}; };
  EXPECT_EQ(doubles(scan(doubling, std::array{numbers({}, {1})}, {}, 5).carried[0]),
            (std::vector<double>{32}));
}

TEST(Scan, CarriesStacksAndDifferentiates) {
  // h = h * a + x; the sum of the h's as a polynomial in a.
  const auto body = [](In in) {
    const Tensor h = in[0] * in[2] + in[1];
    return List{h, h};
  };
  const Tensor a = numbers({}, {3}), xs = numbers({3}, {1, 10, 100});
  const ScanResult result =
      scan(body, std::array{numbers({}, {0})}, std::array{xs}, 3, std::array{a});
  EXPECT_EQ(doubles(result.stacked[0]), (std::vector<double>{1, 13, 139}));
  EXPECT_EQ(doubles(result.carried[0]), (std::vector<double>{139}));
  const Tensor loss = sum(result.stacked[0]);
  EXPECT_EQ(doubles(grad(loss, a)), (std::vector<double>{1 + 2 * 3 + 10}));
  EXPECT_EQ(doubles(grad(loss, xs)), (std::vector<double>{1 + 3 + 9, 1 + 3, 1}));
  EXPECT_EQ(doubles(grad(grad(loss, a), a)), (std::vector<double>{2}));
  EXPECT_EQ(error_of([&] { scan(body, std::array{a}, std::array{xs}, 4, std::array{a}); }),
            "scan: xs must have 4 slices along axis 0, got f64[3]");
}

TEST(WhileLoop, RunsUntilTheConditionFailsAndHasNoGradient) {
  const auto condition = [](In s) { return s[0] < 100.0; };
  const auto body = [](In s) { return List{s[0] * 2, s[1] + 1}; };
  const Tensor x = numbers({}, {3});
  const List state = while_loop(condition, body, std::array{x, Tensor(make_scalar(0))});
  EXPECT_EQ(doubles(state[0]), (std::vector<double>{192}));
  EXPECT_EQ(doubles(state[1]), (std::vector<double>{6}));
  EXPECT_NE(error_of([&] { grad(state[0], x); }), "no error");
}

TEST(Cond, TakesOneBranchAndItsDerivative) {
  for (const bool choice : {true, false}) {
    const Tensor x = numbers({2}, {2, 3});
    const Tensor y = cond(
                         Tensor(make_scalar(choice)), [](In in) { return List{in[0] * in[0]}; },
                         [](In in) { return List{-in[0]}; }, std::array{x})
                         .front();
    EXPECT_EQ(doubles(y), choice ? (std::vector<double>{4, 9}) : (std::vector<double>{-2, -3}));
    EXPECT_EQ(doubles(grad(sum(y), x)),
              choice ? (std::vector<double>{4, 6}) : (std::vector<double>{-1, -1}));
  }
  EXPECT_NE(error_of([] {
              cond(
                  Tensor(true), [](In in) { return List{in[0]}; },
                  [](In in) { return List{sum(in[0])}; }, std::array{ones({2})});
            }),
            "no error");
}

}  // namespace
}  // namespace tenon
