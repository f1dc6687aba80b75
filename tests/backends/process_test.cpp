#include "tenon/backends/cpu/process.h"

#include <unistd.h>

#include "tests/backends/backends_testing.h"

namespace tenon::backends {
namespace {

constexpr std::chrono::seconds kLong(60);

ProcessResult run_shell(const std::string& script, std::chrono::seconds limit = kLong) {
  return Process({"/bin/sh", "-c", script}).wait(limit);
}

TEST(Process, CapturesOutputAndStatus) {
  const ProcessResult result = run_shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.output, "out\nerr\n");
}

TEST(Process, LongOutputIsCutButDoesNotBlock) {
  const ProcessResult result = run_shell("yes tenon | head -c 3000000");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output.size(), std::size_t{1} << 20);
}

TEST(Process, SignalsAreStatuses) { EXPECT_EQ(run_shell("kill -9 $$").exit_status, 128 + 9); }

TEST(Process, LimitKillsTheWholeGroup) {
  const auto start = std::chrono::steady_clock::now();
  const ProcessResult result = run_shell("sleep 100 & echo $!; wait", std::chrono::seconds(1));
  EXPECT_TRUE(result.timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(50));
  // The grandchild is gone, or a zombie that nobody reaps here; it does not run on.
  const std::string state = run_shell("ps -o stat= -p " + std::string(result.output)).output;
  EXPECT_TRUE(state.empty() || state[0] == 'Z') << state;
}

TEST(Process, DoesNotWaitForDaemonsThatHoldTheOutput) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(run_shell("sleep 30 & echo done").output, "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Process, MissingProgram) {
  EXPECT_EQ(error_of<BackendError>([] { Process({"/nonexistent/program"}); }),
            "cannot run /nonexistent/program: No such file or directory");
}

TEST(Process, ShellCommandQuotes) {
  EXPECT_EQ(shell_command({"/usr/bin/cc", "-O3", "a b", "it's", ""}),
            "/usr/bin/cc -O3 'a b' 'it'\\''s' ''");
  const std::string word = "a'\"$`\\ b*";
  EXPECT_EQ(run_shell("printf %s " + shell_command({word})).output, word);
}

}  // namespace
}  // namespace tenon::backends
