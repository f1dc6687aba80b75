#include <algorithm>
#include <array>
#include <mutex>

#include "tenon/base/error.h"
#include "tenon/base/hash.h"
#include "tenon/base/text.h"
#include "tenon/data/text_unicode.h"
#include "tenon/data/tokenizer_model.h"

namespace tenon::data {
namespace {

constexpr std::size_t kNearCharacters = 1 << 16;
constexpr std::int32_t kNoSymbol = -1;

}  // namespace

// Ids of short words that were encoded; a part that is full begins anew.
struct BpeModel::Cache {
  static constexpr std::size_t kParts = 16;
  static constexpr std::size_t kMostWords = 2048;  // of a part
  static constexpr std::size_t kMostBytes = 48;    // of a word

  struct Part {
    std::mutex mutex;
    std::unordered_map<std::string, std::vector<std::int32_t>> ids;
  };
  std::array<Part, kParts> parts;

  Part& part_of(std::string_view word) { return parts[hash_text(word) % kParts]; }
  bool find(const std::string& word, std::vector<std::int32_t>& ids) {
    Part& part = part_of(word);
    const std::lock_guard lock(part.mutex);
    const auto found = part.ids.find(word);
    if (found == part.ids.end()) return false;
    ids.insert(ids.end(), found->second.begin(), found->second.end());
    return true;
  }
  void keep(std::string word, std::vector<std::int32_t> ids) {
    Part& part = part_of(word);
    const std::lock_guard lock(part.mutex);
    if (part.ids.size() >= kMostWords) part.ids.clear();
    part.ids.emplace(std::move(word), std::move(ids));
  }
};

BpeModel::BpeModel(std::shared_ptr<const TokenVocabulary> vocabulary,
                   const std::vector<Merge>& merges, Options options)
    : vocabulary_(std::move(vocabulary)),
      options_(std::move(options)),
      unknown_(vocabulary_->id_of(options_.unknown)),
      near_ids_(kNearCharacters, kNoSymbol),
      merges_(merges.size()),
      has_merges_(!merges.empty()),
      cache_(std::make_shared<Cache>()) {
  for (std::size_t rank = 0; rank < merges.size(); ++rank)
    merges_.set(static_cast<std::uint32_t>(merges[rank].left),
                static_cast<std::uint32_t>(merges[rank].right),
                std::uint64_t{rank} << 32 | static_cast<std::uint32_t>(merges[rank].result));
  const std::vector<std::string>& tokens = vocabulary_->tokens();
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].empty()) continue;
    const Character character = front_character(tokens[id]);
    if (character.length == tokens[id].size() && character.code < kNearCharacters)
      near_ids_[character.code] = static_cast<std::int32_t>(id);
  }
  if (options_.byte_fallback)
    for (int byte = 0; byte < 256; ++byte)
      byte_ids_.push_back(vocabulary_->id_of(fmt::format("<0x{:02X}>", byte)).value_or(kNoSymbol));
}

std::optional<std::int32_t> BpeModel::id_of_symbol(std::string_view character, bool first,
                                                   bool last) const {
  const bool has_prefix = !first && !options_.prefix.empty();
  const bool has_suffix = last && !options_.suffix.empty();
  if (has_prefix || has_suffix)
    return vocabulary_->id_of(fmt::format("{}{}{}", has_prefix ? options_.prefix : "", character,
                                          has_suffix ? options_.suffix : ""));
  const char32_t code = front_character(character).code;
  if (code >= kNearCharacters) return vocabulary_->id_of(character);
  if (near_ids_[code] == kNoSymbol) return std::nullopt;
  return near_ids_[code];
}

// The bytes of a symbol that is no token, prefix and suffix included. False if one is no token.
bool BpeModel::add_bytes(std::string_view symbol, std::vector<std::int32_t>& symbols) const {
  const auto id = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
  if (std::ranges::any_of(symbol, [&](char byte) { return id(byte) == kNoSymbol; })) return false;
  for (const char byte : symbol) symbols.push_back(id(byte));
  return true;
}

