// How long threads wait for a core, from a folder made up like the system's.
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

}  // namespace
}  // namespace tenon::cli
