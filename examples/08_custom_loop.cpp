// Lesson 8: your own training loop: a module, a loss, an optimizer, one compiled step; then its
// weights saved, and read by another session.
#include <tenon/tenon.h>

#include <cstdio>
#include <vector>

namespace nn = tenon::nn;
using tenon::Tensor;

// A module is a plain struct; `fields` shows its parts and weights.
struct ResidualMlp {
  static constexpr std::string_view kKind = "residual_mlp";
  nn::Layer inner = nn::Dense{16, nn::tanh};
  nn::Layer norm = nn::BatchNorm{};
  nn::Layer dropout = nn::Dropout{0.1};
  nn::Layer outer = nn::Dense{2};

  Tensor operator()(const Tensor& x, nn::Context& context) {
    return outer(dropout(norm(x + inner(x, context), context), context), context);
  }
  void fields(nn::FieldVisitor& visit) {
    visit("inner", inner);
    visit("norm", norm);
    visit("dropout", dropout);
    visit("outer", outer);
  }
};

double number(const tenon::HostTensor& value) { return tenon::element_as_double(value, 0); }

int main() {
  ResidualMlp model;
  const tenon::optim::Optimizer optimizer = tenon::optim::Adam{.learning_rate = 1e-2};
  tenon::Session session("cpu", {.seed = 3});

  // Traced and compiled at the first call; weights live in the session and are updated in place.
  const auto train_step = [&](Tensor x, Tensor y) -> tenon::StepResult {
    // A key for each step, from a seed and the number of steps done: Dropout draws a new mask.
    const Tensor step = cast(optimizer.step(), tenon::DType::u32);
    const Tensor key = tenon::random::fold_in(tenon::random::key(3), step);
    nn::Context context(nn::Mode::training, key);
    const auto loss =
        nn::sparse_categorical_cross_entropy_from_logits.apply(model(x, context), y, {});
    const Tensor mean = loss.sum / loss.weight;
    // The optimizer's updates of the weights and BatchNorm's of its running statistics.
    return {{mean}, context.minimize(mean, optimizer)};
  };
  const auto predict_step = [&](Tensor x) -> tenon::StepResult {
    nn::Context context(nn::Mode::inference);
    return {{softmax(model(x, context))}, {}};
  };
  auto train = session.function(train_step);

  // Points inside and outside a ball.
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
  // Running statistics are the module's variables.
  const auto* norm = model.norm.get<nn::BatchNorm>();
  for (int step = 1; step <= 60; ++step) {
    const auto loss = train({x, y});
    if (step % 20 == 0)
      std::printf("step %d  loss %.4f  running mean %.4f  running variance %.4f\n", step,
                  number(loss[0]), number(session.read(norm->mean)),
                  number(session.read(norm->variance)));
  }

  // Weights, statistics and what the optimizer keeps, by name, in one file. A variable that the
  // model has no use for, such as the bias of a layer without one, is never defined.
  std::vector<tenon::Variable> variables = nn::variables_of(model);
  for (const auto& variable : optimizer.state()) variables.push_back(variable);
  tenon::io::NamedTensors values;
  for (const auto& variable : variables)
    if (variable.is_defined()) values.emplace(variable.name(), session.read(variable));
  tenon::io::write_safetensors("loop.safetensors", values);

  // Another session starts from the file. In another program the variables get their names when
  // the model is first traced: train.compiled(types) does that without a step.
  tenon::Session other("cpu");
  const auto read = tenon::io::read_safetensors("loop.safetensors").tensors;
  for (const auto& variable : variables) other.write(variable, read.at(variable.name()));
  const auto before = session.function(predict_step)({x}),
             after = other.function(predict_step)({x});
  std::printf("%zu tensors saved; the same predictions: %s\n", values.size(),
              before[0] == after[0] ? "yes" : "no");
  const auto a = train({x, y}), b = other.function(train_step)({x, y});
  std::printf("and the same next step: %s\n", a[0] == b[0] ? "yes" : "no");
}
