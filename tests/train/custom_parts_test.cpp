// Layers, losses and metrics of a user's own: training, saving, resuming.
#include <fmt/format.h>

#include "tenon/tensor/functions.h"
#include "train_testing.h"

namespace tenon {
namespace {

// x * factor.
struct Scale {
  static constexpr std::string_view kKind = "scale";
  double factor = 2;
  Tensor operator()(const Tensor& x, nn::Context&) { return x * factor; }
  void fields(nn::FieldVisitor& visit) { visit("factor", factor); }
};

nn::Sequential custom_model(double factor = 2) {
  return {nn::Dense{8, nn::relu}, Scale{factor}, nn::Dense{3}};
}

// Mean over the batch of |p - one_hot|^power, for a power that the loss captures.
nn::Loss power_loss(double exponent) {
  return {.name = fmt::format("power_{}", exponent),
          .apply = [exponent](const Tensor& prediction, const Tensor& target, const Tensor&) {
            const Tensor wanted = one_hot(target, prediction.extent(-1), prediction.dtype());
            const Tensor losses = sum(power(abs(prediction - wanted) + 1e-6f, exponent), {-1});
            return nn::WeightedSum{sum(losses), static_cast<float>(losses.size())};
          }};
}

nn::Metric largest_output() {
  const double scale = 10;
  return {"largest", [scale](const Tensor& prediction, const Tensor&, const nn::Loss&) {
            return nn::WeightedSum{max(prediction) * scale, 1.0f};
          }};
}

TrainerOptions custom_options(double exponent = 2) {
  TrainerOptions options = small_options();
  options.loss = power_loss(exponent);
  options.metrics = {nn::accuracy, largest_output()};
  return options;
}

TEST(CustomParts, Train) {
  Trainer trainer(custom_model(), custom_options());
  const History history = trainer.fit(blobs(12), {.epochs = 30, .batch_size = 4});
  EXPECT_LT(history.epochs.back().train.loss, history.epochs.front().train.loss / 2);
  EXPECT_GT(history.epochs.back().train["accuracy"], 0.9);
  EXPECT_GT(history.epochs.back().train["largest"], 5);
  // What a loss captured counts.
  Trainer other(custom_model(), custom_options(4));
  EXPECT_NE(other.fit(blobs(12), {.epochs = 1, .batch_size = 4}).epochs[0].train.loss,
            history.epochs.front().train.loss);
}

// The loss of docs/extending.md.
nn::Loss guide_huber(double delta) {
  const auto apply = [delta](const Tensor& prediction, const Tensor& target,
                             const Tensor& sample_weight) -> nn::WeightedSum {
    require(prediction.shape() == target.shape(), "huber: prediction {}, target {}",
            prediction.description(), target.description());
    const Tensor error = abs(prediction - cast(target, prediction.dtype()));
    const Tensor near = 0.5f * error * error, far = delta * (error - 0.5 * delta);
    const Tensor losses = mean(where(error <= delta, near, far), {-1});  // [batch]
    if (sample_weight.is_empty()) return {sum(losses), static_cast<float>(losses.size())};
    return {sum(losses * sample_weight), sum(sample_weight)};
  };
  return {.name = "huber_" + std::to_string(delta), .apply = apply};
}

// Targets [rows] of a model with one output have its shape before the loss and the metrics.
TEST(CustomParts, OneNumberForEachSampleFitsOneOutput) {
  std::vector<double> x, y;
  for (int i = 0; i < 200; ++i) {
    x.push_back((i * 37 % 100) / 50.0 - 1);
    y.push_back(3 * x.back() + 0.5);
  }
  const data::Dataset data = data::from_arrays(x, {200, 1}, y);
  EXPECT_EQ(data.x().type(), (TensorType{DType::f32, {200, 1}}));
  EXPECT_EQ(data.y().type(), (TensorType{DType::f32, {200}}));
  const nn::Metric largest_error{
      "error", [](const Tensor& prediction, const Tensor& target, const nn::Loss&) {
        return nn::WeightedSum{sum(abs(prediction - target)), static_cast<float>(target.size())};
      }};
  for (const std::string& device : tested_devices()) {
    std::vector<double> losses;
    for (const nn::Loss& loss : {guide_huber(1), nn::huber(1)}) {
      TrainerOptions options = small_options(device);
      options.loss = loss;
      options.metrics = {largest_error};
      Trainer trainer(nn::Sequential{nn::Dense{1}}, options);
      const History history = trainer.fit(data, {.epochs = 8, .batch_size = 20});
      losses.push_back(trainer.evaluate(data).loss);
      EXPECT_LT(history.epochs.back().train["error"], 0.2);  // not of all pairs in the batch
    }
    EXPECT_LT(losses[0], 0.05) << device;
    EXPECT_NEAR(losses[0], losses[1], 1e-6) << device;
  }
}

TEST(CustomParts, ASavedModelSaysHowToLoadIt) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  const std::string help = fmt::format(
      "\n  help: parts of your own are not rebuilt from a file; make the Trainer in code, then "
      "trainer.build(data) and trainer.load_weights(\"{}/model.safetensors\")",
      run);
  const auto ends_with_help = [&](const std::string& start) {
    const std::string message = error_of([&] { load(run); });
    EXPECT_TRUE(message.starts_with(run + "/run.json: " + start)) << message;
    EXPECT_TRUE(message.ends_with(help)) << message;
  };
  Trainer layers(custom_model(), small_options());
  layers.fit(blobs(6), {});
  layers.save(run);
  ends_with_help("model.layers[1].kind: unknown layer kind \"scale\"; known: ");
  // As it says.
  Trainer again(custom_model(), small_options());
  again.build(blobs(6));
  again.load_weights(run + "/model.safetensors");
  EXPECT_EQ(again.predict(blobs(6).x()), layers.predict(blobs(6).x()));

