// Networks of texts: sizes and names, and loss and gradients against PyTorch's
// (data/language_model_samples.json).
#include "tenon/models/language.h"

#include "../error_of.h"
#include "../nn/layer_sample_testing.h"
#include "tenon/models/catalog.h"
#include "tenon/nn/tied.h"

namespace tenon::models {
namespace {

using nn::Json;

nn::Layer model_of(const std::string& name) {
  const BertOptions small{.vocabulary = 7,
                          .context_length = 6,
                          .layers = 2,
                          .heads = 2,
                          .width = 4,
                          .hidden = 8,
                          .dropout = 0};
  if (name == "gpt")
    return gpt({.vocabulary = 7, .context_length = 6, .layers = 2, .heads = 2, .width = 4});
  if (name == "char_lstm") return char_lstm({.vocabulary = 7, .embedding = 3, .units = {3, 2}});
  if (name == "bert") return bert(small);
  ElectraOptions options{.discriminator = small, .generator_heads = 1, .generator_width = 2};
  options.discriminator.layers = 1;
  options.draws = false;
  return electra(options);
}

class LanguageModels : public testing::TestWithParam<const char*> {};

TEST_P(LanguageModels, HaveTheLossAndGradientsOfPyTorch) {
  Session session(GetParam());
  const Json samples = samples::read_samples("language_model_samples.json");
  std::set<std::string> names;
  for (const Json& sample : samples.at("models")) {
    const std::string name = sample.at("model");
    names.insert(name);
    nn::Expected all;
    const Tensor ids = all.feed(sample.at("ids")), labels = all.feed(sample.at("labels"));
    const nn::Layer model = model_of(name);
    // In training: nothing is random without dropout, and ELECTRA fills in the likeliest.
    nn::Context context(nn::Mode::training, {}, DType::f64);
    nn::Outcome outcome;
    if (model.has_own_loss()) {
      outcome = model.learn(ids, labels, context);
    } else {
      outcome.prediction = model.call_as_root(ids, context);
      outcome.loss =
          nn::sparse_categorical_cross_entropy_from_logits.apply(outcome.prediction, labels, {});
    }
    const Tensor loss = context.total_loss(outcome.loss.sum / outcome.loss.weight);
    all.add(loss, {{"type", "f64"}, {"shape", Json::array()}, {"data", {sample.at("loss")}}},
            name + " loss");
    all.add(outcome.prediction, sample.at("prediction"), name + " prediction");
    ASSERT_EQ(context.variables().size(), sample.at("weights").size()) << name;
    std::vector<Tensor> wrt;
    for (const Variable& variable : context.variables()) {
      ASSERT_TRUE(sample.at("weights").contains(variable.name())) << name << " " << variable.name();
      session.write(variable, samples::read_tensor(sample.at("weights").at(variable.name())));
      wrt.emplace_back(variable);
    }
    const std::vector<Tensor> gradients = grad(loss, wrt);
    for (std::size_t i = 0; i < gradients.size(); ++i)
      all.add(gradients[i], sample.at("gradients").at(context.variables()[i].name()),
              name + " gradient of " + context.variables()[i].name());
    all.check(session);
  }
  EXPECT_EQ(names, (std::set<std::string>{"gpt", "char_lstm", "bert", "electra"}));
}

INSTANTIATE_TEST_SUITE_P(Devices, LanguageModels, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

std::int64_t parameters_of(const nn::Layer& model, std::int64_t steps) {
  nn::Context context(nn::Mode::inference);
  model.call_as_root(placeholder("ids", {DType::i32, {1, steps}}), context);
  std::int64_t count = 0;
  for (const Variable& variable : context.variables()) count += element_count(variable.shape());
  return count;
}

TEST(Gpt, HasTheSizesOfThePapers) {
  // As Hugging Face counts gpt2, gpt2-medium and gpt2-large.
  EXPECT_EQ(parameters_of(gpt(gpt_sizes("gpt2")), 8), 124439808);
  EXPECT_EQ(parameters_of(gpt(gpt_sizes("gpt2-medium")), 8), 354823168);
  EXPECT_EQ(parameters_of(gpt(gpt_sizes("gpt2-large")), 8), 774030080);
  EXPECT_EQ(parameters_of(gpt(gpt_sizes("char")), 64), 809856);
  EXPECT_EQ(
      error_of([] { gpt_sizes("gpt3"); }),
      "unknown size of gpt \"gpt3\"; known: char, gpt2, gpt2-medium, gpt2-large, gpt2-xl; did "
      "you mean \"gpt2\"?");
}

TEST(CharLstm, HasTheSizesOfTheBenchmark) {
  EXPECT_EQ(parameters_of(char_lstm(), 64),
            65 * 128 + 4 * 256 * (128 + 256 + 1) + 4 * 256 * (256 + 256 + 1) + 257 * 65);
}

TEST(Bert, HasTheSizeOfBase) {
  // bert-base-uncased without its two segments and pooler, with the head's dense, norm and bias.
  EXPECT_EQ(parameters_of(bert(), 8), 30522 * 768 + 512 * 768 + 2 * 768 +
                                          12 * (12 * 768 * 768 + 13 * 768) + 769 * 768 + 2 * 768 +
                                          30522);
}

TEST(Gpt, WithoutATiedHeadHasAKernelOfItsOwn) {
  const GptOptions sizes{.vocabulary = 7, .context_length = 4, .layers = 1, .heads = 1, .width = 4};
  GptOptions untied = sizes;
  untied.tied = false;
  EXPECT_EQ(parameters_of(gpt(untied), 4) - parameters_of(gpt(sizes), 4), 7 * 4);
  GptOptions turned = sizes;
  turned.rotary_base = 100;
  EXPECT_EQ(parameters_of(gpt(sizes), 4) - parameters_of(gpt(turned), 4), 4 * 4);
}

TEST(Gpt, SharesItsTableAfterCloningToo) {
  const nn::Layer model = gpt({.vocabulary = 7, .layers = 1, .heads = 1, .width = 4});
  const nn::Layer copy = model.clone();
  for (const nn::Layer& layer : {model, copy}) {
    const auto& layers = layer.get<nn::Sequential>()->layers;
    EXPECT_EQ(layers.front().get<nn::Embedding>()->table,
              layers.back().get<nn::TiedDense>()->table);
  }
  EXPECT_FALSE(copy.get<nn::Sequential>()->layers.front().get<nn::Embedding>()->table ==
               model.get<nn::Sequential>()->layers.front().get<nn::Embedding>()->table);
}

TEST(Gpt, StartsAsGpt2Does) {
  nn::Context context(nn::Mode::inference);
  nn::Layer(gpt({.vocabulary = 65, .layers = 8, .heads = 2, .width = 32}))
      .call_as_root(placeholder("ids", {DType::i32, {1, 4}}), context);
  for (const Variable& variable : context.variables()) {
    const HostTensor value = variable.initial_value(3);
    double square = 0;
    for (std::int64_t i = 0; i < value.size(); ++i)
      square += std::pow(element_as_double(value, i), 2);
    const double deviation = std::sqrt(square / static_cast<double>(value.size()));
    const std::string& name = variable.name();
    const bool is_last = name.ends_with("output_kernel") || name.ends_with("dense_1/kernel");
    const double expected = name.ends_with("scale")                              ? 1
                            : name.ends_with("bias") || name.ends_with("offset") ? 0
                            : is_last                                            ? 0.02 / 4
                                                                                 : 0.02;
    EXPECT_NEAR(deviation, expected, 0.1 * expected) << name;
  }
}

TEST(Electra, SharesEmbeddingsAndDrawsInTraining) {
  ElectraOptions options{.discriminator = {.vocabulary = 50,
                                           .context_length = 8,
                                           .layers = 1,
                                           .heads = 2,
                                           .width = 8,
                                           .dropout = 0}};
  const nn::Layer model = electra(options);
  nn::Context context(nn::Mode::training, random::key(1));
  const Tensor ids = placeholder("ids", {DType::i32, {2, 8}});
  const Tensor labels = placeholder("labels", {DType::i32, {2, 8}});
  const nn::Outcome outcome = model.learn(ids, labels, context);
  EXPECT_EQ(outcome.prediction.shape(), (Shape{2, 8, 1}));
  EXPECT_EQ(outcome.target.shape(), (Shape{2, 8, 1}));
  ASSERT_EQ(context.losses().size(), 1u);
  std::int64_t tables = 0;
  for (const Variable& variable : context.variables())
    tables += variable.name().ends_with("/table") ? 1 : 0;
  EXPECT_EQ(tables, 2);

  // A label of the discriminator follows the draw: other keys, other losses.
  HostTensor x({DType::i32, {2, 8}}), y({DType::i32, {2, 8}});
  for (std::size_t i = 0; i < 16; ++i) {
    x.as<std::int32_t>()[i] = static_cast<std::int32_t>(i % 3 == 0 ? 49 : i + 1);
    y.as<std::int32_t>()[i] = static_cast<std::int32_t>(i % 3 == 0 ? i + 1 : -1);
  }
  Session session("reference");
  const auto loss_by = [&](const Tensor& key, nn::Mode mode) {
    nn::Context now(mode, key);
    const nn::Outcome found = model.learn(ids, labels, now);
    const Tensor loss = now.total_loss(found.loss.sum / found.loss.weight);
    return element_as_double(session.run(loss, {{ids, x}, {labels, y}}), 0);
  };
  EXPECT_EQ(loss_by(random::key(1), nn::Mode::training),
            loss_by(random::key(1), nn::Mode::training));
  EXPECT_NE(loss_by(random::key(1), nn::Mode::training),
            loss_by(random::key(2), nn::Mode::training));
  EXPECT_EQ(loss_by({}, nn::Mode::inference), loss_by(random::key(2), nn::Mode::inference));
}

TEST(Electra, RefusesWhatDoesNotFit) {
  nn::Electra model =
      electra({.discriminator = {
                   .vocabulary = 9, .context_length = 4, .layers = 1, .heads = 1, .width = 4}});
  nn::Context context(nn::Mode::inference);
  const Tensor ids = placeholder("ids", {DType::i32, {2, 4}});
  EXPECT_EQ(error_of([&] {
              model.learn(placeholder("x", {DType::f32, {2, 4}}), ids, context);
            }),
            "Electra: expected integer ids [batch, time], got f32[2,4]");
  EXPECT_EQ(error_of([&] {
              model.learn(ids, placeholder("y", {DType::i32, {2, 3}}), context);
            }),
            "Electra: expected labels of the shape of the ids i32[2,4], got i32[2,3]\n  help: the "
            "original id where it was masked, -1 elsewhere");
}

TEST(LanguageModel, SizesAreChecked) {
  EXPECT_EQ(error_of([] { gpt({.vocabulary = 0}); }),
            "gpt: the vocabulary must be from 1 to 16777216, got 0");
  EXPECT_EQ(error_of([] { gpt({.layers = -1}); }),
            "gpt: layers must be from 1 to 16777216, got -1");
  EXPECT_EQ(error_of([] { gpt({.heads = 3}); }), "gpt: 3 heads do not divide the width 128");
  EXPECT_EQ(error_of([] { gpt({.dropout = 1}); }), "gpt: dropout must be in [0, 1), got 1");
  EXPECT_EQ(error_of([] { char_lstm({.units = {}}); }),
            "char_lstm: at least one LSTM layer expected");
  EXPECT_EQ(error_of([] { char_lstm({.units = {0}}); }),
            "char_lstm: units must be from 1 to 16777216, got 0");
  EXPECT_EQ(error_of([] { bert({.width = 10, .language_head = false}); }),
            "bert: 12 heads do not divide the width 10");
  EXPECT_EQ(error_of([] { electra({.generator_width = 7}); }),
            "electra: generator: 3 heads do not divide the width 7");
}

TEST(Catalog, MakesNetworksOfTexts) {
  const Request request{.sample = {DType::i32, {16}}, .outputs = 20};
  EXPECT_EQ(
      parameters_of(make_model("gpt:layers=2:width=8:heads=2", request), 16),
      parameters_of(
          gpt({.vocabulary = 20, .context_length = 16, .layers = 2, .heads = 2, .width = 8}), 16));
  EXPECT_EQ(parameters_of(make_model("char-lstm:embedding=4:units=5/6", request), 16),
            parameters_of(char_lstm({.vocabulary = 20, .embedding = 4, .units = {5, 6}}), 16));
  EXPECT_TRUE(make_model("electra:width=8:heads=4", request).has_own_loss());
  EXPECT_EQ(
      parameters_of(make_model("bert:width=8:masks=0", request), 16),
      parameters_of(
          bert({.vocabulary = 20, .context_length = 16, .layers = 4, .heads = 4, .width = 8}), 16));
  // With masks of its own it knows one token more.
  const nn::Layer masked = make_model("bert:width=8", request);
  EXPECT_TRUE(masked.has_own_loss());
  EXPECT_EQ(parameters_of(masked, 16),
            parameters_of(make_model("bert:width=8:masks=0", request), 16) + 8 + 1);
  EXPECT_EQ(error_of([] {
              make_model("gpt", {.sample = {DType::u8, {28, 28}}, .outputs = 10});
            }),
            "gpt takes texts as ids i32[time], the data's samples are u8[28,28]");
}

}  // namespace
}  // namespace tenon::models
