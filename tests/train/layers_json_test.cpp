// Layers as JSON: every kind comes back as it was, with shared and frozen weights.
#include <nlohmann/json.hpp>

#include "tenon/nn/attention.h"
#include "tenon/nn/convolution.h"
#include "tenon/nn/convolution_transpose.h"
#include "tenon/nn/distilled.h"
#include "tenon/nn/electra.h"
#include "tenon/nn/embedding.h"
#include "tenon/nn/image_shapes.h"
#include "tenon/nn/log_mel.h"
#include "tenon/nn/masked_tokens.h"
#include "tenon/nn/penalty.h"
#include "tenon/nn/pooling.h"
#include "tenon/nn/quantized.h"
#include "tenon/nn/recurrent.h"
#include "tenon/nn/residual.h"
#include "tenon/nn/sequence_steps.h"
#include "tenon/nn/skip.h"
#include "tenon/nn/tied.h"
#include "tenon/nn/variational.h"
#include "tenon/train/description.h"
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
      nn::Embedding{.rows = 7,
                    .width = 2,
                    .initializer = {nn::InitializerKind::uniform, 0.5},
                    .mask_zero = true},
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
                             .bias_initializer = nn::ones,
                             .output_initializer = nn::ones},
      nn::SinusoidalPositions{.base = 500},
      nn::LearnedPositions{.length = 9, .initializer = nn::zeros},
      nn::TiedDense{.units = 4,
                    .use_bias = true,
                    .table_initializer = nn::ones,
                    .bias_initializer = nn::ones},
      nn::Electra{.discriminator_weight = 7,
                  .draws = false,
                  .mask_rate = 0.5,
                  .mask_token = 9,
                  .generator = nn::Dense{3},
                  .discriminator = nn::Dense{3}},
      nn::QuantizedDense{.units = 4, .activation = nn::relu, .use_bias = false},
      nn::QuantizedConv2D{.filters = 3,
                          .size = {5, 4},
                          .activation = nn::gelu,
                          .strides = {2, 1},
                          .same_padding = true,
                          .dilation = {1, 2},
                          .groups = 3,
                          .use_bias = false},
      nn::Distilled{nn::Dense{3}, nn::Dense{3}, 3, 0.25},
      nn::MaskedTokens{.rate = 0.5, .mask_token = 9, .model = nn::Dense{3}},
      nn::Residual{.body = nn::Dense{3}, .projection = nn::Dense{3}, .activation = nn::relu},
      nn::Penalized{nn::Dense{3},
                    {.weights = "*bias", .l1 = 1, .l2 = 2, .activity_l1 = 3, .activity_l2 = 4}},
      nn::ZeroPad2D{.before = {2, 3}, .after = {4, 5}},
      nn::UpSample2D{.size = {3, 4}},
      nn::ChannelShortcut{.channels = 7, .stride = 3},
      nn::SkipConcat{nn::Dense{3}},
      nn::ClassToken{.initializer = nn::ones},
      nn::SelectStep{.step = 4},
      nn::Variational{.weight = 0.5, .noise = 0.25},
      nn::LogMel{.rate = 8000, .fft = 256, .hop = 77, .window = 200, .bands = 9, .floor = 1e-3},
  };
}

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

}  // namespace
}  // namespace tenon
