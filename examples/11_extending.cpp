// Lesson 11: a layer, a loss, a metric, an optimizer and callbacks of your own (docs/extending.md
// shows these).
#include <tenon/tenon.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>

namespace nn = tenon::nn;
namespace optim = tenon::optim;
using tenon::Tensor;
using tenon::Variable;

// y = x * scale + offset with one scale and offset for each feature, as fields that are trained.
struct Affine {
  static constexpr std::string_view kKind = "affine";
  double initial_scale = 1;
  Variable scale{};
  Variable offset{};

  Tensor operator()(const Tensor& x, nn::Context& context) {
    tenon::require(x.rank() == 2, "Affine: expected input [batch, features], got {}", x.type());
    const tenon::TensorType type{x.dtype(), {x.extent(-1)}};
    const nn::Initializer start{nn::InitializerKind::constant, initial_scale};
    const Tensor a = context.variable(scale, "scale", type, start);
    const Tensor b = context.variable(offset, "offset", type, nn::zeros);
    return x * a + b;
  }
  void fields(nn::FieldVisitor& visit) {
    visit("initial_scale", initial_scale);
    visit("scale", scale);
    visit("offset", offset);
  }
};

// Counts the samples it has seen in training, in state that no optimizer touches.
struct SampleCounter {
  static constexpr std::string_view kKind = "sample_counter";
  Variable count{};

  Tensor operator()(const Tensor& x, nn::Context& context) {
    const tenon::TensorType type{tenon::DType::f32, {}};
    const Tensor seen =
        context.variable(count, "count", type, nn::zeros, tenon::VariableKind::statistic);
    if (context.is_training()) context.assign(count, seen + x.extent(0));
    return x;
  }
  void fields(nn::FieldVisitor& visit) { visit("count", count); }
};

// Quadratic near zero, linear beyond `delta`. Huber 1964.
nn::Loss huber(double delta) {
  const auto apply = [delta](const Tensor& prediction, const Tensor& target,
                             const Tensor& sample_weight) -> nn::WeightedSum {
    tenon::require(prediction.shape() == target.shape(), "huber: prediction {}, target {}",
                   prediction.description(), target.description());
    const Tensor error = abs(prediction - cast(target, prediction.dtype()));
    const Tensor near = 0.5f * error * error, far = delta * (error - 0.5 * delta);
    const Tensor losses = mean(where(error <= delta, near, far), {-1});  // [batch]
    if (sample_weight.is_empty()) return {sum(losses), static_cast<float>(losses.size())};
    return {sum(losses * sample_weight), sum(sample_weight)};
  };
  return {.name = "huber_" + std::to_string(delta), .apply = apply};
}

// The part of predictions within `tolerance` of their targets.
nn::Metric within(double tolerance) {
  return {.name = "within",
          .apply = [tolerance](const Tensor& prediction, const Tensor& target,
                               const nn::Loss&) -> nn::WeightedSum {
            const Tensor hits = cast(abs(prediction - target) <= tolerance, tenon::DType::f32);
            return {sum(hits), static_cast<float>(hits.size())};
          }};
}

// The root of the mean square of what predictions miss.
nn::Metric root_error() {
  return {
      .name = "root error",
      .sums = [](const Tensor& prediction, const Tensor& target, const nn::Loss&) -> Tensor {
        const Tensor square = (prediction - target) * (prediction - target);
        const std::array parts{sum(square), tenon::full({}, static_cast<double>(square.size()))};
        return tenon::stack(parts);
      },
      .value = [](std::span<const double> sums) { return std::sqrt(sums[0] / sums[1]); },
      .is_lower_better = true};
}

// Steps of the sign of an average of gradients: Chen et al. 2023, "Lion".
struct Lion {
  static constexpr std::string_view kKind = "my_lion";
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.99;

