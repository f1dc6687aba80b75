// What a tokenizer knows, as its file gives it.
#pragma once
#include <bitset>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tenon/data/tokenizer.h"
#include "tenon/data/tokenizer_model.h"
#include "tenon/data/tokenizer_steps.h"

namespace tenon::data {

// A token that is looked for in the text itself, before or after it is normalized.
struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool single_word = false;                      // only where no word character touches it
  bool takes_left = false, takes_right = false;  // the white space beside it, too
  bool normalized = true;
  bool special = false;
};

class AddedTokens {
 public:
  // `patterns`: what is looked for, one for each token, none empty.
  AddedTokens(std::vector<AddedToken> tokens, const std::vector<std::string>& patterns);

  // Calls `found` with each token, longest first of those that begin together, and `between` with
  // each text that is not empty, and its place.
  void each(std::string_view text,
            const std::function<void(std::string_view, std::size_t)>& between,
            const std::function<void(std::int32_t)>& found) const;
  bool empty() const { return tokens_.empty(); }

 private:
  std::vector<AddedToken> tokens_;
  TokenTrie trie_;  // to places in tokens_
  std::bitset<256> first_bytes_;
};

struct Tokenizer::Parts {
  std::string json;
  std::string_view kind;
  std::vector<token_steps::Normalizer> normalizers;
  std::vector<token_steps::Splitter> splitters;
  std::vector<token_steps::Decoder> decoders;
  std::string between_tokens;  // put between decoded tokens: a space if there is no decoder
  std::shared_ptr<const TokenModel> model;
  AddedTokens plain_added, normalized_added;
  std::vector<std::int32_t> before, after;  // special tokens around a text
  std::vector<std::string> tokens;          // all, by id
  std::vector<bool> special;                // by id
  std::unordered_map<std::string, std::int32_t> ids;

  // Adds the ids of a text without those around it.
  void encode(std::string_view text, std::vector<std::int32_t>& ids) const;
};

}  // namespace tenon::data
