#include "tenon/data/tokenizer.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/data/text_unicode.h"
#include "tenon/data/tokenizer_parts.h"
#include "tenon/io/file.h"
#include "tenon/io/json.h"

namespace tenon::data {
namespace {

bool is_well_formed(std::string_view text) {
  while (!text.empty()) {
    const Utf8Front front = utf8_front(text);
    if (!front.well_formed) return false;
    text.remove_prefix(front.length);
  }
  return true;
}

std::vector<TokenTrie::Entry> places_of(const std::vector<std::string>& patterns) {
  std::vector<TokenTrie::Entry> entries;
  for (std::size_t i = 0; i < patterns.size(); ++i)
    entries.push_back({patterns[i], static_cast<std::int32_t>(i)});
  return entries;
}

// The first byte of the character that ends at `end`.
std::size_t character_before(std::string_view text, std::size_t end) {
  std::size_t place = end - 1;
  while (place > 0 && (static_cast<unsigned char>(text[place]) & 0xc0u) == 0x80u) --place;
  return place;
}

// A tokenizer.json around a model's vocabulary of single symbols, which nothing merges.
io::Json symbols_json(io::Json vocabulary, io::Json unknown, io::Json splitter, io::Json decoder) {
  io::Json model = {{"type", "BPE"},
                    {"dropout", nullptr},
                    {"unk_token", std::move(unknown)},
                    {"continuing_subword_prefix", nullptr},
                    {"end_of_word_suffix", nullptr},
                    {"fuse_unk", false},
                    {"byte_fallback", false},
                    {"ignore_merges", false},
                    {"vocab", std::move(vocabulary)},
                    {"merges", io::Json::array()}};
  return {{"version", "1.0"},          {"truncation", nullptr},
          {"padding", nullptr},        {"added_tokens", io::Json::array()},
          {"normalizer", nullptr},     {"pre_tokenizer", std::move(splitter)},
          {"post_processor", nullptr}, {"decoder", std::move(decoder)},
          {"model", std::move(model)}};
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const std::vector<std::string>& patterns)
    : tokens_(std::move(tokens)), trie_(places_of(patterns)) {
  for (const std::string& pattern : patterns)
    first_bytes_.set(static_cast<unsigned char>(pattern.front()));
}

void AddedTokens::each(std::string_view text,
                       const std::function<void(std::string_view, std::size_t)>& between,
                       const std::function<void(std::int32_t)>& found) const {
  std::size_t done = 0;
  for (std::size_t place = 0; place < text.size() && !tokens_.empty();) {
    std::optional<TokenTrie::Found> match;
    if (first_bytes_.test(static_cast<unsigned char>(text[place])))
      match = trie_.longest(text.substr(place));
    if (!match) {
      ++place;
      continue;
    }
    const AddedToken& token = tokens_[static_cast<std::size_t>(match->id)];
    std::size_t begin = place, end = place + match->length;
    place = end;
    if (token.single_word) {
      const bool touches_left =
          begin > 0 &&
          is_word_character(front_character(text.substr(character_before(text, begin))).code);
      const bool touches_right =
          end < text.size() && is_word_character(front_character(text.substr(end)).code);
      if (touches_left || touches_right) continue;
    }
    while (token.takes_left && begin > done) {
      const std::size_t before = character_before(text, begin);
      if (!is_white_space(front_character(text.substr(before)).code)) break;
      begin = before;
    }
    while (token.takes_right && end < text.size()) {
      const Character next = front_character(text.substr(end));
      if (!is_white_space(next.code)) break;
      end += next.length;
    }
    if (done < begin) between(text.substr(done, begin - done), done);
    found(token.id);
    done = end;
  }
  if (done < text.size()) between(text.substr(done), done);
}

void Tokenizer::Parts::encode(std::string_view text, std::vector<std::int32_t>& result) const {
  if (kind == "byte") {
    for (const char byte : text) result.push_back(static_cast<unsigned char>(byte));
    return;
  }
  std::string repaired;
  if (!is_well_formed(text)) {
    repaired = well_formed_utf8(text);
    text = repaired;
  }
  const auto add_token = [&](std::int32_t id) { result.push_back(id); };
  const token_steps::PieceSink add_piece = [&](std::string_view piece) {
    std::visit([&](const auto& one) { one.encode(piece, result); }, *model);
  };
  plain_added.each(
      text,
      [&](std::string_view part, std::size_t place) {
        std::string normal;
        if (!normalizers.empty()) {
          normal = token_steps::normalize(normalizers, part);
          part = normal;
        }
        normalized_added.each(
            part,
            [&](std::string_view inner, std::size_t inner_place) {
              token_steps::split(splitters, inner, place == 0 && inner_place == 0, add_piece);
            },
            add_token);
      },
      add_token);
}

std::vector<std::int64_t> Tokenizer::encode(std::string_view text, SpecialTokens special) const {
  std::vector<std::int32_t> ids;
  parts_->encode(text, ids);
  std::vector<std::int64_t> result;
  const bool around = special == SpecialTokens::keep;
  if (around) result.assign(parts_->before.begin(), parts_->before.end());
  result.insert(result.end(), ids.begin(), ids.end());
  if (around) result.insert(result.end(), parts_->after.begin(), parts_->after.end());
  return result;
}

void Tokenizer::append_ids(std::string_view text, std::vector<std::int32_t>& ids) const {
  parts_->encode(text, ids);
}

std::string Tokenizer::decode(std::span<const std::int64_t> ids, SpecialTokens special) const {
  std::vector<std::string> tokens;
  std::string bytes;
  for (const std::int64_t id : ids) {
    require(id >= 0 && id < size(), "the id {} is none of the tokenizer's {}: 0 to {}", id, size(),
            size() - 1);
    const auto place = static_cast<std::size_t>(id);
    if (kind() == "byte") {
      bytes += static_cast<char>(static_cast<unsigned char>(id));
    } else if (special == SpecialTokens::keep || !parts_->special[place]) {
      tokens.push_back(parts_->tokens[place]);
    }
  }
  if (kind() == "byte") return bytes;
  return join(token_steps::decode(parts_->decoders, std::move(tokens)), parts_->between_tokens);
}

std::int64_t Tokenizer::size() const { return static_cast<std::int64_t>(parts_->tokens.size()); }

std::string Tokenizer::token(std::int64_t id) const {
  require(id >= 0 && id < size(), "the id {} is none of the tokenizer's {}: 0 to {}", id, size(),
          size() - 1);
  return parts_->tokens[static_cast<std::size_t>(id)];
}

const std::vector<std::string>& Tokenizer::tokens() const { return parts_->tokens; }

std::optional<std::int64_t> Tokenizer::id_of(std::string_view token) const {
  const auto found = parts_->ids.find(std::string(token));
  if (found == parts_->ids.end()) return std::nullopt;
  return found->second;
}

std::string_view Tokenizer::kind() const { return parts_->kind; }
const std::string& Tokenizer::json() const { return parts_->json; }

void Tokenizer::save(const std::filesystem::path& file) const {
  io::write_file_atomically(file, std::string_view(json()));
}

Tokenizer character_tokenizer(const std::vector<std::string>& vocabulary,
                              const std::string& unknown) {
  require(!vocabulary.empty(), "a character tokenizer needs at least one character");
  io::Json ids = io::Json::object();
  for (const std::string& character : vocabulary) {
    const bool single = !character.empty() && utf8_front(character).well_formed &&
                        utf8_front(character).length == character.size();
    require(single || (character == unknown && !unknown.empty()),
            "{} in the vocabulary is not one character", in_quotes(character));
    require(!ids.contains(character), "the character {} is in the vocabulary twice",
            in_quotes(character));
    ids.emplace(character, ids.size());
  }
  require(is_well_formed(unknown), "the unknown token {} is not UTF-8", in_quotes(unknown));
  if (!unknown.empty() && !ids.contains(unknown)) ids.emplace(unknown, ids.size());
  const io::Json json =
      symbols_json(std::move(ids), unknown.empty() ? io::Json() : io::Json(unknown), nullptr,
                   {{"type", "Fuse"}});
  return tokenizer_from_json(io::json_text(json), "character tokenizer");
}

std::vector<std::string> character_vocabulary(std::string_view text,
                                              const VocabularyOptions& options) {
  require(options.limit >= 0 && options.least_count >= 1,
          "a vocabulary of {} characters that appear {} times; at least 0 (all) and 1 expected",
          options.limit, options.least_count);
  std::map<std::string, std::int64_t> counts;  // UTF-8 sorts by bytes as by code points
  while (!text.empty()) {
    const Utf8Front front = utf8_front(text);
    ++counts[front.well_formed ? std::string(text.substr(0, front.length)) : "\xef\xbf\xbd"];
    text.remove_prefix(front.length);
  }
  std::vector<std::pair<std::int64_t, std::string>> kept;  // most frequent first
  for (auto& [character, count] : counts)
    if (count >= options.least_count) kept.emplace_back(-count, character);
  std::ranges::sort(kept);
  if (options.limit > 0 && kept.size() > static_cast<std::size_t>(options.limit))
    kept.resize(static_cast<std::size_t>(options.limit));
  std::vector<std::string> vocabulary;
  for (auto& [count, character] : kept) vocabulary.push_back(std::move(character));
  std::ranges::sort(vocabulary);
  return vocabulary;
}

Tokenizer byte_tokenizer() {
  static const Tokenizer tokenizer = [] {
    io::Json ids = io::Json::object();
    for (int byte = 0; byte < 256; ++byte)
      ids.emplace(token_steps::byte_characters()[static_cast<std::size_t>(byte)], byte);
    const io::Json level = {{"type", "ByteLevel"},
                            {"add_prefix_space", false},
                            {"trim_offsets", false},
                            {"use_regex", false}};
    return tokenizer_from_json(io::json_text(symbols_json(std::move(ids), nullptr, level, level)),
                               "byte tokenizer");
  }();
  return tokenizer;
}

Tokenizer load_tokenizer(const std::filesystem::path& file) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 28;
  return tokenizer_from_json(io::read_text_file(file, kMostBytes), file.string());
}

}  // namespace tenon::data
