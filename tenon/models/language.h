// Networks of texts: gpt, char_lstm, bert, electra. Samples are integer ids [time].
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "tenon/nn/activation.h"
#include "tenon/nn/electra.h"
#include "tenon/nn/sequential.h"

namespace tenon::models {

struct GptOptions {
  std::int64_t vocabulary = 65;
  std::int64_t context_length = 64;  // rows of the table of positions: the most steps it sees
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t width = 128;
  double dropout = 0;      // after the embeddings, of attention weights, at the end of each branch
  bool tied = true;        // the head is the embedding's table
  bool use_bias = true;    // of attention and dense layers
  double rotary_base = 0;  // above 0: positions turn queries and keys instead of being learned
  nn::Activation activation = nn::gelu_tanh;
};

// Sizes by name: "char" (those above), "gpt2" (124 M parameters), "gpt2-medium" (355 M),
// "gpt2-large" (774 M) and "gpt2-xl" (1.6 G), with GPT-2's vocabulary of 50257 and 1024 positions.
// UserError listing the known names.
GptOptions gpt_sizes(std::string_view name);

// GPT-2 (Radford et al. 2019): token and position embeddings; blocks of x + attention(norm(x)) and
// x + dense(gelu(dense(norm(x)))), the inner width 4 times `width`, causal; a last norm; logits
// [batch, time, vocabulary] by the embedding's table. Weights start normal with deviation 0.02, in
// the last layer of each branch divided by sqrt(2 layers); biases at 0. Trained on ids and the same
// ids one step later with sparse_categorical_cross_entropy_from_logits. UserError for sizes below
// 1 and heads that do not divide the width.
nn::Sequential gpt(const GptOptions& options = {});

struct CharLstmOptions {
  std::int64_t vocabulary = 65;
  std::int64_t embedding = 128;
  std::vector<std::int64_t> units{256, 256};  // of each LSTM layer
  double dropout = 0;                         // between and after the LSTM layers
};
// Ids to embeddings, LSTM layers, and a dense layer of logits [batch, time, vocabulary]. UserError
// for sizes below 1.
nn::Sequential char_lstm(const CharLstmOptions& options = {});

struct BertOptions {
  std::int64_t vocabulary = 30522;
  std::int64_t context_length = 512;
  std::int64_t layers = 12;
  std::int64_t heads = 12;
  std::int64_t width = 768;
  std::int64_t hidden = 0;     // of the dense layers in between; 0: 4 times width
  std::int64_t embedding = 0;  // width of the table; another than `width` is projected; 0: width
  double dropout = 0.1;
  bool mask_zero = true;  // id 0 is padding, which is not attended to
  // Logits of each id for each step, [batch, time, vocabulary]; without it the encoder alone,
  // [batch, time, width].
  bool language_head = true;
};

// The encoder of Devlin et al. 2019 (BERT; base has the sizes above) without segments: token and
// position embeddings and a norm; blocks of norm(x + attention(x)) and norm(x + dense(gelu(dense(
// x)))); a head of dense, gelu, norm and the embedding's table with a bias. Weights start as
// truncated normal of deviation 0.02. Trained on ids of which some are masked, with targets of -1
// where none is. UserError for sizes below 1 and heads that do not divide the width.
nn::Sequential bert(const BertOptions& options = {});

struct ElectraOptions {
  BertOptions discriminator{};  // also the sizes of what both share; language_head is not used
  // Of the generator, which is narrower: a quarter of the heads, width and hidden width; 0: those.
  std::int64_t generator_layers = 0;  // 0: as many as the discriminator
  std::int64_t generator_heads = 0;
  std::int64_t generator_width = 0;
  double discriminator_weight = 50;
  bool draws = true;  // see nn::Electra
  // Above 0: tokens are masked anew in every step by the last id of the vocabulary, which the texts
  // do not use; 0: they come masked.
  double mask_rate = 0;
};
// Generator and discriminator with shared token and position embeddings (Clark et al. 2020); the
// discriminator ends in dense, gelu and one logit for each step. UserError as for bert.
nn::Electra electra(const ElectraOptions& options = {});

}  // namespace tenon::models
