// UTF-8, and the properties of Unicode characters that tokenizers ask for.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace tenon::data {

// What stands at the front of bytes that are not empty: a character, or the longest part of one
// that something else cuts off (Unicode 15, section 3.9, table 3-7).
struct Utf8Front {
  std::size_t length;
  bool well_formed;
};
Utf8Front utf8_front(std::string_view text);

bool is_ascii(std::string_view text);
// The text with U+FFFD for every maximal ill-formed part, as Python's errors="replace" has it.
std::string well_formed_utf8(std::string_view text);

// A code point and its bytes. The text must be UTF-8 and not empty.
struct Character {
  char32_t code;
  std::size_t length;
};
Character front_character(std::string_view text);
void append_character(std::string& text, char32_t code);
std::size_t count_characters(std::string_view text);  // of UTF-8

bool is_white_space(char32_t code);       // the property White_Space
bool is_punctuation(char32_t code);       // general category P, or an ASCII symbol
bool is_numeric(char32_t code);           // general category N
bool is_mark(char32_t code);              // general category M
bool is_nonspacing_mark(char32_t code);   // general category Mn
bool is_control_or_other(char32_t code);  // general categories Cc, Cf, Co (and Cs)
bool is_word_character(char32_t code);    // \w of Unicode TR 18, annex C

enum class NormalForm { nfc, nfd, nfkc, nfkd };
// Unicode TR 15; the text must be UTF-8.
std::string normal_form(std::string_view text, NormalForm form);
// Character by character: without the rule for a sigma at the end of a word.
std::string lowercase(std::string_view text);

}  // namespace tenon::data
