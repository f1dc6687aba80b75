// Learns a byte-level BPE tokenizer from texts.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/data/tokenizer.h"

namespace tenon::data {

struct BpeTrainOptions {
  std::int64_t vocabulary_size = 30000;          // at most; at least 256 and the special tokens
  std::int64_t least_count = 2;                  // a pair that appears less often is not merged
  std::vector<std::string> special_tokens = {};  // the first ids; never split
  // Oniguruma's syntax: its matches, and what is between them, are merged one by one. GPT-2's if
  // empty.
  std::string pattern = "";
};

// Ids: the special tokens, the 256 bytes, the merges in the order in which they were learnt: the
// most frequent pair first, of equally frequent ones that with the smaller ids (the rules of the
// package `tokenizers`, whose trainer gives the same). UserError for options out of range.
Tokenizer train_bpe(std::span<const std::string> texts, const BpeTrainOptions& options = {});

}  // namespace tenon::data
