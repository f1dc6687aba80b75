// tenon compress.
#include <csignal>

#include "cli_testing.h"

namespace tenon::cli {
namespace {

class Compress : public testing::Test {
 protected:
  void SetUp() override {
    write_points(points_, 60);
    std::vector<std::string> arguments = train_arguments(points_, run_);
    *(std::ranges::find(arguments, "--epochs") + 1) = "8";
    const Outcome trained = run_tenon(arguments);
    ASSERT_EQ(trained.status, 0) << trained.err;
  }
  Outcome compress(const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"compress", run_,          "--data",   "csv:" + points_,
                                          "--out",    folder_ / out, "--device", "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  nlohmann::json compressed(const std::string& out, std::vector<std::string> more) {
    more.emplace_back("--json");
    const Outcome outcome = compress(out, more);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out, nullptr, false);
  }
  double accuracy_of(const std::string& run) {
    return nlohmann::json::parse(
        run_tenon({"evaluate", run, "--data", "csv:" + points_, "--device", "reference", "--json"})
            .out)["accuracy"];
  }
  const TemporaryFolder folder_;
  const std::string run_ = folder_ / "run", points_ = folder_ / "points.csv";
};

TEST_F(Compress, ReportsWhatTheFoldersGive) {
  const nlohmann::json pruned = compressed("pruned", {"--prune", "0.5"});
  EXPECT_EQ(pruned["before"]["accuracy"], accuracy_of(run_));
  EXPECT_EQ(pruned["after"]["accuracy"], accuracy_of(folder_ / "pruned"));
  EXPECT_EQ(pruned["sparsity"], 0.5);  // kernels of 8 and 12 weights
  EXPECT_EQ(pruned["bytes_before"], (8 + 4 + 12 + 3) * 4);
  // 4 values and a byte of bits, 6 values and two bytes of bits, the biases whole.
  EXPECT_EQ(pruned["bytes_after"], 4 * 4 + 1 + 6 * 4 + 2 + (4 + 3) * 4);
  EXPECT_TRUE(io::file_exists(folder_ / "pruned/sparse.safetensors"));

  const nlohmann::json quantized = compressed("int8", {"--quantize", "int8"});
  EXPECT_EQ(quantized["after"]["accuracy"], accuracy_of(folder_ / "int8"));
  // Kernels of bytes, scales of channels, biases, and scale and zero point of each input.
  EXPECT_EQ(quantized["bytes_after"], 8 + 12 + (4 + 3) * 4 + (4 + 3) * 4 + 2 * 8);
  EXPECT_EQ(quantized["quantized"], (nlohmann::json{"dense", "dense_1"}));
  EXPECT_GE(quantized["after"]["accuracy"], quantized["before"]["accuracy"].get<double>() - 0.1);

  const nlohmann::json both = compressed("both", {"--prune", "0.5", "--quantize", "int8"});
  EXPECT_EQ(both["after"]["accuracy"], accuracy_of(folder_ / "both"));
  EXPECT_LT(both["bytes_after"], both["bytes_before"]);
}

TEST_F(Compress, PruningWithTrainingKeepsItsZeros) {
  const nlohmann::json told = compressed("slow", {"--prune", "0.6", "--epochs", "6", "--global"});
  EXPECT_EQ(told["sparsity"], 0.6);
  EXPECT_EQ(told["after"]["accuracy"], accuracy_of(folder_ / "slow"));
  const nlohmann::json at_once = compressed("once", {"--prune", "0.6", "--global"});
  EXPECT_LT(told["after"]["loss"], at_once["after"]["loss"]);
}

TEST_F(Compress, PenaltiesOfTheTrainingAreLeftOut) {
  std::vector<std::string> arguments = train_arguments(
      points_, folder_ / "penalized", {"--penalty", "l2:0.001", "--penalty", "l1:0.001:*bias"});
  ASSERT_EQ(run_tenon(arguments).status, 0);
  const Outcome outcome =
      run_tenon({"compress", folder_ / "penalized", "--quantize", "int8", "--data",
                 "csv:" + points_, "--out", folder_ / "small", "--device", "reference", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["quantized"], (nlohmann::json{"dense", "dense_1"}));
  EXPECT_EQ(nlohmann::json::parse(io::read_text_file(folder_ / "small/run.json"))["model"]["kind"],
            "sequential");
}

TEST_F(Compress, TellsItAsText) {
  const Outcome outcome = compress("text", {"--prune", "0.5"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  for (const char* part :
       {"before", "after", "change", "\nloss ", "\naccuracy ", "\nbytes of the weights ",
        "50.0 % of the pruned weights are zero", "written\n", "/sparse.safetensors\n"})
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\n" << outcome.out;
}

TEST_F(Compress, SaysWhatIsWrong) {
  const auto refuse = [&](const std::vector<std::string>& arguments, const std::string& message) {
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_EQ(outcome.err, "error: " + message + "\n");
  };
  const std::string data = "csv:" + points_, out = folder_ / "out";
  refuse({"compress"}, "RUN: missing: the folder of a run");
  refuse({"compress", run_}, "--prune: missing: --prune 0.8, --quantize int8, or both");
  refuse({"compress", run_, "--prune", "0.5"}, "--data: missing, as in --data fashion-mnist");
  refuse({"compress", run_, "--prune", "0.5", "--data", data},
         "--out: missing: the folder of the smaller run");
  refuse({"compress", run_, "--prune", "0.5", "--data", data, "--out", run_},
         fmt::format("--out: {} is the run that is compressed; choose another folder", run_));
  ASSERT_EQ(run_tenon(train_arguments(points_, folder_ / "other")).status, 0);
  refuse({"compress", run_, "--prune", "0.5", "--data", data, "--out", folder_ / "other"},
         fmt::format("--out: {} holds a run already; replace it by --overwrite, or choose another "
                     "--out",
                     folder_ / "other"));
  refuse({"compress", run_, "--prune", "1", "--data", data, "--out", out},
         "--prune: expected a part of the weights, above 0 and below 1, got 1");
  refuse({"compress", run_, "--prune", "x", "--data", data, "--out", out},
         "--prune: expected a number, got \"x\"");
  refuse(
      {"compress", run_, "--quantize", "int8", "--percentile", "40", "--data", data, "--out", out},
      "--percentile: expected a number above 50 and at most 100, got 40");
  refuse({"compress", run_, "--quantize", "int8", "--epochs", "2", "--data", data, "--out", out},
         "--epochs: only with --prune: what is quantised is not trained");
  EXPECT_FALSE(io::folder_exists(out));
}

TEST_F(Compress, OverwriteReplacesWhatIsThere) {
  ASSERT_EQ(compress("small", {"--prune", "0.5"}).status, 0);
  io::write_file_atomically(folder_ / "small/notes.txt", std::string_view("mine"));
  const Outcome refused = compress("small", {"--quantize", "int8"});
  EXPECT_EQ(refused.status, 2);
  const Outcome outcome = compress("small", {"--quantize", "int8", "--overwrite"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_FALSE(io::file_exists(folder_ / "small/sparse.safetensors"));
  EXPECT_TRUE(io::file_exists(folder_ / "small/notes.txt"));
  const Outcome inspected = run_tenon({"inspect", folder_ / "small", "--device", "reference"});
  EXPECT_NE(inspected.out.find("weights of 8 bits"), std::string::npos) << inspected.out;
  const Outcome self = compress("run", {"--prune", "0.5", "--overwrite"});
  EXPECT_EQ(self.status, 2);
  EXPECT_TRUE(io::file_exists(run_ + "/model.safetensors"));
}

TEST_F(Compress, WhatIsStoppedLeavesNothingBehind) {
  const std::vector<std::string> arguments = {
      "compress",       run_,    "--prune",           "0.5",      "--epochs", "1000000", "--data",
      "csv:" + points_, "--out", folder_ / "stopped", "--device", "reference"};
  const pid_t child = start_tenon(arguments, folder_ / "out", folder_ / "err");
  const auto is_training = [&] {
    return io::file_exists(folder_ / "err") &&
           io::read_text_file(folder_ / "err").find("epoch 2/") != std::string::npos;
  };
  while (!is_training()) ::usleep(10'000);
  ::kill(child, SIGTERM);
  EXPECT_EQ(exit_status(child), 130);
  const std::string err = io::read_text_file(folder_ / "err");
  EXPECT_TRUE(err.ends_with("stopped; nothing is kept\n")) << err.substr(err.size() / 2);
  EXPECT_EQ(io::read_text_file(folder_ / "out"), "");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "stopped"));
}

TEST_F(Compress, IsStoppedWhileItCompiles) {
  io::write_file_atomically(
      folder_ / "slow",
      fmt::format("#!/bin/sh\n[ \"$1\" = --version ] && {{ echo slow 1; exit 0; }}\n"
                  "touch {}\nexec sleep 300\n",
                  folder_ / "started"));
  std::filesystem::permissions(folder_ / "slow", std::filesystem::perms::owner_all);
  const pid_t child =
      start_tenon({"compress", run_, "--prune", "0.5", "--data", "csv:" + points_, "--out",
                   folder_ / "stopped"},
                  folder_ / "out", folder_ / "err",
                  {"TENON_CC=" + folder_ / "slow", "TENON_CACHE_DIR=" + folder_ / "cache"});
  while (!io::file_exists(folder_ / "started")) ::usleep(10'000);
  ::kill(child, SIGINT);
  EXPECT_EQ(exit_status(child), 130);
  EXPECT_TRUE(io::read_text_file(folder_ / "err").ends_with("stopped; nothing is kept\n"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "stopped"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "cache"));
}

TEST_F(Compress, WhatFailsLeavesNoHalfOfARun) {
  // The last file cannot be written.
  std::filesystem::create_directories(folder_ / "half/sparse.safetensors/in the way");
  const Outcome outcome = compress("half", {"--prune", "0.5"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_FALSE(io::file_exists(folder_ / "half/model.safetensors"));
  EXPECT_FALSE(io::file_exists(folder_ / "half/run.json"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "half/sparse.safetensors/in the way"));
}

TEST_F(Compress, A8BitRunIsReportedAndInspected) {
  ASSERT_EQ(compress("int8", {"--quantize", "int8"}).status, 0);
  const std::string run = folder_ / "int8";
  const Outcome reported =
      run_tenon({"report", run, "--data", "csv:" + points_, "--device", "reference"});
  EXPECT_EQ(reported.status, 0) << reported.err;
  const std::string page = io::read_text_file(run + "/report.html");
  EXPECT_NE(page.find("No gradients: the model has weights of 8 bits, which are not trained"),
            std::string::npos);
  EXPECT_NE(page.find("buffers of a prediction"), std::string::npos);
  EXPECT_NE(page.find("<section id=\"confusion\">"), std::string::npos);

  const Outcome inspected = run_tenon({"inspect", run, "--device", "reference"});
  EXPECT_EQ(inspected.status, 0) << inspected.err;
  EXPECT_NE(inspected.out.find("the one that predicts: weights of 8 bits are not trained"),
            std::string::npos)
      << inspected.out;
  EXPECT_NE(inspected.out.find("FLOPs of one prediction"), std::string::npos);
  const Outcome graph = run_tenon({"inspect", run, "--device", "reference", "--graph"});
  EXPECT_EQ(graph.status, 0) << graph.err;
  EXPECT_NE(graph.out.find("i8["), std::string::npos) << graph.out;
  const Outcome told = run_tenon({"inspect", run, "--device", "reference", "--json"});
  EXPECT_EQ(nlohmann::json::parse(told.out)["step"], "prediction");
}

TEST_F(Compress, WhatIsQuantisedIsNotCompressedAgain) {
  ASSERT_EQ(compress("int8", {"--quantize", "int8"}).status, 0);
  const auto again = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"compress",       folder_ / "int8", "--data",
                                          "csv:" + points_, "--out",          folder_ / "again",
                                          "--device",       "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "again"));
    return outcome.err;
  };
  const std::string run = folder_ / "int8";
  EXPECT_EQ(again({"--prune", "0.5"}),
            "error: --prune: " + run +
                " is quantised already; prune before quantising: compress the run that it was made "
                "of with --prune and --quantize together\n");
  EXPECT_EQ(again({"--quantize", "int8"}),
            "error: --quantize: " + run +
                " is quantised already; --prune and --quantize both start from the run that it was "
                "made of\n");
}

}  // namespace
}  // namespace tenon::cli
