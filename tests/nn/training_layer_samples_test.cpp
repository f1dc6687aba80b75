// Layers that draw random numbers in training, with gradients, against
// data/training_layer_samples.json: the numbers drawn are computed by the generator.
#include "layer_sample_testing.h"
#include "tenon/nn/variational.h"

namespace tenon::nn {
namespace {

class TrainingSamples : public testing::TestWithParam<const char*> {};

// Records of several inputs are of attention: queries, memory and a mask.
Tensor call_with_mask(const Layer& layer, std::span<const Tensor> inputs, Context& context) {
  if (inputs.size() == 1) return layer(inputs[0], context);
  const Context::Scope scope = context.scope("multi_head_attention", inputs[0]);
  return layer.get<MultiHeadAttention>()->attend(inputs[0], inputs[1], inputs[2], context);
}

TEST_P(TrainingSamples, LayersDrawWhatTheDocumentsSay) {
  Session session(GetParam());
  Expected all;
  std::set<std::string> kinds;
  const Json samples = samples::read_samples("training_layer_samples.json");
  for (const Json& sample : samples.at("layers")) {
    kinds.insert(sample.at("layer").get<std::string>());
    ASSERT_TRUE(sample.contains("key"));
    add_layer(all, session, sample, call_with_mask);
  }
  all.check(session);
  EXPECT_EQ(kinds, (std::set<std::string>{"dropout", "spatial_dropout", "variational",
                                          "multi_head_attention"}));
}

// Of 4 x 2 x 16 x 16 weights: so many are zero as the rate says, the others are scaled, and the sum
// of each row is 1 on average.
TEST_P(TrainingSamples, DroppedAttentionKeepsItsExpectation) {
  constexpr double kRate = 0.25;
  constexpr std::int64_t kBatch = 4, kHeads = 2, kTime = 16, kRows = kBatch * kHeads * kTime;
  MultiHeadAttention attention{.heads = kHeads, .dropout = kRate, .use_bias = false};
  // Values of one for each step and an output that is the identity show the sums of the weights;
  // queries of zeros make all weights 1 / 16.
  const auto identity = [](const TensorType& type) {
    HostTensor tensor(type);
    for (std::int64_t i = 0; i < type.shape[0]; ++i)
      tensor.as<double>()[static_cast<std::size_t>(i * type.shape[1] + i)] = 1;
    return tensor;
  };
  const TensorType square{DType::f64, {kTime * kHeads, kTime * kHeads}};
  HostTensor steps({DType::f64, {kBatch, kTime, kTime * kHeads}});  // one-hot for both heads
  for (std::int64_t row = 0; row < kBatch * kTime; ++row)
    for (std::int64_t head = 0; head < kHeads; ++head)
      steps.as<double>()[static_cast<std::size_t>(row * kTime * kHeads + head * kTime +
                                                  row % kTime)] = 1;
  Context context(Mode::training, random::key(5), DType::f64);
  Session session(GetParam());
  const Tensor weights = Layer(attention)(Tensor(steps), context);  // [batch, time, heads * steps]
  for (const Variable& variable : context.variables()) {
    const bool is_passed =
        variable.name().ends_with("value_kernel") || variable.name().ends_with("output_kernel");
    session.write(variable, is_passed ? identity(square) : HostTensor(square));
  }
  const std::vector<double> found = doubles(session.run(weights));
  ASSERT_EQ(static_cast<std::int64_t>(found.size()), kRows * kTime);
  double total = 0;
  std::int64_t dropped = 0;
  for (const double weight : found) {
    total += weight;
    if (weight == 0)
      ++dropped;
    else
      EXPECT_NEAR(weight, 1 / (1 - kRate) / kTime, 1e-15);
  }
  // Five standard deviations of 2048 draws.
  EXPECT_NEAR(static_cast<double>(dropped), kRate * kRows * kTime, 5 * 19.6);
  EXPECT_NEAR(total, kRows, 5 * 19.6 / (1 - kRate) / kTime);
}

INSTANTIATE_TEST_SUITE_P(Devices, TrainingSamples, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace tenon::nn
