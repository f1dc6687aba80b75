// Padding: recurrent layers and attention under masks, labels that are left out; tied heads;
// against data/language_model_samples.json.
#include "layer_sample_testing.h"
#include "tenon/nn/masked_tokens.h"
#include "tenon/nn/tied.h"

namespace tenon::nn {
namespace {

class MaskedSamples : public testing::TestWithParam<const char*> {};

// Records of two inputs have a mask, which the layer takes from the context.
Tensor call_with_mask(const Layer& layer, std::span<const Tensor> inputs, Context& context) {
  if (inputs.size() > 1) context.set_mask(inputs[1]);
  return layer(inputs[0], context);
}

TEST_P(MaskedSamples, LayersAgreeWithPyTorch) {
  Session session(GetParam());
  Expected all;
  const Json samples = samples::read_samples("language_model_samples.json");
  for (const Json& sample : samples.at("layers")) add_layer(all, session, sample, call_with_mask);
  all.check(session);
  EXPECT_EQ(samples.at("layers").size(), 8u);
}

TEST_P(MaskedSamples, LossesLeaveOutNegativeLabels) {
  Session session(GetParam());
  Expected all;
  const Json samples = samples::read_samples("language_model_samples.json");
  for (const Json& sample : samples.at("losses")) add_loss(all, sample);
  all.check(session);
  EXPECT_EQ(samples.at("losses").size(), 7u);
}

INSTANTIATE_TEST_SUITE_P(Devices, MaskedSamples, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Losses, WithoutAnyLabelHaveNoGradient) {
  const Tensor p = numbers({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor labels = constant(make_tensor<std::int32_t>({2}, {-1, -1}));
  const WeightedSum loss = sparse_categorical_cross_entropy_from_logits.apply(p, labels, {});
  EXPECT_EQ(doubles(loss.sum), std::vector<double>{0});
  EXPECT_EQ(doubles(loss.weight), std::vector<double>{0});
  EXPECT_EQ(doubles(grad(loss.sum / loss.weight, p)), std::vector<double>(6));
}

TEST(Losses, WeightsOfSamplesAndMissingLabelsMultiply) {
  const Tensor p = numbers({2, 2}, {0, 0, 0, 0});
  const Tensor labels = constant(make_tensor<std::int32_t>({2}, {1, -1}));
  const WeightedSum loss = sparse_categorical_cross_entropy_from_logits.apply(
      p, labels, constant(make_tensor<double>({2}, {3, 5})));
  EXPECT_NEAR(doubles(loss.sum)[0], 3 * std::log(2.0), 1e-15);
  EXPECT_EQ(doubles(loss.weight), std::vector<double>{3});
}

TEST(Metrics, LeaveOutNegativeLabels) {
  const Tensor p = numbers({2, 2, 3}, {0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1});
  const Tensor labels = constant(make_tensor<std::int32_t>({2, 2}, {1, -1, -1, 0}));
  const Loss& loss = sparse_categorical_cross_entropy_from_logits;
  for (const Metric& metric : {accuracy, top_k_accuracy(1)}) {
    const WeightedSum found = metric.apply(p, labels, loss);
    EXPECT_EQ(doubles(found.sum), std::vector<double>{1}) << metric.name;
    EXPECT_EQ(doubles(found.weight), std::vector<double>{2}) << metric.name;
  }
}

// What stands in padded steps changes nothing.
void expect_padding_to_be_ignored(const Layer& layer, bool compares_all) {
  const Layer model = Sequential{Embedding{.rows = 5, .width = 4, .mask_zero = true}, layer};
  Context context(Mode::inference);
  const Tensor ids(make_tensor<std::int32_t>({2, 4}, {1, 2, 3, 4, 3, 2, 0, 0}));
  const Tensor padded = model.call_as_root(ids, context);
  const Tensor shorter = model.call_as_root(slice(ids, 1, 0, 2), context);
  Session session("reference");
  const HostTensor long_one = session.run(index(compares_all ? slice(padded, 1, 0, 2) : padded, 1));
  const HostTensor short_one = session.run(index(shorter, 1));
  EXPECT_EQ(samples::difference(long_one, short_one, 1e-6), "") << layer.description();
}

TEST(Masks, ComeFromTheEmbeddingOfId0) {
  expect_padding_to_be_ignored(MultiHeadAttention{.heads = 2}, true);
  expect_padding_to_be_ignored(Sequential{Dense{4}, MultiHeadAttention{.heads = 2}}, true);
  expect_padding_to_be_ignored(LSTM{.units = 3, .return_sequences = true}, true);
  expect_padding_to_be_ignored(GRU{.units = 3}, false);
  expect_padding_to_be_ignored(SimpleRNN{.units = 3}, false);
  expect_padding_to_be_ignored(Bidirectional{LSTM{.units = 3, .return_sequences = true}}, true);
}

TEST(Masks, ServeSequencesOfTheirBatchAndTimeOnly) {
  Context context(Mode::inference);
  const Tensor mask(make_tensor<bool>({2, 3}, {true, true, false, true, true, true}));
  EXPECT_TRUE(context.mask_of(tenon::zeros({2, 3, 4})).is_empty());
  context.set_mask(mask);
  EXPECT_FALSE(context.mask_of(tenon::zeros({2, 3, 4})).is_empty());
  EXPECT_TRUE(context.mask_of(tenon::zeros({2, 4, 4})).is_empty());
  EXPECT_TRUE(context.mask_of(tenon::zeros({1, 3, 4})).is_empty());
  EXPECT_EQ(error_of([&] {
              context.set_mask(tenon::zeros({2, 3}));
            }),
            "set_mask: expected bool [batch, time], got f32[2,3]");
}

TEST(Masks, OfAnotherShapeAreRefused) {
  LSTM layer{.units = 3};
  Context context(Mode::inference);
  const Tensor x = placeholder("x", {DType::f32, {2, 5, 4}});
  EXPECT_EQ(error_of([&] {
              layer.run(x, {}, context, placeholder("mask", {DType::boolean, {2, 4}}));
            }),
            "LSTM: expected a mask bool[2,5], got bool[2,4]");
  Embedding words{.rows = 3, .width = 2, .mask_zero = true};
  EXPECT_EQ(error_of([&] {
              words(placeholder("ids", {DType::i32, {4}}), context);
            }),
            "Embedding: with mask_zero ids are [batch, time], got i32[4]");
}

TEST(MaskedTokens, AreChosenAsDevlinDid) {
  HostTensor ids({DType::i32, {40, 100}});
  for (std::size_t i = 0; i < 4000; ++i)
    ids.as<std::int32_t>()[i] = static_cast<std::int32_t>(i % 50);
  const MaskedIds masked = mask_tokens(Tensor(ids), random::key(3), 0.2, 50);
  const HostTensor found = masked.ids.value(), labels = masked.labels.value();
  int chosen = 0, hidden = 0, replaced = 0, kept = 0;
  for (std::size_t i = 0; i < 4000; ++i) {
    const std::int32_t id = ids.as<std::int32_t>()[i], now = found.as<std::int32_t>()[i],
                       label = labels.as<std::int32_t>()[i];
    if (label < 0) {
      EXPECT_EQ(label, -1);
      EXPECT_EQ(now, id);
      continue;
    }
    EXPECT_EQ(label, id);
    ++chosen;
    (now == 50 ? hidden : now == id ? kept : replaced) += 1;
    EXPECT_LE(now, 50);
    EXPECT_GE(now, 0);
  }
  EXPECT_NEAR(chosen, 800, 80);  // three deviations
  EXPECT_NEAR(hidden, 0.8 * chosen, 40);
  EXPECT_NEAR(replaced, 0.1 * chosen, 30);
  EXPECT_NEAR(kept, 0.1 * chosen, 30);
  EXPECT_FALSE(mask_tokens(Tensor(ids), random::key(4), 0.2, 50).ids.value() == found);
}

TEST(MaskedTokens, LearnsFromTheChosenTokensAlone) {
  const Layer inner = Sequential{Embedding{.rows = 6, .width = 6}};
  const Layer model = MaskedTokens{.rate = 0.5, .mask_token = 5, .model = inner};
  ASSERT_TRUE(model.has_own_loss());
  const Tensor ids(make_tensor<std::int32_t>({2, 3}, {0, 1, 2, 3, 4, 0}));
  Context context(Mode::training, random::key(1)), again(Mode::training, random::key(1));
  const Outcome outcome = model.learn(ids, ids, context);
  const MaskedIds masked = mask_tokens(ids, again.random_key(), 0.5, 5);
  const WeightedSum expected = sparse_categorical_cross_entropy_from_logits.apply(
      inner.call_as_root(masked.ids, again), masked.labels, {});
  Session session("reference");
  EXPECT_EQ(session.run(outcome.loss.sum), session.run(expected.sum));
  EXPECT_EQ(session.run(outcome.loss.weight), session.run(expected.weight));
  EXPECT_EQ(session.run(model.call_as_root(ids, context)),
            session.run(inner.call_as_root(ids, context)));
}

TEST(MaskedTokens, RefusesWhatDoesNotFit) {
  const Tensor ids = placeholder("ids", {DType::i32, {2, 3}});
  const Tensor key = random::key(1);
  EXPECT_EQ(error_of([&] { mask_tokens(ids, key, 1, 5); }),
            "mask_tokens: rate must be above 0 and below 1, got 1");
  EXPECT_EQ(error_of([&] { mask_tokens(ids, key, 0.5, 0); }),
            "mask_tokens: mask_token must be from 1 to 16777216, got 0");
  EXPECT_EQ(error_of([&] {
              mask_tokens(placeholder("x", {DType::f32, {2, 3}}), key, 0.5, 5);
            }),
            "mask_tokens: expected signed integer ids [batch, time], got f32[2,3]");
  MaskedTokens model{.mask_token = 7, .model = Embedding{.rows = 6, .width = 6}};
  Context context(Mode::training, key);
  EXPECT_EQ(error_of([&] { model.learn(ids, ids, context); }),
            "MaskedTokens: the model gives f32[2,3,6] for ids i32[2,3]; logits [batch, time, "
            "vocabulary] of more than mask_token 7 ids expected");
}

TEST(TiedDense, SharesTheTableOfAnEmbedding) {
  const Embedding words{.rows = 5, .width = 3};
  const Layer model = Sequential{words, TiedDense{.units = 5, .table = words.table}};
  EXPECT_EQ(weight_names(model, {DType::i32, {2, 4}}), std::vector<std::string>{"embedding/table"});
  const Layer other = model.clone();
  EXPECT_EQ(weight_names(other, {DType::i32, {2, 4}}), std::vector<std::string>{"embedding/table"});
  EXPECT_NE(variables_of(other), variables_of(model));
}

TEST(TiedDense, RefusesOtherWidths) {
  const Embedding words{.rows = 5, .width = 3};
  const Layer model = Sequential{words, Dense{4}, TiedDense{.units = 5, .table = words.table}};
  const std::string text = error_of([&] { weight_names(model, {DType::i32, {2, 4}}); });
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "TiedDense: 5 units of width 4 cannot share \"embedding/table\", which is f32[5,3]");
}

}  // namespace
}  // namespace tenon::nn
