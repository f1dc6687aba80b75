#include "tenon/train/description.h"

#include <nlohmann/json.hpp>

#include "tenon/io/json.h"
#include "tenon/nn/loss.h"
#include "tenon/optim/gradient_descent.h"
#include "train_testing.h"

namespace tenon {
namespace {

using Json = nlohmann::json;

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
       "binary_cross_entropy_from_logits, binary_cross_entropy, mean_squared_error, "
       "mean_absolute_error, huber, hinge, kl_divergence_from_logits, kl_divergence, "
       "cosine_similarity, sparse_categorical_focal_cross_entropy_from_logits, "
       "sparse_categorical_focal_cross_entropy, "
       "categorical_focal_cross_entropy_from_logits, categorical_focal_cross_entropy, "
       "binary_focal_cross_entropy_from_logits, binary_focal_cross_entropy, "
       "entropy_from_logits, entropy, ctc, triplet, triplet_hard, triplet_semi_hard, contrastive, "
       "info_nce, nt_xent" +
           help},
      {"/metrics", "accuracy",
       "run.json: metrics: a list of texts expected, found \"\\\"accuracy\\\"\""},
      {"/metrics/0", "recal",
       "run.json: metrics: unknown metric \"recal\"; known: "
       "accuracy, top_k_accuracy, precision, recall, f1, macro_precision, macro_recall, "
       "macro_f1, specificity, balanced_accuracy, matthews_correlation, cohen_kappa, mean_iou, "
       "dice, "
       "roc_auc, pr_auc, log_loss, perplexity, mean_squared_error, mean_absolute_error, "
       "root_mean_squared_error, r2; did you mean \"recall\"?" +
           help},
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
       "run.json: normalization \"0,2\": 0,1 or -1,1 or standard or channels or none expected"},
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
