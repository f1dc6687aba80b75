#include "tenon/data/bpe_train.h"

#include "tests/data/data_testing.h"
#include "tests/data/sample_reading.h"
#include "tests/data/token_lines.h"

namespace tenon::data {
namespace {

constexpr const char* kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

TEST(TrainBpe, LearnsThePackagesMerges) {
  LineDraws draws(1);
  std::vector<std::string> lines;
  for (int i = 0; i < 2000; ++i) lines.push_back(make_token_line(draws));
  const nlohmann::json samples = samples::read_samples("tokenizer_samples.json").at("training");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const nlohmann::json& sample = samples[i];
    const Tokenizer tokenizer =
        train_bpe(lines, {.vocabulary_size = 600,
                          .least_count = 3,
                          .special_tokens = sample.at("special").get<std::vector<std::string>>(),
                          .pattern = i == 0 ? "" : kLlama3Pattern});
    const nlohmann::json json = nlohmann::json::parse(tokenizer.json());
    EXPECT_EQ(json.at("model").at("merges"), sample.at("merges"));
    EXPECT_EQ(tokenizer.size(), sample.at("size").get<std::int64_t>());
    EXPECT_EQ(tokenizer.token(tokenizer.size() - 1), sample.at("last"));
    for (std::size_t line = 0; line < sample.at("ids").size(); ++line)
      EXPECT_EQ(tokenizer.encode(lines[line]),
                sample.at("ids")[line].get<std::vector<std::int64_t>>());
  }
}

TEST(TrainBpe, EveryTextComesBack) {
  const std::vector<std::string> texts = {"low lower lowest", "low low", ""};
  const Tokenizer tokenizer = train_bpe(texts, {.vocabulary_size = 260});
  EXPECT_EQ(tokenizer.kind(), "bpe");
  EXPECT_EQ(tokenizer.size(), 260);
  EXPECT_EQ(tokenizer.token(256), "lo");  // 5 times, as "ow"; "l" comes before "o"
  EXPECT_EQ(tokenizer.token(257), "low");
  const std::string text = "lowly \xf0\x9f\x98\x80\n\x01";
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
}

TEST(TrainBpe, StopsWhereNothingIsLeftToMerge) {
  const std::vector<std::string> texts = {"aaaaaaaa"};
  EXPECT_EQ(train_bpe(texts, {.vocabulary_size = 1000, .least_count = 1}).size(), 256 + 3);
  EXPECT_EQ(train_bpe(std::vector<std::string>{}, {.vocabulary_size = 300}).size(), 256);
}

TEST(TrainBpe, OptionsOutOfRange) {
  const std::vector<std::string> texts = {"a"};
  EXPECT_EQ(
      error_of([&] { train_bpe(texts, {.vocabulary_size = 255}); }),
      "a vocabulary of 255 tokens; 256 (the bytes and 0 special tokens) to 16777216 expected");
  EXPECT_EQ(error_of([&] {
              train_bpe(texts, {.special_tokens = {"<s>", "<s>"}});
            }),
            "the special token \"<s>\" is empty or appears twice");
  EXPECT_THROW(train_bpe(texts, {.pattern = "("}), UserError);
}

}  // namespace
}  // namespace tenon::data
