// The lines that make_tokenizer_samples.py gives the package `tokenizers`, made by the same rules.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tenon/data/text_unicode.h"

namespace tenon::data {

// Knuth's MMIX generator, the upper half of the state.
class LineDraws {
 public:
  explicit LineDraws(std::uint64_t seed) : state_(seed) {}
  std::uint32_t below(std::uint32_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state_ >> 33) % bound;
  }

 private:
  std::uint64_t state_;
};

using namespace std::string_view_literals;
// clang-format off
inline constexpr std::array kLineWords = {
    "the"sv, "and"sv, "you"sv, "I'll"sv, "don't"sv, "we've"sv, "they're"sv, "he'd"sv, "I'm"sv,
    "it's"sv, "DON'T"sv, "King"sv, "thou"sv, "speak"sv, "HAMLET"sv, "e.g."sv, "3.14"sv,
    "na\xc3\xafve"sv, "Stra\xc3\x9f" "e"sv,
    "\xce\xa3\xce\x8a\xce\xa3\xce\xa5\xce\xa6\xce\x9f\xce\xa3"sv, "\xc4\xb0stanbul"sv,
    "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"sv, "\xd0\xbc\xd0\xb8\xd1\x80"sv,
    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"sv, "\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7"sv,
    "\xe0\xa4\xa8\xe0\xa4\xae\xe0\xa4\xb8\xe0\xa5\x8d\xe0\xa4\xa4\xe0\xa5\x87"sv,
    "\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94\xe0\xb8\xb5"sv,
    "\xec\x95\x88\xeb\x85\x95\xed\x95\x98\xec\x84\xb8\xec\x9a\x94"sv,
    "\xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x81\xa1\xe3\x81\xaf"sv,
    "\xe3\x82\xab\xe3\x82\xbf\xe3\x82\xab\xe3\x83\x8a"sv, "\xef\xac\x81ne"sv, "\xc3\x85"sv,
    "\xc3\x85"sv, "\xef\xb7\xba"sv, "\xe2\x91\xa0\xe2\x91\xa1"sv, "x\xc2\xb2"sv, "\xc2\xbd"sv,
    "\xf0\x9d\x94\x98\xf0\x9d\x94\xab\xf0\x9d\x94\xa6"sv, "e\xcc\x81te\xcc\x81"sv, "'\xc5\xbf"sv,
    "\xe2\x84\xaa"sv, "snake_case"sv, "https://a.b/c\x3f" "d=e&f"sv, "{\"k\": [1, 2]}"sv, "=="sv,
    "->"sv, "..."sv, "\xe2\x80\x94"sv, "\xe2\x80\x9cquoted\xe2\x80\x9d"sv,
    "\xc2\xbfqu\xc3\xa9\x3f"sv, "<|endoftext|>"sv, "<s>"sv, "</s>"sv, "[MASK]"sv, "[CLS]"sv,
    "<0x41>"sv, "\xe2\x96\x81"sv, "\xc4\xa0"sv, "##ing"sv, "<unk>"sv, "###"sv};
inline constexpr std::array kLineSpaces = {
    " "sv, "  "sv, "   "sv, "\x09"sv, "\x0a"sv, "\x0a\x0a"sv, "\x0d\x0a"sv, "\x0d"sv, "\xc2\xa0"sv,
    "\xe2\x80\x83"sv, "\xe3\x80\x80"sv, "\xe2\x80\x8b"sv, "\xe1\x9a\x80"sv, "\xc2\x85"sv,
    "\xe2\x80\xa8"sv, "\x0b"sv, "\x0c"sv, "     \x0a  "sv};
inline constexpr std::array kLineEmoji = {
    "\xf0\x9f\x98\x80"sv, "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd"sv,
    "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7"sv,
    "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"sv, "\xe2\x9d\xa4\xef\xb8\x8f"sv,
    "\xf0\x9f\x8f\xb3\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x8c\x88"sv, "\xe2\x98\x83"sv,
    "\xf0\x9f\xa4\x96"sv, "\xf0\x9f\xa7\x91\xf0\x9f\x8f\xbf\xe2\x80\x8d\xf0\x9f\x9a\x80"sv,
    "1\xef\xb8\x8f\xe2\x83\xa3"sv};
inline constexpr std::array kLineOthers = {
    "\x00"sv, "\x07"sv, "\x1b"sv, "\x7f"sv, "\xc2\x80"sv, "\xc2\x9f"sv, "\xc2\xad"sv,
    "\xe2\x80\x8c"sv, "\xe2\x80\x8d"sv, "\xe2\x80\x8e"sv, "\xe2\x80\xae"sv, "\xe2\x81\xa0"sv,
    "\xef\xbb\xbf"sv, "\xef\xbf\xbd"sv, "\xef\xbf\xbe"sv, "\xee\x80\x80"sv, "\xf3\xb0\x80\x80"sv,
    "\xf4\x8f\xbf\xbf"sv, "\xe1\xa0\x8e"sv, "\xcd\xb8"sv};
inline constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 32> kLineRanges = {{
    {0x21, 94}, {0xa1, 95}, {0x100, 336}, {0x370, 144}, {0x400, 256}, {0x531, 38}, {0x5d0, 27},
    {0x620, 80}, {0x905, 80}, {0xe01, 58}, {0x10a0, 38}, {0x1e00, 256}, {0x2010, 24}, {0x2070, 2},
    {0x20a0, 32}, {0x2100, 140}, {0x2190, 256}, {0x2460, 768}, {0x3041, 86}, {0x30a0, 96},
    {0x3300, 256}, {0x3400, 6582}, {0x4e00, 20950}, {0xac00, 11172}, {0xf900, 256}, {0xfb50, 98},
    {0xfe30, 35}, {0xff01, 190}, {0x10330, 27}, {0x1d400, 85}, {0x1f300, 512}, {0x20000, 42711}}};
// clang-format on

inline std::string make_token_line(LineDraws& draws) {
  std::string line;
  const auto any_of = [&](const auto& texts) {
    line += texts[draws.below(static_cast<std::uint32_t>(texts.size()))];
  };
  for (std::uint32_t left = 1 + draws.below(20); left > 0; --left) {
    const std::uint32_t kind = draws.below(12);
    if (kind < 5) {
      any_of(kLineWords);
    } else if (kind == 5) {
      any_of(kLineSpaces);
    } else if (kind == 6) {
      any_of(kLineEmoji);
    } else if (kind == 7) {
      any_of(kLineOthers);
    } else if (kind == 8) {  // a letter under marks
      append_character(line, 0x61 + draws.below(26));
      for (std::uint32_t marks = 1 + draws.below(3); marks > 0; --marks)
        append_character(line, 0x300 + draws.below(0x70));
    } else if (kind == 9) {
      for (std::uint32_t digits = 1 + draws.below(6); digits > 0; --digits)
        append_character(line, 0x30 + draws.below(10));
    } else {
      const auto [first, count] =
          kLineRanges[draws.below(static_cast<std::uint32_t>(kLineRanges.size()))];
      for (std::uint32_t letters = 1 + draws.below(4); letters > 0; --letters)
        append_character(line, first + draws.below(count));
    }
    if (draws.below(2) != 0) line += ' ';
  }
  return line;
}

}  // namespace tenon::data
