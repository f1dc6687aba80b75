// What the commands say when steps cannot be compiled, or only in a slower way.
#include "cli_testing.h"

namespace tenon::cli {
namespace {

class CompileFaults : public testing::Test {
 protected:
  void SetUp() override { write_points(points_, 40); }
  Outcome train(const std::string& run, const std::string& device,
                const std::vector<std::string>& environment) const {
    std::vector<std::string> arguments = train_arguments(points_, folder_ / run, {"--json"});
    *(std::ranges::find(arguments, "--device") + 1) = device;
    const pid_t child = start_tenon(arguments, folder_ / "out", folder_ / "err", environment);
    Outcome outcome;
    outcome.status = exit_status(child);
    outcome.out = io::read_text_file(folder_ / "out");
    outcome.err = io::read_text_file(folder_ / "err");
    return outcome;
  }

  const TemporaryFolder folder_;
  const std::string points_ = folder_ / "points.csv";
};

TEST_F(CompileFaults, AFolderThatCannotBeUsedIsToldOnceAndInJson) {
  const Outcome outcome = train("run", "cpu", {"TENON_CACHE_DIR=" + points_});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string line = fmt::format(
      "the cache folder {} cannot be used (Not a directory): this step will be compiled again next "
      "time",
      points_);
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["notes"], nlohmann::json::array({line}));
  const std::size_t first = outcome.err.find(line);
  ASSERT_NE(first, std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find(line, first + 1), std::string::npos) << outcome.err;
  const Outcome usual = train("usual", "cpu", {"TENON_CACHE_DIR=" + (folder_ / "cache")});
  EXPECT_FALSE(nlohmann::json::parse(usual.out).contains("notes")) << usual.out;
}

TEST_F(CompileFaults, NothingIsInterpretedUnasked) {
  const std::vector<std::string> environment = {"TENON_CC=/nonexistent",
                                                "TENON_CACHE_DIR=" + (folder_ / "cache")};
  const Outcome compiled = train("run", "cpu", environment);
  EXPECT_EQ(compiled.status, 1);
  EXPECT_EQ(compiled.out, "");
  EXPECT_NE(compiled.err.find("error: TENON_CC is \"/nonexistent\", which is not a program"),
            std::string::npos)
      << compiled.err;
  EXPECT_EQ(train("interpreted", "reference", environment).status, 0);
}

TEST_F(CompileFaults, LimitsThatAreNoNumbersAreErrors) {
  const Outcome outcome = train("run", "cpu", {"TENON_CACHE_MIB=lots"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("TENON_CACHE_MIB is \"lots\"; expected a whole number from 1 to "
                             "1048576"),
            std::string::npos)
      << outcome.err;
}

}  // namespace
}  // namespace tenon::cli
