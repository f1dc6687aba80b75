// Second derivatives through functions of tensors, against closed forms and finite differences.
#include <cmath>
#include <limits>

#include "tensor_testing.h"

namespace tenon {
namespace {

using Scalar = std::function<Tensor(const Tensor&)>;

// d2f/dx2 of a scalar function at x.
double second(const Scalar& f, double x) {
  const Tensor at = Tensor(make_scalar(x));
  return doubles(grad(grad(f(at), at), at)).front();
}

TEST(SecondDerivatives, AgreeWithClosedForms) {
  const double x = 0.7;
  EXPECT_NEAR(second([](const Tensor& t) { return exp(2 * t); }, x), 4 * std::exp(2 * x), 1e-12);
  EXPECT_NEAR(second([](const Tensor& t) { return power(t, 5); }, x), 20 * std::pow(x, 3), 1e-12);
  EXPECT_NEAR(second([](const Tensor& t) { return log(t); }, x), -1 / (x * x), 1e-12);
  EXPECT_NEAR(second([](const Tensor& t) { return sin(t) * t; }, x),
              2 * std::cos(x) - x * std::sin(x), 1e-12);
  const double t = std::tanh(x);
  EXPECT_NEAR(second([](const Tensor& v) { return tanh(v); }, x), -2 * t * (1 - t * t), 1e-12);
  const double s = 1 / (1 + std::exp(-x));
  EXPECT_NEAR(second([](const Tensor& v) { return softplus(v); }, x), s * (1 - s), 1e-12);
  EXPECT_NEAR(second([](const Tensor& v) { return relu(v) * v; }, x), 2, 1e-12);
}

// Far out, where squares overflow, and at infinity: the limits, no 0 * infinity.
template <class T>
void expect_gelu_tanh_limits() {
  for (const double far :
       {11.0, 1e30, 0.9 * std::numeric_limits<T>::max(), std::numeric_limits<double>::infinity()})
    for (const double x : {far, -far}) {
      const Tensor at = Tensor(make_scalar(static_cast<T>(x)));
      const Tensor value = gelu_tanh(at), first = grad(value, at);
      if (std::isfinite(x)) {
        EXPECT_EQ(doubles(value).front(), x > 0 ? doubles(at).front() : 0) << x;
      }
      EXPECT_EQ(doubles(first).front(), x > 0 ? 1 : 0) << x;
      EXPECT_EQ(doubles(grad(first, at)).front(), 0) << x;
    }
  const Tensor nan = Tensor(make_scalar(std::numeric_limits<T>::quiet_NaN()));
  EXPECT_TRUE(std::isnan(doubles(gelu_tanh(nan)).front()));
  EXPECT_TRUE(std::isnan(doubles(grad(gelu_tanh(nan), nan)).front()));
}
TEST(SecondDerivatives, GeluByTanhHasItsLimits) {
  expect_gelu_tanh_limits<float>();
  expect_gelu_tanh_limits<double>();
}

// The Hessian-vector product of f at x by gradients of gradients, against central differences of
// the gradient along v.
void expect_hessian_vector(const Scalar& f, const HostTensor& x, const HostTensor& v) {
  const Tensor at = Tensor(x);
  const std::vector<double> found = doubles(grad(sum(grad(f(at), at) * Tensor(v)), at));
  const double h = 1e-5;
  const auto gradient_at = [&](double step) {
    const Tensor moved = Tensor((Tensor(x) + step * Tensor(v)).value());
    return doubles(grad(f(moved), moved));
  };
  const std::vector<double> above = gradient_at(h), below = gradient_at(-h);
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], (above[i] - below[i]) / (2 * h), 1e-7) << i;
}

HostTensor draw(Shape shape, std::uint64_t seed) {
  return random::normal(random::key(seed), std::move(shape), 0, 1, DType::f64).value();
}

TEST(SecondDerivatives, AgreeWithFiniteDifferences) {
  const HostTensor x = draw({3, 4}, 1), v = draw({3, 4}, 2), w = draw({4, 4}, 3);
  expect_hessian_vector([](const Tensor& t) { return sum(square(softmax(t))); }, x, v);
  expect_hessian_vector([](const Tensor& t) { return sum(logsumexp(t, {1}) * 2); }, x, v);
  expect_hessian_vector([&](const Tensor& t) { return sum(tanh(matmul(t, Tensor(w)))); }, x, v);
  expect_hessian_vector([](const Tensor& t) { return norm(t); }, x, v);
  expect_hessian_vector([](const Tensor& t) { return sum(cumprod(t, 1)); }, x, v);
  expect_hessian_vector(
      [](const Tensor& t) {
        return sum(square(layer_norm(t, ones({4}, DType::f64), zeros({4}, DType::f64))) * t);
      },
      x, v);
  expect_hessian_vector(
      [](const Tensor& t) {
        return sum(square(take(t, Tensor(make_tensor<std::int32_t>({3}, {0, 2, 0})))));
      },
      x, v);
  expect_hessian_vector(
      [](const Tensor& t) {
        return sum(sparse_cross_entropy_with_logits(
            t * t, Tensor(make_tensor<std::int32_t>({3}, {1, 0, 3}))));
      },
      x, v);
  const HostTensor image = draw({1, 4, 4, 2}, 4), direction = draw({1, 4, 4, 2}, 5);
  const HostTensor kernel = draw({3, 3, 2, 2}, 6);
  expect_hessian_vector(
      [&](const Tensor& t) {
        return sum(
            square(avg_pool(tanh(convolution(t, Tensor(kernel), {.padding = Padding::same})))));
      },
      image, direction);
}

}  // namespace
}  // namespace tenon
