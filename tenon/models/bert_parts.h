// The parts that bert and electra are made of.
#pragma once
#include "tenon/models/language.h"
#include "tenon/nn/attention.h"
#include "tenon/nn/embedding.h"

namespace tenon::models {

struct SharedEmbeddings {
  nn::Embedding words;
  nn::LearnedPositions positions;
};

// The options with what 0 stands for. UserError, naming the model, for sizes that cannot be.
BertOptions with_sizes(std::string_view model, BertOptions options);
SharedEmbeddings shared_embeddings(const BertOptions& sizes);
// Ids [batch, time] -> [batch, time, width].
nn::Sequential bert_encoder(const BertOptions& sizes, const SharedEmbeddings& shared);
// Logits of each id by the shared table.
void add_language_head(nn::Sequential& model, const BertOptions& sizes,
                       const SharedEmbeddings& shared);
// One logit for each step.
void add_token_head(nn::Sequential& model, const BertOptions& sizes);

}  // namespace tenon::models
