#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/data/text_unicode.h"
#include "tenon/data/tokenizer_json_field.h"
#include "tenon/data/tokenizer_json_steps.h"
#include "tenon/data/tokenizer_parts.h"

namespace tenon::data {
namespace {

constexpr std::int64_t kMostTokens = std::int64_t{1} << 24;
constexpr std::size_t kMostAddedBytes = 256;
constexpr std::size_t kMostUnigramBytes = 1024;  // each place of a text is read so far

// The declared added tokens, in the file's order. UserError for a spelling that appears twice.
std::vector<AddedToken> read_added_tokens(const JsonField& file) {
  std::vector<AddedToken> tokens;
  const std::optional<JsonField> list = file.find("added_tokens");
  if (!list) return tokens;
  std::unordered_map<std::string_view, std::size_t> seen;
  for (const JsonField& field : list->elements()) {
    const JsonField content = field.at("content");
    if (content.text().empty() || content.text().size() > kMostAddedBytes)
      content.refuse(fmt::format("a text of 1 to {} bytes", kMostAddedBytes));
    if (!seen.emplace(content.text(), tokens.size()).second)
      content.fail(fmt::format("the token {} appears twice", in_quotes(content.text())));
    const bool special = field.flag_or("special", false);
    tokens.push_back({content.text(), static_cast<std::int32_t>(field.at("id").count(kMostTokens)),
                      field.flag_or("single_word", false), field.flag_or("lstrip", false),
                      field.flag_or("rstrip", false), field.flag_or("normalized", !special),
                      special});
  }
  return tokens;
}

// The tokens of the model by id; ids of added tokens that the model does not have stay empty.
std::vector<std::string> read_vocabulary(const JsonField& field,
                                         const std::vector<AddedToken>& added) {
  const io::Json& vocabulary = field.json();
  if (!vocabulary.is_object()) field.refuse("an object from tokens to ids");
  std::size_t total = vocabulary.size();
  for (const AddedToken& token : added) total += vocabulary.contains(token.content) ? 0 : 1;
  if (total == 0) field.fail("there are no tokens");
  if (total > static_cast<std::size_t>(kMostTokens))
    field.fail(fmt::format("{} tokens; at most {} are supported", total, kMostTokens));
  std::vector<std::string> tokens(total);
  std::vector<bool> taken(total);
  for (auto entry = vocabulary.begin(); entry != vocabulary.end(); ++entry) {
    const io::Json& id = entry.value();
    const bool whole = id.is_number_unsigned() && id.get<std::uint64_t>() < total;
    if (!whole)
      field.fail(
          fmt::format("the token {} has the id {}; whole numbers from 0 to {} expected, one "
                      "for each of the {} tokens",
                      in_quotes(entry.key()), in_quotes(id.dump(-1, ' ', true)), total - 1, total));
    const std::size_t place = id.get<std::size_t>();
    if (taken[place])
      field.fail(fmt::format("the tokens {} and {} have the same id {}", in_quotes(tokens[place]),
                             in_quotes(entry.key()), place));
    taken[place] = true;
    tokens[place] = entry.key();
  }
  for (const AddedToken& token : added) {
    const auto known = vocabulary.find(token.content);
    const bool in_model = known != vocabulary.end();
    const auto place = static_cast<std::size_t>(token.id);
    if (in_model && known->get<std::size_t>() != place)
      field.fail(fmt::format("the added token {} has the id {} and in the vocabulary {}",
                             in_quotes(token.content), token.id, known->dump()));
    if (!in_model && (place >= total || taken[place]))
      field.fail(fmt::format(
          "the added token {} has the id {}, {}", in_quotes(token.content), token.id,
          place >= total ? fmt::format("but there are only {} tokens: 0 to {}", total, total - 1)
                         : "which another token has"));
    taken[place] = true;
  }
  return tokens;
}

// "a b" or ["a", "b"].
std::pair<std::string, std::string> merge_parts(const io::Json& merge, const JsonField& field,
                                                std::size_t place) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos)
      return {text.substr(0, space), text.substr(space + 1)};
  }
  field.fail(fmt::format("merge {} is {}; two tokens expected", place,
                         in_quotes(merge.is_string() ? merge.get_ref<const std::string&>()
                                                     : merge.dump(-1, ' ', true))));
}

