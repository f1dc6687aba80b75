// Recurrent layers, attention and positions, with gradients of inputs and weights, against
// data/sequence_layer_samples.json.
#include "layer_sample_testing.h"

namespace tenon::nn {
namespace {

class SequenceSamples : public testing::TestWithParam<const char*> {};

// Records of several inputs are of attention: queries, memory and perhaps a mask.
Tensor call_with_memory(const Layer& layer, std::span<const Tensor> inputs, Context& context) {
  if (inputs.size() == 1) return layer(inputs[0], context);
  const Context::Scope scope = context.scope("multi_head_attention", inputs[0]);
  return layer.get<MultiHeadAttention>()->attend(inputs[0], inputs[1],
                                                 inputs.size() > 2 ? inputs[2] : Tensor(), context);
}

TEST_P(SequenceSamples, LayersAgreeWithPyTorch) {
  Session session(GetParam());
  Expected all;
  std::set<std::string> kinds;
  const Json samples = samples::read_samples("sequence_layer_samples.json");
  for (const Json& sample : samples.at("layers")) {
    kinds.insert(sample.at("layer").get<std::string>());
    add_layer(all, session, sample, call_with_memory);
  }
  all.check(session);
  EXPECT_EQ(kinds.size(), 7u);
}

TEST_P(SequenceSamples, AttentionDropsWeightsInTrainingAlone) {
  const Layer layer = MultiHeadAttention{.heads = 2, .dropout = 0.5};
  const HostTensor x = make_tensor<float>({1, 3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3});
  Session session(GetParam());
  const auto run = [&](Mode mode, std::uint64_t key) {
    Context context(mode, random::key(key));
    return session.run(layer(Tensor(x), context));
  };
  EXPECT_EQ(run(Mode::inference, 1), run(Mode::inference, 2));
  EXPECT_FALSE(run(Mode::training, 1) == run(Mode::training, 2));
  EXPECT_EQ(run(Mode::training, 1), run(Mode::training, 1));
}

INSTANTIATE_TEST_SUITE_P(Devices, SequenceSamples, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

// BatchNorm, Sequential, Electra and what compresses models have tests of their own.
TEST(AllSamples, CoverEveryKindOfLayer) {
  std::set<std::string> kinds = {"batch_norm",    "sequential",      "electra",
                                 "masked_tokens", "quantized_dense", "quantized_conv2d",
                                 "distilled",     "penalized"};
  for (const char* file :
       {"layer_samples.json", "image_layer_samples.json", "sequence_layer_samples.json",
        "language_model_samples.json", "model_layer_samples.json", "training_layer_samples.json"}) {
    const Json samples = samples::read_samples(file);
    for (const Json& sample : samples.at("layers"))
      kinds.insert(sample.at("layer").get<std::string>());
  }
  for (const std::string_view kind : layer_kinds())
    EXPECT_TRUE(kinds.contains(std::string(kind))) << kind;
}

TEST(Recurrent, WeightsAreNamedAndShapedAsKerasDoes) {
  const TensorType x{DType::f32, {2, 5, 3}};
  EXPECT_EQ(weight_names(LSTM{4}, x),
            (std::vector<std::string>{"kernel", "recurrent_kernel", "bias"}));
  const Layer both = Bidirectional{GRU{.units = 4, .return_sequences = true}, "sum"};
  EXPECT_EQ(weight_names(both, x),
            (std::vector<std::string>{"forward/gru/kernel", "forward/gru/recurrent_kernel",
                                      "forward/gru/bias", "backward/gru/kernel",
                                      "backward/gru/recurrent_kernel", "backward/gru/bias"}));
  EXPECT_EQ(both.description(), "bidirectional, merge sum");
  EXPECT_TRUE(both.get<Bidirectional>()->backward.get<GRU>()->backwards);
  EXPECT_FALSE(both.get<Bidirectional>()->forward.get<GRU>()->backwards);
  const std::vector<Variable> variables = variables_of(both);
  EXPECT_EQ(variables[0].shape(), (Shape{3, 12}));
  EXPECT_EQ(variables[1].shape(), (Shape{4, 12}));
  EXPECT_EQ(variables[2].shape(), (Shape{2, 12}));
}

// One step after another, each from the states that the last one left.
template <class Recurrent>
void expect_steps_to_equal_the_whole() {
  Recurrent layer{.units = 3, .return_sequences = true};
  Context context(Mode::inference);
  const Tensor x = numbers({2, 3, 2}, {1, -2, 3, 4, -5, 6, 7, 1, -1, 2, 0, 3});
  const RecurrentRun whole = layer.run(x, {}, context);
  std::vector<Tensor> states, results;
  for (const Tensor& step : split(x, 3, 1)) {
    const RecurrentRun run = layer.run(step, states, context);
    states = run.states;
    results.push_back(run.result);
  }
  EXPECT_EQ(context.variables().size(), 3u);
  std::vector<Tensor> fetches{whole.result, concatenate(results, 1)};
  fetches.insert(fetches.end(), whole.states.begin(), whole.states.end());
  fetches.insert(fetches.end(), states.begin(), states.end());
  const std::vector<HostTensor> found = Session("reference").run(fetches);
  EXPECT_EQ(found[0], found[1]);
  for (std::size_t i = 0; i < states.size(); ++i)
    EXPECT_EQ(found[2 + i], found[2 + states.size() + i]);
}

TEST(Recurrent, GoesOnFromTheStatesItLeft) {
  expect_steps_to_equal_the_whole<SimpleRNN>();
  expect_steps_to_equal_the_whole<LSTM>();
  expect_steps_to_equal_the_whole<GRU>();
}

TEST(Recurrent, RefusesStatesThatDoNotFit) {
  LSTM layer{.units = 3};
  Context context(Mode::inference);
  const Tensor x = placeholder("x", {DType::f32, {2, 5, 4}});
  const Tensor state = placeholder("h", {DType::f32, {2, 3}});
  EXPECT_EQ(error_of([&] { layer.run(x, std::array{state}, context); }),
            "LSTM: expected 2 states of f32[2,3], got 1");
  EXPECT_EQ(error_of([&] {
              layer.run(x, std::array{state, placeholder("c", {DType::f32, {2, 4}})}, context);
            }),
            "LSTM: expected states of f32[2,3], got f32[2,4]");
}

TEST(Attention, ARowThatMayAttendToNothingIsZeroAndSoIsItsGradient) {
  const Tensor q = numbers({2, 2}, {1, 2, 3, 4}), k = numbers({3, 2}, {1, 0, -1, 2, 5, 1});
  const Tensor mask(make_tensor<bool>({2, 3}, {false, false, false, true, false, true}));
  const Tensor weights = attention_weights(q, k, mask);
  const std::vector<double> found = doubles(weights);
  EXPECT_EQ(std::vector(found.begin(), found.begin() + 3), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(found[4], 0);
  EXPECT_NEAR(found[3] + found[5], 1, 1e-15);
  EXPECT_NEAR(found[5] / found[3], std::exp((19 - 3) / std::sqrt(2.0)), 1e-7);
  const Tensor cotangent = numbers({2, 3}, {1, 2, 3, 4, 5, 6});
  for (const double element : doubles(grad(sum(weights * cotangent), k)))
    EXPECT_TRUE(std::isfinite(element));
  const std::vector<double> of_q = doubles(grad(sum(weights * cotangent), q));
  EXPECT_EQ(of_q[0], 0);
  EXPECT_EQ(of_q[1], 0);
  EXPECT_NE(of_q[2], 0);
}

TEST(Rotary, PairsOfNeighboursAreTheHalvesInAnotherOrder) {
  const Tensor x = numbers({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Tensor order(make_tensor<std::int32_t>({4}, {0, 2, 1, 3}));
  EXPECT_EQ(take(rotary_embedding(x, 100, true), order, 1).value(),
            rotary_embedding(take(x, order, 1), 100, false).value());
  // Position 0 stays; position 1 turns the first pair by one radian, the second by a tenth.
  const std::vector<double> turned = doubles(rotary_embedding(x, 100, true));
  EXPECT_EQ(turned[0], 1);
  EXPECT_NEAR(turned[4], 5 * std::cos(1.0) - 6 * std::sin(1.0), 1e-15);
  EXPECT_NEAR(turned[7], 8 * std::cos(0.1) + 7 * std::sin(0.1), 1e-14);
}

std::string refusal_of(const Layer& layer, const TensorType& input) {
  const std::string text = error_of([&] { weight_names(layer, input); });
  return text.substr(0, text.find('\n'));
}

TEST(SequenceLayers, RefuseWhatDoesNotFit) {
  const TensorType sequence{DType::f32, {2, 5, 4}}, ids{DType::i32, {2, 5}},
      rows{DType::f32, {2, 5}};
  EXPECT_EQ(refusal_of(LSTM{4}, ids),
            "LSTM: expected a float input [batch, time, features], got i32[2,5]");
  EXPECT_EQ(refusal_of(GRU{0}, sequence), "GRU: units must be from 1 to 16777216, got 0");
  EXPECT_EQ(refusal_of(SimpleRNN{1ll << 62}, sequence),
            "SimpleRNN: units must be from 1 to 16777216, got 4611686018427387904");
  EXPECT_EQ(refusal_of(Bidirectional{LSTM{2}, "sums"}, sequence),
            "unknown merge of Bidirectional \"sums\"; known: concatenate, sum, multiply, average; "
            "did you mean \"sum\"?");
  EXPECT_EQ(refusal_of(MultiHeadAttention{.heads = 3}, sequence),
            "MultiHeadAttention: 3 heads do not divide 4 features");
  EXPECT_EQ(refusal_of(MultiHeadAttention{.heads = -1}, sequence),
            "MultiHeadAttention: heads must be from 1 and width from 0 to 1048576, got -1 and 0");
  EXPECT_EQ(
      refusal_of(MultiHeadAttention{.heads = 4, .rotary_base = 100}, sequence),
      "rotary_embedding: expected a float [..., time, width] of even width, got f32[2,4,5,1]");
  EXPECT_EQ(refusal_of(MultiHeadAttention{.dropout = 1}, sequence),
            "MultiHeadAttention: dropout must be in [0, 1), got 1");
  EXPECT_EQ(refusal_of(SinusoidalPositions{}, rows),
            "SinusoidalPositions: expected a float input [batch, time, features], got f32[2,5]");
  EXPECT_EQ(refusal_of(SinusoidalPositions{.base = 0}, sequence),
            "sinusoidal_positions: base must be finite and above 0, got 0");
  EXPECT_EQ(refusal_of(LearnedPositions{.length = 4}, sequence),
            "LearnedPositions: 5 steps are more than the 4 positions it has");
}

TEST(Attention, RefusesMasksThatDoNotFit) {
  const Tensor x = placeholder("x", {DType::f32, {2, 5, 4}});
  const auto refusal = [&](const TensorType& mask, const Tensor& memory) {
    MultiHeadAttention attention{.heads = 2};
    Context context(Mode::inference);
    return error_of([&] { attention.attend(x, memory, placeholder("mask", mask), context); });
  };
  EXPECT_EQ(refusal({DType::i32, {2, 5}}, x),
            "MultiHeadAttention: the mask must be bool, true where attention is allowed, got "
            "i32[2,5]\n  help: ids != 0 gives that of ids padded by 0");
  EXPECT_EQ(
      refusal({DType::boolean, {2, 6}}, x),
      "MultiHeadAttention: the mask does not fit\n    mask   bool[2,6]\n    scores [2, 2, 5, 5] "
      "(batch, heads, time, steps)\n  help: it is [batch, steps], [batch, time, steps] or "
      "[batch, heads, time, steps]");
  EXPECT_EQ(refusal({DType::boolean, {2, 5}}, placeholder("m", {DType::f32, {3, 5, 4}})),
            "MultiHeadAttention: queries and memory differ in batch or element type\n    queries "
            "f32[2,5,4]\n    memory  f32[3,5,4]");
}

}  // namespace
}  // namespace tenon::nn