void BpeModel::first_symbols(std::string_view word, std::vector<std::int32_t>& symbols) const {
  // An unknown symbol is held back until the next known one, past bytes, as the package does.
  bool unknown_waits = false;
  for (std::size_t place = 0; place < word.size();) {
    const std::size_t length = front_character(word.substr(place)).length;
    const std::string_view character = word.substr(place, length);
    const bool first = place == 0, last = place + length == word.size();
    if (const std::optional<std::int32_t> id = id_of_symbol(character, first, last)) {
      if (unknown_waits) symbols.push_back(*unknown_);
      unknown_waits = false;
      symbols.push_back(*id);
    } else if (!options_.byte_fallback ||
               !add_bytes(fmt::format("{}{}{}", first ? "" : options_.prefix, character,
                                      last ? options_.suffix : ""),
                          symbols)) {
      require(!options_.needs_all || unknown_.has_value(),
              "the character {} at byte {} is not in the vocabulary of {} characters",
              in_quotes(character), place, vocabulary_->tokens().size());
      require(options_.unknown.empty() || unknown_.has_value(),
              "the character {} is not in the vocabulary, and neither is the unknown token {}",
              in_quotes(character), in_quotes(options_.unknown));
      if (unknown_waits && !options_.fuse_unknown) symbols.push_back(*unknown_);
      unknown_waits = unknown_.has_value();
    }
    place += length;
  }
  if (unknown_waits) symbols.push_back(*unknown_);
}

void BpeModel::merge(std::vector<std::int32_t>& symbols) const {
  struct Candidate {
    std::uint64_t order;  // rank << 32 | place: the lowest rank, of equal ones the leftmost
    std::int32_t result;
    bool operator<(const Candidate& other) const { return order > other.order; }
  };
  const auto count = static_cast<std::int32_t>(symbols.size());
  std::vector<std::int32_t> previous(symbols.size()), next(symbols.size());
  std::vector<Candidate> heap;
  const auto candidate = [&](std::int32_t left, std::int32_t right) -> std::optional<Candidate> {
    const std::uint64_t* merge =
        merges_.find(static_cast<std::uint32_t>(symbols[static_cast<std::size_t>(left)]),
                     static_cast<std::uint32_t>(symbols[static_cast<std::size_t>(right)]));
    if (!merge) return std::nullopt;
    return Candidate{(*merge & ~std::uint64_t{0xffffffff}) | static_cast<std::uint32_t>(left),
                     static_cast<std::int32_t>(*merge & 0xffffffff)};
  };
  for (std::int32_t i = 0; i < count; ++i) {
    previous[static_cast<std::size_t>(i)] = i - 1;
    next[static_cast<std::size_t>(i)] = i + 1;
    if (i + 1 < count)
      if (const auto found = candidate(i, i + 1)) heap.push_back(*found);
  }
  std::make_heap(heap.begin(), heap.end());
  const auto push = [&](const std::optional<Candidate>& found) {
    if (!found) return;
    heap.push_back(*found);
    std::push_heap(heap.begin(), heap.end());
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const Candidate top = heap.back();
    heap.pop_back();
    const auto left = static_cast<std::int32_t>(top.order & 0xffffffff);
    const auto left_place = static_cast<std::size_t>(left);
    const std::int32_t right = next[left_place];
    if (symbols[left_place] == kNoSymbol || right == count) continue;  // merged into another
    const std::optional<Candidate> now = candidate(left, right);
    if (!now || now->result != top.result) continue;  // one of its parts has changed
    symbols[left_place] = top.result;
    symbols[static_cast<std::size_t>(right)] = kNoSymbol;
    const std::int32_t after = next[static_cast<std::size_t>(right)];
    next[left_place] = after;
    if (after < count) previous[static_cast<std::size_t>(after)] = left;
    if (previous[left_place] >= 0) push(candidate(previous[left_place], left));
    if (after < count) push(candidate(left, after));
  }
  std::erase(symbols, kNoSymbol);
}

void BpeModel::encode(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (options_.ignore_merges)
    if (const std::optional<std::int32_t> id = vocabulary_->id_of(word)) return ids.push_back(*id);
  if (!has_merges_) return first_symbols(word, ids);
  constexpr std::size_t kMostBytes = std::size_t{1} << 30;
  require(word.size() <= kMostBytes,
          "a piece of {} bytes without a place to split it; at most {} are supported", word.size(),
          kMostBytes);
  const bool cached = word.size() <= Cache::kMostBytes;
  std::string key(cached ? word : std::string_view());
  if (cached && cache_->find(key, ids)) return;
  std::vector<std::int32_t> symbols;
  first_symbols(word, symbols);
  merge(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
  if (cached) cache_->keep(std::move(key), std::move(symbols));
}

}  // namespace tenon::data
