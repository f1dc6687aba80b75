// Generation: logits step by step equal those of the whole text, for every layer that remembers;
// windows, seeds, stops and refusals.
#include "tenon/train/generate.h"

#include <cmath>
#include <set>

#include "tenon/nn/attention.h"
#include "tenon/nn/convolution.h"
#include "tenon/nn/embedding.h"
#include "tenon/nn/recurrent.h"
#include "tenon/nn/residual.h"
#include "tenon/nn/tied.h"
#include "train_testing.h"

namespace tenon {
namespace {

constexpr std::int64_t kVocabulary = 11, kTextSteps = 40;

// Ids without a period.
std::vector<std::int64_t> some_text(std::int64_t length) {
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < length; ++i) ids.push_back((i * i + 3 * i / 2) % kVocabulary);
  return ids;
}

HostTensor as_rows(std::span<const std::int64_t> ids, std::int64_t steps) {
  HostTensor rows({DType::i32, {static_cast<std::int64_t>(ids.size()) / steps, steps}});
  for (std::size_t i = 0; i < ids.size(); ++i)
    rows.as<std::int32_t>()[i] = static_cast<std::int32_t>(ids[i]);
  return rows;
}

data::Dataset texts(std::int64_t steps = kTextSteps) {
  const HostTensor x = as_rows(some_text(4 * steps), steps);
  HostTensor y = x;
  return {"texts", data::Array(x), data::Array(std::move(y))};
}

nn::Sequential attention_model(const std::string& positions) {
  const nn::Embedding words{
      .rows = kVocabulary, .width = 8, .initializer = {nn::InitializerKind::normal, 1}};
  nn::Sequential model{words};
  if (positions == "learned")
    model.add(nn::LearnedPositions{.length = kTextSteps + 5,
                                   .initializer = {nn::InitializerKind::normal, 1}});
  if (positions == "sinusoidal") model.add(nn::SinusoidalPositions{});
  for (int i = 0; i < 2; ++i) {
    model.add(nn::Residual{
        .body = nn::Sequential{
            nn::LayerNorm{},
            nn::MultiHeadAttention{
                .heads = 2, .causal = true, .rotary_base = positions == "rotary" ? 100.0 : 0}}});
    model.add(nn::Residual{.body = nn::Sequential{nn::LayerNorm{}, nn::Dense{16, nn::gelu},
                                                  nn::Dense{8}, nn::Dropout{0.5}}});
  }
  model.add(nn::TiedDense{.units = kVocabulary, .table = words.table});
  return model;
}

template <class Recurrent>
nn::Sequential recurrent_model() {
  return {nn::Embedding{
              .rows = kVocabulary, .width = 6, .initializer = {nn::InitializerKind::normal, 1}},
          Recurrent{.units = 8, .return_sequences = true},
          Recurrent{.units = 5, .return_sequences = true}, nn::Dense{kVocabulary}};
}

struct NamedModel {
  std::string name;
  nn::Layer model;
};
std::vector<NamedModel> all_models() {
  return {{"learned", attention_model("learned")},        {"rotary", attention_model("rotary")},
          {"sinusoidal", attention_model("sinusoidal")},  {"no positions", attention_model("")},
          {"LSTM", recurrent_model<nn::LSTM>()},          {"GRU", recurrent_model<nn::GRU>()},
          {"SimpleRNN", recurrent_model<nn::SimpleRNN>()}};
}

Trainer trainer_of(const nn::Layer& model, const std::string& device, DType dtype = DType::f32,
                   std::int64_t steps = kTextSteps) {
  Trainer trainer(model, {.device = device, .seed = 3, .threads = 1, .dtype = dtype});
  trainer.build(texts(steps));
  return trainer;
}

// The logits after each step of one text, by the whole model.
std::vector<std::vector<double>> whole_logits(Trainer& trainer, std::span<const std::int64_t> ids) {
  const HostTensor all = trainer.predict(as_rows(ids, static_cast<std::int64_t>(ids.size())));
  std::vector<std::vector<double>> logits(ids.size());
  for (std::int64_t i = 0; i < all.size(); ++i)
    logits[static_cast<std::size_t>(i / kVocabulary)].push_back(element_as_double(all, i));
  return logits;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0, size = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i]));
    size = std::max(size, std::abs(b[i]));
  }
  return largest / size;
}

