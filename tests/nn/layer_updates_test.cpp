// Updates that layers ask for: a step that trains cannot leave them out unnoticed.
#include "layer_testing.h"
#include "tenon/optim/gradient_descent.h"

namespace tenon::nn {
namespace {

struct NormalizedModel {
  Layer dense = Dense{.units = 1};
  Layer norm = BatchNorm{};
  BatchNorm& statistics = *norm.get<BatchNorm>();
  optim::Optimizer optimizer = optim::GradientDescent{.learning_rate = 0.1};

  Tensor loss(const Tensor& x, Context& context) {
    return sum(square(norm(dense(x, context), context)));
  }
};

const HostTensor kRows = make_tensor<float>({2, 2}, {1, 2, 3, 5});

constexpr const char* kForgotten =
    "the step updates variables, but not \"batch_norm/mean\", \"batch_norm/variance\", as its "
    "layers ask\n  help: return "
    "context.minimize(loss, optimizer), or add context.updates() to the step's updates; "
    "assign(v, Tensor(v)) keeps a variable as it is";

TEST(LayerUpdates, MinimizeReturnsThoseOfWeightsAndLayers) {
  NormalizedModel model;
  Session session("reference");
  auto train = session.function([&](Tensor x) -> StepResult {
    Context context(Mode::training);
    const Tensor loss = model.loss(x, context);
    return {{loss}, context.minimize(loss, model.optimizer)};
  });
  train({kRows});
  EXPECT_NE(session.read(model.statistics.mean), make_tensor<float>({1}, {0}));
  EXPECT_NE(session.read(model.statistics.variance), make_tensor<float>({1}, {1}));
  EXPECT_EQ(session.read(model.optimizer.step()), make_scalar(std::int64_t{1}));
}

TEST(LayerUpdates, AStepThatTrainsWithoutThemIsRefused) {
  NormalizedModel model;
  Session session("reference");
  auto train = session.function([&](Tensor x) -> StepResult {
    Context context(Mode::training);
    const Tensor loss = model.loss(x, context);
    return {{loss}, model.optimizer.minimize(loss, context.variables())};
  });
  EXPECT_EQ(error_of([&] { train({kRows}); }), kForgotten);
  // By feeds as well.
  const Tensor x = placeholder("x", kRows.type());
  Context context(Mode::training);
  const Tensor loss = model.loss(x, context);
  const auto updates = model.optimizer.minimize(loss, context.variables());
  EXPECT_EQ(error_of([&] { session.run({loss}, {{x, kRows}}, updates); }), kForgotten);
}

TEST(LayerUpdates, OfModulesCalledWithoutALayerAreAskedForToo) {
  Dense dense{.units = 1};
  BatchNorm norm;
  Session session("reference");
  auto train = session.function([&](Tensor x) -> StepResult {
    Context context(Mode::training);
    const Tensor loss = sum(square(norm(dense(x, context), context)));
    const Variable kernel = dense.kernel;
    return {{}, {assign(kernel, kernel - 0.1f * grad(loss, Tensor(kernel)))}};
  });
  const std::string message = error_of([&] { train({kRows}); });
  EXPECT_TRUE(message.starts_with("the step updates variables, but not \"mean\", \"variance\", as"))
      << message;
}

TEST(LayerUpdates, MayBeKeptBackByNameAndAreNotAskedOfStepsThatDoNotTrain) {
  NormalizedModel model;
  Session session("reference");
  const Tensor x = placeholder("x", kRows.type());
  Context context(Mode::training);
  const Tensor loss = model.loss(x, context);
  // A loss alone never trains, a counter alone is not this model's.
  EXPECT_NO_THROW(session.run({loss}, {{x, kRows}}));
  const Variable count(make_scalar(0.0f), "count");
  EXPECT_NO_THROW(session.run({Tensor(count)}, {}, std::array{assign(count, Tensor(count) + 1)}));
  auto updates = model.optimizer.minimize(loss, context.variables());
  updates.push_back(assign(model.statistics.mean, Tensor(model.statistics.mean)));
  updates.push_back(assign(model.statistics.variance, Tensor(model.statistics.variance)));
  session.run({loss}, {{x, kRows}}, updates);
  EXPECT_EQ(session.read(model.statistics.mean), make_tensor<float>({1}, {0}));
  // In inference, nothing is asked, even where the traces are one.
  Context inference(Mode::inference);
  const Tensor other = model.loss(x, inference);
  EXPECT_NO_THROW(session.run({other}, {{x, kRows}}, std::array{assign(count, other)}));
}

}  // namespace
}  // namespace tenon::nn
