// tenon generate: the texts it writes, and what it refuses.
#include "tenon/train/generate.h"
#include "cli_testing.h"
#include "tenon/data/tokenizer.h"
#include "tenon/models/language.h"
#include "tenon/nn/dense.h"

namespace tenon::cli {
namespace {

// A run of a small model, as a training on the text would leave it.
void save_text_run(const std::string& folder, const std::vector<std::string>& vocabulary,
                   std::int64_t ids, bool keeps_names = true) {
  HostTensor x({DType::i32, {4, 12}});
  for (std::size_t i = 0; i < 48; ++i)
    x.as<std::int32_t>()[i] =
        static_cast<std::int32_t>(i * i % static_cast<std::size_t>(vocabulary.size()));
  HostTensor y = x;
  const data::Dataset data("texts", data::Array(x), data::Array(std::move(y)),
                           keeps_names ? vocabulary : std::vector<std::string>{});
  Trainer trainer(
      models::gpt({.vocabulary = ids, .context_length = 12, .layers = 1, .heads = 2, .width = 8}),
      {.device = "reference", .seed = 2});
  trainer.build(data);
  // Weights of a size that makes some tokens likelier than others.
  for (const Variable& weight : trainer.weights()) {
    HostTensor value = trainer.session().read(weight);
    if (weight.name().ends_with("table"))
      for (float& element : value.as<float>()) element *= 30;
    trainer.session().write(weight, value);
  }
  trainer.save(folder);
}

class GenerateText : public testing::Test {
 protected:
  void SetUp() override { save_text_run(run_, vocabulary_, 5); }
  Outcome generate(const std::vector<std::string>& more, const std::string& run = "") const {
    std::vector<std::string> arguments = {"generate", run.empty() ? run_ : run, "--device",
                                          "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  // What the library gives for the same options.
  std::string expected(const std::string& prompt, const GenerateOptions& options) const {
    Trainer trainer = load(run_, "reference");
    const data::Tokenizer tokenizer = data::character_tokenizer(vocabulary_);
    return tokenizer.decode(tenon::generate(trainer, tokenizer.encode(prompt), options).ids);
  }
  const TemporaryFolder folder_;
  const std::string run_ = folder_ / "run";
  const std::vector<std::string> vocabulary_{"a", "b", " ", "é", "日"};
};

TEST_F(GenerateText, WritesThePromptAndWhatFollows) {
  const Outcome outcome = generate({"--prompt", "ab é", "--max-tokens", "40", "--seed", "3"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, "ab é" + expected("ab é", {.max_tokens = 40, .seed = 3}) + "\n");
  EXPECT_EQ(generate({"--prompt", "ab é", "--max-tokens", "40", "--seed", "3"}).out, outcome.out);
  EXPECT_NE(generate({"--prompt", "ab é", "--max-tokens", "40", "--seed", "4"}).out, outcome.out);
}

TEST_F(GenerateText, TakesTheOptionsOfSampling) {
  EXPECT_EQ(generate({"--prompt", "a", "--max-tokens", "30", "--temperature", "0"}).out,
            "a" + expected("a", {.max_tokens = 30, .temperature = 0}) + "\n");
  EXPECT_EQ(
      generate({"--prompt", "a", "--max-tokens", "30", "--top-k", "2", "--temperature", "1.5"}).out,
      "a" + expected("a", {.max_tokens = 30, .temperature = 1.5, .top_k = 2}) + "\n");
  EXPECT_EQ(generate({"--prompt", "a", "--max-tokens", "30", "--top-p", "0.5"}).out,
            "a" + expected("a", {.max_tokens = 30, .top_p = 0.5}) + "\n");
}

TEST_F(GenerateText, SaysAllInJson) {
  const Outcome outcome = generate({"--prompt", "ba", "--max-tokens", "5", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const nlohmann::json json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json.at("command"), "generate");
  EXPECT_EQ(json.at("prompt"), "ba");
  EXPECT_EQ(json.at("prompt_tokens"), 2);
  EXPECT_EQ(json.at("text"), expected("ba", {.max_tokens = 5}));
  EXPECT_EQ(json.at("ids").size(), 5u);
  EXPECT_EQ(json.at("end"), "max_tokens");
  EXPECT_EQ(json.at("context_length"), 12);
  EXPECT_GT(json.at("tokens_per_second"), 0);
}

TEST_F(GenerateText, ReadsTheTokenizerOfTheRunFolder) {
  // 256 bytes; the table has spare rows, which are never drawn.
  const std::string run = folder_ / "bytes";
  save_text_run(run, vocabulary_, 300, false);
  data::byte_tokenizer().save(run + "/tokenizer.json");
  const Outcome outcome =
      generate({"--prompt", "aé", "--max-tokens", "300", "--temperature", "3"}, run);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("aé"));
  // Whatever the bytes are, what is shown is UTF-8: JSON takes it as it is.
  EXPECT_NO_THROW(nlohmann::json(outcome.out).dump());
}

TEST_F(GenerateText, RefusesWhatCannotBe) {
  const auto refusal = [&](const std::vector<std::string>& more, int status,
                           const std::string& run = "") {
    const Outcome outcome = generate(more, run);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  EXPECT_EQ(refusal({}, 2), "error: --prompt: missing, as in --prompt \"Once upon a time\"\n");
  EXPECT_EQ(refusal({"--prompt", ""}, 2), "error: --prompt: expected a value, got an empty one\n");
  EXPECT_EQ(refusal({"--prompt", "a", "--max-tokens", "-1"}, 2),
            "error: --max-tokens: expected a whole number from 0 to 1073741824, got \"-1\"\n");
  EXPECT_EQ(refusal({"--prompt", "a", "--temperature", "-1"}, 2),
            "error: --temperature: expected a number of 0 or more, got \"-1\"\n");
  EXPECT_EQ(refusal({"--prompt", "a", "--temperature", "1e999"}, 2),
            "error: --temperature: expected a number, got \"1e999\"\n");
  EXPECT_EQ(refusal({"--prompt", "a", "--top-k", "x"}, 2),
            "error: --top-k: expected a whole number from 0 to 1073741824, got \"x\"\n");
  EXPECT_EQ(refusal({"--prompt", "a", "--top-p", "1.5"}, 2),
            "error: --top-p: expected a number above 0 and at most 1, got \"1.5\"\n");
  EXPECT_EQ(refusal({"--prompt", "a", "--top-p", "0"}, 2),
            "error: --top-p: expected a number above 0 and at most 1, got \"0\"\n");
  EXPECT_EQ(refusal({"--prompt", "a"}, 1, folder_ / "none"),
            fmt::format("error: cannot load {}: there is no such folder\n", folder_ / "none"));
  EXPECT_EQ(
      refusal({"--prompt", "axb"}, 2),
      "error: --prompt: the character \"x\" at byte 1 is not in the vocabulary of 5 characters\n");
}

TEST_F(GenerateText, RefusesRunsThatAreNoModelsOfTexts) {
  const std::string points = folder_ / "points.csv", run = folder_ / "classes";
  write_points(points, 12);
  ASSERT_EQ(run_tenon(train_arguments(points, run)).status, 0);
  EXPECT_EQ(
      generate({"--prompt", "a"}, run).err,
      fmt::format("error: {}: it is no model of texts: its samples are f32[2], those of texts "
                  "are ids i32[time]; help: generate takes a run of --model gpt or char-lstm "
                  "on --data text:FILE; tenon predict gives what this one says of its "
                  "samples\n",
                  run));
  const std::string nameless = folder_ / "nameless";
  save_text_run(nameless, vocabulary_, 5, false);
  EXPECT_EQ(generate({"--prompt", "a"}, nameless).err,
            fmt::format("error: {}: it holds neither tokenizer.json nor the characters it was "
                        "trained on, so its ids are no text\n",
                        nameless));
  data::byte_tokenizer().save(nameless + "/tokenizer.json");
  EXPECT_EQ(generate({"--prompt", "a"}, nameless).err,
            fmt::format("error: {}: its tokenizer has 256 tokens, its model 5\n", nameless));
  io::write_file_atomically(nameless + "/tokenizer.json", "{");
  EXPECT_EQ(generate({"--prompt", "a"}, nameless).status, 1);
}

}  // namespace
}  // namespace tenon::cli