void expect_equal_logits(const std::string& device, DType dtype, double tolerance,
                         const std::set<std::string>& left_out = {}) {
  const std::vector<std::int64_t> text = some_text(kTextSteps);
  for (const NamedModel& named : all_models()) {
    if (left_out.contains(named.name)) continue;
    Trainer trainer = trainer_of(named.model, device, dtype);
    const auto whole = whole_logits(trainer, text);
    Generator generator(trainer);
    // A prompt of 32 and 3 steps, then one by one; then the same text again from the start.
    for (const std::size_t prompt : {std::size_t{35}, std::size_t{1}}) {
      generator.reset();
      EXPECT_LT(
          largest_difference(generator.read(std::span(text).first(prompt)), whole[prompt - 1]),
          tolerance)
          << named.name;
      for (std::size_t i = prompt; i < text.size(); ++i)
        EXPECT_LT(largest_difference(generator.read(std::span(text).subspan(i, 1)), whole[i]),
                  tolerance)
            << named.name << " " << i;
    }
  }
}

TEST(Generator, GivesTheLogitsOfTheWholeText) {
  expect_equal_logits("reference", DType::f64, 1e-12);
  expect_equal_logits("reference", DType::f32, 1e-5);
}

TEST(Generator, GivesTheLogitsOfTheWholeTextCompiled) {
  expect_equal_logits("cpu", DType::f32, 1e-5, {"no positions", "sinusoidal", "SimpleRNN"});
}

TEST(Generator, LikeliestTokensAreThoseOfTheWholeModel) {
  Trainer trainer = trainer_of(attention_model("learned"), "reference");
  const std::vector<std::int64_t> prompt = some_text(4);
  const Generation found = generate(trainer, prompt, {.max_tokens = 36, .temperature = 0});
  ASSERT_EQ(found.ids.size(), 36u);
  EXPECT_EQ(found.end, GenerationEnd::max_tokens);
  std::vector<std::int64_t> text = prompt;
  text.insert(text.end(), found.ids.begin(), found.ids.end());
  const auto whole = whole_logits(trainer, text);
  for (std::size_t i = 4; i < text.size(); ++i) {
    const auto largest = std::ranges::max_element(whole[i - 1]);
    EXPECT_EQ(text[i], largest - whole[i - 1].begin()) << i;
  }
}

TEST(Generator, ReadsTheLastHalfAgainWhenItsContextIsFull) {
  constexpr std::int64_t kShort = 6;
  Trainer trainer = trainer_of(attention_model("learned"), "reference", DType::f32, kShort);
  Generator generator(trainer);
  ASSERT_TRUE(generator.is_bounded());
  EXPECT_EQ(generator.context_length(), kShort);
  // Of a longer prompt it sees the last 6 tokens.
  const std::vector<std::int64_t> prompt = some_text(9);
  const Generation found = generator.generate(prompt, {.max_tokens = 9, .temperature = 0});
  std::vector<std::int64_t> text = prompt;
  std::int64_t first = 3;  // of what the context holds
  for (const std::int64_t id : found.ids) {
    if (static_cast<std::int64_t>(text.size()) - first > kShort)
      first = static_cast<std::int64_t>(text.size()) - kShort / 2;
    Trainer& again = trainer;
    // The weights do not depend on the length: another build of the same model.
    const std::vector<std::int64_t> seen(text.begin() + first, text.end());
    Trainer whole(trainer.model().clone(), {.device = "reference", .seed = 3, .threads = 1});
    whole.build(texts(static_cast<std::int64_t>(seen.size())));
    for (std::size_t i = 0; i < whole.weights().size(); ++i)
      whole.session().write(whole.weights()[i], again.session().read(again.weights()[i]));
    const auto logits = whole_logits(whole, seen).back();
    EXPECT_EQ(id, std::ranges::max_element(logits) - logits.begin());
    text.push_back(id);
  }
}

TEST(Generator, RecurrentModelsHaveNoEnd) {
  Trainer trainer = trainer_of(recurrent_model<nn::GRU>(), "reference", DType::f32, 4);
  Generator generator(trainer);
  EXPECT_FALSE(generator.is_bounded());
  const std::vector<std::int64_t> text = some_text(50);
  Trainer whole = trainer_of(recurrent_model<nn::GRU>(), "reference", DType::f32, 50);
  EXPECT_LT(largest_difference(generator.read(text), whole_logits(whole, text).back()), 1e-5);
}

