// Layers with a state that runs along time: SimpleRNN, LSTM, GRU, Bidirectional.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// All take x [batch, time, features] and start from a state of zeros. The result is the last state,
// [batch, units], or with return_sequences that of each step, [batch, time, units]. `backwards`
// goes from the last step to the first; each step's result stays at its step. Weights and their
// layouts are those of Keras. A mask, bool [batch, time], is false where a sequence has no step
// (padding): the state, and with it the result, stays what it was. As layers they take the
// context's mask, and generate step by step unless they run backwards.

// What a run over a sequence gives: the result as said above, and the states after the last step,
// to go on from: h, and c of an LSTM, each [batch, units].
struct RecurrentRun {
  Tensor result;
  std::vector<Tensor> states;
};

// h' = activation(x kernel + h recurrent_kernel + bias). Elman 1990.
// kernel [features, units], recurrent_kernel [units, units], bias [units].
struct SimpleRNN {
  static constexpr std::string_view kKind = "simple_rnn";
  std::int64_t units = 1;
  Activation activation = Activation::tanh;
  bool return_sequences = false;
  bool backwards = false;
  bool use_bias = true;
  Initializer kernel_initializer = glorot_uniform;
  Initializer recurrent_initializer = orthogonal;
  Initializer bias_initializer = zeros;
  Variable kernel{};
  Variable recurrent_kernel{};
  Variable bias{};

  // UserError unless x is a float of rank 3.
  Tensor operator()(const Tensor& x, Context& context);
  // From given states (one; none: zeros). UserError for others, and for
  // another mask.
  RecurrentRun run(const Tensor& x, std::span<const Tensor> states, Context& context,
                   const Tensor& mask = {});
  void fields(FieldVisitor& visit) {
    visit("units", units);
    visit("activation", activation);
    visit("return_sequences", return_sequences);
    visit("backwards", backwards);
    visit("use_bias", use_bias);
    visit("kernel_initializer", kernel_initializer);
    visit("recurrent_initializer", recurrent_initializer);
    visit("bias_initializer", bias_initializer);
    visit("kernel", kernel);
    visit("recurrent_kernel", recurrent_kernel);
    visit("bias", bias);
  }
};

// Hochreiter, Schmidhuber 1997, with the forget gate of Gers et al. 2000:
//   i, f, o = recurrent_activation(...), g = activation(...) of x kernel + h recurrent_kernel +
//   bias c' = f c + i g,  h' = o activation(c')
// kernel [features, 4 units], recurrent_kernel [units, 4 units], bias [4 units]; the gates lie side
// by side in the order i, f, g, o.
struct LSTM {
  static constexpr std::string_view kKind = "lstm";
  std::int64_t units = 1;
  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  bool return_sequences = false;
  bool backwards = false;
  bool use_bias = true;
  Initializer kernel_initializer = glorot_uniform;
  Initializer recurrent_initializer = orthogonal;
  Initializer bias_initializer = unit_forget_bias;
  Variable kernel{};
  Variable recurrent_kernel{};
  Variable bias{};

  // UserError unless x is a float of rank 3.
  Tensor operator()(const Tensor& x, Context& context);
  // From given states (two, h and c; none: zeros). UserError for others, and for
  // another mask.
  RecurrentRun run(const Tensor& x, std::span<const Tensor> states, Context& context,
                   const Tensor& mask = {});
  void fields(FieldVisitor& visit) {
    visit("units", units);
    visit("activation", activation);
    visit("recurrent_activation", recurrent_activation);
    visit("return_sequences", return_sequences);
    visit("backwards", backwards);
    visit("use_bias", use_bias);
    visit("kernel_initializer", kernel_initializer);
    visit("recurrent_initializer", recurrent_initializer);
    visit("bias_initializer", bias_initializer);
    visit("kernel", kernel);
    visit("recurrent_kernel", recurrent_kernel);
    visit("bias", bias);
  }
};

// Cho et al. 2014, with the reset gate after the product, as Keras (reset_after) and PyTorch:
//   z, r = recurrent_activation(...) of x kernel + bias[0] + h recurrent_kernel + bias[1]
//   g = activation(x kernel + bias[0] + r (h recurrent_kernel + bias[1])),  h' = z h + (1 - z) g
// kernel [features, 3 units], recurrent_kernel [units, 3 units], bias [2, 3 units]; the gates lie
// side by side in the order z, r, g.
struct GRU {
  static constexpr std::string_view kKind = "gru";
  std::int64_t units = 1;
  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  bool return_sequences = false;
  bool backwards = false;
  bool use_bias = true;
  Initializer kernel_initializer = glorot_uniform;
  Initializer recurrent_initializer = orthogonal;
  Initializer bias_initializer = zeros;
  Variable kernel{};
  Variable recurrent_kernel{};
  Variable bias{};

  // UserError unless x is a float of rank 3.
  Tensor operator()(const Tensor& x, Context& context);
  // From given states (one; none: zeros). UserError for others, and for
  // another mask.
  RecurrentRun run(const Tensor& x, std::span<const Tensor> states, Context& context,
                   const Tensor& mask = {});
  void fields(FieldVisitor& visit) {
    visit("units", units);
    visit("activation", activation);
    visit("recurrent_activation", recurrent_activation);
    visit("return_sequences", return_sequences);
    visit("backwards", backwards);
    visit("use_bias", use_bias);
    visit("kernel_initializer", kernel_initializer);
    visit("recurrent_initializer", recurrent_initializer);
    visit("bias_initializer", bias_initializer);
    visit("kernel", kernel);
    visit("recurrent_kernel", recurrent_kernel);
    visit("bias", bias);
  }
};

// One recurrent layer along time and one against it: Bidirectional{LSTM{64}}. Their results are
// concatenated along the features, or by `merge` "sum", "multiply" or "average". The weights are
// named forward/lstm/kernel, backward/lstm/kernel, ... Schuster, Paliwal 1997.
struct Bidirectional {
  static constexpr std::string_view kKind = "bidirectional";
  static constexpr bool kMixesSteps = true;
  std::string merge = "concatenate";
  Layer forward = LSTM{};
  Layer backward = LSTM{.backwards = true};

  Bidirectional() = default;
  // The layer as it is, and one with weights of its own that runs the other way.
  template <class Recurrent>
  requires requires(Recurrent layer) { layer.backwards; }
  Bidirectional(const Recurrent& layer, std::string how = "concatenate",
                SourceLocation where = SourceLocation::current())
      : merge(std::move(how)), forward(layer, where), backward(turned(layer), where) {}

  // UserError for a merge that is none of these.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("merge", merge);
    visit("forward", forward);
    visit("backward", backward);
  }

 private:
  template <class Recurrent>
  static Recurrent turned(const Recurrent& layer) {
    Recurrent other = clone(layer);
    other.backwards = !layer.backwards;
    return other;
  }
};

}  // namespace tenon::nn