std::vector<BpeModel::Merge> read_merges(const JsonField& field, const TokenVocabulary& vocabulary,
                                         const std::string& prefix) {
  if (!field.json().is_array()) field.refuse("a list");
  std::vector<BpeModel::Merge> merges;
  merges.reserve(field.json().size());
  for (std::size_t place = 0; place < field.json().size(); ++place) {
    const io::Json& merge = field.json()[place];
    if (merge.is_string() && merge.get_ref<const std::string&>().starts_with("#version")) continue;
    const auto [left, right] = merge_parts(merge, field, place);
    const auto id = [&](const std::string& token) {
      const std::optional<std::int32_t> found = vocabulary.id_of(token);
      if (!found)
        field.fail(fmt::format("merge {} needs the token {}, which is not in the vocabulary", place,
                               in_quotes(token)));
      return *found;
    };
    if (right.size() < prefix.size())
      field.fail(fmt::format("merge {}: {} is shorter than the prefix {}", place, in_quotes(right),
                             in_quotes(prefix)));
    merges.push_back({id(left), id(right), id(left + right.substr(prefix.size()))});
  }
  return merges;
}

// [["the", -3.2], ...] as an object from tokens to their places. UserError for what is not such a
// list.
io::Json vocabulary_of_pairs(const JsonField& field) {
  if (!field.json().is_array()) field.refuse("a list of tokens with their scores");
  io::Json vocabulary = io::Json::object();
  for (const JsonField& pair : field.elements()) {
    const io::Json& json = pair.json();
    if (!json.is_array() || json.size() != 2 || !json[0].is_string() || !json[1].is_number())
      pair.refuse("a token and its score");
    const auto& token = json[0].get_ref<const std::string&>();
    if (token.empty() || token.size() > kMostUnigramBytes)
      pair.fail(
          fmt::format("a token of {} bytes; 1 to {} expected", token.size(), kMostUnigramBytes));
    if (!std::isfinite(json[1].get<double>())) pair.refuse("a token and its score");
    if (!vocabulary.emplace(token, vocabulary.size()).second)
      pair.fail(fmt::format("the token {} appears twice", in_quotes(token)));
  }
  return vocabulary;
}

