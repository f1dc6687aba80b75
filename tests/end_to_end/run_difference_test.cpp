#include "tests/end_to_end/run_difference.h"

#include "tenon/io/safetensors.h"
#include "tests/cli/cli_testing.h"

namespace tenon {
namespace {

const HostTensor kMatrix = make_tensor<float>({2, 3}, {0, 1, 2, 3, 4, 5});

class RunDifference : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* run : {"expected", "found"}) write_run(run, kMatrix, kMatrix, "step\n1\n2\n");
  }
  void write_run(const std::string& run, const HostTensor& weight, const HostTensor& moment,
                 const std::string& metrics) {
    std::filesystem::create_directories(folder_ / run);
    io::write_safetensors(folder_ / (run + "/model.safetensors"), {{"a", kMatrix}, {"b", weight}});
    io::write_safetensors(folder_ / (run + "/state.safetensors"), {{"m", moment}});
    io::write_file_atomically(folder_ / (run + "/metrics.csv"), metrics);
  }
  std::string difference() const {
    return first_difference(folder_ / "expected", folder_ / "found");
  }
  const cli::TemporaryFolder folder_;
};

TEST_F(RunDifference, OfEqualRunsIsNone) { EXPECT_EQ(difference(), ""); }

TEST_F(RunDifference, NamesTensorAndElement) {
  HostTensor other = kMatrix;
  other.as<float>()[4] = 4.5f;
  other.as<float>()[5] = 0;
  write_run("found", other, other, "");
  EXPECT_EQ(difference(),
            "model.safetensors: \"b\"[1, 1] is 4.5, expected 4 (2 of 6 elements differ)");
  write_run("found", kMatrix, other, "");
  EXPECT_EQ(difference(),
            "state.safetensors: \"m\"[1, 1] is 4.5, expected 4 (2 of 6 elements differ)");
}

TEST_F(RunDifference, SeesTheSignOfZero) {
  HostTensor other = kMatrix;
  other.as<float>()[0] = -0.0f;
  write_run("found", other, kMatrix, "");
  EXPECT_EQ(difference(),
            "model.safetensors: \"b\"[0, 0] is -0, expected 0 (1 of 6 elements differ)");
}

TEST_F(RunDifference, NamesTypesAndMissingTensors) {
  write_run("found", kMatrix.reshaped({6}), kMatrix, "");
  EXPECT_EQ(difference(), "model.safetensors: \"b\" is f32[6], expected f32[2,3]");
  io::write_safetensors(folder_ / "found/model.safetensors", {{"a", kMatrix}});
  EXPECT_EQ(difference(), "model.safetensors: \"b\" is missing");
  io::write_safetensors(folder_ / "found/model.safetensors",
                        {{"a", kMatrix}, {"b", kMatrix}, {"c", kMatrix}});
  EXPECT_EQ(difference(), "model.safetensors: \"c\" is not expected");
  io::write_safetensors(folder_ / "found/model.safetensors", {{"a", kMatrix}, {"b", kMatrix}},
                        {{"step", "2"}});
  EXPECT_EQ(difference(), "model.safetensors: equal tensors, other metadata");
}

TEST_F(RunDifference, NamesTheLineOfTheTable) {
  write_run("found", kMatrix, kMatrix, "step\n1\n3\n");
  EXPECT_EQ(difference(), "metrics.csv:3: \"3\", expected \"2\"");
  write_run("found", kMatrix, kMatrix, "step\n1\n2");
  EXPECT_EQ(difference(), "metrics.csv:4: the end of the file, expected \"\"");
}

}  // namespace
}  // namespace tenon
