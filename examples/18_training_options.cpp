// Lesson 18: losses, penalties, constraints, rates by name, lookahead and schedules
// (docs/training.md shows these).
#include <tenon/tenon.h>

#include <cmath>
#include <cstdio>
#include <filesystem>

namespace nn = tenon::nn;
namespace optim = tenon::optim;
using tenon::Tensor;

// Points around three centres, and the class of each; few of the last class.
tenon::data::Dataset points() {
  tenon::HostTensor x({tenon::DType::f32, {60, 2}}), y({tenon::DType::i32, {60}});
  for (std::size_t i = 0; i < 60; ++i) {
    const std::size_t label = i % 10 == 0 ? 2 : i % 2;
    x.as<float>()[2 * i] = (label == 1 ? 3.0f : 0.0f) + static_cast<float>(i * 7 % 11) / 11;
    x.as<float>()[2 * i + 1] = (label == 2 ? 3.0f : 0.0f) + static_cast<float>(i * 5 % 11) / 11;
    y.as<std::int32_t>()[i] = static_cast<std::int32_t>(label);
  }
  return tenon::data::from_arrays(x, y);
}

// A cross entropy whose rare class counts more, and a term that wants certain predictions.
nn::Loss make_loss() {
  const nn::Loss classes = nn::cross_entropy(nn::sparse_categorical_cross_entropy_from_logits,
                                             {.label_smoothing = 0.05, .class_weights = {1, 1, 3}});
  return nn::combined({{1, classes}, {0.1, nn::entropy_from_logits}});
}

// Later samples count more, those of the last class not at all.
tenon::data::Dataset weighted(const tenon::data::Dataset& data) {
  tenon::HostTensor weights({tenon::DType::f32, {data.size()}});
  const tenon::HostTensor labels = data.y().tensor();
  for (std::size_t i = 0; i < weights.as<float>().size(); ++i)
    weights.as<float>()[i] = labels.as<std::int32_t>()[i] == 2 ? 0 : 1 + static_cast<float>(i) / 60;
  return data.with_weights(weights);
}

// L2 of the first layer's kernel, L1 of what the second layer gives out.
nn::Sequential make_model() {
  return {nn::Penalized{nn::Dense{16, nn::relu}, {.l2 = 1e-3}},
          nn::Penalized{nn::Dense{8, nn::relu}, {.activity_l1 = 1e-3}}, nn::Dense{3}};
}

// AdamW whose biases do not decay and whose last layer learns at half the rate; columns of kernels
// are never longer than 2; every five steps the weights go half of the way they went.
optim::Optimizer make_optimizer() {
  optim::UpdateOptions options;
  options.no_decay = {"*bias"};
  options.rates = {{"dense_2/*", 0.5}};
  options.constraints = {{"*kernel", optim::ConstraintKind::max_norm, 2}};
  options.lookahead_steps = 5;
  return {optim::AdamW{.learning_rate = 0.02, .weight_decay = 0.01}, options};
}

// Stops when the accuracy of held-out samples has not risen for 5 epochs; the trainer ends with the
// weights of the epoch whose validation loss was the least. Returns the steps done.
std::int64_t fit_with_callbacks(tenon::Trainer& trainer, const tenon::data::Dataset& data,
                                const tenon::data::Dataset& held_out, const std::string& file) {
  tenon::EarlyStopping stopping({.name = "validation_accuracy", .min_delta = 0.001}, 5);
  tenon::BestCheckpoint best(file, {.name = "validation_loss"}, true);
  return trainer.fit(data, {.epochs = 100, .validation = held_out, .callbacks = {&stopping, &best}})
      .steps;
}

// Embeddings of pairs, drawn together or apart by what they show.
struct PairTraining {
  nn::Layer encoder = nn::Dense{2};
  optim::Optimizer optimizer = optim::Adam{.learning_rate = 0.05};

  tenon::StepResult operator()(Tensor pairs, Tensor together) {
    nn::Context context(nn::Mode::training);
    const Tensor embedded = encoder(pairs, context);  // [batch, 2, width]
    const auto loss = nn::contrastive(1).apply(embedded, together, {});
    const Tensor mean = loss.sum / loss.weight;
    return {{mean}, context.minimize(mean, optimizer)};
  }
};

int main() {
  const auto data = points();
  tenon::Trainer trainer{
      make_model(),
      {.loss = make_loss(),
       .optimizer = make_optimizer(),
       .schedule = optim::Schedule(optim::Cosine{.steps = 200}, 10),  // after ten steps of warm-up
       .metrics = {nn::accuracy, nn::balanced_accuracy, nn::cohen_kappa, nn::log_loss},
       .seed = 1}};
  const auto history = trainer.fit(data, {.epochs = 30, .batch_size = 16});
  const auto found = trainer.evaluate(data);
  std::printf("accuracy above 0.95: %s\n", found["accuracy"] > 0.95 ? "yes" : "no");
  std::printf("balanced accuracy above 0.95: %s\n",
              found["balanced_accuracy"] > 0.95 ? "yes" : "no");
  tenon::Trainer few{nn::Dense{3}, {.optimizer = optim::Adam{.learning_rate = 0.1}, .seed = 1}};
  few.fit(weighted(data), {.epochs = 30, .batch_size = 16});
  std::printf("the loss is below 0.1 where samples count: %s, everywhere: %s\n",
              few.evaluate(weighted(data)).loss < 0.1 ? "yes" : "no",
              few.evaluate(data).loss < 0.1 ? "yes" : "no");
  tenon::Trainer stopped{nn::Dense{3}, {.metrics = {nn::accuracy}, .seed = 1}};
  const auto file = std::filesystem::temp_directory_path() / "tenon_lesson_18.safetensors";
  std::printf("stopped early: %s\n",
              fit_with_callbacks(stopped, data, data, file.string()) < 200 ? "yes" : "no");
  std::filesystem::remove(file);
  std::printf("loss: %s\n", trainer.options().loss.name.c_str());

  // A schedule that goes by the loss: `fit` tells it the validation loss after each epoch; a loop
  // of your own calls `observe`.
  optim::Schedule plateau = optim::Plateau{.reduction = 0.5, .patience = 1};
  for (const double loss : {1.0, 0.8, 0.8, 0.8}) plateau.observe(loss);
  std::printf("rate after a plateau: %g\n", plateau.rate(0, 0.1));

  PairTraining training;
  tenon::Session session("cpu", {.seed = 1});
  const auto step = [&](Tensor pairs, Tensor together) { return training(pairs, together); };
  auto train = session.function(step);
  tenon::HostTensor pairs({tenon::DType::f32, {32, 2, 4}}), together({tenon::DType::i32, {32}});
  for (std::size_t i = 0; i < pairs.as<float>().size(); ++i)
    pairs.as<float>()[i] = static_cast<float>(i * 37 % 41) / 20 - 1;
  for (std::size_t i = 0; i < 32; ++i) {
    // Two points belong together if their first numbers have one sign.
    const auto values = pairs.as<float>();
    together.as<std::int32_t>()[i] = values[8 * i] * values[8 * i + 4] > 0;
  }
  double first = 0, last = 0;
  for (int i = 0; i < 200; ++i) {
    last = tenon::element_as_double(train({pairs, together})[0], 0);
    if (i == 0) first = last;
  }
  std::printf("the loss of pairs fell below half: %s\n", last < first / 2 ? "yes" : "no");
}
