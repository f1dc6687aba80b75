#include <algorithm>
#include <limits>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/data/text_unicode.h"
#include "tenon/data/tokenizer_model.h"

namespace tenon::data {
namespace {

constexpr double kUnknownPenalty = 10;  // below the worst token

std::vector<TokenTrie::Entry> unigram_entries(const TokenVocabulary& vocabulary,
                                              std::size_t count) {
  std::vector<TokenTrie::Entry> entries;
  for (std::size_t id = 0; id < count; ++id)
    entries.push_back({vocabulary.tokens()[id], static_cast<std::int32_t>(id)});
  return entries;
}

}  // namespace

UnigramModel::UnigramModel(std::shared_ptr<const TokenVocabulary> vocabulary, Options options)
    : vocabulary_(std::move(vocabulary)),
      options_(std::move(options)),
      trie_(unigram_entries(*vocabulary_, options_.scores.size())),
      unknown_score_(std::ranges::min(options_.scores) - kUnknownPenalty) {
  for (unsigned byte = 0; byte < byte_ids_.size() && options_.byte_fallback; ++byte)
    byte_ids_[byte] = vocabulary_->id_of(fmt::format("<0x{:02X}>", byte));
}

void UnigramModel::encode(std::string_view word, std::vector<std::int32_t>& ids) const {
  // The best way to each byte at which a token can end.
  constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();
  struct Step {
    double score = 0;
    std::size_t from = kNowhere;
    std::int32_t id = 0;
  };
  std::vector<Step> best(word.size() + 1);
  for (std::size_t place = 0; place < word.size();) {
    const double score = best[place].score;
    const std::size_t length = front_character(word.substr(place)).length;
    const auto offer = [&](std::size_t end, double offered, std::int32_t id) {
      Step& step = best[end];
      if (step.from == kNowhere || offered > step.score) step = {offered, place, id};
    };
    bool has_character = false;
    trie_.each_prefix(word.substr(place), [&](const TokenTrie::Found& found) {
      offer(place + found.length, options_.scores[static_cast<std::size_t>(found.id)] + score,
            found.id);
      has_character = has_character || found.length == length;
    });
    if (!has_character) offer(place + length, unknown_score_ + score, kUnknown);
    place += length;
  }
  std::vector<std::pair<std::size_t, std::size_t>> parts;  // begin and end, the last first
  bool fuses = false;
  for (std::size_t end = word.size(); end > 0; end = best[end].from) {
    const Step& step = best[end];
    // Unknown characters side by side are one part; the unknown token itself counts as one.
    const bool is_unknown =
        step.id == kUnknown || (options_.unknown && step.id == *options_.unknown);
    require(step.id != kUnknown || options_.unknown,
            "the character {} is not in the vocabulary, and there is no unknown token",
            in_quotes(word.substr(step.from, end - step.from)));
    if (is_unknown && fuses) {
      parts.back().first = step.from;
    } else {
      parts.emplace_back(step.from, end);
    }
    fuses = is_unknown;
  }
  for (auto part = parts.rbegin(); part != parts.rend(); ++part)
    add(word.substr(part->first, part->second - part->first), ids);
}

void UnigramModel::add(std::string_view part, std::vector<std::int32_t>& ids) const {
  if (const std::optional<std::int32_t> id = vocabulary_->id_of(part)) {
    ids.push_back(*id);
    return;
  }
  const auto id_of_byte = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
  if (std::ranges::all_of(part, [&](char byte) { return id_of_byte(byte).has_value(); })) {
    for (const char byte : part) ids.push_back(*id_of_byte(byte));
    return;
  }
  ids.push_back(*options_.unknown);
}

}  // namespace tenon::data
