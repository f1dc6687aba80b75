// Models that say yes or no to several labels of one sample.
#include <cmath>

#include "cli_testing.h"
#include "tenon/io/npy.h"
#include "tenon/io/npz.h"

namespace tenon::cli {
namespace {

class MultiLabel : public testing::Test {
 protected:
  void SetUp() override {
    HostTensor x({DType::f32, {40, 2}}), y({DType::f32, {40, 3}});
    for (std::size_t i = 0; i < 40; ++i) {
      const float a = static_cast<float>(i % 5) - 2, b = static_cast<float>(i % 7) - 3;
      x.as<float>()[2 * i] = a;
      x.as<float>()[2 * i + 1] = b;
      y.as<float>()[3 * i] = a > 0 ? 1 : 0;
      y.as<float>()[3 * i + 1] = b > 0 ? 1 : 0;
      y.as<float>()[3 * i + 2] = a > 0 && b > 0 ? 1 : 0;
    }
    io::write_npz(folder_ / "ml.npz", {{"x", x}, {"y", y}});
    io::write_npy(folder_ / "x.npy", x);
    trained_ = run_tenon({"train",
                          "--model",
                          "mlp",
                          "--hidden",
                          "8",
                          "--data",
                          data_,
                          "--loss",
                          "binary_cross_entropy_from_logits",
                          "--metrics",
                          "accuracy",
                          "--epochs",
                          "60",
                          "--learning-rate",
                          "0.05",
                          "--batch-size",
                          "8",
                          "--validation",
                          "none",
                          "--device",
                          "reference",
                          "--out",
                          run_});
    ASSERT_EQ(trained_.status, 0) << trained_.err;
  }
  const TemporaryFolder folder_;
  const std::string data_ = "npz:" + (folder_ / "ml.npz"), run_ = folder_ / "run";
  Outcome trained_;
};

TEST_F(MultiLabel, PredictGivesASigmoidOfEachLabel) {
  const std::string csv = folder_ / "ml.csv", npy = folder_ / "ml.npy";
  for (const std::string& output : {csv, npy})
    ASSERT_EQ(run_tenon({"predict", run_, "--input", folder_ / "x.npy", "--output", output,
                         "--device", "reference"})
                  .status,
              0);
  const HostTensor logits = io::read_npy(npy);
  ASSERT_EQ(logits.shape(), (Shape{40, 3}));
  std::istringstream in(io::read_text_file(csv));
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, "probability_0,probability_1,probability_2");
  std::int64_t right = 0;
  for (std::int64_t row = 0; std::getline(in, line); ++row) {
    std::istringstream fields(line);
    std::string field;
    for (std::int64_t i = 0; std::getline(fields, field, ','); ++i) {
      const double probability = std::stod(field);
      EXPECT_NEAR(probability, 1 / (1 + std::exp(-element_as_double(logits, 3 * row + i))), 1e-6);
      const bool a = row % 5 > 2, b = row % 7 > 3;
      right += (probability > 0.5) == (i == 0 ? a : i == 1 ? b : a && b);
    }
  }
  EXPECT_GT(right, 110);
  const Outcome told =
      run_tenon({"predict", run_, "--input", folder_ / "x.npy", "--device", "reference", "--json"});
  const auto first = nlohmann::json::parse(told.out)["predictions"][0];
  EXPECT_FALSE(first.contains("class"));
  ASSERT_EQ(first["probabilities"].size(), 3u);
  EXPECT_NEAR(first["probabilities"][0], 1 / (1 + std::exp(-element_as_double(logits, 0))), 1e-6);
}

TEST_F(MultiLabel, TrainShowsTheTruthBesideTheProbabilities) {
  const std::size_t place = trained_.out.find("row 0");
  ASSERT_NE(place, std::string::npos) << trained_.out;
  const std::string line = trained_.out.substr(place, trained_.out.find('\n', place) - place);
  EXPECT_NE(line.find(" % "), std::string::npos) << line;
  EXPECT_NE(line.find("(truth 0 0 0)"), std::string::npos) << line;
}

TEST_F(MultiLabel, ReportCountsEachLabel) {
  const Outcome outcome =
      run_tenon({"report", run_, "--data", data_, "--device", "reference", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string page = io::read_text_file(run_ + "/report.html");
  EXPECT_NE(page.find("<section id=\"labels\">"), std::string::npos);
  EXPECT_NE(page.find("<td>label 2</td>"), std::string::npos);
  EXPECT_EQ(page.find("<section id=\"errors\">"), std::string::npos);  // of numbers
  EXPECT_EQ(page.find("<section id=\"confusion\">"), std::string::npos);
  EXPECT_NE(page.find("<td>label 0</td><td class=\"number\">16</td>"), std::string::npos);
}

}  // namespace
}  // namespace tenon::cli
