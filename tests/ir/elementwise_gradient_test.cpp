#include <cmath>
#include <limits>

#include "gradient_testing.h"

namespace tenon::ir {
namespace {

using F = ScalarFunction;

struct Domain {
  F function;
  std::vector<double> x, y;  // points of differentiability
};

TEST(ElementwiseGradient, AgreesWithFiniteDifferences) {
  const std::vector<double> wide = {-2.3, -0.7, 0.4, 1.6};
  const std::vector<double> positive = {0.6, 1.1, 2.7, 5};
  const std::vector<double> other = {1.3, -0.9, 0.7, -2.2};
  const std::vector<Domain> domains = {
      {F::negate, wide, {}},       {F::abs, wide, {}},
      {F::sign, wide, {}},         {F::floor, wide, {}},
      {F::ceil, wide, {}},         {F::round_nearest_even, wide, {}},
      {F::exp, wide, {}},          {F::expm1, wide, {}},
      {F::log, positive, {}},      {F::log1p, {-0.5, 0.2, 1, 3}, {}},
      {F::sqrt, positive, {}},     {F::rsqrt, positive, {}},
      {F::cbrt, wide, {}},         {F::sin, wide, {}},
      {F::cos, wide, {}},          {F::tan, {-1, -0.3, 0.5, 1.1}, {}},
      {F::tanh, wide, {}},         {F::logistic, wide, {}},
      {F::erf, wide, {}},          {F::add, wide, other},
      {F::subtract, wide, other},  {F::multiply, wide, other},
      {F::divide, wide, other},    {F::remainder, {5.3, -5.3, 5.3, -0.4}, {2, 2, -1.7, 3}},
      {F::power, positive, other}, {F::power, {-2, -1.5, 0.5, 3}, {2, 3, 0, 1}},
      {F::atan2, wide, other},     {F::minimum, wide, other},
      {F::maximum, wide, other},
  };
  std::vector<F> covered;
  for (const Domain& domain : domains) {
    covered.push_back(domain.function);
    HostTensors inputs{make_tensor<double>({4}, domain.x)};
    if (domain.function == F::power && domain.x[0] < 0) {
      // A negative base is differentiable in the base alone.
      Builder b;
      const Value x = b.input({"x", inputs[0].type(), Role::data, Sharding{}});
      const Value y = constant(b, make_tensor<double>({4}, domain.y));
      const Value result = elementwise(b, F::power, {x, y});
      expect_derivatives(std::move(b).finish({result}), inputs, "power with constant exponent");
      continue;
    }
    if (!domain.y.empty()) inputs.push_back(make_tensor<double>({4}, domain.y));
    expect_derivatives(Elementwise{domain.function}, inputs);
  }
  for (const ScalarFunctionInfo& row : kScalarFunctions) {
    if (!accepts(row.function, DType::f64) || row.result == ScalarResult::boolean) continue;
    EXPECT_TRUE(std::ranges::count(covered, row.function)) << row.name << " is not tested";
  }
}

TEST(ElementwiseGradient, TiesOfMinimumAndMaximumShareHalfEach) {
  const HostTensor x = numbers({3}, {1, 2, 0.0}), y = numbers({3}, {1, 3, -0.0});
  const HostTensor u = numbers({3}, {4, 4, 4});
  EXPECT_EQ(gradients_of(Elementwise{F::maximum}, {x, y}, {u}),
            (HostTensors{numbers({3}, {2, 0, 2}), numbers({3}, {2, 4, 2})}));
  EXPECT_EQ(gradients_of(Elementwise{F::minimum}, {x, y}, {u}),
            (HostTensors{numbers({3}, {2, 4, 2}), numbers({3}, {2, 0, 2})}));
}

TEST(ElementwiseGradient, PowerIsFiniteAtAZeroBase) {
  const HostTensor x = numbers({4}, {0, 0, 0, -2}), y = numbers({4}, {0, 1, 2, 3});
  const HostTensor u = numbers({4}, {1, 1, 1, 1});
  EXPECT_EQ(gradients_of(Elementwise{F::power}, {x, y}, {u}),
            (HostTensors{numbers({4}, {0, 1, 0, 12}), numbers({4}, {0, 0, 0, 0})}));
}

TEST(ElementwiseGradient, AtKinks) {
  const HostTensor zero = numbers({1}, {0}), one = numbers({1}, {1});
  EXPECT_EQ(gradients_of(Elementwise{F::abs}, {zero}, {one}), (HostTensors{numbers({1}, {0})}));
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(gradients_of(Elementwise{F::sqrt}, {zero}, {one}),
            (HostTensors{numbers({1}, {infinity})}));
  EXPECT_EQ(gradients_of(Elementwise{F::cbrt}, {zero}, {one}),
            (HostTensors{numbers({1}, {infinity})}));
  EXPECT_EQ(gradients_of(Elementwise{F::logistic}, {numbers({1}, {-800})}, {one}),
            (HostTensors{numbers({1}, {0})}));
}

// 1 / 0.1 rounds up to 10, but the nearest f64 to 0.1 fits only nine times into 1.
TEST(ElementwiseGradient, RemainderUsesTheExactQuotient) {
  EXPECT_EQ(1 / 0.1, 10);
  const HostTensor x = numbers({2}, {1, -1}), y = numbers({2}, {0.1, 0.1});
  EXPECT_EQ(gradients_of(Elementwise{F::remainder}, {x, y}, {numbers({2}, {1, 1})})[1],
            numbers({2}, {-9, 9}));
}

TEST(ElementwiseGradient, NothingFlowsThroughConstantFunctionsAndIntegers) {
  const HostTensor x = numbers({2}, {1.5, -2.5}), u = numbers({2}, {1, 1});
  const HostTensors zeros{numbers({2}, {0, 0})};
  for (const F f : {F::sign, F::floor, F::ceil, F::round_nearest_even})
    EXPECT_EQ(gradients_of(Elementwise{f}, {x}, {u}), zeros) << info(f).name;
  EXPECT_EQ(gradients_of(Cast{DType::i32}, {x}, {}), zeros);
  EXPECT_EQ(gradients_of(Bitcast{DType::u64}, {x}, {}), zeros);
  EXPECT_EQ(gradients_of(Elementwise{F::is_finite}, {x}, {}), zeros);
}

TEST(ElementwiseGradient, CastComesBackInTheOperandsType) {
  const HostTensor x = numbers({2}, {1, 2}), u = numbers({2}, {3, 0.1}, DType::f32);
  EXPECT_EQ(gradients_of(Cast{DType::f32}, {x}, {u})[0], numbers({2}, {3, double{0.1f}}));
}

TEST(SelectGradient, GoesWhereTheValueCameFrom) {
  const HostTensor p = make_tensor<bool>({3}, {true, false, true});
  const HostTensors inputs{p, numbers({3}, {1, 2, 3}), numbers({3}, {4, 5, 6})};
  EXPECT_EQ(gradients_of(Select{}, inputs, {numbers({3}, {7, 8, 9})}),
            (HostTensors{numbers({3}, {7, 0, 9}), numbers({3}, {0, 8, 0})}));
  expect_derivatives(Select{}, inputs);
}

}  // namespace
}  // namespace tenon::ir
