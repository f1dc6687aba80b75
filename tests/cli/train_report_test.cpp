// What tenon train tells: before the first step, while it runs, and at the end.
#include <algorithm>

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
  EXPECT_LT(place_of(" workspace), without evaluation", outcome.err),
            place_of("epoch 1/2", outcome.err));
}

TEST_F(TrainReports, CodeOfTheCacheIsSaidToBe) {
  const TemporaryFolder cache;
  const std::string environment = "TENON_CACHE_DIR=" + (cache / "kernels");
  std::vector<std::string> arguments = train_arguments(points_, folder_ / "first");
  *(std::ranges::find(arguments, "--device") + 1) = "cpu";
  const auto told = [&](const std::string& run) {
    arguments[arguments.size() - 1] = folder_ / run;
    EXPECT_EQ(exit_status(start_tenon(arguments, folder_ / "out", folder_ / "err", {environment})),
              0);
    const std::string err = io::read_text_file(folder_ / "err");
    return err.substr(0, err.find(';'));
  };
  EXPECT_FALSE(told("first").ends_with(" (cached)"));
  EXPECT_TRUE(told("second").ends_with(" (cached)"));
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
  place_of(fmt::format("next\n  tenon inspect {0}\n  tenon evaluate {0} --data csv:{1}"
                       "  # the data it was trained on\n",
                       folder_ / "run", points_),
           outcome.out);
  write_points(folder_ / "other.csv", 9);
  const Outcome other = run_tenon(train_arguments(
      points_, folder_ / "checked", {"--validation", "csv:" + (folder_ / "other.csv")}));
  place_of(fmt::format("\n  tenon evaluate {} --data csv:{}\n", folder_ / "checked",
                       folder_ / "other.csv"),
           other.out);
}

TEST_F(TrainReports, TheHeldOutPartCanBeEvaluated) {
  const std::string run = folder_ / "run";
  const Outcome outcome =
      run_tenon(train_arguments(points_, run, {"--validation", "0.3", "--seed", "5"}));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  place_of(fmt::format("\n  tenon evaluate {} --data csv:{} --validation 0.3\n", run, points_),
           outcome.out);
  const auto evaluate = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"evaluate", run,         "--data", "csv:" + points_,
                                          "--device", "reference", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  };
  const auto held_out = nlohmann::json::parse(evaluate({"--validation", "0.3"}).out);
  EXPECT_EQ(held_out["samples"], 9);
  EXPECT_EQ(nlohmann::json::parse(evaluate({}).out)["samples"], 30);
  // The same loss as that of the last epoch: the same samples.
  const std::string metrics = io::read_text_file(run + "/metrics.csv");
  place_of(fmt::format("{}", held_out["loss"].get<double>()).substr(0, 7), metrics);
  EXPECT_EQ(evaluate({"--validation", "30%"}).err,
            "error: --validation: a fraction above 0 and below 1 expected, got \"30%\"; did you "
            "mean \"0.3\"?\n");
  EXPECT_EQ(evaluate({"--validation", "1.5"}).status, 2);
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