// "BPE", "WordPiece", "WordLevel" or "Unigram"; old files do not say it.
std::string model_type(const JsonField& model) {
  if (const std::optional<JsonField> type = model.find("type")) {
    const std::string& name = type->text();
    if (name != "BPE" && name != "WordPiece" && name != "WordLevel" && name != "Unigram")
      type->fail(
          fmt::format("{} is not supported; supported are BPE, WordPiece, WordLevel and Unigram",
                      in_quotes(name)));
    return name;
  }
  if (const auto vocabulary = model.find("vocab"); vocabulary && vocabulary->json().is_array())
    return "Unigram";
  if (model.find("merges")) return "BPE";
  return model.find("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
}

bool is_one_character(const std::string& token) {
  return !token.empty() && front_character(token).length == token.size();
}

// True if the steps and the model do no more than look up characters.
bool is_character_kind(const Tokenizer::Parts& parts, const JsonField& model,
                       const std::string& unknown) {
  return parts.normalizers.empty() && parts.splitters.empty() && parts.plain_added.empty() &&
         parts.normalized_added.empty() && model.at("merges").json().empty() &&
         !model.flag_or("byte_fallback", false) &&
         std::ranges::all_of(parts.tokens, [&](const std::string& token) {
           return is_one_character(token) || token == unknown;
         });
}

bool is_byte_kind(const Tokenizer::Parts& parts, const JsonField& model) {
  const auto& bytes = token_steps::byte_characters();
  if (parts.splitters.size() != 1 || parts.tokens.size() != bytes.size()) return false;
  const auto* level = std::get_if<token_steps::ByteLevel>(parts.splitters.data());
  return level && !level->add_prefix_space && !level->pattern && parts.normalizers.empty() &&
         parts.decoders.size() == 1 &&
         std::holds_alternative<token_steps::DecodeBytes>(parts.decoders.front()) &&
         parts.plain_added.empty() && parts.normalized_added.empty() &&
         model.at("merges").json().empty() && std::ranges::equal(parts.tokens, bytes);
}

void read_bpe(const JsonField& model, std::shared_ptr<const TokenVocabulary> vocabulary,
              Tokenizer::Parts& parts) {
  if (const std::optional<JsonField> dropout = model.find("dropout"))
    if (!dropout->json().is_number() || dropout->json().get<double>() != 0.0)
      dropout->fail("merges that are left out by chance are not supported; 0 or null expected");
  BpeModel::Options options;
  options.unknown = model.text_or("unk_token", "");
  options.prefix = model.text_or("continuing_subword_prefix", "");
  options.suffix = model.text_or("end_of_word_suffix", "");
  options.fuse_unknown = model.flag_or("fuse_unk", false);
  options.byte_fallback = model.flag_or("byte_fallback", false);
  options.ignore_merges = model.flag_or("ignore_merges", false);
  const std::vector<BpeModel::Merge> merges =
      read_merges(model.at("merges"), *vocabulary, options.prefix);
  parts.kind = is_byte_kind(parts, model)                         ? "byte"
               : is_character_kind(parts, model, options.unknown) ? "character"
                                                                  : "bpe";
  options.needs_all = parts.kind == "character";
  parts.model = std::make_shared<TokenModel>(BpeModel(std::move(vocabulary), merges, options));
}

void read_unigram(const JsonField& model, std::shared_ptr<const TokenVocabulary> vocabulary,
                  Tokenizer::Parts& parts) {
  UnigramModel::Options options;
  for (const io::Json& pair : model.at("vocab").json())
    options.scores.push_back(pair[1].get<double>());
  if (options.scores.empty()) model.at("vocab").fail("there are no tokens");
  if (const std::optional<JsonField> unknown = model.find("unk_id"))
    options.unknown = static_cast<std::int32_t>(
        unknown->count(static_cast<std::int64_t>(options.scores.size()) - 1));
  options.byte_fallback = model.flag_or("byte_fallback", false);
  parts.kind = "unigram";
  parts.model =
      std::make_shared<TokenModel>(UnigramModel(std::move(vocabulary), std::move(options)));
}

void read_model(const JsonField& model, std::shared_ptr<const TokenVocabulary> vocabulary,
                Tokenizer::Parts& parts) {
  const std::string type = model_type(model);
  if (type == "BPE") return read_bpe(model, std::move(vocabulary), parts);
  if (type == "Unigram") return read_unigram(model, std::move(vocabulary), parts);
  if (type == "WordPiece") {
    constexpr std::int64_t kDefault = 100, kMost = 1000;
    const std::optional<JsonField> most = model.find("max_input_chars_per_word");
    WordPieceModel::Options options{model.text_or("unk_token", "[UNK]"),
                                    model.text_or("continuing_subword_prefix", "##"),
                                    most ? most->count(kMost) : kDefault};
    parts.kind = "wordpiece";
    parts.model =
        std::make_shared<TokenModel>(WordPieceModel(std::move(vocabulary), std::move(options)));
    return;
  }
  parts.kind = "wordlevel";
  parts.model = std::make_shared<TokenModel>(
      WordLevelModel(std::move(vocabulary), model.text_or("unk_token", "<unk>")));
}

// Those that are looked for before the text is normalized, or after it.
AddedTokens finder(const std::vector<AddedToken>& tokens, bool normalized,
                   const std::vector<token_steps::Normalizer>& normalizers, const JsonField& file) {
  std::vector<AddedToken> kept;
  std::vector<std::string> patterns;
  for (const AddedToken& token : tokens) {
    if (token.normalized != normalized) continue;
    patterns.push_back(normalized ? token_steps::normalize(normalizers, token.content)
                                  : token.content);
    if (patterns.back().empty())
      file.at("added_tokens")
          .fail(
              fmt::format("nothing is left of {} when it is normalized", in_quotes(token.content)));
    kept.push_back(token);
  }
  return {std::move(kept), patterns};
}

std::vector<std::int32_t> ids_around(const std::vector<token_steps::AroundToken>& tokens,
                                     const Tokenizer::Parts& parts, const JsonField& field) {
  std::vector<std::int32_t> ids;
  for (const token_steps::AroundToken& token : tokens) {
    if (token.id >= static_cast<std::int64_t>(parts.tokens.size()))
      field.fail(fmt::format("the token {} has the id {}, but there are {} tokens",
                             in_quotes(token.content), token.id, parts.tokens.size()));
    ids.push_back(static_cast<std::int32_t>(token.id));
  }
  return ids;
}

}  // namespace