TEST(Generate, TheSeedDecidesTheText) {
  Trainer trainer = trainer_of(recurrent_model<nn::LSTM>(), "reference");
  Generator generator(trainer);
  const std::vector<std::int64_t> prompt{1, 2};
  const auto text = [&](std::uint64_t seed) {
    return generator.generate(prompt, {.max_tokens = 30, .seed = seed}).ids;
  };
  const std::vector<std::int64_t> first = text(1);
  EXPECT_EQ(text(1), first);
  EXPECT_NE(text(2), first);
  EXPECT_EQ(text(1), first);
  // A shorter text is the beginning of a longer one.
  const std::vector<std::int64_t> shorter =
      generator.generate(prompt, {.max_tokens = 10, .seed = 1}).ids;
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), first.begin()));
  EXPECT_EQ(generate(trainer, prompt, {.max_tokens = 30, .seed = 1}).ids, first);
}

TEST(Generate, StopsAtATokenOrWhenTheCallbackSaysSo) {
  Trainer trainer = trainer_of(recurrent_model<nn::LSTM>(), "reference");
  Generator generator(trainer);
  const std::vector<std::int64_t> prompt{1, 2};
  const std::vector<std::int64_t> all =
      generator.generate(prompt, {.max_tokens = 20, .seed = 4}).ids;
  const std::int64_t stop = all[7];
  const auto place = std::ranges::find(all, stop) - all.begin();
  const Generation stopped =
      generator.generate(prompt, {.max_tokens = 20, .seed = 4, .stop = {stop}});
  EXPECT_EQ(stopped.end, GenerationEnd::stop_token);
  EXPECT_EQ(stopped.ids, std::vector<std::int64_t>(all.begin(), all.begin() + place));
  std::vector<std::int64_t> seen;
  const Generation called =
      generator.generate(prompt, {.max_tokens = 20, .seed = 4, .on_token = [&](std::int64_t id) {
                                    seen.push_back(id);
                                    return seen.size() < 5;
                                  }});
  EXPECT_EQ(called.end, GenerationEnd::callback);
  EXPECT_EQ(called.ids, seen);
  EXPECT_EQ(seen, std::vector<std::int64_t>(all.begin(), all.begin() + 5));
  EXPECT_TRUE(generator.generate(prompt, {.max_tokens = 0}).ids.empty());
}

TEST(Generate, LeavesOutIdsBeyondTheVocabulary) {
  Trainer trainer = trainer_of(recurrent_model<nn::LSTM>(), "reference");
  const Generation found =
      generate(trainer, std::vector<std::int64_t>{1}, {.max_tokens = 50, .vocabulary = 3});
  for (const std::int64_t id : found.ids) EXPECT_LT(id, 3);
}

TEST(Generate, DrawsAsOftenAsTheModelSays) {
  Trainer trainer = trainer_of(recurrent_model<nn::LSTM>(), "reference");
  Generator generator(trainer);
  const std::vector<std::int64_t> prompt{3};
  const std::vector<double> expected = sampling_probabilities(generator.read(prompt), {});
  std::vector<double> counts(kVocabulary);
  constexpr int kDraws = 2000;
  for (int seed = 0; seed < kDraws; ++seed)
    ++counts[static_cast<std::size_t>(
        draw_index(expected, uniform_number(static_cast<std::uint64_t>(seed), 0)))];
  double chi_square = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    chi_square += std::pow(counts[i] - kDraws * expected[i], 2) / (kDraws * expected[i]);
  EXPECT_LT(chi_square, 29.6);  // beyond that by chance once in 1000, at 10 degrees
}

