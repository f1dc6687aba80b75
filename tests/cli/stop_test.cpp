// Commands that are stopped while a step is compiled: nothing of it stays.
#include <csignal>

#include "cli_testing.h"

namespace tenon::cli {
namespace {

namespace fs = std::filesystem;

class Stop : public testing::Test {
 protected:
  void SetUp() override {
    // Says for whom it works, and does not end.
    io::write_file_atomically(folder_ / "slow",
                              "#!/bin/sh\n[ \"$1\" = --version ] && { echo slow 1; exit 0; }\n"
                              "echo half > \"$TMPDIR/half-made\"\n"
                              "echo $$ > \"$0.$PPID\"\nsleep 300\n");
    fs::permissions(folder_ / "slow", fs::perms::owner_all);
    write_points(folder_ / "points.csv", 30);
  }
  // Starts the command and waits until its compiler runs.
  pid_t start(const std::vector<std::string>& arguments) const {
    const pid_t child =
        start_tenon(arguments, folder_ / "out", folder_ / "err",
                    {"TENON_CC=" + (folder_ / "slow"), "TENON_CACHE_DIR=" + (folder_ / "cache")});
    while (!fs::exists(folder_ / fmt::format("slow.{}", child)) &&
           ::waitpid(child, nullptr, WNOHANG) == 0)
      ::usleep(10'000);
    return child;
  }
  std::size_t work_folders() const {
    std::size_t count = 0;
    for (const fs::directory_entry& item : fs::directory_iterator(folder_ / "cache"))
      count += item.path().filename().string().starts_with("tenon-work-") ? 1 : 0;
    return count;
  }

  const TemporaryFolder folder_;
};

TEST_F(Stop, LeavesNothingOfACompile) {
  const std::vector<std::string> model = {"--model", "mlp", "--hidden", "4"};
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"inspect"},
        {"profile"},
        {"bench", "--data", "csv:" + (folder_ / "points.csv"), "--batch-size", "8"}})
    for (const int signal : {SIGINT, SIGTERM}) {
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), model.begin(), model.end());
      const pid_t child = start(arguments);
      EXPECT_EQ(work_folders(), 1U) << command[0];
      ::kill(child, signal);
      EXPECT_EQ(exit_status(child), 130) << command[0];
      EXPECT_EQ(work_folders(), 0U) << command[0];
      EXPECT_EQ(io::read_text_file(folder_ / "err"), "stopped\n");
      EXPECT_EQ(io::read_text_file(folder_ / "out"), "");
    }
}

// What a killed process leaves, the next one that compiles takes away; a folder in use stays.
TEST_F(Stop, KilledProcessesAreSweptUpAfter) {
  const pid_t killed = start({"inspect", "--model", "mlp"});
  ::kill(killed, SIGKILL);
  EXPECT_EQ(exit_status(killed), 128 + SIGKILL);
  EXPECT_EQ(work_folders(), 1U);
  const pid_t next = start({"inspect", "--model", "mlp"});
  EXPECT_EQ(work_folders(), 1U);
  const pid_t beside = start({"inspect", "--model", "mlp", "--hidden", "5"});
  EXPECT_EQ(work_folders(), 2U);
  for (const pid_t child : {next, beside}) {
    ::kill(child, SIGTERM);
    EXPECT_EQ(exit_status(child), 130);
  }
  EXPECT_EQ(work_folders(), 0U);
}

TEST(CompileProgress, IsToldByEveryCommandThatCompiles) {
  const TemporaryFolder folder;
  write_points(folder / "points.csv", 30);
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"inspect"},
        {"profile", "--steps", "1"},
        {"bench", "--data", "csv:" + (folder / "points.csv"), "--batch-size", "8", "--losses-at",
         "1", "--seconds", "0.01"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--model", "mlp", "--hidden", "4", "--json"});
    const Outcome outcome = run_tenon(arguments);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("training step: compiled in ")) << outcome.err;
    EXPECT_TRUE(nlohmann::json::accept(outcome.out)) << outcome.out;
  }
}

}  // namespace
}  // namespace tenon::cli
