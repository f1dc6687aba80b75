#include "tenon/nn/recurrent.h"

#include "tenon/base/unknown_name.h"
#include "tenon/nn/decoding.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

constexpr std::int64_t kLargestUnits = 1 << 24;

struct RecurrentWeights {
  std::string_view layer;  // for messages
  Tensor inputs;           // x kernel (+ bias): [batch, time, gates * units]
  Tensor recurrent;        // [units, gates * units]
  Tensor recurrent_bias;
};

// The products with x are made for all steps at once, outside the loop.
template <class Recurrent>
RecurrentWeights weights_of(Recurrent& layer, std::int64_t gates, bool two_biases, const Tensor& x,
                            Context& context, std::string_view name) {
  require(layer.units > 0 && layer.units <= kLargestUnits, "{}: units must be from 1 to {}, got {}",
          name, kLargestUnits, layer.units);
  require(is_float(x.dtype()) && x.rank() == 3,
          "{}: expected a float input [batch, time, features], got {}{}", name, x.type(),
          is_integer(x.dtype()) ? "\n  help: put nn::Embedding first to turn ids into features"
          : x.rank() == 2       ? "\n  help: expand_dims(x, -1) gives a series one feature"
                                : "");
  const std::int64_t width = gates * layer.units;
  RecurrentWeights weights;
  weights.layer = name;
  weights.inputs =
      matmul(x, context.variable(layer.kernel, "kernel", {x.dtype(), {x.extent(-1), width}},
                                 layer.kernel_initializer));
  weights.recurrent =
      context.variable(layer.recurrent_kernel, "recurrent_kernel",
                       {x.dtype(), {layer.units, width}}, layer.recurrent_initializer);
  if (!layer.use_bias) return weights;
  const Shape shape = two_biases ? Shape{2, width} : Shape{width};
  const Tensor bias =
      context.variable(layer.bias, "bias", {x.dtype(), shape}, layer.bias_initializer);
  weights.inputs = weights.inputs + (two_biases ? index(bias, 0) : bias);
  if (two_biases) weights.recurrent_bias = index(bias, 1);
  return weights;
}

// step(states, inputs of the step, recurrent weights) -> the next states, of which the first is the
// result.
template <class Recurrent>
RecurrentRun run_over_time(
    const Recurrent& layer, const RecurrentWeights& weights, std::span<const Tensor> given,
    const Tensor& mask, std::size_t state_count,
    const std::function<std::vector<Tensor>(std::span<const Tensor> states, const Tensor& inputs,
                                            std::span<const Tensor> recurrent)>& step) {
  const TensorType type{weights.inputs.dtype(), {weights.inputs.extent(0), layer.units}};
  std::vector<Tensor> initial(given.begin(), given.end());
  if (initial.empty()) initial.assign(state_count, tenon::zeros(type.shape, type.dtype));
  require(initial.size() == state_count, "{}: expected {} states of {}, got {}", weights.layer,
          state_count, type, initial.size());
  for (const Tensor& state : initial)
    require(state.type() == type, "{}: expected states of {}, got {}", weights.layer, type,
            state.type());
  std::vector<Tensor> recurrent{weights.recurrent};
  if (!weights.recurrent_bias.is_empty()) recurrent.push_back(weights.recurrent_bias);
  std::vector<Tensor> steps{swap_axes(weights.inputs, 0, 1)};
  if (!mask.is_empty()) {
    const TensorType expected{DType::boolean, {weights.inputs.extent(0), weights.inputs.extent(1)}};
    require(mask.type() == expected, "{}: expected a mask {}, got {}", weights.layer, expected,
            mask.type());
    steps.push_back(expand_dims(swap_axes(mask, 0, 1), -1));  // [time, batch, 1]
  }
  const bool keeps_all = layer.return_sequences, is_masked = !mask.is_empty();
  const TensorFunction body = [&](std::span<const Tensor> s) {
    const std::span<const Tensor> before = s.first(state_count);
    std::vector<Tensor> next =
        step(before, s[state_count], s.subspan(state_count + (is_masked ? 2 : 1)));
    for (std::size_t i = 0; is_masked && i < state_count; ++i)
      next[i] = where(s[state_count + 1], next[i], before[i]);
    if (keeps_all) next.push_back(Tensor(next[0]));
    return next;
  };
  const ScanResult result =
      scan(body, initial, steps, weights.inputs.extent(1), recurrent, layer.backwards);
  return {keeps_all ? swap_axes(result.stacked[0], 0, 1) : result.carried[0], result.carried};
}

