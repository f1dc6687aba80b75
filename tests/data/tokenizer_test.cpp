#include "tenon/data/tokenizer.h"

#include "tenon/io/file.h"
#include "tests/data/data_testing.h"
#include "tests/data/sample_reading.h"
#include "tests/data/token_lines.h"

namespace tenon::data {
namespace {

constexpr std::array kSampleTokenizers = {"byte_level", "split",        "byte_fallback",
                                          "metaspace",  "word_piece",   "affixes",
                                          "unigram",    "unigram_bytes"};

Tokenizer sample_tokenizer(const std::string& name) {
  return load_tokenizer(TENON_TEST_DATA "/tokenizer/" + name + ".json");
}

// FNV-1a, 64 bits.
struct Fnv {
  std::uint64_t state = 0xcbf29ce484222325u;
  void add(unsigned char byte) { state = (state ^ byte) * 0x100000001b3u; }
  void add_id(std::uint32_t id) {
    for (int shift = 0; shift < 32; shift += 8) add(static_cast<unsigned char>(id >> shift));
  }
};

TEST(TokenizerFile, IdsOfTenThousandLinesAreThoseOfThePackage) {
  const nlohmann::json samples = samples::read_samples("tokenizer_samples.json");
  for (const std::string name : kSampleTokenizers) {
    const Tokenizer tokenizer = sample_tokenizer(name);
    const nlohmann::json& sample = samples.at(name);
    EXPECT_EQ(tokenizer.size(), sample.at("size").get<std::int64_t>()) << name;
    LineDraws draws(1);
    for (std::size_t block = 0; block < sample.at("hashes").size(); ++block) {
      Fnv ids_hash, text_hash;
      for (int line = 0; line < 100; ++line) {
        const std::vector<std::int64_t> ids = tokenizer.encode(make_token_line(draws));
        for (const std::int64_t id : ids) ids_hash.add_id(static_cast<std::uint32_t>(id));
        ids_hash.add_id(0xffffffffu);
        for (const char byte : tokenizer.decode(ids))
          text_hash.add(static_cast<unsigned char>(byte));
        text_hash.add(0);
      }
      EXPECT_EQ(fmt::format("{:016x}", ids_hash.state), sample.at("hashes")[block])
          << name << ", lines from " << 100 * block;
      EXPECT_EQ(fmt::format("{:016x}", text_hash.state), sample.at("decoded")[block])
          << name << ", lines from " << 100 * block;
    }
  }
}

TEST(TokenizerFile, LinesWithSpecialTokens) {
  const nlohmann::json samples = samples::read_samples("tokenizer_samples.json");
  for (const std::string name : kSampleTokenizers) {
    const Tokenizer tokenizer = sample_tokenizer(name);
    const Tokenizer again = tokenizer_from_json(tokenizer.json());
    for (const nlohmann::json& line : samples.at(name).at("lines")) {
      const std::string text = line.at("text");
      const auto ids = tokenizer.encode(text, SpecialTokens::keep);
      EXPECT_EQ(ids, line.at("ids").get<std::vector<std::int64_t>>()) << name << ": " << text;
      EXPECT_EQ(again.encode(text, SpecialTokens::keep), ids);
      EXPECT_EQ(tokenizer.decode(ids), line.at("decoded")) << name << ": " << text;
      EXPECT_EQ(tokenizer.decode(ids, SpecialTokens::keep), line.at("kept")) << name;
    }
  }
}

TEST(TokenizerFile, KindsAndTokens) {
  const Tokenizer pieces = sample_tokenizer("word_piece");
  EXPECT_EQ(pieces.kind(), "wordpiece");
  EXPECT_EQ(pieces.id_of("[CLS]"), 2);
  EXPECT_EQ(pieces.token(2), "[CLS]");
  EXPECT_EQ(pieces.id_of("no such token"), std::nullopt);
  EXPECT_EQ(sample_tokenizer("split").kind(), "bpe");
  EXPECT_EQ(sample_tokenizer("unigram").kind(), "unigram");
  EXPECT_EQ(error_of([&] { pieces.token(900); }),
            "the id 900 is none of the tokenizer's 900: 0 to 899");
  EXPECT_EQ(error_of([&] { pieces.decode(std::vector<std::int64_t>{-1}); }),
            "the id -1 is none of the tokenizer's 900: 0 to 899");
  EXPECT_EQ(pieces.encode("").size(), 0u);
  EXPECT_EQ(pieces.decode({}), "");
}

TEST(TokenizerFile, BytesThatAreNotUtf8BecomeReplacements) {
  for (const std::string name : kSampleTokenizers) {
    const Tokenizer tokenizer = sample_tokenizer(name);
    const std::string bad = "a\xff\xe2\x82 b\xed\xa0\x80";
    // What Python's bytes.decode(errors="replace") gives: one for each ill-formed part.
    const std::string replaced = "a\xef\xbf\xbd\xef\xbf\xbd b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd";
    EXPECT_EQ(tokenizer.encode(bad), tokenizer.encode(replaced)) << name;
  }
}

TEST(TokenizerFile, LongWordsTakeTimeInProportion) {
  constexpr std::size_t kLength = 1 << 18;  // a quadratic time would be hours
  for (const std::string name : kSampleTokenizers)
    for (const std::string part : {"a", " ", "the", "\xcc\x81\xcc\xa3", "\xff"}) {
      std::string text;
      while (text.size() < kLength) text += part;
      EXPECT_LE(sample_tokenizer(name).encode(text).size(), 3 * (text.size() + 1)) << name;
    }
}

TEST(CharacterTokenizer, OneIdForEachCharacter) {
  const Tokenizer tokenizer = character_tokenizer({"b", "a", "\xc3\xa9", "\xf0\x9f\x98\x80"});
  EXPECT_EQ(tokenizer.kind(), "character");
  EXPECT_EQ(tokenizer.size(), 4);
  EXPECT_EQ(tokenizer.encode("ab\xf0\x9f\x98\x80\xc3\xa9"),
            (std::vector<std::int64_t>{1, 0, 3, 2}));
  EXPECT_EQ(tokenizer.decode(std::vector<std::int64_t>{2, 0, 3}),
            "\xc3\xa9"
            "b\xf0\x9f\x98\x80");
  EXPECT_EQ(error_of([&] { tokenizer.encode("abc"); }),
            "the character \"c\" at byte 2 is not in the vocabulary of 4 characters");
  EXPECT_EQ(tokenizer_from_json(tokenizer.json()).kind(), "character");
  const Tokenizer lenient = character_tokenizer({"b", "a"}, "<unk>");
  EXPECT_EQ(lenient.size(), 3);
  EXPECT_EQ(lenient.encode("xab\xff"), (std::vector<std::int64_t>{2, 1, 0, 2}));
  EXPECT_EQ(lenient.decode(std::vector<std::int64_t>{1, 2}), "a<unk>");
  EXPECT_EQ(error_of([] { character_tokenizer({}); }),
            "a character tokenizer needs at least one character");
  EXPECT_EQ(error_of([] {
              character_tokenizer({"a", "bc"});
            }),
            "\"bc\" in the vocabulary is not one character");
  EXPECT_EQ(error_of([] {
              character_tokenizer({"a", "b", "a"});
            }),
            "the character \"a\" is in the vocabulary twice");
  EXPECT_THROW(character_tokenizer({""}), UserError);
  EXPECT_THROW(character_tokenizer({"\xff"}), UserError);
}

TEST(CharacterVocabulary, MostFrequentFirst) {
  const std::string text =
      "aaabbbcc\xc3\xa9"
      "d\xff";
  using Vocabulary = std::vector<std::string>;
  EXPECT_EQ(character_vocabulary(text),
            (Vocabulary{"a", "b", "c", "d", "\xc3\xa9", "\xef\xbf\xbd"}));
  EXPECT_EQ(character_vocabulary(text, {.limit = 2}), (Vocabulary{"a", "b"}));
  EXPECT_EQ(character_vocabulary(text, {.limit = 4}), (Vocabulary{"a", "b", "c", "d"}));
  EXPECT_EQ(character_vocabulary(text, {.least_count = 2}), (Vocabulary{"a", "b", "c"}));
  EXPECT_EQ(character_vocabulary(""), Vocabulary());
  EXPECT_EQ(error_of([] { character_vocabulary("a", {.limit = -1}); }),
            "a vocabulary of -1 characters that appear 1 times; at least 0 (all) and 1 expected");
}

TEST(ByteTokenizer, KeepsEveryByte) {
  const Tokenizer tokenizer = byte_tokenizer();
  EXPECT_EQ(tokenizer.kind(), "byte");
  EXPECT_EQ(tokenizer.size(), 256);
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::vector<std::int64_t> ids = tokenizer.encode(all);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], static_cast<std::int64_t>(i));
  EXPECT_EQ(tokenizer.decode(ids), all);
  EXPECT_EQ(tokenizer.token(0x20), "\xc4\xa0");
  EXPECT_EQ(tokenizer_from_json(tokenizer.json()).kind(), "byte");
}

TEST(Tokenizer, IsSavedAndLoaded) {
  const TemporaryFolder folder;
  const std::string file = folder / "tokenizer.json";
  sample_tokenizer("split").save(file);
  EXPECT_EQ(load_tokenizer(file).json(), sample_tokenizer("split").json());
  EXPECT_EQ(
      error_of([&] { load_tokenizer(folder / "none.json"); }),
      fmt::format("cannot read {}: No such file or directory", (folder / "none.json").string()));
}

}  // namespace
}  // namespace tenon::data