Tokenizer tokenizer_from_json(std::string_view text, const std::string& name) {
  const io::Json json = io::parse_json(text, name);
  const JsonField file(json, name);
  const std::vector<AddedToken> added = read_added_tokens(file);
  const JsonField model = file.at("model");
  // An unsupported one has a vocabulary of another form.
  const bool has_scores = model_type(model) == "Unigram";
  const JsonField written_vocabulary = model.at("vocab");
  const io::Json ids = has_scores ? vocabulary_of_pairs(written_vocabulary) : io::Json();
  const JsonField vocabulary_field(has_scores ? ids : written_vocabulary.json(),
                                   written_vocabulary.where());
  std::vector<std::string> model_tokens = read_vocabulary(vocabulary_field, added);

  std::vector<token_steps::Normalizer> normalizers;
  if (const auto field = file.find("normalizer"))
    token_steps::read_normalizers(*field, normalizers);
  AddedTokens plain_added = finder(added, false, normalizers, file);
  AddedTokens normalized_added = finder(added, true, normalizers, file);
  auto parts = std::make_shared<Tokenizer::Parts>(Tokenizer::Parts{std::string(text),
                                                                   "",
                                                                   std::move(normalizers),
                                                                   {},
                                                                   {},
                                                                   "",
                                                                   nullptr,
                                                                   std::move(plain_added),
                                                                   std::move(normalized_added),
                                                                   {},
                                                                   {},
                                                                   {},
                                                                   {},
                                                                   {}});
  if (const auto field = file.find("pre_tokenizer"))
    token_steps::read_splitters(*field, parts->splitters);
  if (const auto field = file.find("decoder")) {
    token_steps::read_decoders(*field, parts->decoders);
  } else {
    parts->between_tokens = " ";
  }
  parts->tokens = model_tokens;
  parts->special.resize(model_tokens.size());
  for (const AddedToken& token : added) {
    parts->tokens[static_cast<std::size_t>(token.id)] = token.content;
    parts->special[static_cast<std::size_t>(token.id)] = token.special;
  }
  for (std::size_t id = 0; id < parts->tokens.size(); ++id)
    parts->ids.emplace(parts->tokens[id], static_cast<std::int32_t>(id));
  read_model(
      model,
      std::make_shared<const TokenVocabulary>(std::move(model_tokens), vocabulary_field.where()),
      *parts);
  if (const auto field = file.find("post_processor")) {
    token_steps::Around around;
    token_steps::read_post_processors(*field, around);
    parts->before = ids_around(around.before, *parts, *field);
    parts->after = ids_around(around.after, *parts, *field);
  }
  return Tokenizer(std::move(parts));
}

}  // namespace tenon::data
