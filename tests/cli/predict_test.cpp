// tenon predict: the files it reads and writes.
#include "cli_testing.h"
#include "tenon/io/npy.h"

namespace tenon::cli {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class PredictFlowers : public testing::Test {
 protected:
  void SetUp() override {
    std::string text = "long,wide,species\n";
    for (int i = 0; i < 20; ++i)
      text +=
          i % 2 == 0 ? fmt::format("{},1,setosa\n", i % 3) : fmt::format("{},7,virginica\n", i % 3);
    io::write_file_atomically(flowers_, text);
    ASSERT_EQ(run_tenon(train_arguments(flowers_, run_)).status, 0);
  }
  Outcome predict(const std::string& input, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"predict", run_,       "--input",
                                          input,     "--device", "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  const TemporaryFolder folder_;
  const std::string flowers_ = folder_ / "flowers.csv";
  const std::string run_ = folder_ / "run";
};

TEST_F(PredictFlowers, LeavesOutALabelOfTexts) {
  for (const char* label : {"species", "3"}) {
    const Outcome outcome =
        predict(flowers_, {"--label", label, "--output", folder_ / "classes.csv"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const auto lines = lines_of(io::read_text_file(folder_ / "classes.csv"));
    ASSERT_EQ(lines.size(), 21u);
    EXPECT_EQ(lines[0], "class,probability,setosa,virginica");
  }
}

TEST_F(PredictFlowers, LeavesOutAColumnWhateverItHolds) {
  io::write_file_atomically(folder_ / "mixed.csv", "7,1,2\n,3,4\nnan,5,6\nx,7,8\n");
  const Outcome outcome = predict(folder_ / "mixed.csv", {"--label", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(lines_of(outcome.out).size(), 4u);
}

TEST_F(PredictFlowers, SaysWhatToDoAboutAColumnOfTexts) {
  // Without names the columns go by their places.
  const std::string nameless = folder_ / "nameless.csv";
  io::write_file_atomically(nameless, "1,2,setosa\n");
  const Outcome outcome = predict(nameless, {});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err,
            fmt::format("error: {}: line 1: column \"column 3\" holds text (\"setosa\"); "
                        "features must be numbers; help: --label 3 leaves it "
                        "out (CsvOptions::label in C++)\n",
                        nameless));
  EXPECT_EQ(predict(flowers_, {}).status, 0);
}

TEST_F(PredictFlowers, RefusesNumbersThatAreNone) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const auto& [value, name] : {std::pair{kNan, "nan"}, std::pair{kInfinity, "inf"}}) {
    io::write_npy(folder_ / "bad.npy", make_tensor<float>({2, 2}, {1, 2, 3, value}));
    const Outcome outcome = predict(folder_ / "bad.npy", {"--output", folder_ / "out.csv"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.err, fmt::format("error: {}: row 1: number 1 is {}; only finite numbers can "
                                       "be predicted from\n",
                                       folder_ / "bad.npy", name));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out.csv"));
  }
  io::write_npy(folder_ / "big.npy", make_tensor<double>({1, 2}, {1, 1e300}));
  EXPECT_EQ(predict(folder_ / "big.npy", {}).err,
            fmt::format("error: {}: row 0: number 1 is 1e+300; it does not fit the model's inputs, "
                        "which are f32\n",
                        folder_ / "big.npy"));
}

TEST_F(PredictFlowers, NoRowsHaveTheWholeHeader) {
  io::write_npy(folder_ / "none.npy", HostTensor({DType::f32, {0, 2}}));
  ASSERT_EQ(predict(folder_ / "none.npy", {"--output", folder_ / "none.csv"}).status, 0);
  EXPECT_EQ(io::read_text_file(folder_ / "none.csv"), "class,probability,setosa,virginica\n");
}

TEST_F(PredictFlowers, WritesTheDigitsThatTheModelHas) {
  ASSERT_EQ(predict(flowers_, {"--label", "species", "--output", folder_ / "classes.csv"}).status,
            0);
  for (const std::string& line : lines_of(io::read_text_file(folder_ / "classes.csv"))) {
    if (line.starts_with("class,")) continue;
    const std::string probability =
        line.substr(line.find(',') + 1, line.find(',', line.find(',') + 1) - line.find(',') - 1);
    // The shortest text that reads back as the same f32.
    EXPECT_EQ(probability, fmt::format("{}", std::strtof(probability.c_str(), nullptr)));
  }
}

}  // namespace
}  // namespace tenon::cli
