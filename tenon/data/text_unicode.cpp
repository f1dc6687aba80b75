#include "tenon/data/text_unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tenon/base/error.h"

namespace tenon::data {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

utf8proc_category_t category_of(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

unsigned byte_at(std::string_view text, std::size_t place) {
  return static_cast<unsigned char>(text[place]);
}

}  // namespace

Utf8Front utf8_front(std::string_view text) {
  const unsigned lead = byte_at(text, 0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xc2 || lead > 0xf4) return {1, false};
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // Without overlong forms, surrogates and what is beyond U+10FFFF.
  const unsigned least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned byte = i < text.size() ? byte_at(text, i) : 0;
    if (byte < (i == 1 ? least : 0x80) || byte > (i == 1 ? most : 0xbf)) return {i, false};
  }
  return {length, true};
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string well_formed_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Utf8Front front = utf8_front(text);
    result += front.well_formed ? text.substr(0, front.length) : kReplacement;
    text.remove_prefix(front.length);
  }
  return result;
}

Character front_character(std::string_view text) {
  const unsigned lead = byte_at(text, 0);
  const auto more = [&](std::size_t place) { return char32_t{byte_at(text, place) & 0x3fu}; };
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xe0) return {(lead & 0x1fu) << 6 | more(1), 2};
  if (lead < 0xf0) return {(lead & 0x0fu) << 12 | more(1) << 6 | more(2), 3};
  return {(lead & 0x07u) << 18 | more(1) << 12 | more(2) << 6 | more(3), 4};
}

void append_character(std::string& text, char32_t code) {
  const auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      add(0xe0 | code >> 12);
    } else {
      add(0xf0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3f));
    }
    add(0x80 | (code >> 6 & 0x3f));
  }
  add(0x80 | (code & 0x3f));
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; }));
}

bool is_white_space(char32_t code) {
  return (code >= 0x09 && code <= 0x0d) || code == 0x20 || code == 0x85 || code == 0xa0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
         code == 0x202f || code == 0x205f || code == 0x3000;
}

bool is_punctuation(char32_t code) {
  if (code < 0x80)
    return (code >= '!' && code <= '/') || (code >= ':' && code <= '@') ||
           (code >= '[' && code <= '`') || (code >= '{' && code <= '~');
  const utf8proc_category_t category = category_of(code);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool is_numeric(char32_t code) {
  const utf8proc_category_t category = category_of(code);
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool is_mark(char32_t code) {
  const utf8proc_category_t category = category_of(code);
  return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

bool is_nonspacing_mark(char32_t code) { return category_of(code) == UTF8PROC_CATEGORY_MN; }

bool is_control_or_other(char32_t code) {
  const utf8proc_category_t category = category_of(code);
  return category >= UTF8PROC_CATEGORY_CC && category <= UTF8PROC_CATEGORY_CO;
}

bool is_word_character(char32_t code) {
  const utf8proc_category_t category = category_of(code);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) || is_mark(code) ||
         category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL ||
         category == UTF8PROC_CATEGORY_PC || code == 0x200c || code == 0x200d ||
         // Letters in circles and squares: the symbols that are Other_Alphabetic.
         (code >= 0x24b6 && code <= 0x24e9) || (code >= 0x1f130 && code <= 0x1f149) ||
         (code >= 0x1f150 && code <= 0x1f169) || (code >= 0x1f170 && code <= 0x1f189);
}

std::string normal_form(std::string_view text, NormalForm form) {
  if (is_ascii(text)) return std::string(text);
  const bool composes = form == NormalForm::nfc || form == NormalForm::nfkc;
  const bool compatible = form == NormalForm::nfkc || form == NormalForm::nfkd;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE |
                                                      (compatible ? UTF8PROC_COMPAT : 0));
  std::vector<utf8proc_int32_t> codes;
  codes.reserve(text.size());
  while (!text.empty()) {
    const Character character = front_character(text);
    std::array<utf8proc_int32_t, 32> parts{};  // 18 at most, of U+FDFA
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(character.code), parts.data(),
                                static_cast<utf8proc_ssize_t>(parts.size()), options, nullptr);
    check(count >= 0 && count <= static_cast<utf8proc_ssize_t>(parts.size()),
          "the character U+{:04X} has {} parts", static_cast<std::uint32_t>(character.code), count);
    codes.insert(codes.end(), parts.begin(), parts.begin() + count);
    text.remove_prefix(character.length);
  }
  // Not by utf8proc_map, whose time is quadratic in the number of marks on one letter.
  const auto rank = [](utf8proc_int32_t code) {
    return utf8proc_get_property(code)->combining_class;
  };
  for (auto first = codes.begin(); first != codes.end();) {
    const auto last =
        std::find_if(first, codes.end(), [&](utf8proc_int32_t code) { return rank(code) == 0; });
    std::stable_sort(first, last, [&](auto a, auto b) { return rank(a) < rank(b); });
    first = last == codes.end() ? last : last + 1;
  }
  if (composes) {
    const utf8proc_ssize_t count = utf8proc_normalize_utf32(
        codes.data(), static_cast<utf8proc_ssize_t>(codes.size()),
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    check(count >= 0, "composing {} characters: {}", codes.size(), utf8proc_errmsg(count));
    codes.resize(static_cast<std::size_t>(count));
  }
  std::string result;
  for (const utf8proc_int32_t code : codes) append_character(result, static_cast<char32_t>(code));
  return result;
}

std::string lowercase(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character character = front_character(text);
    if (character.code == 0x130) {  // the one letter whose lower case is two characters
      result += "i\xcc\x87";
    } else {
      append_character(
          result,
          static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(character.code))));
    }
    text.remove_prefix(character.length);
  }
  return result;
}

}  // namespace tenon::data
