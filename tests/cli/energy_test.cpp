// Reading the counters of energy, from a folder made up like the system's.
#include "tenon/cli/energy.h"

#include "cli_testing.h"

namespace tenon::cli {
namespace {

void write_zone(const std::string& zone, const std::string& name, const std::string& energy,
                const std::string& range = "1000000") {
  std::filesystem::create_directories(zone);
  io::write_file_atomically(zone + "/name", name + "\n");
  io::write_file_atomically(zone + "/energy_uj", energy + "\n");
  io::write_file_atomically(zone + "/max_energy_range_uj", range + "\n");
}

TEST(Energy, OfProcessorsAndTheirMemoryIsAdded) {
  const TemporaryFolder folder;
  const auto write = [&](const char* first, const char* second, const char* memory,
                         const char* others) {
    write_zone(folder / "intel-rapl:0", "package-0", first);
    write_zone(folder / "intel-rapl:1", "package-1", second);
    write_zone(folder / "intel-rapl:0:1", "dram", memory);
    write_zone(folder / "intel-rapl:0:0", "core", others);          // a part of package-0
    write_zone(folder / "intel-rapl:2", "psys", others);            // holds all of them
    write_zone(folder / "intel-rapl-mmio:0", "package-0", others);  // the same counter once more
  };
  write("100", "500", "30", "0");
  EnergyMeter meter(folder / "");
  ASSERT_TRUE(meter.is_readable()) << meter.reason();
  write("200", "500", "40", "9");
  meter.start();  // what came before does not count
  EXPECT_EQ(meter.joules(), 0.0);
  write("1200", "700", "45", "999");
  ASSERT_TRUE(meter.joules());
  EXPECT_DOUBLE_EQ(*meter.joules(), (1000 + 200 + 5) * 1e-6);
}

TEST(Energy, CountersGoOnAtZeroBehindTheirRange) {
  const TemporaryFolder folder;
  write_zone(folder / "intel-rapl:0", "package-0", "900000");
  EnergyMeter meter(folder / "");
  meter.start();
  write_zone(folder / "intel-rapl:0", "package-0", "50000");
  EXPECT_DOUBLE_EQ(meter.joules().value_or(0), 0.15);
  write_zone(folder / "intel-rapl:0", "package-0", "60000");
  EXPECT_DOUBLE_EQ(meter.joules().value_or(0), 0.16);
}

TEST(Energy, IsNotKnownWhereNothingCanBeRead) {
  const TemporaryFolder folder;
  EnergyMeter missing(folder / "nowhere");
  missing.start();
  missing.sample();
  EXPECT_FALSE(missing.is_readable());
  EXPECT_FALSE(missing.joules());
  EXPECT_EQ(missing.reason(), (folder / "nowhere") + " has no counters");

  write_zone(folder / "intel-rapl:0", "package-0", "not a number");
  const EnergyMeter odd(folder / "");
  EXPECT_FALSE(odd.is_readable());
  EXPECT_EQ(odd.reason(), (folder / "intel-rapl:0/energy_uj") + " cannot be read");

  write_zone(folder / "intel-rapl:0", "package-0", "100");
  EnergyMeter gone(folder / "");
  gone.start();
  EXPECT_TRUE(gone.is_readable());
  std::filesystem::remove(folder / "intel-rapl:0/energy_uj");
  EXPECT_FALSE(gone.joules());
  EXPECT_EQ(gone.reason(), (folder / "intel-rapl:0/energy_uj") + " cannot be read");
}

}  // namespace
}  // namespace tenon::cli
