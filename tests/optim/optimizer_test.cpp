// Optimizers over five steps against PyTorch, their state, names and messages.
#include "tenon/optim/optimizer.h"

#include "../data/sample_reading.h"
#include "../tensor/tensor_testing.h"
#include "tenon/optim/adam.h"
#include "tenon/optim/gradient_descent.h"
#include "tenon/session/session.h"

namespace tenon::optim {
namespace {

using Json = nlohmann::json;
using samples::difference;
using samples::read_tensor;

class AttributeReader final : public HyperparameterVisitor {
 public:
  explicit AttributeReader(const Json& json) : json_(json) {}
  void operator()(std::string_view name, double& value, Range) override {
    if (json_.contains(std::string(name))) value = json_.at(std::string(name)).get<double>();
  }
  void operator()(std::string_view name, bool& value) override {
    if (json_.contains(std::string(name))) value = json_.at(std::string(name)).get<bool>();
  }

 private:
  const Json& json_;
};

class Samples : public testing::TestWithParam<const char*> {};

TEST_P(Samples, AgreeWithPyTorchOverFiveSteps) {
  const Json all = samples::read_samples("layer_samples.json");
  for (const Json& sample : all.at("optimizers")) {
    const Optimizer optimizer = make_optimizer(sample.at("optimizer").get<std::string>());
    AttributeReader reader(sample.at("attributes"));
    optimizer.fields(reader);
    Session session(GetParam());
    const Variable weight(read_tensor(sample.at("weight")), "w");
    const Tensor gradient = placeholder("gradient", weight.type());
    CompiledStep step = session.compile(
        std::array{gradient}, {{}, optimizer.apply(std::array{weight}, std::array{gradient})});
    for (std::size_t i = 0; i < sample.at("gradients").size(); ++i) {
      step.run(std::array{HostView(read_tensor(sample.at("gradients").at(i)))});
      EXPECT_EQ(difference(session.read(weight), read_tensor(sample.at("weights").at(i)), 1e-12),
                "")
          << sample.at("optimizer") << sample.at("attributes") << " step " << i;
    }
    EXPECT_EQ(doubles(session.read(optimizer.step())), (std::vector<double>{5}));
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, Samples, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Optimizer, LearningRateIsStateThatTheHostWrites) {
  const Variable weight(make_scalar(1.0), "w");
  const Optimizer optimizer = GradientDescent{.learning_rate = 0.5};
  Session session("reference");
  CompiledStep step =
      session.compile({}, {{}, optimizer.minimize(Tensor(weight) * 1.0, std::array{weight})});
  step.run(std::span<const HostView>{});
  EXPECT_EQ(doubles(session.read(weight)), (std::vector<double>{0.5}));
  session.write(optimizer.learning_rate(), make_scalar(0.25));
  step.run(std::span<const HostView>{});
  EXPECT_EQ(doubles(session.read(weight)), (std::vector<double>{0.25}));
}

TEST(Optimizer, EveryHyperparameterIsStateThatTheHostWrites) {
  const Variable weight(make_scalar(1.0), "w");
  const Optimizer optimizer = Sgd{.learning_rate = 1, .momentum = 0};
  Session session("reference");
  CompiledStep step =
      session.compile({}, {{}, optimizer.minimize(Tensor(weight) * 1.0, std::array{weight})});
  session.write(optimizer.hyperparameter("weight_decay"), make_scalar(0.5));
  step.run(std::span<const HostView>{});
  EXPECT_EQ(doubles(session.read(weight)), (std::vector<double>{-0.5}));
  session.write(optimizer.hyperparameter("weight_decay"), make_scalar(0.0));
  session.write(optimizer.hyperparameter("momentum"), make_scalar(0.5));
  step.run(std::span<const HostView>{});  // velocity 0.5 * 1.5 + 1
  EXPECT_EQ(doubles(session.read(weight)), (std::vector<double>{-2.25}));
}

TEST(Optimizer, ACloneHasStateOfItsOwn) {
  const Variable a(make_scalar(1.0f), "a");
  const Optimizer first = Adam{.beta1 = 0.5};
  first.minimize(Tensor(a) * 1.0f, std::array{a});
  const Optimizer second = first.clone();
  EXPECT_EQ(second.state().size(), 6u);
  EXPECT_FALSE(first.step() == second.step());
  Session session("reference");
  EXPECT_EQ(doubles(session.read(second.hyperparameter("beta1"))), (std::vector<double>{0.5}));
}

TEST(Optimizer, StateHasNamesAndKinds) {
  const Variable a(make_tensor<float>({2}, {1, 2}), "dense/kernel");
  const Variable frozen(make_scalar(1.0f), "frozen");
  frozen.set_trainable(false);
  const Optimizer adam = Adam{};
  const std::vector<Update> updates =
      adam.minimize(sum(square(Tensor(a))) * Tensor(frozen), std::array{a, frozen});
  EXPECT_EQ(updates.size(), 4u);  // weight, m, v, step
  std::vector<std::string> names;
  for (const Variable& variable : adam.state()) names.push_back(variable.name());
  EXPECT_EQ(names,
            (std::vector<std::string>{"optimizer/step", "optimizer/learning_rate",
                                      "optimizer/beta1", "optimizer/beta2", "optimizer/epsilon",
                                      "optimizer/weight_decay", "optimizer/dense/kernel/m", "optimizer/dense/kernel/v"}));
  EXPECT_EQ(adam.learning_rate().kind(), VariableKind::scalar);
  EXPECT_EQ(adam.state()[6].kind(), VariableKind::optimizer);
  // A second trace finds the same moments.
  adam.minimize(sum(Tensor(a)), std::array{a});
  EXPECT_EQ(adam.state().size(), 8u);
}

TEST(Optimizer, Errors) {
  EXPECT_EQ(error_of([] { Optimizer(Adam{.learning_rate = 0}); }),
            "optimizer adam: learning_rate must be finite and above 0, got 0");
  EXPECT_EQ(error_of([] { Optimizer(Sgd{.learning_rate = INFINITY}); }),
            "optimizer sgd: learning_rate must be finite and above 0, got inf");
  EXPECT_EQ(error_of([] { Optimizer(Sgd{.momentum = NAN}); }),
            "optimizer sgd: momentum must be in [0, 1), got nan");
  EXPECT_EQ(error_of([] { Optimizer(Adam{.beta1 = 2}); }),
            "optimizer adam: beta1 must be in [0, 1), got 2");
  EXPECT_EQ(error_of([] { Optimizer(Adam{.epsilon = -1}); }),
            "optimizer adam: epsilon must be finite and 0 or more, got -1");
  EXPECT_EQ(error_of([] { Optimizer(Sgd{}).hyperparameter("momentun"); }),
            "optimizer sgd has no hyperparameter \"momentun\"; known: learning_rate, momentum, "
            "weight_decay; did you mean \"momentum\"?");
  EXPECT_EQ(error_of([] { make_optimizer("adamm"); }),
            "unknown optimizer \"adamm\"; known: adam, sgd, gradient_descent; did you mean "
            "\"adam\"?");
  const Variable w(make_scalar(1.0f), "w");
  w.set_trainable(false);
  EXPECT_EQ(error_of([&] { Optimizer(Sgd{}).minimize(Tensor(w), std::array{w}); }),
            "optimizer sgd: there is no trainable weight to update");
  EXPECT_EQ(error_of([&] { Optimizer(Sgd{}).apply(std::array{w}, {}); }),
            "optimizer sgd: 0 gradients for 1 weights");
  EXPECT_EQ(error_of([&] { Optimizer(Sgd{}).apply(std::array{w}, std::array{zeros({2})}); }),
            "optimizer sgd: the gradient of \"w\" is f32[2], the weight f32[]");
}

}  // namespace
}  // namespace tenon::optim
