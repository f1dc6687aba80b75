#include <gtest/gtest.h>

#include "cli_testing.h"
#include "tenon/io/jpeg.h"
#include "tenon/io/png.h"

namespace tenon::cli {
namespace {

// Classes `dark` and `light` of eight images each, PNG and JPEG, of two sizes.
void write_classes(const TemporaryFolder& folder) {
  for (const char* name : {"dark", "light"}) {
    std::filesystem::create_directories(folder / (std::string("images/") + name));
    for (int i = 0; i < 8; ++i) {
      const std::int64_t side = i % 2 == 0 ? 16 : 20;
      const HostTensor image =
          filled({DType::u8, {side, side, 3}}, (name[0] == 'd' ? 20 : 200) + i);
      const std::string stem = folder / ("images/" + std::string(name) + "/" + std::to_string(i));
      if (i < 4)
        io::write_png(stem + ".png", image);
      else
        io::write_file_atomically(stem + ".jpg", io::jpeg_bytes(image));
    }
  }
}

TEST(ImageFolder, TrainsAndEvaluates) {
  const TemporaryFolder folder;
  write_classes(folder);
  const std::string data = "images:" + (folder / "images"), run = folder / "run";
  const std::vector<std::string> train = {
      "train", "--model",      "mlp",      "--hidden",     "4", "--data",
      data,    "--epochs",     "20",       "--batch-size", "4", "--image-size",
      "12x14", "--validation", "none",     "--seed",       "1", "--out",
      run,     "--device",     "reference"};
  const Outcome trained = run_tenon(train);
  ASSERT_EQ(trained.status, 0) << trained.err;
  const Outcome evaluated =
      run_tenon({"evaluate", run, "--device", "reference", "--data", data, "--json"});
  ASSERT_EQ(evaluated.status, 0) << evaluated.err;
  EXPECT_NE(evaluated.out.find("accuracy"), std::string::npos) << evaluated.out;

  io::write_file_atomically(folder / "images/dark/3.png", std::string_view("damaged"));
  const std::string reason = folder / "images/dark/3.png: byte 0: neither a PNG nor a JPEG file";
  const Outcome stopped = run_tenon({"evaluate", run, "--device", "reference", "--data", data});
  EXPECT_EQ(stopped.status, 1);
  EXPECT_NE(stopped.err.find(reason), std::string::npos) << stopped.err;
  const Outcome skipped = run_tenon(
      {"evaluate", run, "--device", "reference", "--data", data, "--bad-samples", "skip"});
  EXPECT_EQ(skipped.status, 0);
  EXPECT_NE(skipped.err.find(data + ": 1 sample was skipped\n  " + reason), std::string::npos)
      << skipped.err;
}

// The same files are split off, so that both trainings see the same samples.
TEST(ImageFolder, StreamsAreSplitAndBalancedAsDataInMemory) {
  const TemporaryFolder folder;
  write_classes(folder);
  const auto validated = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train",
                                          "--model",
                                          "mlp:hidden=4",
                                          "--data",
                                          "images:" + (folder / "images"),
                                          "--epochs",
                                          "2",
                                          "--batch-size",
                                          "4",
                                          "--image-size",
                                          "12x14",
                                          "--validation",
                                          "0.25",
                                          "--class-weights",
                                          "balanced",
                                          "--device",
                                          "reference",
                                          "--seed",
                                          "1",
                                          "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.status == 0 ? nlohmann::json::parse(outcome.out) : nlohmann::json();
  };
  const auto in_memory = validated({"--no-shuffle"});
  const auto streamed = validated({"--no-shuffle", "--workers", "2"});
  const auto again = validated({"--no-shuffle", "--workers", "1", "--out", folder / "run"});
  EXPECT_EQ(in_memory["epochs"].size(), 2u) << in_memory.dump();
  for (const auto* other : {&streamed, &again})
    for (const char* part : {"train", "validation"})
      EXPECT_EQ((*other)["epochs"][1][part], in_memory["epochs"][1][part]);
}

TEST(ImageFolder, BadOptionsAreNamed) {
  const TemporaryFolder folder;
  const auto error = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train", "--model", "mlp", "--out", folder / "run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 2);
    return outcome.err;
  };
  EXPECT_NE(error({"--data", "images:x", "--image-size", "12x"})
                .find("--image-size: HEIGHTxWIDTH expected, each from 1 to 65535, got \"12x\""),
            std::string::npos);
  EXPECT_NE(error({"--data", "csv:x", "--image-size", "12x12"})
                .find("--image-size: only for images:FOLDER, the data is \"csv:x\""),
            std::string::npos);
  EXPECT_NE(error({"--data", "images:x", "--bad-samples", "hide"}).find("--bad-samples: "),
            std::string::npos);
}

}  // namespace
}  // namespace tenon::cli