  TrainerOptions options = small_options();
  options.loss = power_loss(2);
  Trainer losses(small_model(), options);
  losses.build(blobs(6));
  losses.save(run);
  ends_with_help("loss: unknown loss \"power_2\"; known: ");

  options = small_options();
  options.metrics = {largest_output()};
  Trainer metrics(small_model(), options);
  metrics.build(blobs(6));
  metrics.save(run);
  ends_with_help(
      "metrics: unknown metric \"largest\"; known: accuracy, top_k_accuracy, precision, recall, "
      "f1, macro_precision, macro_recall, macro_f1, specificity, balanced_accuracy, "
      "matthews_correlation, cohen_kappa, mean_iou, dice, roc_auc, pr_auc, log_loss, perplexity, "
      "mean_squared_error, "
      "mean_absolute_error, root_mean_squared_error, r2");
}

TEST(CustomParts, ResumeWithTheSameBits) {
  const TemporaryFolder folder;
  const auto fit = [&](const std::string& run, std::int64_t max_steps, bool resume,
                       double factor = 2) {
    Trainer trainer(custom_model(factor), custom_options());
    trainer.fit(blobs(10), {.epochs = 3,
                            .batch_size = 4,
                            .max_steps = max_steps,
                            .run_folder = folder / run,
                            .resume = resume});
    return trainer.predict(blobs(10).x());
  };
  const HostTensor expected = fit("whole", 0, false);
  fit("part", 5, false);
  EXPECT_EQ(fit("part", 0, true), expected);
  EXPECT_EQ(
      error_of([&] { fit("part", 0, true, 3); }),
      fmt::format("{}/run.json: the run cannot go on: model/layers/1/factor was 2.0, now it "
                  "is 3.0\n  help: go on with the model that the run began with (--model and its "
                  "options)",
                  folder / "part"));
}

TEST(CustomParts, ALossWithoutAFunctionIsRefused) {
  TrainerOptions options = small_options();
  options.loss = {.name = "empty", .apply = {}};
  EXPECT_EQ(error_of([&] { Trainer(small_model(), options); }),
            "Trainer: loss \"empty\" has no function");
  options = small_options();
  options.metrics = {{.name = "none", .apply = {}}};
  EXPECT_EQ(error_of([&] { Trainer(small_model(), options); }),
            "Trainer: metric \"none\" has no function");
}

}  // namespace
}  // namespace tenon
