// Medians of launches over many runs; how long threads wait for a core, from a folder made up like
// the system's.
#include "tenon/cli/launch_samples.h"

#include "cli_testing.h"

namespace tenon::cli {
namespace {

void write_thread(const std::string& folder, const std::string& waited) {
  std::filesystem::create_directories(folder);
  io::write_file_atomically(folder + "/schedstat", "123456 " + waited + " 78\n");
}

TEST(CoreWait, IsThatOfTheThreadThatWaitedLongest) {
  const TemporaryFolder folder;
  CoreWait wait(folder / "");
  EXPECT_EQ(wait.seconds(), std::nullopt);
  write_thread(folder / "1", "5000000000");
  write_thread(folder / "2", "1000000000");
  wait.start();
  EXPECT_EQ(wait.seconds(), 0.0);
  write_thread(folder / "1", "5500000000");
  write_thread(folder / "2", "3000000000");
  write_thread(folder / "3", "100000000");  // has begun since
  ASSERT_TRUE(wait.seconds());
  EXPECT_DOUBLE_EQ(*wait.seconds(), 2);
}

TEST(LaunchSamples, AddsUpTheCallsOfARunAndTakesTheMedianOfRuns) {
  LaunchSamples samples(4);
  for (const double seconds : {1.0, 9.0, 2.0, 3.0}) {
    const backends::LaunchEvent events[] = {
        {0, 0, seconds}, {1, seconds, seconds + 0.5}, {0, seconds + 0.5, 2 * seconds + 0.5}};
    samples.add(3, events);
  }
  EXPECT_DOUBLE_EQ(samples.median_seconds(0), 5);  // between those of 2 and 3, two calls each
  EXPECT_DOUBLE_EQ(samples.median_seconds(1), 0.5);
  EXPECT_DOUBLE_EQ(samples.median_seconds(2), 0);  // never launched
  EXPECT_DOUBLE_EQ(samples.calls(0), 2);
  EXPECT_DOUBLE_EQ(samples.calls(2), 0);
  EXPECT_DOUBLE_EQ(samples.median_step_seconds(), 5.5);
  EXPECT_DOUBLE_EQ(samples.mean_step_seconds(), 8);
}

// Every third of 4001; the mean and the calls are of all.
TEST(LaunchSamples, KeepsEvenlySpacedRunsOfMany) {
  LaunchSamples samples(4001);
  for (int run = 0; run < 4001; ++run) {
    const double seconds = run % 3 == 0 ? 2 : 100;
    const backends::LaunchEvent events[] = {{0, 0, seconds}};
    samples.add(1, events);
  }
  EXPECT_DOUBLE_EQ(samples.median_seconds(0), 2);
  EXPECT_DOUBLE_EQ(samples.median_step_seconds(), 2);
  EXPECT_DOUBLE_EQ(samples.calls(0), 1);
  EXPECT_NEAR(samples.mean_step_seconds(), (2 + 100 + 100) / 3.0, 0.1);
}

}  // namespace
}  // namespace tenon::cli
