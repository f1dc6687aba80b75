// Dynamic loss scaling, by the rule of PyTorch's GradScaler.
#include "tenon/optim/loss_scale.h"

#include "../data/sample_reading.h"
#include "../tensor/tensor_testing.h"
#include "tenon/optim/adam.h"
#include "tenon/optim/gradient_descent.h"
#include "tenon/optim/optimizer.h"
#include "tenon/session/session.h"

namespace tenon::optim {
namespace {

using Json = nlohmann::json;

class Scaling : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Devices, Scaling, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

// torch.amp.GradScaler with Adam over a sequence with overflows and growth.
TEST_P(Scaling, FollowsGradScaler) {
  const Json sample = samples::read_samples("precision_samples.json").at("grad_scaler");
  const Optimizer optimizer(
      Adam{.learning_rate = sample.at("learning_rate").get<double>()},
      {.loss_scale = {.initial = sample.at("initial").get<double>(),
                      .growth = sample.at("growth").get<double>(),
                      .backoff = sample.at("backoff").get<double>(),
                      .interval = sample.at("interval").get<std::int64_t>()}});
  const Variable weight(samples::read_tensor(sample.at("weight")), "w");
  Session session(GetParam());
  const Tensor x = placeholder("x", weight.type());
  CompiledStep step = session.compile(
      std::array{x}, {{}, optimizer.minimize(sum(Tensor(weight) * x), std::array{weight})});
  std::int64_t skipped = 0, updated = 0;
  for (const Json& turn : sample.at("turns")) {
    const HostTensor fed = samples::read_tensor(turn.at("x"));
    const HostTensor before = session.read(weight);
    step.run(std::array{HostView(fed)});
    EXPECT_EQ(doubles(session.read(optimizer.loss_scale()))[0], turn.at("scale").get<double>());
    EXPECT_EQ(samples::difference(session.read(weight),
                                  samples::read_tensor(turn.at("weight_after")), 1e-6),
              "");
    const bool is_skipped = turn.at("is_skipped").get<bool>();
    ++(is_skipped ? skipped : updated);
    if (is_skipped) {
      EXPECT_EQ(session.read(weight), before);
    }
    EXPECT_EQ(doubles(session.read(optimizer.skipped_steps()))[0], skipped);
    EXPECT_EQ(doubles(session.read(optimizer.step()))[0], updated);
    for (const Variable& variable : optimizer.state())
      for (const double value : doubles(session.read(variable)))
        EXPECT_TRUE(std::isfinite(value)) << variable.name();
  }
  EXPECT_GT(skipped, 1);
  EXPECT_GT(updated, 5);
}

TEST_P(Scaling, AnOverflowInAnyMicroBatchSkipsTheirUpdate) {
  const Variable weight(make_scalar(1.0f), "w");
  const Optimizer optimizer(GradientDescent{.learning_rate = 1},
                            {.accumulate_steps = 2, .loss_scale = {.initial = 8, .interval = 1}});
  Session session(GetParam());
  const Tensor x = placeholder("x", weight.type());
  CompiledStep step = session.compile(
      std::array{x}, {{}, optimizer.minimize(Tensor(weight) * x, std::array{weight})});
  std::vector<double> weights, scales, skips;
  for (const float gradient : {INFINITY, 1.0f, 1.0f, 3.0f, 1.0f, NAN, 0.5f, 0.5f}) {
    const HostTensor fed = make_scalar(gradient);
    step.run(std::array{HostView(fed)});
    weights.push_back(doubles(session.read(weight))[0]);
    scales.push_back(doubles(session.read(optimizer.loss_scale()))[0]);
    skips.push_back(doubles(session.read(optimizer.skipped_steps()))[0]);
  }
  EXPECT_EQ(weights, (std::vector<double>{1, 1, 1, -1, -1, -1, -1, -1.5}));
  EXPECT_EQ(scales, (std::vector<double>{8, 4, 4, 8, 8, 4, 4, 8}));
  EXPECT_EQ(skips, (std::vector<double>{0, 1, 1, 1, 1, 2, 2, 2}));
}

TEST(LossScale, StaysWithinBounds) {
  const Variable weight(make_scalar(1.0f), "w");
  const auto scale_after = [&](LossScaleOptions options, float gradient, int steps) {
    const Optimizer optimizer(GradientDescent{}, {.loss_scale = options});
    Session session("reference");
    const Tensor x = placeholder("x", weight.type());
    CompiledStep step = session.compile(
        std::array{x}, {{}, optimizer.minimize(Tensor(weight) * x, std::array{weight})});
    const HostTensor fed = make_scalar(gradient);
    for (int i = 0; i < steps; ++i) step.run(std::array{HostView(fed)});
    return doubles(session.read(optimizer.loss_scale()))[0];
  };
  EXPECT_EQ(scale_after({.initial = 0x1p120, .interval = 1}, 0, 20), 0x1p127);
  EXPECT_EQ(scale_after({.initial = 1}, NAN, 40), 0x1p-24);
}

TEST(LossScale, IsStateThatTheHostMayWrite) {
  const Optimizer optimizer(Adam{}, {.loss_scale = {.initial = kUsualLossScale}});
  EXPECT_EQ(optimizer.loss_scale().kind(), VariableKind::scalar);
  std::vector<std::string> names;
  for (const Variable& variable : optimizer.state()) names.push_back(variable.name());
  EXPECT_EQ(names, (std::vector<std::string>{
                       "optimizer/step", "optimizer/learning_rate", "optimizer/beta1",
                       "optimizer/beta2", "optimizer/epsilon", "optimizer/weight_decay",
                       "optimizer/loss_scale", "optimizer/good_steps", "optimizer/skipped_steps"}));
  Session session("reference");
  EXPECT_EQ(doubles(session.read(optimizer.loss_scale()))[0], 32768);
  UpdateOptions without = optimizer.options();
  without.loss_scale.initial = 0;
  EXPECT_EQ(optimizer.clone(without).state().size(), 6u);
}

TEST(LossScale, Errors) {
  EXPECT_EQ(error_of([] { Optimizer(Adam{}).loss_scale(); }),
            "optimizer adam does not scale the loss; set UpdateOptions::loss_scale");
  EXPECT_EQ(error_of([] { Optimizer(Adam{}).skipped_steps(); }),
            "optimizer adam skips no steps; set UpdateOptions::loss_scale");
  EXPECT_EQ(error_of([] { Optimizer(Adam{}, {.loss_scale = {.initial = -1}}); }),
            "optimizer adam: loss_scale must be finite and 0 or more, got -1");
  EXPECT_EQ(error_of([] { Optimizer(Adam{}, {.loss_scale = {.growth = 1}}); }),
            "optimizer adam: loss_scale_growth must be finite and above 1, got 1");
  EXPECT_EQ(error_of([] { Optimizer(Adam{}, {.loss_scale = {.backoff = 1}}); }),
            "optimizer adam: loss_scale_backoff must be in [0, 1), got 1");
  EXPECT_EQ(error_of([] { Optimizer(Adam{}, {.loss_scale = {.interval = 0}}); }),
            "optimizer adam: loss_scale_interval must be 1 or more, got 0");
}

}  // namespace
}  // namespace tenon::optim
