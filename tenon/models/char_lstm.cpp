#include "tenon/models/language.h"
#include "tenon/models/transformer_blocks.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/embedding.h"
#include "tenon/nn/recurrent.h"

namespace tenon::models {

nn::Sequential char_lstm(const CharLstmOptions& options) {
  require_size("char_lstm", "the vocabulary", options.vocabulary);
  require_size("char_lstm", "the embedding's width", options.embedding);
  require(!options.units.empty(), "char_lstm: at least one LSTM layer expected");
  require(options.dropout >= 0 && options.dropout < 1,
          "char_lstm: dropout must be in [0, 1), got {}", options.dropout);
  nn::Sequential model{nn::Embedding{.rows = options.vocabulary,
                                     .width = options.embedding,
                                     .initializer = {nn::InitializerKind::uniform, 0.05}}};
  for (const std::int64_t units : options.units) {
    require_size("char_lstm", "units", units);
    model.add(nn::LSTM{.units = units, .return_sequences = true});
    add_dropout(model, options.dropout);
  }
  model.add(nn::Dense{options.vocabulary});
  return model;
}

}  // namespace tenon::models
