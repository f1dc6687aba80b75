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
  void operator()(std::string_view name, std::int64_t& value, std::int64_t) override {
    if (json_.contains(std::string(name))) value = json_.at(std::string(name)).get<std::int64_t>();
  }
  void operator()(std::string_view name, TextList& value) override {
    if (json_.contains(std::string(name)))
      value.set(json_.at(std::string(name)).get<std::vector<std::string>>());
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

// Several weights at once, with what goes with any rule.
TEST_P(Samples, AgreeWithOtherImplementationsOverFiveSteps) {
  const Json all = samples::read_samples("optimizer_samples.json");
  for (const Json& sample : all.at("optimizers")) {
    const std::string what = sample.at("optimizer").dump() + sample.at("attributes").dump() +
                             sample.at("options").dump();
    UpdateOptions options;
    AttributeReader options_reader(sample.at("options"));
    options.fields(options_reader);
    const Optimizer optimizer = make_optimizer(sample.at("optimizer").get<std::string>(), options);
    AttributeReader reader(sample.at("attributes"));
    optimizer.fields(reader);
    Session session(GetParam());
    std::vector<Variable> weights;
    std::vector<Tensor> gradients;
    for (const Json& initial : sample.at("initial")) {
      weights.emplace_back(read_tensor(initial), fmt::format("w{}", weights.size()));
      gradients.push_back(placeholder("gradient", weights.back().type()));
    }
    CompiledStep step = session.compile(gradients, {{}, optimizer.apply(weights, gradients)});
    const auto expect_equal = [&](const Variable& found, const Json& expected, std::size_t i) {
      EXPECT_EQ(difference(session.read(found), read_tensor(expected), 1e-12), "")
          << what << " " << found.name() << " step " << i;
    };
    for (std::size_t i = 0; i < sample.at("gradients").size(); ++i) {
      std::vector<HostTensor> fed;
      for (const Json& gradient : sample.at("gradients").at(i))
        fed.push_back(read_tensor(gradient));
      const std::vector<HostView> views(fed.begin(), fed.end());
      step.run(views);
      for (std::size_t k = 0; k < weights.size(); ++k) {
        expect_equal(weights[k], sample.at("weights").at(i).at(k), i);
        if (options.average_decay > 0)
          expect_equal(optimizer.average(weights[k]), sample.at("averages").at(i).at(k), i);
      }
    }
  }
}

TEST(Optimizer, EveryKindHasSamples) {
  Json all = samples::read_samples("layer_samples.json").at("optimizers");
  const Json more = samples::read_samples("optimizer_samples.json").at("optimizers");
  all.insert(all.end(), more.begin(), more.end());
  for (const OptimizerKind& kind : optimizer_kinds()) {
    EXPECT_EQ(kind.make({}).kind(), kind.kind);
    EXPECT_TRUE(std::ranges::any_of(all, [&](const Json& sample) {
      return sample.at("optimizer").get<std::string>() == kind.kind;
    })) << kind.kind;
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
  EXPECT_EQ(names, (std::vector<std::string>{
                       "optimizer/step", "optimizer/learning_rate", "optimizer/beta1",
                       "optimizer/beta2", "optimizer/epsilon", "optimizer/weight_decay",
                       "optimizer/dense/kernel/m", "optimizer/dense/kernel/v"}));
  EXPECT_EQ(adam.learning_rate().kind(), VariableKind::scalar);
  EXPECT_EQ(adam.state()[6].kind(), VariableKind::optimizer);
  // A second trace finds the same moments.
  adam.minimize(sum(Tensor(a)), std::array{a});
  EXPECT_EQ(adam.state().size(), 8u);
}

TEST(Optimizer, ZeroGradientsAndZeroWeightsStayFiniteInF32) {
  for (const OptimizerKind& kind : optimizer_kinds()) {
    const std::array weights = {Variable(HostTensor({DType::f32, {2, 3}}), "matrix"),
                                Variable(HostTensor({DType::f32, {2}}), "vector"),
                                Variable(make_scalar(1.0f), "scalar")};
    const std::array gradients = {zeros({2, 3}), zeros({2}), zeros({})};
    const Optimizer optimizer = kind.make({.clip_norm = 1});
    Session session("reference");
    CompiledStep step = session.compile({}, {{}, optimizer.apply(weights, gradients)});
    for (int i = 0; i < 3; ++i) step.run(std::span<const HostView>{});
    EXPECT_EQ(session.read(weights[0]), HostTensor({DType::f32, {2, 3}})) << kind.kind;
    EXPECT_EQ(session.read(weights[1]), HostTensor({DType::f32, {2}})) << kind.kind;
    EXPECT_NEAR(element_as_double(session.read(weights[2]), 0), 1, 1e-3) << kind.kind;
  }
}

TEST(Optimizer, AClippedZeroGradientStaysZero) {
  const Variable weight(make_tensor<double>({2}, {3, 4}), "w");
  const Optimizer optimizer(GradientDescent{.learning_rate = 1},
                            {.clip_norm = 1, .clip_global_norm = 1});
  Session session("reference");
  session.compile({}, {{}, optimizer.minimize(sum(Tensor(weight)) * 0.0, std::array{weight})})
      .run(std::span<const HostView>{});
  EXPECT_EQ(doubles(session.read(weight)), (std::vector<double>{3, 4}));
  EXPECT_EQ(optimizer.clone().options(), optimizer.options());
}

TEST(Optimizer, ErrorsOfOptions) {
  EXPECT_EQ(error_of([] { Optimizer(Adam{}, {.clip_norm = -1}); }),
            "optimizer adam: clip_norm must be finite and 0 or more, got -1");
  EXPECT_EQ(error_of([] { Optimizer(Adam{}, {.average_decay = 1}); }),
            "optimizer adam: average_decay must be in [0, 1), got 1");
  const Variable w(make_scalar(1.0f), "w");
  EXPECT_EQ(error_of([&] { Optimizer(Adam{}).average(w); }),
            "optimizer adam keeps no averages of weights; set UpdateOptions::average_decay");
  EXPECT_EQ(error_of([&] { Optimizer(Adam{}, {.average_decay = 0.5}).average(w); }),
            "optimizer adam: no update of \"w\" was traced yet");
}

TEST(Optimizer, TextsOfListsAreReadBack) {
  UpdateOptions options;
  options.rates = {{"embedding/*", 0.1}, {"a=b", 1e-7}};
  options.no_decay = {"*/scale"};
  options.constraints = {{"dense:0/kernel", ConstraintKind::max_norm, 2.5, {0, -1}},
                         {"*", ConstraintKind::unit_norm, 1, {}},
                         {"*", ConstraintKind::non_negative, 1, {1}}};
  EXPECT_EQ(text_of(options.rates[1]), "a=b=1e-07");
  EXPECT_EQ(text_of(options.constraints[0]), "dense:0/kernel:max_norm=2.5:axes=0/-1");
  EXPECT_EQ(text_of(options.constraints[2]), "*:non_negative:axes=1");
  for (const RateFactor& rate : options.rates) EXPECT_EQ(parse_rate_factor(text_of(rate)), rate);
  for (const Constraint& constraint : options.constraints)
    EXPECT_EQ(parse_constraint(text_of(constraint)), constraint);
  EXPECT_EQ(Optimizer(Adam{}, options).clone().options(), options);
}

TEST(Optimizer, ErrorsOfLists) {
  EXPECT_EQ(error_of([] { parse_rate_factor("embedding"); }),
            "expected PATTERN=FACTOR, as in \"embedding/*=0.1\", got \"embedding\"");
  EXPECT_EQ(error_of([] { parse_rate_factor("=2"); }),
            "expected PATTERN=FACTOR, as in \"embedding/*=0.1\", got \"=2\"");
  EXPECT_EQ(error_of([] { parse_rate_factor("a=much"); }),
            "\"a=much\": expected a finite number, got \"much\"");
  EXPECT_EQ(error_of([] { parse_rate_factor("a=1e999"); }),
            "\"a=1e999\": expected a finite number, got \"1e999\"");
  EXPECT_EQ(error_of([] { parse_rate_factor("a=-1"); }),
            "\"a=-1\": the factor must be finite and 0 or more, got -1");
  EXPECT_EQ(error_of([] { parse_constraint("max_norm=3"); }),
            "expected PATTERN:CONSTRAINT, as in \"*kernel:max_norm=3\" or \"*kernel:unit_norm\", "
            "got \"max_norm=3\"");
  EXPECT_EQ(error_of([] { parse_constraint("*:maxnorm=3"); }),
            "unknown constraint \"maxnorm\"; known: max_norm, unit_norm, non_negative; did you "
            "mean \"max_norm\"?");
  EXPECT_EQ(error_of([] { parse_constraint("*:max_norm"); }),
            "\"*:max_norm\": max_norm needs the largest norm, as in max_norm=3");
  EXPECT_EQ(error_of([] { parse_constraint("*:unit_norm=2"); }),
            "\"*:unit_norm=2\": unit_norm takes no number");
  EXPECT_EQ(error_of([] { parse_constraint("*:max_norm=0"); }),
            "\"*:max_norm=0\": the largest norm must be above 0, got 0");
  EXPECT_EQ(error_of([] { parse_constraint("*:max_norm=1:axes=one"); }),
            "\"*:max_norm=1:axes=one\": axes must be whole numbers with / between them, got "
            "\"one\"");
  EXPECT_EQ(error_of([] {
              Optimizer(Adam{}, {.rates = {{"a", NAN}}});
            }),
            "optimizer adam: rates: \"a=nan\": expected a finite number, got \"nan\"");
  EXPECT_EQ(error_of([] { Optimizer(Adam{}, {.no_decay = {""}}); }),
            "optimizer adam: no_decay: expected a pattern of names, as in \"*/bias\", got nothing");
  EXPECT_EQ(error_of([] { Optimizer(Adam{}, {.lookahead_steps = -1}); }),
            "optimizer adam: lookahead_steps must be 0 or more, got -1");
  EXPECT_EQ(error_of([] { Optimizer(Adam{}, {.lookahead_steps = 2, .lookahead_alpha = 1.5}); }),
            "optimizer adam: lookahead_alpha must be in [0, 1), got 1.5");
  const Variable w(make_tensor<float>({2}, {1, 2}), "dense/bias");
  EXPECT_EQ(error_of([&] {
              Optimizer(Adam{}, {.rates = {{"dens/*", 2}}}).minimize(sum(Tensor(w)), std::array{w});
            }),
            "optimizer adam: the rate for \"dens/*\" matches no weight\n"
            "  help: the weights are dense/bias");
  EXPECT_EQ(error_of([&] {
              Optimizer(Adam{}, {.constraints = {{"*", ConstraintKind::max_norm, 1, {2}}}})
                  .minimize(sum(Tensor(w)), std::array{w});
            }),
            "constraint \"*:max_norm=1:axes=2\": axis 2 is none of \"dense/bias\", which is "
            "f32[2]");
}

// What three steps of an optimizer of this kind make of a matrix.
HostTensor after_three_steps(const OptimizerKind& kind, const Json& attributes,
                             const UpdateOptions& options) {
  const Variable weight(make_tensor<double>({2, 2}, {1, -2, 0.5, 3}), "dense/kernel");
  const Optimizer optimizer = kind.make(options);
  AttributeReader reader(attributes);
  optimizer.fields(reader);
  Session session("reference");
  CompiledStep step = session.compile(
      {}, {{}, optimizer.minimize(sum(square(Tensor(weight))), std::array{weight})});
  for (int i = 0; i < 3; ++i) step.run(std::span<const HostView>{});
  return session.read(weight);
}

TEST(Optimizer, EveryKindTakesRatesAndDecayByName) {
  for (const OptimizerKind& kind : optimizer_kinds()) {
    const Json slow{{"learning_rate", 0.125}, {"weight_decay", 0.0}};
    const Json fast{{"learning_rate", 0.5}, {"weight_decay", 0.0}};
    const Json decayed{{"learning_rate", 0.125}, {"weight_decay", 0.25}};
    const HostTensor found = after_three_steps(kind, slow, {});
    EXPECT_EQ(found, after_three_steps(kind, fast, {.rates = {{"dense/*", 0.25}}})) << kind.kind;
    EXPECT_EQ(found, after_three_steps(kind, decayed, {.no_decay = {"*kernel"}})) << kind.kind;
    EXPECT_FALSE(found == after_three_steps(kind, fast, {})) << kind.kind;
    const bool has_decay = kind.kind != "gradient_descent";
    EXPECT_EQ(found == after_three_steps(kind, decayed, {}), !has_decay) << kind.kind;
  }
}

// A pattern may stand for weights that are frozen now.
TEST(Optimizer, PatternsMayMatchFrozenWeights) {
  const Variable a(make_scalar(1.0), "a"), b(make_scalar(1.0), "b");
  b.set_trainable(false);
  const Optimizer optimizer(GradientDescent{}, {.rates = {{"b", 0.1}}});
  EXPECT_EQ(optimizer.minimize(Tensor(a) * Tensor(b), std::array{a, b}).size(), 2u);
}

TEST(Optimizer, ConstraintsOfZerosStayFinite) {
  for (const ConstraintKind kind : {ConstraintKind::max_norm, ConstraintKind::unit_norm}) {
    const Variable weight(HostTensor({DType::f32, {2, 3}}), "w");
    const Optimizer optimizer(GradientDescent{}, {.constraints = {{"w", kind, 1, {}}}});
    Session session("reference");
    session.compile({}, {{}, optimizer.apply(std::array{weight}, std::array{zeros({2, 3})})})
        .run(std::span<const HostView>{});
    EXPECT_EQ(session.read(weight), HostTensor({DType::f32, {2, 3}}));
  }
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
  EXPECT_EQ(
      error_of([] { make_optimizer("adamm"); }),
      "unknown optimizer \"adamm\"; known: adam, adamw, sgd, gradient_descent, adamax, nadam, "
      "rmsprop, adagrad, adadelta, lion, lamb, adafactor, muon; did you mean \"adam\"?");
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
