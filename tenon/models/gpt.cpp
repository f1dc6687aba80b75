#include <array>
#include <cmath>

#include "tenon/base/unknown_name.h"
#include "tenon/models/language.h"
#include "tenon/models/transformer_blocks.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/embedding.h"
#include "tenon/nn/normalization.h"
#include "tenon/nn/residual.h"
#include "tenon/nn/tied.h"

namespace tenon::models {
namespace {

struct GptSize {
  std::string_view name;
  std::int64_t layers, heads, width;
};
constexpr std::array<GptSize, 4> kGpt2Sizes = {
    GptSize{"gpt2", 12, 12, 768}, GptSize{"gpt2-medium", 24, 16, 1024},
    GptSize{"gpt2-large", 36, 20, 1280}, GptSize{"gpt2-xl", 48, 25, 1600}};

}  // namespace

GptOptions gpt_sizes(std::string_view name) {
  GptOptions options;
  if (name == "char") return options;
  std::vector<std::string_view> known{"char"};
  for (const GptSize& size : kGpt2Sizes) {
    known.push_back(size.name);
    if (size.name != name) continue;
    options.vocabulary = 50257;
    options.context_length = 1024;
    options.layers = size.layers;
    options.heads = size.heads;
    options.width = size.width;
    return options;
  }
  throw_unknown("size of gpt", name, known);
}

nn::Sequential gpt(const GptOptions& options) {
  require_size("gpt", "the vocabulary", options.vocabulary);
  require_size("gpt", "context_length", options.context_length);
  require_size("gpt", "layers", options.layers);
  require_heads("gpt", options.heads, options.width, options.dropout);
  const nn::Initializer normal{nn::InitializerKind::normal, 0.02};
  const nn::Initializer last{nn::InitializerKind::normal,
                             0.02 / std::sqrt(2.0 * static_cast<double>(options.layers))};
  const nn::Embedding words{
      .rows = options.vocabulary, .width = options.width, .initializer = normal};

  nn::Sequential model{words};
  if (options.rotary_base == 0)
    model.add(nn::LearnedPositions{.length = options.context_length, .initializer = normal});
  add_dropout(model, options.dropout);
  for (std::int64_t i = 0; i < options.layers; ++i) {
    nn::Sequential attention{nn::LayerNorm{},
                             nn::MultiHeadAttention{.heads = options.heads,
                                                    .causal = true,
                                                    .dropout = options.dropout,
                                                    .rotary_base = options.rotary_base,
                                                    .use_bias = options.use_bias,
                                                    .kernel_initializer = normal,
                                                    .output_initializer = last}};
    add_dropout(attention, options.dropout);
    model.add(nn::Residual{.body = attention});
    nn::Sequential dense{nn::LayerNorm{}};
    add_feed_forward(
        dense,
        {options.width, 4 * options.width, options.activation, options.use_bias, normal, last},
        options.dropout);
    model.add(nn::Residual{.body = dense});
  }
  model.add(nn::LayerNorm{});
  if (options.tied)
    model.add(nn::TiedDense{.units = options.vocabulary, .table = words.table});
  else
    model.add(
        nn::Dense{.units = options.vocabulary, .use_bias = false, .kernel_initializer = normal});
  return model;
}

}  // namespace tenon::models
