// tenon train on texts: tokenizers by option, and what the run folder keeps of them.
#include "cli_testing.h"
#include "tenon/data/tokenizer.h"
#include "tenon/io/file.h"

namespace tenon::cli {
namespace {

class TrainOnText : public testing::Test {
 protected:
  void SetUp() override {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "to be or not to be, that is the question\n";
    io::write_file_atomically(file_, std::string_view(text));
  }
  Outcome train(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {
        "train",    "--model",       "gpt:layers=1:heads=2:width=8",
        "--data",   "text:" + file_, "--max-steps",
        "2",        "--batch-size",  "4",
        "--device", "reference",     "--out",
        run_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  const TemporaryFolder folder_;
  const std::string file_ = folder_ / "book.txt", run_ = folder_ / "run";
};

TEST_F(TrainOnText, TheRunKeepsItsTokenizer) {
  const Outcome trained = train({"--tokenizer", "byte", "--window", "16"});
  EXPECT_EQ(trained.status, 0) << trained.err;
  EXPECT_EQ(data::load_tokenizer(run_ + "/tokenizer.json").kind(), "byte");
  const Outcome evaluated =
      run_tenon({"evaluate", run_, "--data", "text:" + file_, "--device", "reference"});
  EXPECT_EQ(evaluated.status, 0) << evaluated.err;
  const Outcome other =
      run_tenon({"evaluate", run_, "--data", "text:" + file_, "--tokenizer",
                 TENON_TEST_DATA "/tokenizer/split.json", "--device", "reference"});
  EXPECT_EQ(other.err, "error: text:" + file_ +
                           ": the tokens of the tokenizer " TENON_TEST_DATA
                           "/tokenizer/split.json are not those that the model was trained with\n");
}

TEST_F(TrainOnText, CharactersAreTheDefault) {
  const Outcome trained = train({"--window", "16"});
  EXPECT_EQ(trained.status, 0) << trained.err;
  const data::Tokenizer tokenizer = data::load_tokenizer(run_ + "/tokenizer.json");
  EXPECT_EQ(tokenizer.kind(), "character");
  EXPECT_EQ(tokenizer.encode("\n"), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(
      run_tenon({"evaluate", run_, "--data", "text:" + file_, "--device", "reference"}).status, 0);
}

TEST_F(TrainOnText, TokenizerFiles) {
  const Outcome trained =
      train({"--tokenizer", TENON_TEST_DATA "/tokenizer/byte_level.json", "--window", "8"});
  EXPECT_EQ(trained.status, 0) << trained.err;
  EXPECT_EQ(data::load_tokenizer(run_ + "/tokenizer.json").json(),
            data::load_tokenizer(TENON_TEST_DATA "/tokenizer/byte_level.json").json());
  EXPECT_EQ(train({"--tokenizer", folder_ / "none.json", "--overwrite"}).err,
            "error: cannot read " + (folder_ / "none.json") + ": No such file or directory\n");
}

TEST_F(TrainOnText, OptionsOfTextsAreRefusedElsewhere) {
  const std::string refused = ": only for text:FILE, the data is \"fashion-mnist\"\n";
  const auto error = [](const std::string& option, const std::string& value) {
    return run_tenon({"train", "--model", "mlp", "--data", "fashion-mnist", option, value}).err;
  };
  EXPECT_EQ(error("--tokenizer", "byte"), "error: --tokenizer" + refused);
  EXPECT_EQ(error("--window", "8"), "error: --window" + refused);
}

}  // namespace
}  // namespace tenon::cli
