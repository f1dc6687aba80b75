// What --out, --resume and Ctrl-C do to a run folder, seen from outside.
#include <algorithm>
#include <csignal>

#include "cli_testing.h"

namespace tenon::cli {
namespace {

namespace fs = std::filesystem;

class RunFolder : public testing::Test {
 protected:
  void SetUp() override {
    write_points(points_, 30);
    ASSERT_EQ(run_tenon(train_arguments(points_, run_)).status, 0);
  }
  Outcome resume(const char* epochs, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = train_arguments(points_, run_, {"--resume"});
    arguments[8] = epochs;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  std::string model() const { return io::read_text_file(fs::path(run_) / "model.safetensors"); }
  const TemporaryFolder folder_;
  const std::string points_ = folder_ / "points.csv";
  const std::string run_ = folder_ / "run";
};

TEST_F(RunFolder, WithoutItsDescriptionIsNotReplaced) {
  const std::string before = model();
  fs::remove(fs::path(run_) / "run.json");
  const Outcome outcome = resume("3");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err,
            fmt::format("error: {} holds model.safetensors but no run.json: the run cannot go on; "
                        "help: put run.json back, replace the run (overwrite), or choose another "
                        "folder\n",
                        run_));
  EXPECT_EQ(model(), before);
}

TEST_F(RunFolder, OfAFinishedRunSaysSo) {
  const std::string before = model();
  const Outcome outcome = resume("2");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_TRUE(outcome.err.starts_with(
      fmt::format("resumed {} at step 8: its 2 epochs are done, nothing is left to do\n", run_)))
      << outcome.err;
  EXPECT_EQ(model(), before);
}

TEST_F(RunFolder, FewerEpochsOrStepsThanAreDoneAreRefused) {
  const std::string before = model();
  const Outcome epochs = resume("1");
  EXPECT_EQ(epochs.status, 2);
  EXPECT_EQ(epochs.err, fmt::format("error: {}: the run cannot go on: 2 epochs are done, 1 asked "
                                    "for\n",
                                    run_));
  const Outcome steps = resume("3", {"--max-steps", "7"});
  EXPECT_EQ(steps.status, 2);
  EXPECT_EQ(steps.err, fmt::format("error: {}: the run cannot go on: 8 steps are done, max_steps "
                                   "is 7\n",
                                   run_));
  EXPECT_EQ(model(), before);
  EXPECT_EQ(resume("3", {"--max-steps", "9"}).status, 0);
  EXPECT_EQ(resume("2").err.substr(0, 6), "error:");  // a step of the third epoch is done
}

TEST_F(RunFolder, OptionsOfAnotherRunAreBadOptions) {
  const Outcome outcome = resume("3", {"--seed", "9"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(
      outcome.err,
      fmt::format("error: {}/run.json: the run cannot go on: seed was 0, now it is 9\n", run_));
}

TEST_F(RunFolder, AnotherModelIsNamedByItsOption) {
  const Outcome outcome = resume("3", {"--activation", "tanh"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("the run cannot go on: model/"), std::string::npos) << outcome.err;
  EXPECT_TRUE(outcome.err.ends_with(
      "; help: go on with the model that the run began with (--model and its options)\n"))
      << outcome.err;
}

TEST_F(RunFolder, CallbacksOfAnotherRunAreBadOptions) {
  const std::string run = folder_ / "watched";
  ASSERT_EQ(run_tenon(train_arguments(points_, run, {"--early-stopping", "3"})).status, 0);
  std::vector<std::string> arguments =
      train_arguments(points_, run, {"--early-stopping", "3", "--keep-best", "--resume"});
  *(std::ranges::find(arguments, "--epochs") + 1) = "3";
  const Outcome outcome = run_tenon(arguments);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            fmt::format("error: {}/state.safetensors: it holds the state of 1 callbacks, this fit "
                        "has 2 that keep one; help: resume with the callbacks that the run was "
                        "begun with\n",
                        run));
}

TEST_F(RunFolder, WhatAnEpochIsAndTheDeviceMustStay) {
  const std::string start = fmt::format("error: {}/run.json: the run cannot go on: ", run_);
  const Outcome steps = resume("3", {"--steps-per-epoch", "2"});
  EXPECT_EQ(steps.status, 2);
  EXPECT_EQ(steps.err, start + "training/steps_per_epoch was nothing, now it is 2\n");
  std::vector<std::string> arguments = train_arguments(points_, run_, {"--resume"});
  *(std::ranges::find(arguments, "--device") + 1) = "cpu";
  const Outcome device = run_tenon(arguments);
  EXPECT_EQ(device.status, 2);
  EXPECT_EQ(device.err, start + "training/device was \"reference\", now it is \"cpu\"\n");
  // Of a run that was written before they were kept, all goes.
  nlohmann::json json = nlohmann::json::parse(io::read_text_file(run_ + "/run.json"));
  EXPECT_EQ(json["training"]["device"], "reference");
  json["training"].erase("device");
  io::write_file_atomically(run_ + "/run.json", json.dump());
  EXPECT_EQ(resume("3").status, 0);
}

TEST_F(RunFolder, GoesOnWithWorkersOrWithoutThem) {
  ASSERT_EQ(run_tenon(train_arguments(points_, folder_ / "parts", {"--max-steps", "5"})).status, 0);
  const Outcome outcome =
      run_tenon(train_arguments(points_, folder_ / "parts", {"--resume", "--workers", "2"}));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(io::read_text_file(folder_ / "parts/model.safetensors"), model());
}

TEST_F(RunFolder, ASchedulesLengthIsThatOfTheTrainingThatWasBegun) {
  const std::vector<std::string> cosine = {"--schedule", "cosine"};
  const auto schedule_of = [&](const std::string& run) {
    return nlohmann::json::parse(io::read_text_file(run + "/run.json"))["schedule"]["steps"];
  };
  const std::string run = folder_ / "cosine";
  ASSERT_EQ(run_tenon(train_arguments(points_, run, cosine)).status, 0);
  EXPECT_EQ(schedule_of(run), 8);
  std::vector<std::string> more =
      train_arguments(points_, run, {"--schedule", "cosine", "--resume"});
  more[8] = "3";
  const Outcome outcome = run_tenon(more);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(schedule_of(run), 8);
  more.insert(more.end(), {"--schedule-steps", "9"});
  EXPECT_EQ(run_tenon(more).err,
            fmt::format("error: {}/run.json: the run cannot go on: schedule/steps was 8, now it is "
                        "9\n",
                        run));

  const std::string shorter = folder_ / "shorter";
  ASSERT_EQ(
      run_tenon(train_arguments(points_, shorter, {"--schedule", "cosine", "--max-steps", "5"}))
          .status,
      0);
  EXPECT_EQ(schedule_of(shorter), 5);
}

TEST_F(RunFolder, AveragesThatAreMissingAreWrittenAgain) {
  const std::vector<std::string> averaged = {"--average-decay", "0.9"};
  const std::string run = folder_ / "averaged", file = run + "/averages.safetensors";
  ASSERT_EQ(run_tenon(train_arguments(points_, run, averaged)).status, 0);
  const std::string before = io::read_text_file(file);
  fs::remove(file);
  const Outcome outcome =
      run_tenon(train_arguments(points_, run, {"--average-decay", "0.9", "--resume"}));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  ASSERT_TRUE(fs::exists(file));
  EXPECT_EQ(io::read_text_file(file), before);
}

TEST_F(RunFolder, NothingOfAReplacedRunIsLeft) {
  const std::string run = folder_ / "full";
  ASSERT_EQ(run_tenon(train_arguments(points_, run,
                                      {"--keep-best", "--keep-checkpoints", "2", "--tensorboard",
                                       "--validation", "0.3", "--average-decay", "0.9"}))
                .status,
            0);
  ASSERT_EQ(run_tenon({"report", run, "--device", "reference"}).status, 0);
  io::write_file_atomically(run + "/notes.txt", std::string_view("mine"));
  io::write_file_atomically(run + "/checkpoints/epoch-00001/notes.txt", std::string_view("mine"));
  ASSERT_TRUE(fs::exists(run + "/tensorboard/validation"));
  ASSERT_EQ(run_tenon(train_arguments(points_, run, {"--overwrite"})).status, 0);
  std::vector<std::string> left;
  for (const auto& entry : fs::recursive_directory_iterator(run))
    if (!entry.is_directory()) left.push_back(fs::relative(entry.path(), run).string());
  std::ranges::sort(left);
  EXPECT_EQ(left, (std::vector<std::string>{"checkpoints/epoch-00001/notes.txt", "cost.json",
                                            "curves.svg", "metrics.csv", "model.safetensors",
                                            "notes.txt", "run.json", "state.safetensors"}));
  EXPECT_FALSE(fs::exists(run + "/tensorboard"));
}

TEST_F(RunFolder, RowsOfMetricsThatAreLostAreCounted) {
  const std::string file = run_ + "/metrics.csv";
  const std::string text = io::read_text_file(file);
  io::write_file_atomically(file, text.substr(0, text.find('\n') + 3));
  const Outcome outcome = resume("3");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.err.find(fmt::format(
                "{} holds 0 of the 2 rows that were written; the others are lost\n", file)),
            std::string::npos)
      << outcome.err;
}

TEST_F(RunFolder, OfAFailedStartIsNotLeft) {
  std::vector<std::string> arguments = train_arguments(points_, folder_ / "failed");
  arguments[12] = "cpu";
  const pid_t child = start_tenon(arguments, folder_ / "out", folder_ / "err",
                                  {"TENON_CC=/bin/false", "TENON_CACHE_DIR=" + folder_ / "cache"});
  EXPECT_EQ(exit_status(child), 1);
  EXPECT_FALSE(fs::exists(folder_ / "failed"));
}

class InterruptedCompile : public RunFolder {
 protected:
  // A training whose compiler runs these commands; interrupted once it does.
  pid_t start(const std::string& commands, const std::vector<std::string>& more = {}) {
    const pid_t child = start_training(commands, more);
    while (!fs::exists(folder_ / "started")) ::usleep(10'000);
    return child;
  }
  pid_t start_training(const std::string& commands, const std::vector<std::string>& more) {
    io::write_file_atomically(
        folder_ / "slow",
        fmt::format("#!/bin/sh\n[ \"$1\" = --version ] && {{ echo slow 1; exit 0; }}\n"
                    "touch {}\n{}\n",
                    folder_ / "started", commands));
    fs::permissions(folder_ / "slow", fs::perms::owner_all);
    std::vector<std::string> arguments = train_arguments(points_, folder_ / "new", more);
    arguments[12] = "cpu";
    return start_tenon(arguments, folder_ / "out", folder_ / "err",
                       {"TENON_CC=" + folder_ / "slow", "TENON_CACHE_DIR=" + folder_ / "cache"});
  }
  // The same training with the usual compiler.
  Outcome train(const std::string& run, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = train_arguments(points_, folder_ / run, more);
    arguments[12] = "cpu";
    return run_tenon(arguments);
  }
  std::string err() const { return io::read_text_file(folder_ / "err"); }
};

constexpr const char* kStopping =
    "stopping when the step that runs now is done; Ctrl-C again ends at once\n";
const std::string kSleep = "exec sleep 300";

TEST_F(InterruptedCompile, IsGivenUpAndNoStepIsRun) {
  const pid_t child = start(kSleep);
  ::kill(child, SIGINT);
  EXPECT_EQ(exit_status(child), 130);
  EXPECT_EQ(err(), fmt::format("{}stopped at step 0; --resume goes on from here\n", kStopping));
  EXPECT_TRUE(fs::exists(folder_ / "new/model.safetensors"));
  EXPECT_TRUE(fs::is_empty(folder_ / "cache"));
  EXPECT_EQ(train("new", {"--resume"}).status, 0);
  EXPECT_EQ(train("whole", {}).status, 0);
  for (const char* file : {"model.safetensors", "state.safetensors", "metrics.csv"})
    EXPECT_EQ(io::read_text_file(folder_ / "new" + "/" + file),
              io::read_text_file(folder_ / "whole" + "/" + file))
        << file;
}

TEST_F(InterruptedCompile, IsGivenUpWhenTheTimeIsUp) {
  const pid_t child = start_training(kSleep, {"--time-limit", "0.3"});
  EXPECT_EQ(exit_status(child), 0);
  EXPECT_EQ(err(), "the time limit was reached before a step was run\n");
  EXPECT_TRUE(fs::exists(folder_ / "new/model.safetensors"));
  EXPECT_TRUE(fs::is_empty(folder_ / "cache"));
}

// What is compiled when all steps are done: here the predictions that are shown.
TEST_F(InterruptedCompile, IsGivenUpAfterTheTrainingToo) {
  const std::string commands = fmt::format("[ -e {} ] || exec cc \"$@\"\ntouch {}\n{}",
                                           folder_ / "new/cost.json", folder_ / "sleeping", kSleep);
  const pid_t child = start(commands, {"--average-decay", "0.9"});
  while (!fs::exists(folder_ / "sleeping")) ::usleep(10'000);
  ::kill(child, SIGTERM);
  EXPECT_EQ(exit_status(child), 130);
  EXPECT_NE(err().find("\nstopped at step 8; --resume goes on from here\n"), std::string::npos)
      << err();
  EXPECT_TRUE(fs::exists(folder_ / "new/averages.safetensors"));
}

// Both signals are there before anything can be done about the first one.
TEST_F(InterruptedCompile, IsEndedByTwoSignalsAtOnceAndLeavesNothing) {
  const pid_t child = start("sleep 300");
  ::kill(child, SIGSTOP);
  ::kill(child, SIGINT);
  ::kill(child, SIGTERM);
  ::kill(child, SIGCONT);
  EXPECT_EQ(exit_status(child), 130);
  EXPECT_TRUE(err().starts_with(kStopping)) << err();
  EXPECT_TRUE(fs::is_empty(folder_ / "cache"));
}

// On the device that interprets, a step of this size takes minutes.
TEST_F(RunFolder, OfALongStepIsLeftAtTheSecondInterrupt) {
  write_points(points_, 3000);
  const std::string run = folder_ / "long";
  std::vector<std::string> arguments = train_arguments(points_, run);
  *(std::ranges::find(arguments, "--hidden") + 1) = "1000,1000";
  *(std::ranges::find(arguments, "--batch-size") + 1) = "3000";
  const pid_t child = start_tenon(arguments, folder_ / "out", folder_ / "err");
  while (!fs::exists(run + "/model.safetensors")) ::usleep(10'000);
  ::kill(child, SIGINT);
  const auto err = [&] { return io::read_text_file(folder_ / "err"); };
  while (err().find(kStopping) == std::string::npos) ::usleep(10'000);
  ::kill(child, SIGINT);
  EXPECT_EQ(exit_status(child), 130);
  EXPECT_TRUE(err().ends_with(
      fmt::format("{}ended at once; nothing was saved since the last checkpoint\n", kStopping)))
      << err();
}

}  // namespace
}  // namespace tenon::cli
