#include "tenon/base/error.h"
#include "tenon/data/tokenizer_steps.h"

namespace tenon::data::token_steps {
namespace {

constexpr std::size_t kMostGrowth = 64;
constexpr std::size_t kGrowthOfShort = 1024;

// The ideographs that BERT's normalizer sets apart.
bool is_ideograph(char32_t code) {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) ||
         (code >= 0x20000 && code <= 0x2a6df) || (code >= 0x2a700 && code <= 0x2b73f) ||
         (code >= 0x2b740 && code <= 0x2b81f) || (code >= 0x2b920 && code <= 0x2ceaf) ||
         (code >= 0xf900 && code <= 0xfaff) || (code >= 0x2f800 && code <= 0x2fa1f);
}

// Calls the function with each character and its bytes.
template <class Function>
void each_character(std::string_view text, const Function& function) {
  while (!text.empty()) {
    const Character character = front_character(text);
    function(character.code, text.substr(0, character.length));
    text.remove_prefix(character.length);
  }
}

template <class Predicate>
std::string without(std::string_view text, const Predicate& removed) {
  std::string result;
  each_character(text, [&](char32_t code, std::string_view bytes) {
    if (!removed(code)) result += bytes;
  });
  return result;
}

std::string stripped(std::string_view text, const StripSpaces& strip) {
  std::size_t first = text.size(), last = 0, place = 0;
  each_character(text, [&](char32_t code, std::string_view bytes) {
    if (!is_white_space(code)) {
      first = std::min(first, place);
      last = place + bytes.size();
    }
    place += bytes.size();
  });
  const std::size_t begin = strip.left ? first : 0;
  const std::size_t end = strip.right ? last : text.size();
  return std::string(begin < end ? text.substr(begin, end - begin) : std::string_view());
}

std::string cleaned(std::string_view text) {
  std::string result;
  each_character(text, [&](char32_t code, std::string_view bytes) {
    const bool line = code == '\t' || code == '\n' || code == '\r';
    if (line || (is_white_space(code) && !is_control_or_other(code))) {
      result += ' ';
    } else if (code != 0 && code != 0xfffd && !is_control_or_other(code)) {
      result += bytes;
    }
  });
  return result;
}

std::string with_ideographs_apart(std::string_view text) {
  std::string result;
  each_character(text, [&](char32_t code, std::string_view bytes) {
    if (is_ideograph(code)) result += ' ';
    result += bytes;
    if (is_ideograph(code)) result += ' ';
  });
  return result;
}

std::string apply_normalizer(const Normal& step, std::string text) {
  return normal_form(text, step.form);
}
std::string apply_normalizer(const Lowercase&, std::string text) { return lowercase(text); }
std::string apply_normalizer(const StripSpaces& step, std::string text) {
  return stripped(text, step);
}
std::string apply_normalizer(const StripAccents&, std::string text) {
  return without(text, is_mark);
}
std::string apply_normalizer(const Replace& step, std::string text) {
  const std::size_t most = kMostGrowth * text.size() + kGrowthOfShort;
  std::string result;
  std::size_t last = 0;
  step.pattern.each_match(text, [&](std::size_t begin, std::size_t end) {
    result.append(text, last, begin - last);
    result += step.content;
    last = end;
    require(result.size() <= most, "a normalizer turns {} bytes of text into more than {}",
            text.size(), most);
  });
  return result.append(text, last);
}
std::string apply_normalizer(const Prepend& step, std::string text) {
  return text.empty() ? text : step.text + text;
}
std::string apply_normalizer(const BertNormalizer& step, std::string text) {
  if (step.clean_text) text = cleaned(text);
  if (step.handle_chinese) text = with_ideographs_apart(text);
  if (step.strip_accents) text = without(normal_form(text, NormalForm::nfd), is_nonspacing_mark);
  return step.lowercase ? lowercase(text) : text;
}
std::string apply_normalizer(const BytesAsCharacters&, std::string text) {
  return to_byte_characters(text);
}

}  // namespace

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string result;
  if (what.empty()) return std::string(text);
  for (std::size_t place = 0;;) {
    const std::size_t found = text.find(what, place);
    result += text.substr(place, found - place);
    if (found == std::string_view::npos) return result;
    result += by;
    place = found + what.size();
  }
}

std::string normalize(const std::vector<Normalizer>& normalizers, std::string_view text) {
  const std::size_t most = kMostGrowth * text.size() + kGrowthOfShort;
  std::string result(text);
  for (const Normalizer& normalizer : normalizers) {
    result = std::visit([&](const auto& step) { return apply_normalizer(step, std::move(result)); },
                        normalizer);
    require(result.size() <= most,
            "the normalizers turn {} bytes of text into {}; at most {} are "
            "supported",
            text.size(), result.size(), most);
  }
  return result;
}

}  // namespace tenon::data::token_steps
