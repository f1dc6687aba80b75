#include "tenon/train/description.h"

#include <nlohmann/json.hpp>

#include "tenon/io/json.h"
#include "tenon/nn/attention.h"
#include "tenon/nn/convolution.h"
#include "tenon/nn/convolution_transpose.h"
#include "tenon/nn/embedding.h"
#include "tenon/nn/loss.h"
#include "tenon/nn/pooling.h"
#include "tenon/nn/recurrent.h"
#include "tenon/nn/residual.h"
#include "tenon/optim/gradient_descent.h"
#include "train_testing.h"

namespace tenon {
namespace {

using Json = nlohmann::json;

// Every kind of layer with no attribute at its default.
nn::Sequential every_layer() {
  return {
      nn::Reshape{{4, -1, 1}},
      nn::Conv2D{.filters = 3,
                 .size = {5, 4},
                 .activation = nn::gelu,
                 .strides = {2, 1},
                 .same_padding = true,
                 .dilation = {1, 2},
                 .groups = 1,
                 .use_bias = false,
                 .kernel_initializer = nn::he_normal,
                 .bias_initializer = {nn::InitializerKind::constant, 0.25}},
      nn::MaxPool2D{.size = {3}, .strides = {1, 2}, .same_padding = true},
      nn::AvgPool2D{.size = {1, 2}, .strides = {3}, .same_padding = true},
      nn::BatchNorm{.momentum = 0.75, .epsilon = 1e-3},
      nn::LayerNorm{.epsilon = 1e-4},
      nn::ActivationLayer{nn::softplus},
      nn::Sequential{nn::Flatten{}, nn::Sequential{nn::Dropout{0.1}}},
      nn::Embedding{.rows = 7, .width = 2, .initializer = {nn::InitializerKind::uniform, 0.5}},
      nn::Dense{.units = 11,
                .activation = nn::tanh,
                .use_bias = false,
                .kernel_initializer = nn::glorot_normal,
                .bias_initializer = nn::ones},
      nn::Conv1D{.filters = 5,
                 .size = 4,
                 .activation = nn::hard_swish,
                 .stride = 2,
                 .same_padding = true,
                 .causal_padding = true,
                 .dilation = 3,
                 .groups = 2,
                 .use_bias = false,
                 .kernel_initializer = nn::lecun_normal,
                 .bias_initializer = nn::ones},
      nn::Conv1DTranspose{.filters = 5,
                          .size = 4,
                          .activation = nn::mish,
                          .stride = 2,
                          .same_padding = true,
                          .dilation = 3,
                          .groups = 2,
                          .use_bias = false,
                          .kernel_initializer = nn::orthogonal,
                          .bias_initializer = nn::ones},
      nn::Conv2DTranspose{.filters = 5,
                          .size = {4},
                          .activation = nn::selu,
                          .strides = {2},
                          .same_padding = true,
                          .dilation = {3},
                          .groups = 2,
                          .use_bias = false,
                          .kernel_initializer = nn::identity,
                          .bias_initializer = nn::ones},
      nn::DepthwiseConv2D{.multiplier = 2,
                          .size = {4},
                          .activation = nn::relu6,
                          .strides = {2},
                          .same_padding = true,
                          .dilation = {3},
                          .use_bias = false,
                          .kernel_initializer = {nn::InitializerKind::truncated_normal, 0.1},
                          .bias_initializer = nn::ones},
      nn::SeparableConv2D{.filters = 6,
                          .size = {4},
                          .activation = nn::log_sigmoid,
                          .strides = {2},
                          .same_padding = true,
                          .dilation = {3},
                          .multiplier = 2,
                          .use_bias = false,
                          .kernel_initializer = nn::lecun_uniform,
                          .bias_initializer = nn::ones},
      nn::MaxPool1D{.size = 3, .stride = 1, .same_padding = true},
      nn::AvgPool1D{.size = 3, .stride = 1, .same_padding = true},
      nn::GlobalMaxPool2D{true},
      nn::GlobalAvgPool2D{true},
      nn::GlobalMaxPool1D{true},
      nn::GlobalAvgPool1D{true},
      nn::Permute{{2, 1}},
      nn::LeakyReLU{0.2},
      nn::PReLU{.initializer = nn::zeros},
      nn::SpatialDropout{0.1},
      nn::RMSNorm{.epsilon = 1e-4},
      nn::GroupNorm{.groups = 4, .epsilon = 1e-4},
      nn::InstanceNorm{.epsilon = 1e-4},
      nn::SimpleRNN{.units = 3,
                    .activation = nn::relu,
                    .return_sequences = true,
                    .backwards = true,
                    .use_bias = false,
                    .kernel_initializer = nn::he_normal,
                    .recurrent_initializer = nn::identity,
                    .bias_initializer = nn::ones},
      nn::LSTM{.units = 3,
               .activation = nn::relu,
               .recurrent_activation = nn::hard_sigmoid,
               .return_sequences = true,
               .backwards = true,
               .use_bias = false,
               .kernel_initializer = nn::he_normal,
               .recurrent_initializer = nn::identity,
               .bias_initializer = nn::ones},
      nn::GRU{.units = 3,
              .activation = nn::relu,
              .recurrent_activation = nn::hard_sigmoid,
              .return_sequences = true,
              .backwards = true,
              .use_bias = false,
              .kernel_initializer = nn::he_normal,
              .recurrent_initializer = nn::identity,
              .bias_initializer = nn::ones},
      nn::Bidirectional{nn::GRU{4}, "sum"},
      nn::MultiHeadAttention{.heads = 2,
                             .width = 3,
                             .causal = true,
                             .dropout = 0.1,
                             .rotary_base = 500,
                             .use_bias = false,
                             .kernel_initializer = nn::he_normal,
                             .bias_initializer = nn::ones},
      nn::SinusoidalPositions{.base = 500},
      nn::LearnedPositions{.length = 9, .initializer = nn::zeros},
      nn::Residual{.body = nn::Dense{3}, .projection = nn::Dense{3}, .activation = nn::relu},
  };
}

RunDescription sample_description() {
  RunDescription description;
  description.model = small_model();
  description.loss = "mean_squared_error";
  description.metrics = {"accuracy"};
  description.optimizer = optim::Sgd{.learning_rate = 0.3, .momentum = 0.7, .nesterov = true};
  description.dtype = DType::f64;
  description.seed = ~std::uint64_t{0};
  description.x_row = {DType::u8, {2, 1}};
  description.y_row = {DType::f32, {3}};
  description.normalization = data::Normalization::fit(blobs(5), data::NormalizationKind::standard);
  description.normalization.scale = description.normalization.scale.reshaped({2, 1});
  description.normalization.offset = description.normalization.offset.reshaped({2, 1});
  description.class_names = {"a", "b \"c\""};
  description.training = {"blobs", "0123456789abcdef", 10, 4, 3, false};
  return description;
}

// As a file gives it back: numbers that are not negative are unsigned there.
Json as_read(const Json& json) { return Json::parse(json.dump()); }

TEST(LayersAsJson, EveryKindComesBackAsItWas) {
  const Json json = layer_to_json(nn::Sequential(every_layer()));
  EXPECT_EQ(layer_to_json(layer_from_json(json, "run.json", "model")), json);
  EXPECT_EQ(json["layers"][1]["kernel_initializer"], (Json{{"kind", "he_normal"}, {"scale", 1.0}}));
  EXPECT_EQ(json["layers"][7]["layers"][1]["layers"][0],
            (Json{{"kind", "dropout"}, {"rate", 0.1}}));
  // Every attribute differs from its default, so a reader that skips one is seen.
  std::set<std::string> kinds;
  for (const Json& layer : json["layers"]) {
    const std::string kind = layer["kind"];
    kinds.insert(kind);
    if (kind == "sequential") continue;
    const Json plain = layer_to_json(nn::make_layer(kind));
    ASSERT_EQ(plain.size(), layer.size()) << kind;
    for (const auto& [key, value] : layer.items())
      EXPECT_TRUE(key == "kind" || (kind == "conv2d" && key == "groups") || value != plain[key])
          << kind << " " << key;
  }
  for (const std::string_view kind : nn::layer_kinds())
    EXPECT_TRUE(kinds.contains(std::string(kind)) || kind == "flatten" || kind == "dropout")
        << "not in every_layer(): " << kind;
}

TEST(LayersAsJson, SharedAndFrozenWeightsComeBack) {
  const nn::Dense shared{4, nn::relu};
  shared.bias.set_trainable(false);
  const nn::Sequential model{nn::Dense{4}, shared, nn::Dense{4}, shared};
  const Json json = layer_to_json(model);
  EXPECT_EQ(json["layers"][1]["bias"], (Json{{"trainable", false}}));
  EXPECT_EQ(json["layers"][3]["kernel"], (Json{{"same_as", 2}}));
  EXPECT_EQ(json["layers"][3]["bias"], (Json{{"same_as", 3}}));
  const nn::Layer read = layer_from_json(json, "run.json", "model");
  EXPECT_EQ(layer_to_json(read), json);
  const std::vector<Variable> variables = nn::variables_of(read);
  ASSERT_EQ(variables.size(), 6u);  // each once
  EXPECT_FALSE(variables[3].is_trainable());
}

TEST(Description, ComesBackAsItWas) {
  const Json json = as_read(to_json(sample_description()));
  EXPECT_EQ(to_json(description_from_json(json, "run.json")), json);
  EXPECT_EQ(json["tenon"], "0.1.0");
  EXPECT_EQ(json["format"], 1);
  EXPECT_EQ(json["optimizer"]["learning_rate"].dump(), "0.3");  // not 0.30000001192092896
  EXPECT_EQ(json["seed"], ~std::uint64_t{0});

  const TemporaryFolder folder;
  write_description(folder / "run.json", sample_description());
  EXPECT_EQ(to_json(read_description(folder / "run.json")), json);
}

TEST(Description, DeeplyNestedLayersComeBackOrAreNotWritten) {
  const TemporaryFolder folder;
  RunDescription description = sample_description();
  const auto nest = [&](int times) {
    for (int i = 0; i < times; ++i)
      description.model = nn::Sequential{nn::Layer(description.model)};
  };
  nest(100);
  write_description(folder / "run.json", description);
  const RunDescription found = read_description(folder / "run.json");
  EXPECT_EQ(to_json(found), as_read(to_json(description)));
  nest(io::kMaxJsonDepth / 2);
  EXPECT_EQ(
      error_of([&] { write_description(folder / "deep.json", description); }),
      fmt::format("cannot write {}: JSON nested deeper than 1000 levels", folder / "deep.json"));
  EXPECT_FALSE(std::filesystem::exists(folder / "deep.json"));
}

TEST(Description, EveryOptimizerComesBack) {
  for (const optim::Optimizer& optimizer : std::vector<optim::Optimizer>{
           optim::Adam{.learning_rate = 0.1, .beta1 = 0.5, .weight_decay = 0.01},
           optim::Sgd{.nesterov = true}, optim::GradientDescent{.learning_rate = 3}}) {
    RunDescription description = sample_description();
    description.optimizer = optimizer;
    const Json json = as_read(to_json(description));
    EXPECT_EQ(to_json(description_from_json(json, "run.json")), json);
  }
  for (const optim::OptimizerKind& kind : optim::optimizer_kinds()) {
    RunDescription description = sample_description();
    description.optimizer =
        kind.make({.clip_global_norm = 2, .average_decay = 0.5, .decay_matrices_only = true});
    const Json json = as_read(to_json(description));
    EXPECT_EQ(json["optimizer"]["options"]["clip_global_norm"], 2);
    EXPECT_EQ(to_json(description_from_json(json, "run.json")), json) << kind.kind;
  }
}

TEST(Description, EveryScheduleComesBack) {
  EXPECT_FALSE(to_json(sample_description()).contains("schedule"));
  for (const optim::ScheduleKind& kind : optim::schedule_kinds()) {
    RunDescription description = sample_description();
    description.schedule = kind.make(7);
    const Json json = as_read(to_json(description));
    EXPECT_EQ(json["schedule"]["kind"], kind.kind);
    const RunDescription found = description_from_json(json, "run.json");
    EXPECT_EQ(found.schedule.warmup_steps(), 7);
    EXPECT_EQ(to_json(found), json) << kind.kind;
  }
  RunDescription description = sample_description();
  description.schedule = optim::Cosine{.steps = 5};
  Json json = to_json(description);
  json["schedule"]["steps"] = 0;
  EXPECT_EQ(error_of([&] { description_from_json(json, "run.json"); }),
            fmt::format("run.json: schedule.steps: a whole number from 1 to {} expected, found 0",
                        std::numeric_limits<std::int64_t>::max()));
  json["schedule"]["kind"] = "cosin";
  EXPECT_EQ(error_of([&] {
              description_from_json(json, "run.json");
            }).find("run.json: schedule.kind: unknown schedule \"cosin\"; known: constant"),
            0u);
}

struct HostileCase {
  std::string pointer;
  Json value;  // discarded: the key is removed
  std::string message;
};

TEST(Description, WhatItCannotHaveWrittenIsRefusedByName) {
  const Json removed(Json::value_t::discarded);
  const std::string help =
      "\n  help: parts of your own are not rebuilt from a file; make the Trainer in code, then "
      "trainer.build(data) and trainer.load_weights(\"model.safetensors\")";
  const std::vector<HostileCase> cases = {
      {"/format", 2, "run.json: format: this version of Tenon (0.1.0) reads format 1, found 2"},
      {"/format", "1", "run.json: format: a whole number expected, found \"\\\"1\\\"\""},
      {"/format", removed, "run.json: format: missing"},
      {"/tenon", 1, "run.json: tenon: a text expected, found \"1\""},
      {"/extra", 1, "run.json: \"extra\": unknown key"},
      {"/model", Json::array(), "run.json: model: an object expected, found \"[]\""},
      {"/model/kind", "sequentiel",
       fmt::format(
           "run.json: model.kind: unknown layer kind \"sequentiel\"; known: {}; did you mean "
           "\"sequential\"?{}",
           fmt::join(nn::layer_kinds(), ", "), help)},
      {"/model/layers", 5, "run.json: model.layers: a list of layers expected"},
      {"/model/layers/0/units", removed, "run.json: model.layers[0].units: missing"},
      {"/model/layers/0/units", 8.5,
       "run.json: model.layers[0].units: a whole number expected, found \"8.5\""},
      {"/model/layers/0/units", ~std::uint64_t{0},
       "run.json: model.layers[0].units: a whole number expected, found \"18446744073709551615\""},
      {"/model/layers/1/activation", "rely",
       "run.json: model.layers[1].activation: unknown activation \"rely\"; known: linear, relu, "
       "leaky_relu, elu, gelu, gelu_tanh, silu, sigmoid, tanh, softmax, log_softmax, softplus, "
       "relu6, selu, mish, log_sigmoid, hard_sigmoid, hard_swish; "
       "did you mean \"relu\"?"},
      {"/model/layers/0/use_bias", 1,
       "run.json: model.layers[0].use_bias: true or false expected, found \"1\""},
      {"/model/layers/0/kernel_initializer/scale", "x",
       "run.json: model.layers[0].kernel_initializer.scale: a number expected, found "
       "\"\\\"x\\\"\""},
      {"/model/layers/0/kernel", Json{{"same_as", 0}},
       "run.json: model.layers[0].kernel.same_as: there is no earlier weight"},
      {"/model/layers/1/kernel", Json{{"same_as", 2}},
       "run.json: model.layers[1].kernel.same_as: a whole number from 0 to 1 expected, found 2"},
      {"/model/layers/1/kernel", Json{{"trainable", true}, {"x", 1}},
       "run.json: model.layers[1].kernel.\"x\": unknown key"},
      {"/model/layers/1/colour", "red", "run.json: model.layers[1].\"colour\": unknown key"},
      {"/loss", "mean",
       "run.json: loss: unknown loss \"mean\"; known: "
       "sparse_categorical_cross_entropy_from_logits, sparse_categorical_cross_entropy, "
       "categorical_cross_entropy_from_logits, categorical_cross_entropy, "
       "binary_cross_entropy_from_logits, binary_cross_entropy, mean_squared_error" +
           help},
      {"/metrics", "accuracy",
       "run.json: metrics: a list of texts expected, found \"\\\"accuracy\\\"\""},
      {"/metrics/0", "recall",
       "run.json: metrics: unknown metric \"recall\"; known: accuracy" + help},
      {"/optimizer/kind", "sgb",
       "run.json: optimizer.kind: unknown optimizer \"sgb\"; known: adam, adamw, sgd, "
       "gradient_descent, adamax, nadam, rmsprop, adagrad, adadelta, lion, lamb, adafactor, muon; "
       "did you mean \"sgd\"?" +
           help},
      {"/optimizer/learning_rate", -1.5,
       "run.json: optimizer.learning_rate: a number finite and above 0 expected, found -1.5"},
      {"/optimizer/momentum", 1e300,
       "run.json: optimizer.momentum: a number in [0, 1) expected, found 1e+300"},
      {"/dtype", "f16", "run.json: dtype: f32 or f64 expected, found \"f16\""},
      {"/seed", -1, "run.json: seed: a whole number from 0 expected, found \"-1\""},
      {"/input/dtype", "f31", "run.json: input.dtype: unknown element type \"f31\""},
      {"/input/shape", Json(std::vector<int>{-2}),
       "run.json: input.shape: shape [-2] has a negative extent"},
      {"/normalization/kind", "0,2",
       "run.json: normalization \"0,2\": 0,1 or -1,1 or standard or none expected"},
      {"/input/shape", Json(std::vector<unsigned>{3, 1}),
       "run.json: normalization: fitted for samples [2, 1], the input is u8[3,1]"},
      {"/class_names", Json{1},
       "run.json: class_names: a list of texts expected, one entry is \"1\""},
      {"/training/samples", -5,
       "run.json: training.samples: a whole number from 0 to 9223372036854775807 expected, found "
       "-5"},
  };
  for (const HostileCase& hostile : cases) {
    Json json = as_read(to_json(sample_description()));
    const Json::json_pointer place(hostile.pointer);
    if (hostile.value.is_discarded())
      json.at(place.parent_pointer()).erase(place.back());
    else
      json[place] = hostile.value;
    EXPECT_EQ(error_of([&] { description_from_json(json, "run.json"); }), hostile.message)
        << hostile.pointer;
  }
}

// Every value replaced by values of every type: read, or refused with the file's name.
TEST(Description, AnyChangeOfAValueIsSurvived) {
  const Json whole = to_json(sample_description()).flatten();
  const std::vector<Json> values = {nullptr,
                                    true,
                                    0,
                                    -1,
                                    1e308,
                                    "text",
                                    Json::array(),
                                    Json::object(),
                                    std::numeric_limits<std::int64_t>::max(),
                                    std::numeric_limits<std::int64_t>::min()};
  int refused = 0;
  for (const auto& [pointer, old] : whole.items())
    for (const Json& value : values) {
      Json json = as_read(to_json(sample_description()));
      json[Json::json_pointer(pointer)] = value;
      try {
        description_from_json(json, "run.json");
      } catch (const UserError& error) {
        ++refused;
        EXPECT_TRUE(std::string_view(error.what()).starts_with("run.json: ")) << error.what();
      }
    }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace tenon
