#include "tenon/base/cpu_info.h"

#include <filesystem>
#include <fstream>

namespace tenon {
namespace {

class CpuQuota : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tenon_cgroup_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::filesystem::path root_;
};

TEST_F(CpuQuota, VersionTwoTakesTheSmallestOfTheAncestors) {
  put("a/cpu.max", "300000 100000\n");
  put("a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(cpu_quota(root_, "0::/a/b\n"), 3.0);
  put("a/b/cpu.max", "150000 100000\n");
  EXPECT_EQ(cpu_quota(root_, "0::/a/b\n"), 1.5);
}

TEST_F(CpuQuota, VersionTwoInAContainerWithoutItsPath) {
  put("cpu.max", "200000 100000\n");
  EXPECT_EQ(cpu_quota(root_, "0::/../../outside\n"), 2.0);
}

TEST_F(CpuQuota, VersionOne) {
  put("cpu,cpuacct/job/cpu.cfs_quota_us", "250000\n");
  put("cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  put("cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  put("cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root_, "9:memory:/job\n4:cpu,cpuacct:/job\n"), 2.5);
}

TEST_F(CpuQuota, NoneWithoutFilesOrWithDamagedOnes) {
  const double none = std::numeric_limits<double>::infinity();
  EXPECT_EQ(cpu_quota(root_, "0::/\n"), none);
  EXPECT_EQ(cpu_quota(root_, ""), none);
  put("cpu.max", "many 0\n");
  EXPECT_EQ(cpu_quota(root_, "0::/\n:\nx"), none);
}

TEST(CpuInfo, ParsesTheFirstProcessor) {
  const CpuInfo cpu = parse_cpu_info(
      "processor : 0\nmodel name\t: Fast One\nflags\t\t: fpu avx avx2 fma\n\n"
      "processor : 1\nmodel name\t: Slow One\nflags\t\t: fpu\n");
  EXPECT_EQ(cpu.model, "Fast One");
  EXPECT_EQ(cpu.flags, "fpu avx avx2 fma");
  EXPECT_EQ(cpu.vector_bytes, 32);
  EXPECT_EQ(cpu.vector_registers, 16);
  EXPECT_EQ(parse_cpu_info("flags : avx avx2 avx512f").vector_bytes, 64);
  EXPECT_EQ(parse_cpu_info("").vector_bytes, 16);
}

TEST(CpuInfo, ThisMachine) {
  EXPECT_GE(usable_cores(), 1);
  EXPECT_FALSE(cpu_info().flags.empty());
}

}  // namespace
}  // namespace tenon