// The layer in a model: from zeros, or while decoding from where the last step ended.
template <class Recurrent>
Tensor call_or_decode(Recurrent& layer, const Tensor& x, Context& context,
                      std::initializer_list<std::string_view> state_names, std::string_view name) {
  Decoding* decoding = context.decoding();
  if (decoding == nullptr || x.rank() != 3)
    return layer.run(x, {}, context, context.mask_of(x)).result;
  if (layer.backwards)
    context.require_whole_sequence(name, "it runs from the last step to the first");
  std::vector<Variable> kept;
  std::vector<Tensor> states;
  for (const std::string_view state : state_names) {
    kept.push_back(decoding->remembered(fmt::format("{}/{}", context.path(), state),
                                        {x.dtype(), {x.extent(0), layer.units}}));
    states.emplace_back(kept.back());
  }
  const RecurrentRun run = layer.run(x, states, context);
  for (std::size_t i = 0; i < kept.size(); ++i) decoding->remember(kept[i], run.states[i]);
  return run.result;
}

}  // namespace

Tensor SimpleRNN::operator()(const Tensor& x, Context& context) {
  return call_or_decode(*this, x, context, {"h"}, "SimpleRNN");
}
Tensor LSTM::operator()(const Tensor& x, Context& context) {
  return call_or_decode(*this, x, context, {"h", "c"}, "LSTM");
}
Tensor GRU::operator()(const Tensor& x, Context& context) {
  return call_or_decode(*this, x, context, {"h"}, "GRU");
}

RecurrentRun SimpleRNN::run(const Tensor& x, std::span<const Tensor> states, Context& context,
                            const Tensor& mask) {
  const RecurrentWeights weights = weights_of(*this, 1, false, x, context, "SimpleRNN");
  return run_over_time(
      *this, weights, states, mask, 1,
      [&](std::span<const Tensor> now, const Tensor& inputs, std::span<const Tensor> recurrent) {
        return std::vector{apply(activation, inputs + matmul(now[0], recurrent[0]))};
      });
}

RecurrentRun LSTM::run(const Tensor& x, std::span<const Tensor> states, Context& context,
                       const Tensor& mask) {
  const RecurrentWeights weights = weights_of(*this, 4, false, x, context, "LSTM");
  return run_over_time(
      *this, weights, states, mask, 2,
      [&](std::span<const Tensor> now, const Tensor& inputs, std::span<const Tensor> recurrent) {
        const std::vector<Tensor> gates =
            split(inputs + matmul(now[0], recurrent[0]), 4, -1);  // i, f, g, o
        const Tensor cell = apply(recurrent_activation, gates[1]) * now[1] +
                            apply(recurrent_activation, gates[0]) * apply(activation, gates[2]);
        return std::vector{apply(recurrent_activation, gates[3]) * apply(activation, cell), cell};
      });
}

RecurrentRun GRU::run(const Tensor& x, std::span<const Tensor> states, Context& context,
                      const Tensor& mask) {
  const RecurrentWeights weights = weights_of(*this, 3, true, x, context, "GRU");
  return run_over_time(
      *this, weights, states, mask, 1,
      [&](std::span<const Tensor> now, const Tensor& inputs, std::span<const Tensor> recurrent) {
        const Tensor& h = now[0];
        Tensor products = matmul(h, recurrent[0]);
        if (recurrent.size() > 1) products = products + recurrent[1];
        const std::vector<Tensor> a = split(inputs, 3, -1), b = split(products, 3, -1);  // z, r, g
        const Tensor keep = apply(recurrent_activation, a[0] + b[0]);
        const Tensor reset = apply(recurrent_activation, a[1] + b[1]);
        const Tensor fresh = apply(activation, a[2] + reset * b[2]);
        return std::vector{keep * h + (1.0 - keep) * fresh};
      });
}

Tensor Bidirectional::operator()(const Tensor& x, Context& context) {
  const auto run = [&](const Layer& layer, std::string_view name) {
    const Context::Scope scope = context.scope(name, x);
    return layer(x, context);
  };
  const Tensor a = run(forward, "forward");
  const Tensor b = run(backward, "backward");
  if (merge == "concatenate") return concatenate(std::array{a, b}, -1);
  if (merge == "sum") return a + b;
  if (merge == "multiply") return a * b;
  if (merge == "average") return 0.5 * (a + b);
  throw_unknown("merge of Bidirectional", merge,
                std::array<std::string_view, 4>{"concatenate", "sum", "multiply", "average"});
}

}  // namespace tenon::nn
