// The suite's own instruments: finite differences and tolerances notice what is wrong.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "finite_difference.h"
#include "tolerance.h"

namespace tenon::conformance {
using namespace ir;
namespace {

// x^3 with a derivative that is off by `factor`.
Graph cube_with_derivative(double factor) {
  const TensorType type{DType::f64, {3}};
  Builder forward;
  const Value x = forward.input({"x", type, Role::data, {}});
  const Value cube = multiply(forward, x, multiply(forward, x, x));
  Builder backward;
  const Value y = backward.input({"x", type, Role::data, {}});
  backward.input({"result", type, Role::data, {}});
  const Value u = backward.input({"upstream", type, Role::data, {}});
  const Value slope =
      multiply(backward, splat(backward, 3 * factor, type), multiply(backward, y, y));
  const Value gradient = multiply(backward, u, slope);
  CustomGradient op{GraphRef(std::move(forward).finish({cube})),
                    GraphRef(std::move(backward).finish({gradient}))};
  Builder b;
  const Value input = b.input({"x", type, Role::data, {}});
  const Value result = b.add(std::move(op), {input});
  return std::move(b).finish({result});
}

TEST(FiniteDifference, NoticesAWrongDerivative) {
  const std::vector<HostTensor> inputs{make_tensor<double>({3}, {0.5, -1.5, 2})};
  EXPECT_LE(check_gradient(cube_with_derivative(1), inputs).error, 1e-9);
  EXPECT_LE(check_second_gradient(cube_with_derivative(1), inputs).error, 1e-9);
  EXPECT_NEAR(check_gradient(cube_with_derivative(1.001), inputs).error, 0.001 / 1.001, 1e-6);
  const GradientCheck found = check_gradient(cube_with_derivative(std::nan("")), inputs);
  EXPECT_EQ(found.error, std::numeric_limits<double>::infinity());
  EXPECT_TRUE(found.where.starts_with("input 0, element 0: derivative nan, finite difference "));
}

HostTensor floats(std::initializer_list<float> values) {
  return make_tensor<float>({static_cast<std::int64_t>(values.size())}, values);
}

TEST(Tolerance, ExactMeansTheSameBitsOrAnyNaN) {
  compare(floats({0.0f, std::nanf("1")}), floats({0.0f, -std::nanf("2")}), {});
  EXPECT_NONFATAL_FAILURE(compare(floats({0.0f}), floats({-0.0f}), {}),
                          "1 of 1 elements of f32[1] differ by more than 0 ulp + 0 (exact); first "
                          "element 0: expected 0, got -0");
  EXPECT_NONFATAL_FAILURE(compare(floats({1}), floats({std::nextafter(1.0f, 2.0f)}), {}), "exact");
  EXPECT_NONFATAL_FAILURE(compare(floats({1}), floats({std::nanf("")}), {}), "got nan");
  EXPECT_NONFATAL_FAILURE(compare(floats({1}), make_tensor<double>({1}, {1}), {}),
                          "expected f32[1], got f64[1]");
  EXPECT_NONFATAL_FAILURE(
      compare(make_scalar<std::int32_t>(1), make_scalar<std::int32_t>(2), {2, 5, "floats only"}),
      "expected 1, got 2");
}

TEST(Tolerance, CountsUnitsInTheLastPlace) {
  const Tolerance two{2, 0, "two"};
  compare(floats({1, 0, 0x1p-149f}), floats({1 + 0x1p-22f, 0x1p-148f, 0x3p-149f}), two);
  EXPECT_NONFATAL_FAILURE(compare(floats({1}), floats({1 + 0x3p-23f}), two), "(two)");
  EXPECT_NONFATAL_FAILURE(compare(floats({0}), floats({-0.0f}), two), "got -0");
  EXPECT_NONFATAL_FAILURE(compare(floats({0}), floats({0x3p-149f}), two), "(two)");
  const float infinity = std::numeric_limits<float>::infinity();
  compare(floats({infinity}), floats({std::numeric_limits<float>::max()}), two);
  EXPECT_NONFATAL_FAILURE(compare(floats({infinity}), floats({1e38f}), two), "expected inf");
  compare(make_scalar(Float16(1.0f)), make_scalar(Float16(1 + 0x1p-9f)), two);
  EXPECT_NONFATAL_FAILURE(
      compare(make_scalar(BFloat16(1.0f)), make_scalar(BFloat16(1 + 0x3p-7f)), two), "(two)");
}

TEST(Tolerance, OfASumGrowsWithItsTerms) {
  const HostTensor x = filled({DType::f32, {100}}, -0.5);
  const Case sum = single_op_case("sum", Reduce{ReduceKind::sum, {0}, DType::f32}, {x});
  const Tolerance found = tolerance_of(sum);
  EXPECT_EQ(found.ulps, 1);
  EXPECT_NEAR(found.absolute, 4 * 0x1p-23 * 10 * 50, 1e-12);
  EXPECT_EQ(found.reason, "sum: 4 eps sqrt(K) sum|a||b|");
  const Case exact = single_op_case("reverse", Reverse{{0}}, {x});
  EXPECT_EQ(tolerance_of(exact).reason, "");
  const Case function = single_op_case("exp", Elementwise{ScalarFunction::exp}, {x});
  EXPECT_EQ(tolerance_of(function).ulps, 2);
}

}  // namespace
}  // namespace tenon::conformance