  std::vector<tenon::Update> update(optim::RuleContext& context, const Variable& weight,
                                    const Tensor& gradient) {
    const Variable m = context.slot(weight, "m");  // starts at zero, saved with the run
    const Tensor rate = context.hyperparameter("learning_rate");
    const Tensor b1 = context.hyperparameter("beta1"), b2 = context.hyperparameter("beta2");
    const Tensor direction = sign(b1 * m + (1 - b1) * gradient);
    return {assign(weight, weight - rate * direction), assign(m, b2 * m + (1 - b2) * gradient)};
  }
  void fields(optim::HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate, optim::Range::positive);
    visit("beta1", beta1, optim::Range::fraction);
    visit("beta2", beta2, optim::Range::fraction);
  }
};

// y = 2 x0 - x1 + 0.5.
tenon::data::Dataset line_data() {
  tenon::HostTensor x({tenon::DType::f32, {64, 2}}), y({tenon::DType::f32, {64, 1}});
  for (std::size_t i = 0; i < 64; ++i) {
    const float a = static_cast<float>(i % 8) / 4 - 1, b = static_cast<float>(i / 8) / 4 - 1;
    x.as<float>()[2 * i] = a;
    x.as<float>()[2 * i + 1] = b;
    y.as<float>()[i] = 2 * a - b + 0.5f;
  }
  return tenon::data::from_arrays(x, y);
}

// Stops once an epoch's loss is low enough, and looks at the loss of every tenth step.
struct StopAt final : tenon::Callback {
  double goal;
  double highest = 0;
  explicit StopAt(double loss) : goal(loss) {}

  bool on_step_end(tenon::Trainer&, const tenon::StepInfo& info) override {
    if (info.step % 10 == 0) highest = std::max(highest, info.loss());  // waits for the device
    return true;                                                        // false stops training
  }
  bool on_epoch_end(tenon::Trainer&, const tenon::EpochInfo& info) override {
    return info.loss > goal;  // of validation: info.value("validation_loss")
  }
};

int main() {
  const auto make_trainer = [] {
    nn::Sequential model{Affine{}, SampleCounter{}, nn::Dense{1}};
    return tenon::Trainer{model,
                          {.loss = huber(0.5),
                           .optimizer = Lion{.learning_rate = 0.01},
                           .metrics = {within(0.25), root_error()},
                           .seed = 1}};
  };
  const auto data = line_data();
  auto trainer = make_trainer();
  const auto history = trainer.fit(data, {.epochs = 60, .batch_size = 16});
  for (const auto& epoch : history.epochs)
    if (epoch.epoch % 20 == 0)
      std::printf("epoch %lld  loss %.4f  within 0.25 %.3f  root error %s\n",
                  static_cast<long long>(epoch.epoch), epoch.train.loss, epoch.train["within"],
                  epoch.train["root error"] < 0.05 ? "below 0.05" : "above");
  for (const Variable& weight : trainer.weights())
    if (weight.name() == "sample_counter/count")
      std::printf("samples seen: %.0f\n",
                  tenon::element_as_double(trainer.session().read(weight), 0));

  // A file cannot rebuild the parts written here: make the same Trainer, then read the weights.
  trainer.save("runs/custom");
  auto again = make_trainer();
  again.build(data);
  again.load_weights("runs/custom/model.safetensors");
  std::printf("the loaded weights predict the same: %s\n",
              again.predict(data.x()) == trainer.predict(data.x()) ? "yes" : "no");

  StopAt stop(0.001);
  int epochs = 0;
  auto stopped = make_trainer();
  stopped.fit(data, {.epochs = 60,
                     .batch_size = 16,
                     .callbacks = {&stop, tenon::epoch_callback(
                                              [&](tenon::Trainer&, const tenon::EpochInfo& info) {
                                                epochs = static_cast<int>(info.epoch);
                                                return true;
                                              })}});
  std::printf("stopped before epoch 20: %s; the loss had been above 0.01: %s\n",
              epochs < 20 ? "yes" : "no", stop.highest > 0.01 ? "yes" : "no");
}
