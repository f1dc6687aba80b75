#include "tenon/data/tokenizer_json_steps.h"

#include <array>
#include <limits>

#include "tenon/base/text.h"

namespace tenon::data::token_steps {
namespace {

constexpr std::size_t kMostSteps = 100;
constexpr std::size_t kMostContent = 1024;  // bytes that a step puts into the text at one place
constexpr std::int64_t kMostIds = std::numeric_limits<std::int32_t>::max();

// GPT-2's, https://github.com/openai/gpt-2/blob/master/src/encoder.py.
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kWordsPattern = R"([\w\x{200c}\x{200d}]+|[^\w\x{200c}\x{200d}\s]+)";

[[noreturn]] void refuse_kind(const JsonField& field, std::string_view known) {
  const JsonField type = field.at("type");
  type.fail(fmt::format("{} is not supported; supported are {}", in_quotes(type.text()), known));
}

template <class Step>
void require_room(const JsonField& field, const std::vector<Step>& steps) {
  if (steps.size() > kMostSteps) field.fail(fmt::format("more than {} steps", kMostSteps));
}

std::string content_of(const JsonField& field) {
  if (field.text().size() > kMostContent)
    field.fail(fmt::format("a text of {} bytes; at most {} are supported", field.text().size(),
                           kMostContent));
  return field.text();
}

// {"String": ...} or {"Regex": ...}.
TokenPattern pattern_of(const JsonField& field) {
  if (const std::optional<JsonField> text = field.find("String"))
    return TokenPattern::literal(text->text());
  if (const std::optional<JsonField> text = field.find("Regex"))
    return TokenPattern::regular_expression(text->text(), text->where());
  field.refuse("an object with \"String\" or \"Regex\"");
}

Delimiter delimiter_of(const JsonField& field) {
  const std::string& name = field.text();
  if (name == "Removed") return Delimiter::removed;
  if (name == "Isolated") return Delimiter::isolated;
  if (name == "MergedWithPrevious") return Delimiter::merged_with_previous;
  if (name == "MergedWithNext") return Delimiter::merged_with_next;
  if (name == "Contiguous") return Delimiter::contiguous;
  field.refuse("Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

std::string one_character(const JsonField& field) {
  const std::string& text = field.text();
  if (text.empty() || front_character(text).length != text.size()) field.refuse("one character");
  return text;
}

PrependScheme scheme_of(const JsonField& metaspace) {
  const bool adds = metaspace.flag_or("add_prefix_space", true);
  const std::optional<JsonField> field = metaspace.find("prepend_scheme");
  PrependScheme scheme = adds ? PrependScheme::always : PrependScheme::never;
  if (!field) return scheme;
  const std::string& name = field->text();
  if (name == "first") {
    scheme = PrependScheme::first;
  } else if (name == "never") {
    scheme = PrependScheme::never;
  } else if (name == "always") {
    scheme = PrependScheme::always;
  } else {
    field->refuse("first, never or always");
  }
  if (!adds && scheme != PrependScheme::never)
    field->fail(fmt::format("{}, but \"add_prefix_space\" is false", in_quotes(name)));
  return scheme;
}

BertNormalizer bert_normalizer(const JsonField& field) {
  const bool lower = field.flag_or("lowercase", true);
  return {field.flag_or("clean_text", true), field.flag_or("handle_chinese_chars", true),
          field.flag_or("strip_accents", lower), lower};
}

void read_template(const JsonField& field, Around& around) {
  Around found;
  bool seen = false;
  for (const JsonField& piece : field.at("single").elements()) {
    if (piece.find("Sequence")) {
      const JsonField id = piece.at("Sequence").at("id");
      if (seen || id.text() != "A") id.refuse("the sequence A, once,");
      seen = true;
      continue;
    }
    const JsonField name = piece.at("SpecialToken").at("id");
    const JsonField token = field.at("special_tokens").at(name.text());
    const std::vector<JsonField> ids = token.at("ids").elements();
    const std::vector<JsonField> spellings = token.at("tokens").elements();
    if (ids.size() != spellings.size())
      token.fail(fmt::format("{} ids of {} tokens", ids.size(), spellings.size()));
    std::vector<AroundToken>& side = seen ? found.after : found.before;
    for (std::size_t i = 0; i < ids.size(); ++i)
      side.push_back({spellings[i].text(), ids[i].count(kMostIds)});
  }
  if (!seen) field.at("single").fail("the sequence A is not there");
  around.before.insert(around.before.begin(), found.before.begin(), found.before.end());
  around.after.insert(around.after.end(), found.after.begin(), found.after.end());
}

AroundToken pair_of(const JsonField& field) {
  const std::vector<JsonField> parts = field.elements();
  if (parts.size() != 2) field.refuse("a token and its id");
  return {parts[0].text(), parts[1].count(kMostIds)};
}

}  // namespace

void read_normalizers(const JsonField& field, std::vector<Normalizer>& steps) {
  require_room(field, steps);
  const std::string& type = field.at("type").text();
  if (type == "Sequence") {
    for (const JsonField& one : field.at("normalizers").elements()) read_normalizers(one, steps);
  } else if (type == "NFC") {
    steps.emplace_back(Normal{NormalForm::nfc});
  } else if (type == "NFD") {
    steps.emplace_back(Normal{NormalForm::nfd});
  } else if (type == "NFKC") {
    steps.emplace_back(Normal{NormalForm::nfkc});
  } else if (type == "NFKD") {
    steps.emplace_back(Normal{NormalForm::nfkd});
  } else if (type == "Lowercase") {
    steps.emplace_back(Lowercase{});
  } else if (type == "Strip") {
    steps.emplace_back(StripSpaces{field.at("strip_left").flag(), field.at("strip_right").flag()});
  } else if (type == "StripAccents") {
    steps.emplace_back(StripAccents{});
  } else if (type == "Replace") {
    steps.emplace_back(Replace{pattern_of(field.at("pattern")), content_of(field.at("content"))});
  } else if (type == "Prepend") {
    steps.emplace_back(Prepend{content_of(field.at("prepend"))});
  } else if (type == "BertNormalizer") {
    steps.emplace_back(bert_normalizer(field));
  } else if (type == "ByteLevel") {
    steps.emplace_back(BytesAsCharacters{});
  } else {
    refuse_kind(field,
                "NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Replace, Prepend, "
                "BertNormalizer, ByteLevel and Sequence");
  }
}

void read_splitters(const JsonField& field, std::vector<Splitter>& steps) {
  require_room(field, steps);
  const std::string& type = field.at("type").text();
  if (type == "Sequence") {
    for (const JsonField& one : field.at("pretokenizers").elements()) read_splitters(one, steps);
  } else if (type == "ByteLevel") {
    ByteLevel step{field.flag_or("add_prefix_space", true), std::nullopt};
    if (field.flag_or("use_regex", true))
      step.pattern = TokenPattern::regular_expression(kGpt2Pattern, field.where());
    steps.emplace_back(std::move(step));
  } else if (type == "Split") {
    steps.emplace_back(Split{pattern_of(field.at("pattern")), delimiter_of(field.at("behavior")),
                             field.flag_or("invert", false)});
  } else if (type == "Metaspace") {
    steps.emplace_back(Metaspace{one_character(field.at("replacement")), scheme_of(field),
                                 field.flag_or("split", true)});
  } else if (type == "BertPreTokenizer") {
    steps.emplace_back(SplitBert{});
  } else if (type == "Digits") {
    steps.emplace_back(SplitDigits{field.flag_or("individual_digits", false)});
  } else if (type == "Punctuation") {
    const std::optional<JsonField> behavior = field.find("behavior");
    steps.emplace_back(SplitPunctuation{behavior ? delimiter_of(*behavior) : Delimiter::isolated});
  } else if (type == "Whitespace") {
    steps.emplace_back(SplitWords{TokenPattern::regular_expression(kWordsPattern, field.where())});
  } else if (type == "WhitespaceSplit") {
    steps.emplace_back(SplitSpaces{});
  } else {
    refuse_kind(field,
                "ByteLevel, Split, Metaspace, BertPreTokenizer, Digits, Punctuation, Whitespace, "
                "WhitespaceSplit and Sequence");
  }
}

void read_decoders(const JsonField& field, std::vector<Decoder>& steps) {
  require_room(field, steps);
  const std::string& type = field.at("type").text();
  constexpr std::int64_t kMostStripped = 1000;
  if (type == "Sequence") {
    for (const JsonField& one : field.at("decoders").elements()) read_decoders(one, steps);
  } else if (type == "ByteLevel") {
    steps.emplace_back(DecodeBytes{});
  } else if (type == "ByteFallback") {
    steps.emplace_back(ByteFallback{});
  } else if (type == "Fuse") {
    steps.emplace_back(Fuse{});
  } else if (type == "Strip") {
    steps.emplace_back(StripCharacters{one_character(field.at("content")),
                                       field.at("start").count(kMostStripped),
                                       field.at("stop").count(kMostStripped)});
  } else if (type == "Replace") {
    steps.emplace_back(Replace{pattern_of(field.at("pattern")), content_of(field.at("content"))});
  } else if (type == "Metaspace") {
    steps.emplace_back(DecodeMetaspace{one_character(field.at("replacement")), scheme_of(field)});
  } else if (type == "WordPiece") {
    steps.emplace_back(DecodeWordPiece{field.at("prefix").text(), field.flag_or("cleanup", true)});
  } else if (type == "BPEDecoder") {
    steps.emplace_back(DecodeSuffix{field.text_or("suffix", "</w>")});
  } else {
    refuse_kind(field,
                "ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace, WordPiece, BPEDecoder "
                "and Sequence");
  }
}

void read_post_processors(const JsonField& field, Around& around) {
  const std::string& type = field.at("type").text();
  if (around.before.size() + around.after.size() > kMostSteps)
    field.fail(fmt::format("more than {} special tokens", kMostSteps));
  if (type == "Sequence") {
    for (const JsonField& one : field.at("processors").elements())
      read_post_processors(one, around);
  } else if (type == "TemplateProcessing") {
    read_template(field, around);
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    around.before.insert(around.before.begin(), pair_of(field.at("cls")));
    around.after.push_back(pair_of(field.at("sep")));
  } else if (type != "ByteLevel") {
    refuse_kind(field,
                "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel and Sequence");
  }
}

}  // namespace tenon::data::token_steps