TEST(Generate, RefusesWhatCannotBe) {
  Trainer trainer = trainer_of(attention_model("learned"), "reference", DType::f32, 6);
  Generator generator(trainer);
  const std::vector<std::int64_t> prompt{1};
  EXPECT_EQ(error_of([&] { generator.generate({}); }),
            "generate: the prompt is empty; a model of texts goes on from a token");
  EXPECT_EQ(error_of([&] {
              generator.generate(std::vector<std::int64_t>{0, 11});
            }),
            "generate: token 1 of the prompt is 11, the model has ids 0 to 10");
  EXPECT_EQ(error_of([&] { generator.generate(std::vector<std::int64_t>{-1}); }),
            "generate: token 0 of the prompt is -1, the model has ids 0 to 10");
  EXPECT_EQ(error_of([&] { generator.generate(prompt, {.max_tokens = -1}); }),
            "generate: max_tokens must be 0 or more, got -1");
  EXPECT_EQ(error_of([&] { generator.generate(prompt, {.temperature = -0.5}); }),
            "temperature must be finite and 0 or more, got -0.5");
  EXPECT_EQ(error_of([&] { generator.generate(prompt, {.top_k = -3}); }),
            "top_k must be 0 or more, got -3");
  EXPECT_EQ(error_of([&] { generator.generate(prompt, {.top_p = 0}); }),
            "top_p must be above 0 and at most 1, got 0");
  EXPECT_EQ(error_of([&] { generator.generate(prompt, {.vocabulary = 12}); }),
            "generate: a vocabulary of 12, the model has 11 ids");
  EXPECT_EQ(error_of([&] { generator.read(some_text(7)); }),
            "generate: 7 tokens more than the 0 that were read do not fit the context of 6");
  EXPECT_EQ(error_of([&] { Generator(trainer, 99); }).substr(0, 66),
            "LearnedPositions: 99 steps are more than the 45 positions it has\n ");
  Trainer unbuilt(attention_model(""));
  EXPECT_EQ(error_of([&] { Generator{unbuilt}; }),
            "generate: the model has no weights yet; fit, build or load it first");
}

TEST(Generate, RefusesModelsOfOtherThings) {
  Trainer points(small_model(), small_options());
  points.build(blobs(6));
  EXPECT_EQ(
      error_of([&] { Generator{points}; }),
      "generate: the model's samples are f32[2], those of a model of texts are ids i32[time]");
  nn::Sequential classes{nn::Embedding{.rows = kVocabulary, .width = 4}, nn::LSTM{.units = 3},
                         nn::Dense{kVocabulary}};
  Trainer classifier(classes, {.device = "reference"});
  const data::Dataset whole = texts();
  HostTensor y({DType::i32, {whole.size()}});
  classifier.build(data::Dataset("classes", whole.x(), data::Array(std::move(y))));
  EXPECT_EQ(
      error_of([&] { Generator{classifier}; }),
      "generate: the model gives f32[1,11] for ids i32[1,1]; logits [batch, time, vocabulary] "
      "expected");
}

std::string refusal_of(const nn::Layer& layer) {
  Trainer trainer(nn::Sequential{nn::Embedding{.rows = kVocabulary, .width = kVocabulary}, layer},
                  {.device = "reference"});
  trainer.build(texts());
  const std::string text = error_of([&] { Generator{trainer}; });
  return text.substr(0, text.find('\n'));
}

TEST(Generate, RefusesLayersThatNeedTheWholeText) {
  EXPECT_EQ(refusal_of(nn::MultiHeadAttention{}),
            "MultiHeadAttention: without causal it sees later steps, so it cannot generate step by "
            "step");
  EXPECT_EQ(refusal_of(nn::LSTM{.units = kVocabulary, .return_sequences = true, .backwards = true}),
            "LSTM: it runs from the last step to the first, so it cannot generate step by step");
  EXPECT_EQ(
      refusal_of(nn::Bidirectional(nn::GRU{.units = kVocabulary, .return_sequences = true}, "sum")),
      "bidirectional: it mixes the steps of a sequence, so it cannot generate step by step");
  EXPECT_EQ(refusal_of(nn::Conv1D{.filters = kVocabulary, .size = 3, .causal_padding = true}),
            "conv1d: it mixes the steps of a sequence, so it cannot generate step by step");
  Trainer masked(nn::Sequential{nn::Embedding{.rows = kVocabulary, .width = 4, .mask_zero = true},
                                nn::Dense{kVocabulary}},
                 {.device = "reference"});
  masked.build(texts());
  EXPECT_EQ(
      error_of([&] { Generator{masked}; }).substr(0, 85),
      "Embedding: with mask_zero it tells padding apart, so it cannot generate step by step\n");
}

TEST(Generate, SaysWhenTheModelGivesNoNumbers) {
  Trainer trainer = trainer_of(recurrent_model<nn::LSTM>(), "reference");
  const Variable bias = trainer.weights().back();
  HostTensor damaged = trainer.session().read(bias);
  damaged.as<float>()[4] = std::nanf("");
  trainer.session().write(bias, damaged);
  EXPECT_EQ(
      error_of([&] { generate(trainer, std::vector<std::int64_t>{1}); }),
      "the model's logit of token 4 is nan; its weights are damaged, or the training diverged");
}

}  // namespace
}  // namespace tenon
