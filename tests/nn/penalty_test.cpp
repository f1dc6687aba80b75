// Penalties: their sums and gradients, what they count once, names, saving and messages.
#include "tenon/nn/penalty.h"

#include "layer_testing.h"
#include "tenon/optim/gradient_descent.h"

namespace tenon::nn {
namespace {

// The loss that layers added, of weights with their initial values.
struct Added {
  double loss = 0;
  std::vector<double> gradient;  // of the first variable
  std::vector<std::string> names;
};

Added added_by(const Layer& model, const Tensor& x, const char* device = "reference") {
  Context context(Mode::training, {}, DType::f64);
  model.call_as_root(x, context);
  const Tensor loss = context.total_loss(tenon::zeros({}, DType::f64));
  Session session(device);
  const std::vector<Tensor> fetches{loss, grad(loss, context.variables()[0])};
  const std::vector<HostTensor> found = session.run(fetches, {});
  return {doubles(found[0])[0], doubles(found[1]), names_of(context.variables())};
}

const Initializer kThrees{InitializerKind::constant, -3};
Dense two_units() {
  return Dense{.units = 2, .kernel_initializer = kThrees, .bias_initializer = kThrees};
}
const Tensor kRow = numbers({1, 2}, {1, 2});

class Penalties : public testing::TestWithParam<const char*> {};

TEST_P(Penalties, AreSumsOverTheKernel) {
  const auto of = [&](PenaltyOptions penalty) {
    return added_by(Penalized{two_units(), penalty}, kRow, GetParam());
  };
  Added found = of({.l1 = 0.5});
  EXPECT_NEAR(found.loss, 0.5 * 4 * 3, 1e-12);
  EXPECT_EQ(found.gradient, (std::vector<double>{-0.5, -0.5, -0.5, -0.5}));
  found = of({.l2 = 0.25});
  EXPECT_NEAR(found.loss, 0.25 * 4 * 9, 1e-12);
  EXPECT_EQ(found.gradient, (std::vector<double>{-1.5, -1.5, -1.5, -1.5}));
  found = of({.l1 = 0.5, .l2 = 0.25});
  EXPECT_NEAR(found.loss, 6 + 9, 1e-12);
  EXPECT_EQ(found.gradient, (std::vector<double>{-2, -2, -2, -2}));
  found = of({.weights = "*bias", .l1 = 1});
  EXPECT_NEAR(found.loss, 2 * 3, 1e-12);
  EXPECT_EQ(found.gradient, (std::vector<double>{0, 0, 0, 0}));
}

TEST_P(Penalties, OfOutputsAreDividedByTheBatch) {
  // Each output is -3 * 3 - 3 = -12, -3 * 7 - 3 = -24 in the second row.
  const Tensor rows = numbers({2, 2}, {1, 2, 3, 4});
  const Layer layer = Penalized{two_units(), {.activity_l1 = 0.5}};
  const Added found = added_by(layer, rows, GetParam());
  EXPECT_NEAR(found.loss, 0.5 * (24 + 48) / 2, 1e-12);
  EXPECT_EQ(found.gradient, (std::vector<double>{-1, -1, -1.5, -1.5}));
  const Layer square = Penalized{two_units(), {.activity_l2 = 0.5}};
  EXPECT_NEAR(added_by(square, rows, GetParam()).loss, 0.5 * 2 * (144 + 576) / 2, 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Devices, Penalties, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Penalty, LeavesNamesAsTheyAre) {
  const Sequential model{Dense{3}, Penalized{Dense{2}, {.l2 = 1}},
                         Penalized{Penalized{Dense{1}, {.l2 = 1}}, {.weights = "*bias", .l1 = 1}}};
  const std::vector<std::string> names{"dense/kernel", "dense/bias",     "dense_1/kernel",
                                       "dense_1/bias", "dense_2/kernel", "dense_2/bias"};
  EXPECT_EQ(weight_names(model, {DType::f32, {1, 4}}), names);
  const Sequential plain{Dense{3}, Dense{2}, Dense{1}};
  EXPECT_EQ(weight_names(Penalized{plain, {.l2 = 1}}, {DType::f32, {1, 4}}), names);
}

TEST(Penalty, OfAWholeModelReachesEveryKernelOnce) {
  const Layer shared = two_units();
  const Sequential model{shared, shared, LayerNorm{}};
  EXPECT_NEAR(added_by(Penalized{model, {.l2 = 1}}, kRow).loss, 4 * 9, 1e-12);
  // A layer that is called twice.
  const Layer penalized = Penalized{two_units(), {.l2 = 1}};
  EXPECT_NEAR(added_by(Sequential{penalized, penalized}, kRow).loss, 4 * 9, 1e-12);
}

TEST(Penalty, LeavesFrozenWeightsOut) {
  const Layer layer = Penalized{two_units(), {.weights = "*", .l1 = 1}};
  weight_names(layer, {DType::f64, {1, 2}});
  variables_of(layer)[1].set_trainable(false);
  EXPECT_NEAR(added_by(layer, kRow).loss, 4 * 3, 1e-12);
}

// PyTorch's and Tenon's weight_decay that is added to gradients is twice Keras' l2.
TEST(Penalty, TrainsAsDecayOfTwiceItsSizeDoes) {
  const auto trained = [](PenaltyOptions penalty, double decay) {
    Context context(Mode::training, {}, DType::f64);
    const Layer layer = Penalized{two_units(), penalty};
    const Tensor loss = sum(square(layer.call_as_root(kRow, context)));
    const optim::Optimizer rule =
        optim::Sgd{.learning_rate = 0.001, .momentum = 0, .weight_decay = decay};
    Session session("reference");
    session.compile({}, {{}, context.minimize(loss, rule)}).run(std::span<const HostView>{});
    return doubles(session.read(context.variables()[0]));
  };
  const std::vector<double> with_penalty = trained({.weights = "*", .l2 = 0.2}, 0);
  const std::vector<double> with_decay = trained({}, 0.4);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(with_penalty[i], with_decay[i], 1e-12);
}

struct OwnLoss {
  static constexpr std::string_view kKind = "own_loss";
  Dense dense = two_units();
  Tensor operator()(const Tensor& x, Context& context) { return dense(x, context); }
  Outcome learn(const Tensor& x, const Tensor&, Context& context) {
    const Tensor y = dense(x, context);
    return {y, {sum(y), full({}, 1, DType::f64)}};
  }
  void fields(FieldVisitor& visit) { dense.fields(visit); }
};

TEST(Penalty, KeepsTheLossOfAModelThatHasOne) {
  const Layer model = Penalized{OwnLoss{}, {.l1 = 1}};
  ASSERT_TRUE(model.has_own_loss());
  EXPECT_FALSE(Layer(Penalized{two_units(), {}}).has_own_loss());
  Context context(Mode::training, {}, DType::f64);
  const Outcome outcome = model.learn(kRow, kRow, context);
  EXPECT_NEAR(doubles(Session("reference").run(context.total_loss(outcome.loss.sum)))[0], -24 + 12,
              1e-12);
}

TEST(Penalty, Refuses) {
  const auto message = [](PenaltyOptions penalty) {
    const Layer layer = Penalized{two_units(), std::move(penalty)};
    const std::string text = error_of([&] {
      Context context(Mode::training);
      layer(kRow, context);
    });
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(message({.l1 = -1}), "Penalized: l1 must be finite and 0 or more, got -1");
  EXPECT_EQ(message({.l2 = NAN}), "Penalized: l2 must be finite and 0 or more, got nan");
  EXPECT_EQ(message({.activity_l1 = INFINITY}),
            "Penalized: activity_l1 must be finite and 0 or more, got inf");
  EXPECT_EQ(message({.weights = "*table", .l2 = 1}),
            "Penalized: no weight of dense is of the pattern \"*table\"");
  EXPECT_EQ(message({.activity_l2 = 1}), "no error");
}

TEST(Penalty, IsParsed) {
  EXPECT_EQ(parse_penalty("l2:0.0001"), (PenaltyOptions{.l2 = 1e-4}));
  EXPECT_EQ(parse_penalty("l1:2:enc:*"), (PenaltyOptions{.weights = "enc:*", .l1 = 2}));
  EXPECT_EQ(error_of([] { parse_penalty("0.1"); }),
            "expected l1:NUMBER or l2:NUMBER, as in l2:0.0001, got \"0.1\"");
  EXPECT_EQ(error_of([] { parse_penalty("l3:0.1"); }),
            "expected l1:NUMBER or l2:NUMBER, as in l2:0.0001, got \"l3:0.1\"");
  EXPECT_EQ(error_of([] { parse_penalty("l2:-1"); }),
            "\"l2:-1\": a finite number of 0 or more expected, got \"-1\"");
  EXPECT_EQ(error_of([] { parse_penalty("l2:nan"); }),
            "\"l2:nan\": a finite number of 0 or more expected, got \"nan\"");
  EXPECT_EQ(error_of([] { parse_penalty("l2:1:"); }), "\"l2:1:\": the pattern of weights is empty");
}

}  // namespace
}  // namespace tenon::nn
