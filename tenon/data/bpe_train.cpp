#include "tenon/data/bpe_train.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/data/text_unicode.h"
#include "tenon/data/tokenizer_json_steps.h"
#include "tenon/data/tokenizer_steps.h"
#include "tenon/io/json.h"

namespace tenon::data {
namespace {

using SymbolPair = std::pair<std::int32_t, std::int32_t>;

struct SymbolPairHash {
  std::size_t operator()(const SymbolPair& pair) const {
    const auto key = std::uint64_t{static_cast<std::uint32_t>(pair.first)} << 32 |
                     static_cast<std::uint32_t>(pair.second);
    const std::uint64_t mixed = (key ^ key >> 32) * 0xff51afd7ed558ccdull;
    return static_cast<std::size_t>(mixed ^ mixed >> 33);
  }
};
template <class Value>
using PairMap = std::unordered_map<SymbolPair, Value, SymbolPairHash>;

struct CountedWord {
  std::vector<std::int32_t> symbols;
  std::int64_t count;
};

// A pair, how often it was there when it was queued, and the words that it was seen in since.
struct QueuedPair {
  std::int64_t count;
  SymbolPair pair;
  std::vector<std::size_t> words;
  bool operator<(const QueuedPair& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class BpeLearner {
 public:
  BpeLearner(std::vector<std::string> tokens, std::vector<CountedWord> words)
      : tokens_(std::move(tokens)), words_(std::move(words)) {
    for (std::size_t id = 0; id < tokens_.size(); ++id)
      ids_.emplace(tokens_[id], static_cast<std::int32_t>(id));
    for (std::size_t i = 0; i < words_.size(); ++i)
      for (std::size_t k = 0; k + 1 < words_[i].symbols.size(); ++k)
        change({words_[i].symbols[k], words_[i].symbols[k + 1]}, 1, i);
    queue_new_pairs();
  }

  void learn(std::size_t most_tokens, std::int64_t least_count) {
    while (tokens_.size() < most_tokens && !queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end());
      QueuedPair top = std::move(queue_.back());
      queue_.pop_back();
      const std::int64_t now = counts_[top.pair];
      if (top.count != now) {  // others were merged meanwhile
        top.count = now;
        push(std::move(top));
        continue;
      }
      if (top.count < std::max<std::int64_t>(1, least_count)) return;
      const std::int32_t merged = id_of(tokens_[static_cast<std::size_t>(top.pair.first)] +
                                        tokens_[static_cast<std::size_t>(top.pair.second)]);
      merges_.push_back(top.pair);
      for (const std::size_t word : top.words) merge_in(word, top.pair, merged);
      queue_new_pairs();
    }
  }

  const std::vector<std::string>& tokens() const { return tokens_; }
  // A pair that was queued twice counts where it was merged last.
  std::vector<SymbolPair> merges() const {
    PairMap<std::size_t> last;
    for (std::size_t i = 0; i < merges_.size(); ++i) last[merges_[i]] = i;
    std::vector<SymbolPair> result;
    for (std::size_t i = 0; i < merges_.size(); ++i)
      if (last[merges_[i]] == i) result.push_back(merges_[i]);
    return result;
  }

 private:
  std::int32_t id_of(std::string token) {
    const auto [place, added] =
        ids_.emplace(std::move(token), static_cast<std::int32_t>(tokens_.size()));
    if (added) tokens_.push_back(place->first);
    return place->second;
  }

  void push(QueuedPair pair) {
    queue_.push_back(std::move(pair));
    std::push_heap(queue_.begin(), queue_.end());
  }

  void change(const SymbolPair& pair, std::int64_t by, std::size_t word) {
    counts_[pair] += by * words_[word].count;
    if (by < 0) return;
    std::vector<std::size_t>& seen = new_words_[pair];
    if (seen.empty() || seen.back() != word) seen.push_back(word);
  }

  void queue_new_pairs() {
    for (auto& [pair, words] : new_words_)
      if (const std::int64_t count = counts_[pair]; count > 0)
        push({count, pair, std::move(words)});
    new_words_.clear();
  }

  void merge_in(std::size_t word, const SymbolPair& pair, std::int32_t merged) {
    const std::vector<std::int32_t>& old = words_[word].symbols;
    std::vector<std::int32_t> result;
    for (std::size_t i = 0; i < old.size(); ++i) {
      if (i + 1 == old.size() || old[i] != pair.first || old[i + 1] != pair.second) {
        result.push_back(old[i]);
        continue;
      }
      if (!result.empty()) {
        change({result.back(), pair.first}, -1, word);
        change({result.back(), merged}, 1, word);
      }
      result.push_back(merged);
      ++i;
      if (i + 1 < old.size()) {
        change({pair.second, old[i + 1]}, -1, word);
        change({merged, old[i + 1]}, 1, word);
      }
    }
    words_[word].symbols = std::move(result);
  }

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::vector<CountedWord> words_;
  PairMap<std::int64_t> counts_;
  PairMap<std::vector<std::size_t>> new_words_;
  std::vector<QueuedPair> queue_;  // a heap
  std::vector<SymbolPair> merges_;
};

io::Json byte_level_step(bool splits) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", splits}};
}

io::Json splitter_json(const std::string& pattern) {
  if (pattern.empty()) return byte_level_step(true);
  const io::Json split = {{"type", "Split"},
                          {"pattern", {{"Regex", pattern}}},
                          {"behavior", "Isolated"},
                          {"invert", false}};
  return {{"type", "Sequence"},
          {"pretokenizers", io::Json::array({split, byte_level_step(false)})}};
}

std::vector<CountedWord> count_words(std::span<const std::string> texts, const io::Json& splitter,
                                     const std::map<std::string, std::int32_t>& symbol_ids) {
  std::vector<token_steps::Splitter> splitters;
  token_steps::read_splitters({splitter, "training"}, splitters);
  std::map<std::string, std::int64_t, std::less<>> counts;
  for (const std::string& text : texts)
    token_steps::split(splitters, well_formed_utf8(text), true, [&](std::string_view piece) {
      const auto found = counts.find(piece);
      if (found == counts.end()) {
        counts.emplace(piece, 1);
      } else {
        ++found->second;
      }
    });
  std::vector<CountedWord> words;
  for (const auto& [piece, count] : counts) {
    CountedWord word{{}, count};
    for (std::string_view left = piece; !left.empty();) {
      const std::size_t length = front_character(left).length;
      word.symbols.push_back(symbol_ids.at(std::string(left.substr(0, length))));
      left.remove_prefix(length);
    }
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

Tokenizer train_bpe(std::span<const std::string> texts, const BpeTrainOptions& options) {
  constexpr std::int64_t kMostTokens = std::int64_t{1} << 24;
  std::vector<std::string> tokens;
  io::Json added = io::Json::array();
  for (const std::string& token : options.special_tokens) {
    require(!token.empty() && std::ranges::find(tokens, token) == tokens.end(),
            "the special token {} is empty or appears twice", in_quotes(token));
    added.push_back({{"id", tokens.size()},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
    tokens.push_back(token);
  }
  const std::vector<std::string> special = tokens;
  std::map<std::string, std::int32_t> symbol_ids;  // in the order of code points
  for (const std::string& character : token_steps::byte_characters())
    symbol_ids.emplace(character, -1);
  for (auto& [character, id] : symbol_ids) {
    const auto known = std::ranges::find(tokens, character);
    id = static_cast<std::int32_t>(known - tokens.begin());
    if (known == tokens.end()) tokens.push_back(character);
  }
  const auto least = static_cast<std::int64_t>(tokens.size());
  require(options.vocabulary_size >= least && options.vocabulary_size <= kMostTokens,
          "a vocabulary of {} tokens; {} (the bytes and {} special tokens) to {} expected",
          options.vocabulary_size, least, special.size(), kMostTokens);
  const io::Json splitter = splitter_json(options.pattern);
  BpeLearner learner(std::move(tokens), count_words(texts, splitter, symbol_ids));
  learner.learn(static_cast<std::size_t>(options.vocabulary_size), options.least_count);

  io::Json vocabulary = io::Json::object(), merges = io::Json::array();
  for (std::size_t id = 0; id < learner.tokens().size(); ++id)
    vocabulary.emplace(learner.tokens()[id], id);
  for (const auto& [left, right] : learner.merges())
    merges.push_back({learner.tokens()[static_cast<std::size_t>(left)],
                      learner.tokens()[static_cast<std::size_t>(right)]});
  const io::Json json = {{"version", "1.0"},
                         {"truncation", nullptr},
                         {"padding", nullptr},
                         {"added_tokens", std::move(added)},
                         {"normalizer", nullptr},
                         {"pre_tokenizer", splitter},
                         {"post_processor", nullptr},
                         {"decoder", byte_level_step(true)},
                         {"model",
                          {{"type", "BPE"},
                           {"dropout", nullptr},
                           {"unk_token", nullptr},
                           {"continuing_subword_prefix", nullptr},
                           {"end_of_word_suffix", nullptr},
                           {"fuse_unk", false},
                           {"byte_fallback", false},
                           {"ignore_merges", false},
                           {"vocab", std::move(vocabulary)},
                           {"merges", std::move(merges)}}}};
  return tokenizer_from_json(io::json_text(json, -1), "trained tokenizer");
}

}  // namespace tenon::data
