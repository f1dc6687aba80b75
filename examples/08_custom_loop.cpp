// Lesson 8: your own training loop: a module, a loss, an optimizer, one compiled step.
#include <tenon/tenon.h>

#include <cstdio>
#include <vector>

namespace nn = tenon::nn;
using tenon::Tensor;

// A module is a plain struct; `fields` shows its parts and weights.
struct ResidualMlp {
  static constexpr std::string_view kKind = "residual_mlp";
  nn::Layer inner = nn::Dense{16, nn::tanh};
  nn::Layer outer = nn::Dense{2};

  Tensor operator()(const Tensor& x, nn::Context& context) {
    return outer(x + inner(x, context), context);
  }
  void fields(nn::FieldVisitor& visit) {
    visit("inner", inner);
    visit("outer", outer);
  }
};

int main() {
  ResidualMlp model;
  const tenon::optim::Optimizer optimizer = tenon::optim::Adam{.learning_rate = 1e-2f};
  tenon::Session session("cpu", {.seed = 3});

  // Traced and compiled at the first call; weights live in the session and are updated in place.
  auto train = session.function([&](std::span<const Tensor> in) -> tenon::StepResult {
    nn::Context context(nn::Mode::training);
    const Tensor logits = model(in[0], context);
    const auto loss = nn::sparse_categorical_cross_entropy_from_logits.apply(logits, in[1], {});
    const Tensor mean = loss.sum / loss.weight;
    return {{mean}, optimizer.minimize(mean, context.variables())};
  });

  // Points inside and outside a circle.
  tenon::HostTensor x({tenon::DType::f32, {64, 16}}), y({tenon::DType::i32, {64}});
  for (std::size_t i = 0; i < 64; ++i) {
    float square = 0;
    for (std::size_t j = 0; j < 16; ++j) {
      const float value = static_cast<float>((i * 31 + j * 17) % 23) / 11 - 1;
      x.as<float>()[i * 16 + j] = value;
      square += value * value;
    }
    y.as<std::int32_t>()[i] = square > 6;
  }
  for (int step = 1; step <= 60; ++step) {
    const auto loss = train({x, y});
    if (step % 20 == 0)
      std::printf("step %d  loss %.4f\n", step, static_cast<double>(loss[0].as<float>()[0]));
  }
}
