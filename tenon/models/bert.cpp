#include "tenon/models/bert_parts.h"
#include "tenon/models/transformer_blocks.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/normalization.h"
#include "tenon/nn/residual.h"
#include "tenon/nn/tied.h"

namespace tenon::models {
namespace {

constexpr double kEpsilon = 1e-12;  // of Devlin's norms
const nn::Initializer kNormal{nn::InitializerKind::truncated_normal, 0.02};

nn::Dense dense_of(std::int64_t units, nn::Activation activation = nn::Activation::linear) {
  return {.units = units, .activation = activation, .kernel_initializer = kNormal};
}

}  // namespace

BertOptions with_sizes(std::string_view model, BertOptions options) {
  require_size(model, "the vocabulary", options.vocabulary);
  require_size(model, "context_length", options.context_length);
  require_size(model, "layers", options.layers);
  require_heads(model, options.heads, options.width, options.dropout);
  if (options.hidden == 0) options.hidden = 4 * options.width;
  if (options.embedding == 0) options.embedding = options.width;
  require_size(model, "hidden", options.hidden);
  require_size(model, "embedding", options.embedding);
  return options;
}

SharedEmbeddings shared_embeddings(const BertOptions& sizes) {
  return {nn::Embedding{.rows = sizes.vocabulary,
                        .width = sizes.embedding,
                        .initializer = kNormal,
                        .mask_zero = sizes.mask_zero},
          nn::LearnedPositions{.length = sizes.context_length, .initializer = kNormal}};
}

nn::Sequential bert_encoder(const BertOptions& sizes, const SharedEmbeddings& shared) {
  nn::Sequential model{shared.words, shared.positions, nn::LayerNorm{.epsilon = kEpsilon}};
  add_dropout(model, sizes.dropout);
  if (sizes.embedding != sizes.width) model.add(dense_of(sizes.width));
  for (std::int64_t i = 0; i < sizes.layers; ++i) {
    nn::Sequential attention{nn::MultiHeadAttention{.heads = sizes.heads,
                                                    .dropout = sizes.dropout,
                                                    .kernel_initializer = kNormal,
                                                    .output_initializer = kNormal}};
    add_dropout(attention, sizes.dropout);
    model.add(nn::Residual{.body = attention});
    model.add(nn::LayerNorm{.epsilon = kEpsilon});
    nn::Sequential dense;
    add_feed_forward(dense, {sizes.width, sizes.hidden, nn::gelu, true, kNormal, kNormal},
                     sizes.dropout);
    model.add(nn::Residual{.body = dense});
    model.add(nn::LayerNorm{.epsilon = kEpsilon});
  }
  return model;
}

void add_language_head(nn::Sequential& model, const BertOptions& sizes,
                       const SharedEmbeddings& shared) {
  model.add(dense_of(sizes.embedding, nn::gelu));
  model.add(nn::LayerNorm{.epsilon = kEpsilon});
  model.add(
      nn::TiedDense{.units = sizes.vocabulary, .use_bias = true, .table = shared.words.table});
}

void add_token_head(nn::Sequential& model, const BertOptions& sizes) {
  model.add(dense_of(sizes.width, nn::gelu));
  model.add(dense_of(1));
}

nn::Sequential bert(const BertOptions& options) {
  const BertOptions sizes = with_sizes("bert", options);
  const SharedEmbeddings shared = shared_embeddings(sizes);
  nn::Sequential model = bert_encoder(sizes, shared);
  if (sizes.language_head) add_language_head(model, sizes, shared);
  return model;
}

}  // namespace tenon::models
