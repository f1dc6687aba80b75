// The data of `tenon train`: in memory, or streamed while steps run.
#pragma once
#include "tenon/cli/train_options.h"
#include "tenon/data/source.h"

namespace tenon::cli {

struct TrainData {
  data::Source train;
  // Rows to predict: of the training data, its first ones if it is streamed from files.
  data::Dataset shown;
  std::optional<data::Dataset> validation, test;
  std::optional<data::Tokenizer> tokenizer = {};
  // Of a stream: what was left out, if bad samples are skipped.
  std::optional<data::BadSamples> bad = {};
  data::TableColumns columns = {};  // of csv: with names
  // Of images that are streamed: the labels, with their numbers as x.
  std::optional<data::Dataset> labels = {};
  bool is_in_memory = true;  // then `shown` are all samples

  // What the labels are.
  data::Source labelled() const {
    if (is_in_memory) return shown;
    return labels ? data::Source(*labels) : train;
  }
};

// Streams what --workers asks to be streamed, and records from a pipe or a peer in any case; holds
// all else in memory. OptionError for options that do not fit the data, UserError for files.
TrainData open_train_data(const TrainCommand& command);

}  // namespace tenon::cli
