// What tenon train tells: before the first step, while it runs, and at the end.
#include "cli_testing.h"

namespace tenon::cli {
namespace {

class TrainReports : public testing::Test {
 protected:
  void SetUp() override { write_points(points_, 30); }
  const TemporaryFolder folder_;
  const std::string points_ = folder_ / "points.csv";
};

std::size_t place_of(const std::string& part, const std::string& text) {
  const std::size_t place = text.find(part);
  EXPECT_NE(place, std::string::npos) << part << "\n" << text;
  return place;
}

TEST_F(TrainReports, PeakIsToldBeforeTheFirstStep) {
  const Outcome outcome = run_tenon(train_arguments(points_, folder_ / "run"));
  EXPECT_TRUE(outcome.err.starts_with("training step: compiled in ")) << outcome.err;
  EXPECT_LT(place_of("; its buffers take ", outcome.err), place_of("epoch 1/2", outcome.err));
  EXPECT_LT(place_of(" exactly (", outcome.err), place_of("epoch 1/2", outcome.err));
}

TEST_F(TrainReports, CostSaysWhatWasMeasured) {
  const Outcome outcome = run_tenon(train_arguments(points_, folder_ / "run"));
  const std::string& out = outcome.out;
  EXPECT_TRUE(out.starts_with("cost\n  samples per second")) << out;
  EXPECT_LT(place_of("(whole epochs", out), place_of("in steps alone", out));
  place_of("\n  buffers of the step", out);
  place_of("\n  peak of the process", out);
  const nlohmann::json cost = nlohmann::json::parse(
      run_tenon(train_arguments(points_, folder_ / "j", {"--json"})).out)["cost"];
  EXPECT_GT(cost["samples_per_second"], 0);
  EXPECT_GT(cost["step_samples_per_second"], cost["samples_per_second"]);
  EXPECT_GT(cost["process_peak_bytes"], cost["step_buffer_bytes"]["total"]);
}

TEST_F(TrainReports, NextCommandsCanBeCopied) {
  const Outcome outcome = run_tenon(train_arguments(points_, folder_ / "run"));
  place_of(fmt::format("next\n  tenon inspect {0}\n  tenon evaluate {0} --data csv:{1}\n",
                       folder_ / "run", points_),
           outcome.out);
}

TEST_F(TrainReports, WithoutOutNothingIsSavedAndSaidSo) {
  std::vector<std::string> arguments = train_arguments(points_, "");
  arguments.resize(arguments.size() - 2);  // --out
  const Outcome outcome = run_tenon(arguments);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  place_of("not saved: --out FOLDER keeps the model\n", outcome.out);
}

TEST_F(TrainReports, AFitWithinItsFirstEpochIsTold) {
  const Outcome outcome =
      run_tenon(train_arguments(points_, folder_ / "run", {"--max-steps", "2"}));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  place_of("epoch 1/2  step 2/4  loss ", outcome.err);
  place_of("metrics.csv has no rows yet: no epoch was finished; --log-every N adds rows of steps\n",
           outcome.out);
}

TEST_F(TrainReports, PipedProgressIsOneLineForEachEpoch) {
  const Outcome outcome = run_tenon(train_arguments(points_, folder_ / "run"));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 3) << outcome.err;
  EXPECT_EQ(outcome.err.find("ETA"), std::string::npos);
}

}  // namespace
}  // namespace tenon::cli
