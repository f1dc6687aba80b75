// The models of a tokenizer.json: what makes ids of the pieces that its splitters give.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "tenon/data/bpe_table.h"

namespace tenon::data {

// The tokens that a model knows, by id and by spelling. Ids may leave gaps for added tokens.
class TokenVocabulary {
 public:
  // An empty text is an id without a token. UserError beginning with `where` for equal tokens.
  TokenVocabulary(std::vector<std::string> tokens, const std::string& where);
  TokenVocabulary(const TokenVocabulary&) = delete;
  TokenVocabulary& operator=(const TokenVocabulary&) = delete;

  const std::vector<std::string>& tokens() const { return tokens_; }
  std::optional<std::int32_t> id_of(std::string_view token) const;

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string_view, std::int32_t> ids_;  // views of tokens_
};

// Byte pair encoding (Sennrich, Haddow and Birch, "Neural machine translation of rare words with
// subword units", 2016): the characters of a word, joined by the merges of lowest rank first.
class BpeModel {
 public:
  struct Merge {
    std::int32_t left, right, result;
  };
  struct Options {
    std::string unknown;  // the token of characters that are not known; none if empty
    std::string prefix;   // of symbols that do not begin a word
    std::string suffix;   // of the symbol that ends one
    bool fuse_unknown = false;
    bool byte_fallback = false;  // unknown characters become tokens <0x..> of their bytes
    bool ignore_merges = false;  // a word that is a token is that token
    bool needs_all = false;      // UserError for characters that are not known
  };
  // The rank of a merge is its place; of equal pairs the last counts.
  BpeModel(std::shared_ptr<const TokenVocabulary> vocabulary, const std::vector<Merge>& merges,
           Options options);

  // Adds the ids of a word, in time n log n of its length. Unknown characters that nothing stands
  // for are left out.
  void encode(std::string_view word, std::vector<std::int32_t>& ids) const;

 private:
  struct Cache;

  void first_symbols(std::string_view word, std::vector<std::int32_t>& symbols) const;
  void merge(std::vector<std::int32_t>& symbols) const;
  std::optional<std::int32_t> id_of_symbol(std::string_view character, bool first, bool last) const;
  bool add_bytes(std::string_view symbol, std::vector<std::int32_t>& symbols) const;

  std::shared_ptr<const TokenVocabulary> vocabulary_;
  Options options_;
  std::optional<std::int32_t> unknown_;
  std::vector<std::int32_t> near_ids_;  // of characters below 2^16; -1: not known
  std::vector<std::int32_t> byte_ids_;  // of <0x00> to <0xFF>; -1: not known
  PairTable merges_;                    // rank << 32 | result
  bool has_merges_;
  std::shared_ptr<Cache> cache_;
};

// Greedy longest match from the left (Wu et al., "Google's neural machine translation system",
// 2016, as BERT uses it).
class WordPieceModel {
 public:
  struct Options {
    std::string unknown;
    std::string prefix;                  // of tokens that do not begin a word
    std::int64_t most_characters = 100;  // longer words are unknown
  };
  WordPieceModel(std::shared_ptr<const TokenVocabulary> vocabulary, Options options);
  // Adds the ids of a word. UserError if it is unknown and there is no unknown token.
  void encode(std::string_view word, std::vector<std::int32_t>& ids) const;

 private:
  std::shared_ptr<const TokenVocabulary> vocabulary_;
  Options options_;
  TokenTrie trie_;
  std::optional<std::uint32_t> inner_;  // the node behind the prefix
};

// Whole words.
class WordLevelModel {
 public:
  WordLevelModel(std::shared_ptr<const TokenVocabulary> vocabulary, std::string unknown)
      : vocabulary_(std::move(vocabulary)), unknown_(std::move(unknown)) {}
  // Adds the id of a word. UserError if it is unknown and there is no unknown token.
  void encode(std::string_view word, std::vector<std::int32_t>& ids) const;

 private:
  std::shared_ptr<const TokenVocabulary> vocabulary_;
  std::string unknown_;
};

// The most likely of all ways to write a word in tokens, each with the logarithm of its probability
// (Kudo, "Subword regularization", 2018), as the package `tokenizers` finds it: the best path from
// the left; of equal ones the one found first.
class UnigramModel {
 public:
  struct Options {
    std::vector<double> scores;           // of the model's tokens, which are the first ids
    std::optional<std::int32_t> unknown;  // the token of characters that are not known
    bool byte_fallback = false;           // those become tokens <0x..> of their bytes
  };
  UnigramModel(std::shared_ptr<const TokenVocabulary> vocabulary, Options options);
  // Adds the ids of a word, in time of its length times that of the longest token. UserError for a
  // character that is not known if there is no unknown token.
  void encode(std::string_view word, std::vector<std::int32_t>& ids) const;

 private:
  static constexpr std::int32_t kUnknown = -1;
  void add(std::string_view part, std::vector<std::int32_t>& ids) const;

  std::shared_ptr<const TokenVocabulary> vocabulary_;
  Options options_;
  TokenTrie trie_;
  double unknown_score_;
  std::array<std::optional<std::int32_t>, 256> byte_ids_;
};

using TokenModel = std::variant<BpeModel, WordPieceModel, WordLevelModel, UnigramModel>;

}  // namespace tenon::data
