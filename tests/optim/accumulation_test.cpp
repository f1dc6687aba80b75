// Gradient accumulation: micro-batches update as the large batch does.
#include "tenon/optim/accumulation.h"

#include "../tensor/tensor_testing.h"
#include "tenon/base/threefry.h"
#include "tenon/optim/adam.h"
#include "tenon/optim/gradient_descent.h"
#include "tenon/optim/optimizer.h"
#include "tenon/session/session.h"

namespace tenon::optim {
namespace {

constexpr std::int64_t kSamples = 32, kFeatures = 5, kUnits = 3;

HostTensor random_rows(std::uint64_t seed, std::int64_t rows, std::int64_t columns) {
  HostTensor tensor({DType::f64, {rows, columns}});
  ThreefrySequence random{seed};
  for (double& element : tensor.as<double>())
    element = static_cast<double>(random.below(2001)) / 1000 - 1;
  return tensor;
}

HostTensor rows_of(const HostTensor& all, std::int64_t first, std::int64_t count) {
  HostTensor part({all.dtype(), {count, all.shape()[1]}});
  const auto from = all.as<double>();
  std::copy_n(from.begin() + first * all.shape()[1], part.size(), part.as<double>().begin());
  return part;
}

// The weights after three updates, each from all samples in batches of these sizes.
std::vector<HostTensor> trained(const std::string& device, const Optimizer& optimizer,
                                const std::vector<std::int64_t>& sizes) {
  const std::array weights = {Variable(random_rows(1, kFeatures, kUnits), "kernel"),
                              Variable(random_rows(2, 1, kUnits), "bias")};
  Session session(device);
  std::map<std::int64_t, CompiledStep> steps;
  for (const std::int64_t size : sizes) {
    if (steps.contains(size)) continue;
    const Tensor x = placeholder("x", {DType::f64, {size, kFeatures}});
    const Tensor y = placeholder("y", {DType::f64, {size, kUnits}});
    const Tensor prediction = tanh(matmul(x, Tensor(weights[0])) + Tensor(weights[1]));
    const Tensor loss = mean(sum(square(prediction - y), {1}));
    steps.emplace(size,
                  session.compile(std::array{x, y}, {{}, optimizer.minimize(loss, weights, size)}));
  }
  const HostTensor x = random_rows(3, kSamples, kFeatures), y = random_rows(4, kSamples, kUnits);
  for (int update = 0; update < 3; ++update) {
    std::int64_t first = 0;
    for (const std::int64_t size : sizes) {
      EXPECT_EQ(doubles(session.read(optimizer.step())), (std::vector<double>{1.0 * update}));
      const HostTensor some_x = rows_of(x, first, size), some_y = rows_of(y, first, size);
      steps.at(size).run(std::array{HostView(some_x), HostView(some_y)});
      first += size;
    }
  }
  EXPECT_EQ(doubles(session.read(optimizer.step())), (std::vector<double>{3}));
  std::vector<HostTensor> results;
  for (const Variable& weight : weights) results.push_back(session.read(weight));
  return results;
}

double largest_difference(const std::vector<HostTensor>& a, const std::vector<HostTensor>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::int64_t k = 0; k < a[i].size(); ++k)
      largest =
          std::max(largest, std::abs(element_as_double(a[i], k) - element_as_double(b[i], k)));
  return largest;
}

TEST(Accumulation, EqualsTheLargeBatchForEveryOptimizer) {
  for (const OptimizerKind& kind : optimizer_kinds()) {
    for (const double norm : {0.0, 0.1}) {
      UpdateOptions options{.clip_global_norm = norm, .average_decay = 0.5};
      const std::vector<HostTensor> large = trained("reference", kind.make(options), {kSamples});
      EXPECT_GT(
          largest_difference(large, {random_rows(1, kFeatures, kUnits), random_rows(2, 1, kUnits)}),
          1e-5);
      options.accumulate_steps = 4;
      const Optimizer accumulating = kind.make(options);
      EXPECT_LT(largest_difference(large, trained("reference", accumulating, {8, 8, 8, 8})), 1e-12)
          << kind.kind << " clipped to " << norm;
      EXPECT_LT(
          largest_difference(large, trained("reference", kind.make(options), {10, 10, 10, 2})),
          1e-12)
          << kind.kind << " clipped to " << norm << ", with a short batch";
    }
  }
}

// The large batch is the reference's: the rule is judged, too.
TEST(Accumulation, EqualsTheLargeBatchForEveryOptimizerOnTheCpu) {
  for (const OptimizerKind& kind : optimizer_kinds()) {
    UpdateOptions options{.clip_global_norm = 0.1, .average_decay = 0.5};
    const std::vector<HostTensor> large = trained("reference", kind.make(options), {kSamples});
    options.accumulate_steps = 4;
    EXPECT_LT(largest_difference(large, trained("cpu", kind.make(options), {10, 10, 10, 2})), 1e-11)
        << kind.kind;
  }
}

TEST(Accumulation, TheWeightsWaitForTheLastMicroBatch) {
  const Variable weight(make_scalar(1.0), "w");
  const Optimizer optimizer(GradientDescent{.learning_rate = 0.5}, {.accumulate_steps = 3});
  Session session("reference");
  const Tensor x = placeholder("x", {DType::f64, {}}), n = placeholder("n", {DType::f64, {}});
  CompiledStep step = session.compile(
      std::array{x, n}, {{}, optimizer.minimize(Tensor(weight) * x, std::array{weight}, n)});
  const auto run = [&](double gradient, double loss_weight) {
    const HostTensor g = make_scalar(gradient), w = make_scalar(loss_weight);
    step.run(std::array{HostView(g), HostView(w)});
    return doubles(session.read(weight))[0];
  };
  EXPECT_EQ(run(1, 2), 1);
  EXPECT_EQ(run(2, 1), 1);
  EXPECT_EQ(run(3, 1), 1 - 0.5 * 7 / 4);
  EXPECT_EQ(run(0, 1), 1 - 0.5 * 7 / 4);
  EXPECT_EQ(doubles(session.read(optimizer.step())), (std::vector<double>{1}));
  std::vector<std::string> names;
  std::vector<double> values;
  for (const Variable& variable : optimizer.state()) {
    names.push_back(variable.name());
    values.push_back(doubles(session.read(variable))[0]);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"optimizer/step", "optimizer/learning_rate",
                                             "optimizer/micro_batches", "optimizer/summed_weight",
                                             "optimizer/w/gradient_sum"}));
  EXPECT_EQ(values, (std::vector<double>{1, 0.5, 1, 1, 0}));
}

TEST(Accumulation, Errors) {
  EXPECT_EQ(error_of([] { Optimizer(Adam{}, {.accumulate_steps = 0}); }),
            "optimizer adam: accumulate must be 1 or more, got 0");
  const Variable w(make_scalar(1.0f), "w");
  EXPECT_EQ(
      error_of([&] {
        Optimizer(Adam{}, {.accumulate_steps = 2}).minimize(Tensor(w), std::array{w}, zeros({2}));
      }),
      "the weight of a loss must be a scalar, got f32[2]");
}

}  // namespace
}  // namespace tenon::optim
