#include "tenon/data/open.h"
#include "tenon/data/pipeline_batches.h"
#include "tenon/data/text.h"
#include "tenon/data/text_masking.h"
#include "tenon/io/file.h"
#include "tests/data/data_testing.h"

namespace tenon::data {
namespace {

TEST(TextWindows, IdsAndThoseOneTokenLater) {
  const TokenText text = tokenize_text("abcdefg", "t", byte_tokenizer());
  const Dataset dataset = text_windows(text, 3);
  EXPECT_EQ(dataset.x().tensor(), make_tensor<std::int32_t>({2, 3}, {97, 98, 99, 100, 101, 102}));
  EXPECT_EQ(dataset.y().tensor(), make_tensor<std::int32_t>({2, 3}, {98, 99, 100, 101, 102, 103}));
  EXPECT_EQ(dataset.class_count(), 256);
  EXPECT_EQ(dataset.class_names()[97], "a");
  EXPECT_EQ(text_windows(text, 3, 2).size(), 2);
  EXPECT_EQ(text_windows(text, 3, 1).size(), 4);
  EXPECT_EQ(text_windows(text, 6).size(), 1);
  EXPECT_EQ(error_of([&] { text_windows(text, 7); }),
            "t: 7 tokens are too few for windows of 7 and the token after each");
  EXPECT_EQ(error_of([&] { text_windows(text, 0); }),
            "t: windows of 0 tokens; at least 1 is needed");
  EXPECT_EQ(error_of([&] { text_windows(text, 1, -1); }), "t: a stride of -1 tokens");
}

TEST(TextWindows, PipelineGivesTheSameRows) {
  const TokenText text = tokenize_text("hello, world", "t", byte_tokenizer());
  const Dataset dataset = text_windows(text, 4, 3);
  const Generator samples = text_window_pipeline(text, 4, 3).samples();
  std::int64_t count = 0;
  while (const std::optional<Sample> sample = samples()) {
    const Dataset row = dataset.rows(count++, 1);
    EXPECT_EQ(std::ranges::equal(sample->x.bytes(), row.x().tensor().bytes()), true);
    EXPECT_EQ(std::ranges::equal(sample->y.bytes(), row.y().tensor().bytes()), true);
  }
  EXPECT_EQ(count, dataset.size());
}

TEST(TextWindows, FilesAreOpenedWithATokenizer) {
  const TemporaryFolder folder;
  const std::string file = folder / "a.txt";
  io::write_file_atomically(file, std::string_view("abab\xff"));
  const Opened bytes = open("text:" + file, {.window = 2, .tokenizer = byte_tokenizer()});
  EXPECT_EQ(bytes.train.x().tensor(), make_tensor<std::int32_t>({2, 2}, {97, 98, 97, 98}));
  EXPECT_EQ(bytes.tokenizer->kind(), "byte");
  io::write_file_atomically(file, std::string_view("abac"));
  const Opened characters = open("text:" + file, {.window = 3});
  EXPECT_EQ(characters.tokenizer->kind(), "character");
  EXPECT_EQ(characters.tokenizer->encode("cab"), (std::vector<std::int64_t>{2, 0, 1}));
  EXPECT_EQ(error_of([&] {
              open("text:" + file, {.window = 2, .tokenizer = character_tokenizer({"a", "b"})});
            }),
            file + ": the character \"c\" at byte 3 is not in the vocabulary of 2 characters");
}

HostTensor many_tokens(std::int64_t count) {
  HostTensor tokens({DType::i32, {count}});
  for (std::int64_t i = 0; i < count; ++i)
    tokens.as<std::int32_t>()[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(2 + i % 98);
  return tokens;
}

TEST(MaskTokens, EightyTenTen) {
  constexpr std::int64_t kTokens = 200000;
  const MaskOptions options{.mask_id = 1, .vocabulary_size = 100, .special_ids = {5, 6}, .seed = 3};
  const HostTensor tokens = many_tokens(kTokens);
  const Sample sample = mask_tokens(options)({tokens, {}}, {.epoch = 1, .index = 7});
  const auto before = tokens.as<std::int32_t>();
  const auto after = sample.x.as<std::int32_t>(), labels = sample.y.as<std::int32_t>();
  double chosen = 0, masked = 0, same = 0, special = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    special += before[i] == 5 || before[i] == 6 ? 1 : 0;
    if (labels[i] == kNoClass) {
      EXPECT_EQ(after[i], before[i]);
      continue;
    }
    EXPECT_EQ(labels[i], before[i]);
    EXPECT_TRUE(before[i] != 5 && before[i] != 6);
    ++chosen;
    masked += after[i] == 1 ? 1 : 0;
    same += after[i] == before[i] ? 1 : 0;
  }
  // Five standard deviations of the binomial distributions.
  EXPECT_NEAR(chosen / (kTokens - special), 0.15, 0.004);
  EXPECT_NEAR(masked / chosen, 0.801, 0.012);  // a random token is [MASK] once in a hundred times
  EXPECT_NEAR(same / chosen, 0.101, 0.009);
}

TEST(MaskTokens, DependsOnSeedEpochAndIndexAlone) {
  const HostTensor tokens = many_tokens(500);
  const auto masked = [&](std::uint64_t seed, std::uint64_t epoch, std::int64_t index) {
    return mask_tokens({.mask_id = 1, .vocabulary_size = 100, .seed = seed})(
               {tokens, {}}, {.epoch = epoch, .index = index})
        .x;
  };
  EXPECT_EQ(masked(1, 2, 3), masked(1, 2, 3));
  EXPECT_NE(masked(1, 2, 3), masked(2, 2, 3));
  EXPECT_NE(masked(1, 2, 3), masked(1, 3, 3));
  EXPECT_NE(masked(1, 2, 3), masked(1, 2, 4));
}

TEST(MaskTokens, WorksInAPipeline) {
  const TokenText text = tokenize_text(std::string(100, 'a'), "t", byte_tokenizer());
  const Pipeline pipeline = text_window_pipeline(text, 9).map(
      mask_tokens({.mask_id = 0, .vocabulary_size = 256, .fraction = 1, .masked = 1, .random = 0}));
  const Generator samples = pipeline.samples();
  const std::optional<Sample> first = samples();
  EXPECT_EQ(first->x, make_tensor<std::int32_t>({9}, std::vector<std::int32_t>(9, 0)));
  EXPECT_EQ(first->y, make_tensor<std::int32_t>({9}, std::vector<std::int32_t>(9, 97)));
}

TEST(MaskTokens, OptionsOutOfRange) {
  EXPECT_EQ(error_of([] { mask_tokens({}); }),
            "masking: a vocabulary of 0 tokens; 1 to 2147483648 expected");
  EXPECT_EQ(error_of([] { mask_tokens({.mask_id = 5, .vocabulary_size = 5}); }),
            "masking: the mask's id is 5; 0 to 4 expected");
  EXPECT_EQ(error_of([] { mask_tokens({.mask_id = 0, .vocabulary_size = 5, .masked = 0.95}); }),
            "masking: 0.95 masked and 0.1 random are more than all");
  EXPECT_THROW(mask_tokens({.mask_id = 0, .vocabulary_size = 5, .fraction = -0.1}), UserError);
  const auto mask = mask_tokens({.mask_id = 0, .vocabulary_size = 5});
  EXPECT_EQ(error_of([&] {
              mask({make_tensor<std::int32_t>({2}, {1, 9}), {}}, {});
            }),
            "masking: token 1 of the sample is 9; 0 to 4 expected");
  EXPECT_EQ(error_of([&] {
              mask({make_tensor<float>({1}, {1}), {}}, {});
            }),
            "masking: the sample is f32[1]; integers expected");
}

}  // namespace
}  // namespace tenon::data
