#include "tenon/data/tokenizer_model.h"

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/data/text_unicode.h"

namespace tenon::data {
namespace {

std::vector<TokenTrie::Entry> trie_entries(const TokenVocabulary& vocabulary) {
  std::vector<TokenTrie::Entry> entries;
  const std::vector<std::string>& tokens = vocabulary.tokens();
  for (std::size_t id = 0; id < tokens.size(); ++id)
    if (!tokens[id].empty()) entries.push_back({tokens[id], static_cast<std::int32_t>(id)});
  return entries;
}

std::int32_t unknown_id(const TokenVocabulary& vocabulary, const std::string& unknown,
                        std::string_view word) {
  const std::optional<std::int32_t> id = vocabulary.id_of(unknown);
  require(id.has_value(),
          "the word {} is not in the vocabulary, and neither is the unknown token {}",
          in_quotes(word), in_quotes(unknown));
  return *id;
}

}  // namespace

TokenVocabulary::TokenVocabulary(std::vector<std::string> tokens, const std::string& where)
    : tokens_(std::move(tokens)) {
  ids_.reserve(tokens_.size());
  for (std::size_t id = 0; id < tokens_.size(); ++id)
    if (!tokens_[id].empty())
      require(ids_.emplace(tokens_[id], static_cast<std::int32_t>(id)).second,
              "{}: the token {} appears twice", where, in_quotes(tokens_[id]));
}

std::optional<std::int32_t> TokenVocabulary::id_of(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

WordPieceModel::WordPieceModel(std::shared_ptr<const TokenVocabulary> vocabulary, Options options)
    : vocabulary_(std::move(vocabulary)),
      options_(std::move(options)),
      trie_(trie_entries(*vocabulary_)),
      inner_(trie_.walk(options_.prefix)) {}

void WordPieceModel::encode(std::string_view word, std::vector<std::int32_t>& ids) const {
  const std::size_t before = ids.size();
  const auto fail = [&] {
    ids.resize(before);
    ids.push_back(unknown_id(*vocabulary_, options_.unknown, word));
  };
  if (count_characters(word) > static_cast<std::size_t>(options_.most_characters)) return fail();
  for (std::size_t place = 0; place < word.size();) {
    if (place > 0 && !inner_) return fail();
    const std::optional<TokenTrie::Found> found =
        trie_.longest(word.substr(place), place == 0 ? TokenTrie::kRoot : *inner_);
    if (!found) return fail();
    ids.push_back(found->id);
    place += found->length;
  }
}

void WordLevelModel::encode(std::string_view word, std::vector<std::int32_t>& ids) const {
  const std::optional<std::int32_t> id = vocabulary_->id_of(word);
  ids.push_back(id ? *id : unknown_id(*vocabulary_, unknown_, word));
}

}  // namespace tenon::data
