// --memory-limit and the picture of a step's memory.
#include "cli_testing.h"
#include "tenon/base/text.h"

namespace tenon::cli {
namespace {

class MemoryOptions : public testing::Test {
 protected:
  void SetUp() override { write_points(points_, 200); }

  Outcome train(const std::string& run, const std::string& limit) const {
    return run_tenon({"train", "--model", "mlp", "--hidden", "32,32", "--data", "csv:" + points_,
                      "--epochs", "1", "--batch-size", "64", "--validation", "none", "--out",
                      folder_ / run, "--memory-limit", limit, "--json"});
  }

  const TemporaryFolder folder_;
  const std::string points_ = folder_ / "points.csv";
};

TEST_F(MemoryOptions, ALimitIsKeptOrRefused) {
  const Outcome enough = train("enough", "1GiB");
  ASSERT_EQ(enough.status, 0) << enough.err;
  const auto needed = nlohmann::json::parse(enough.out)["cost"]["step_buffer_bytes"]["total"];
  EXPECT_EQ(train("exact", fmt::format("{}", needed.get<std::int64_t>())).status, 0);
  const Outcome refused = train("refused", "20KB");
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_TRUE(refused.err.starts_with(
      fmt::format("error: memory limit 19.53 KiB: a training step with batches of 64 needs {}; ",
                  needed_bytes_text(needed.get<std::int64_t>()))))
      << refused.err;
  EXPECT_NE(refused.err.find("; help: batches of "), std::string::npos) << refused.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "refused/model.safetensors"));
}

// The size behind these words of a message.
std::string size_behind(const std::string& text, const std::string& words) {
  const std::size_t found = text.find(words);
  if (found == std::string::npos) return "";
  const std::size_t first = found + words.size(), unit = text.find(' ', first) + 1;
  return text.substr(first, text.find_first_of(" ;,\n", unit) - first);
}

TEST_F(MemoryOptions, WhatARefusalAsksForIsEnoughForTheValidationToo) {
  const auto with_validation = [&](const std::string& run, const std::string& batch,
                                   const std::string& limit) {
    return run_tenon({"train", "--model", "mlp", "--hidden", "32,32", "--data", "csv:" + points_,
                      "--epochs", "1", "--batch-size", batch, "--validation", "0.9", "--out",
                      folder_ / run, "--memory-limit", limit});
  };
  const Outcome refused = with_validation("refused", "256", "10KB");
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("an evaluation with batches of "), std::string::npos) << refused.err;
  const std::string needed = size_behind(refused.err, " needs "),
                    least = size_behind(refused.err, "; give it ");
  const Outcome whole = with_validation("whole", "256", needed),
                smallest = with_validation("smallest", "1", least);
  EXPECT_EQ(whole.status, 0) << needed << ": " << whole.err;
  EXPECT_EQ(smallest.status, 0) << least << ": " << smallest.err;
}

TEST_F(MemoryOptions, ASizeHasAUnitOrNone) {
  for (const char* size : {"0", "-1", "", "x", "1.5", "1e9", "MiB", "0.1", "5 cats", "nan", "inf",
                           "99999999999999999999", "512Mib"}) {
    const Outcome outcome = train("bad", size);
    EXPECT_EQ(outcome.status, 2) << size;
    EXPECT_EQ(outcome.err,
              fmt::format("error: --memory-limit: expected a size, as in 512MiB, 1.5GB or 4096, "
                          "got {}\n",
                          in_quotes(size)));
  }
  for (const char* size : {"1073741824", "1.5 GiB", "2GB"})
    EXPECT_EQ(train(size, size).status, 0) << size;
}

TEST_F(MemoryOptions, WhatIsComputedAgainIsNotKept) {
  const auto bytes = [](const std::string& policy) {
    const Outcome outcome = run_tenon({"inspect", "--model", "mlp", "--hidden", "64,64,64,64,64,64",
                                       "--batch-size", "512", "--recompute", policy, "--json"});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out)["step_buffer_bytes"]["total"].get<std::int64_t>();
  };
  EXPECT_LT(bytes("full"), bytes("none"));
  const std::vector<std::string> train = {"train",          "--model",  "mlp", "--data",
                                          "csv:" + points_, "--epochs", "1",   "--recompute"};
  const auto refused = [&](std::vector<std::string> more) {
    more.insert(more.begin(), train.begin(), train.end());
    const Outcome outcome = run_tenon(more);
    EXPECT_EQ(outcome.status, 2);
    return outcome.err;
  };
  EXPECT_EQ(refused({"auto"}),
            "error: --recompute: auto does as much as --memory-limit asks for, which is missing; "
            "add it, or choose cheap or full\n");
  EXPECT_EQ(refused({"some"}).find("error: --recompute: "), 0u);
}

TEST_F(MemoryOptions, InspectDrawsThem) {
  const std::string file = folder_ / "memory.svg";
  const std::vector<std::string> arguments = {"inspect", "--model",      "lenet", "--batch-size",
                                              "8",       "--memory-map", file};
  const Outcome outcome = run_tenon(arguments);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("picture of the memory    " + file), std::string::npos) << outcome.out;
  const std::string picture = io::read_text_file(file);
  EXPECT_TRUE(picture.starts_with("<svg xmlns=")) << picture.substr(0, 40);
  EXPECT_TRUE(picture.ends_with("</svg>\n"));
  for (const char* part :
       {"Memory of lenet over a step of 8 samples on cpu", " alive at launch ", "<title>conv2d"})
    EXPECT_NE(picture.find(part), std::string::npos) << part;

  std::vector<std::string> elsewhere = arguments;
  elsewhere.insert(elsewhere.end(), {"--device", "reference"});
  EXPECT_EQ(run_tenon(elsewhere).err,
            "error: --memory-map: device reference plans no memory; --device cpu does\n");
}

}  // namespace
}  // namespace tenon::cli
