// Random bytes and damaged files into the reader of tokenizer.json, and random text into what it
// accepts: a UserError or ids in range, never anything else.
#include <gtest/gtest.h>

#include "tenon/base/error.h"
#include "tenon/base/threefry.h"
#include "tenon/data/tokenizer.h"
#include "tenon/data/tokenizer_pattern.h"
#include "tenon/io/file.h"

namespace tenon::data {
namespace {

std::string random_bytes(ThreefrySequence& draws, std::size_t length) {
  std::string bytes;
  for (std::size_t i = 0; i < length; ++i) bytes += static_cast<char>(draws.below(256));
  return bytes;
}

// Words, white space, marks and bytes that are not UTF-8.
std::string random_text(ThreefrySequence& draws) {
  constexpr std::array<std::string_view, 16> kParts = {
      "the", " ", "\n", "a",     "\xe4\xb8\xad", "\xf0\x9f\x98\x80", "e\xcc\x81", "\xff",
      "12",  "'", "s",  "[SEP]", "<s>",          "\xe2\x96\x81",     "\xc4\xb0",  "##"};
  std::string text;
  for (std::uint64_t left = draws.below(30); left > 0; --left)
    text += draws.below(8) == 0 ? random_bytes(draws, draws.below(5))
                                : std::string(kParts[draws.below(kParts.size())]);
  return text;
}

void use(const std::string& json, ThreefrySequence& draws) {
  try {
    const Tokenizer tokenizer = tokenizer_from_json(json);
    ASSERT_GT(tokenizer.size(), 0);
    for (int i = 0; i < 3; ++i) {
      try {
        const std::vector<std::int64_t> ids =
            tokenizer.encode(random_text(draws), SpecialTokens::keep);
        for (const std::int64_t id : ids) ASSERT_TRUE(id >= 0 && id < tokenizer.size());
        tokenizer.decode(ids, SpecialTokens::keep);
      } catch (const UserError&) {
      }
    }
  } catch (const UserError&) {
  }
}

// A small change of the file: a byte, a piece left out, doubled or put elsewhere, a number, a word.
std::string damaged(const std::string& file, ThreefrySequence& draws) {
  constexpr std::array<std::string_view, 24> kWords = {
      "null",     "-1",
      "1e999",    "99999999999999999999",
      "{}",       "[]",
      "\"\"",     "true",
      "NFKD",     "Strip",
      "Split",    "Regex",
      "Digits",   "Fuse",
      "BPE",      "WordPiece",
      "a+",       "(",
      "[^\\\\s]", "\\\\p{L}",
      "first",    "\\u0000",
      "\\ud800",  "\"Replace\",\"pattern\":{\"String\":\"e\"},\"content\":\"ee\""};
  std::string text = file;
  for (std::uint64_t changes = 1 + draws.below(3); changes > 0; --changes) {
    const std::size_t place = draws.below(text.size() + 1);
    const std::size_t length = std::min<std::size_t>(draws.below(40), text.size() - place);
    switch (draws.below(6)) {
      case 0: text.insert(place, random_bytes(draws, 1)); break;
      case 1: text.erase(place, length); break;
      case 2: text.insert(draws.below(text.size() + 1), text.substr(place, length)); break;
      case 3: text.replace(place, length, kWords[draws.below(kWords.size())]); break;
      case 4: {  // another value for one that is there
        const std::size_t colon = text.find(':', place);
        if (colon == std::string::npos) break;
        const std::size_t end = std::min(text.find_first_of(",}]", colon), text.size());
        text.replace(colon + 1, end - colon - 1, kWords[draws.below(kWords.size())]);
        break;
      }
      default: text.resize(place); break;
    }
  }
  return text;
}

TEST(TokenizerFuzz, DamagedFiles) {
  ThreefrySequence draws{1};
  for (const std::string name : {"byte_level", "split", "byte_fallback", "metaspace", "word_piece",
                                 "affixes", "unigram", "unigram_bytes"}) {
    const std::string whole = io::read_text_file(TENON_TEST_DATA "/tokenizer/" + name + ".json");
    // Most of a file is its vocabulary; most changes should meet what is before it.
    const std::size_t head = whole.find("\"vocab\"");
    ASSERT_NE(head, std::string::npos);
    for (int i = 0; i < 1000; ++i) {
      use(i % 5 == 0 ? damaged(whole, draws)
                     : damaged(whole.substr(0, head), draws) + whole.substr(head),
          draws);
      if (testing::Test::HasFatalFailure()) FAIL() << name << ", change " << i;
    }
  }
}

TEST(TokenizerFuzz, RandomBytes) {
  ThreefrySequence draws{2};
  for (int i = 0; i < 10000; ++i) {
    use(random_bytes(draws, draws.below(200)), draws);
    use("{\"model\":{\"type\":\"BPE\"," + random_bytes(draws, draws.below(50)) + "}}", draws);
  }
}

TEST(TokenizerFuzz, RandomExpressions) {
  constexpr std::string_view kSigns = "ab\\spLwSdhxu{}[]()^$*+?|.,&:-=!<>1\xc3\xa9 ";
  ThreefrySequence draws{3};
  for (int i = 0; i < 40000; ++i) {
    std::string pattern;
    for (std::uint64_t left = draws.below(14); left > 0; --left)
      pattern += kSigns[draws.below(kSigns.size())];
    if (pattern.find('\xc3') != std::string::npos || pattern.find('\xa9') != std::string::npos)
      continue;  // patterns come out of JSON, which is UTF-8
    try {
      std::size_t last = 0;
      TokenPattern::regular_expression(pattern, "p")
          .each_match("aab b1\xc3\xa9 (\n", [&](std::size_t begin, std::size_t end) {
            ASSERT_TRUE(begin <= end && begin >= last) << pattern;
            last = end;
          });
    } catch (const UserError&) {
    }
  }
}

}  // namespace
}  // namespace tenon::data
