// What the command line does with kinds of data: classes that it is told, labels that it refuses,
// images of other sizes.
#include <algorithm>
#include <cmath>

#include "cli_testing.h"
#include "tenon/io/example.h"
#include "tenon/io/idx.h"
#include "tenon/io/jpeg.h"
#include "tenon/io/npy.h"
#include "tenon/io/npz.h"
#include "tenon/io/png.h"
#include "tenon/io/safetensors.h"
#include "tenon/io/tfrecord.h"

namespace tenon::cli {
namespace {

class DataKinds : public testing::Test {
 protected:
  Outcome train(const std::string& data, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {
        "train", "--model",  "mlp",       "--hidden",     "4", "--data", data, "--epochs",
        "1",     "--device", "reference", "--batch-size", "8"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  // 24 records of classes 0, 1 and 2.
  std::string write_examples() const {
    const std::string file = folder_ / "a.tfrecord";
    io::TfRecordWriter writer(file);
    for (int i = 0; i < 24; ++i)
      writer.add(io::example_bytes({{"x", std::vector<float>{static_cast<float>(i % 5), 1.5f}},
                                    {"y", std::vector<std::int64_t>{i % 3}}}));
    writer.commit();
    return file;
  }
  const TemporaryFolder folder_;
};

TEST_F(DataKinds, ClassesOfShardsAreTold) {
  const std::string data = "tfrecord:" + write_examples();
  const Outcome refused = train(data, {"--workers", "1"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.err,
            fmt::format("error: --classes: missing: the classes of {} are integers, and how many "
                        "there are is not known before all are read; say it, or leave --workers "
                        "out\n",
                        data));
  const Outcome streamed =
      train(data, {"--workers", "1", "--classes", "3", "--out", folder_ / "streamed"});
  EXPECT_EQ(streamed.status, 0) << streamed.err;
  const Outcome named = train(data, {"--classes", "ant,bee,cat", "--out", folder_ / "named"});
  EXPECT_EQ(named.status, 0) << named.err;
  const auto run = nlohmann::json::parse(io::read_text_file(folder_ / "named/run.json"));
  EXPECT_EQ(run["class_names"], nlohmann::json({"ant", "bee", "cat"}));
  // What was trained knows its classes.
  const Outcome judged =
      run_tenon({"evaluate", folder_ / "streamed", "--data", data, "--device", "reference"});
  EXPECT_EQ(judged.status, 0) << judged.err;
  const Outcome few = train(data, {"--workers", "1", "--classes", "2"});
  EXPECT_EQ(few.status, 1);
  EXPECT_NE(few.err.find("the largest label is 2; 2 class names are for labels below 2"),
            std::string::npos)
      << few.err;
}

TEST_F(DataKinds, RecordsOfAPipeAreNotReadFirst) {
  std::string lines;
  for (int i = 0; i < 24; ++i)
    lines += fmt::format("{{\"x\": [{}, 1.5], \"y\": {}}}\n", i % 5, i % 3);
  io::write_file_atomically(folder_ / "records", std::string_view(lines));
  const std::string data = "stream:" + (folder_ / "records");
  // Of a stream that is read as it comes, the number of samples is not known.
  const Outcome outcome = train(data, {"--classes", "3", "--steps-per-epoch", "2"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("input stall"), std::string::npos) << outcome.err;
}

TEST_F(DataKinds, ClassesAreRefusedWhereTheyCannotBe) {
  write_points(folder_ / "points.csv", 12);
  const std::string csv = "csv:" + (folder_ / "points.csv");
  const std::string examples = "tfrecord:" + write_examples();
  const auto error = [&](const std::string& data, const std::vector<std::string>& more) {
    const Outcome outcome = train(data, more);
    EXPECT_EQ(outcome.status, 2);
    return outcome.err;
  };
  EXPECT_EQ(error(csv, {"--classes", "3"}),
            fmt::format("error: --classes: only for tar:, tfrecord:, parquet:, arrow: and stream:; "
                        "\"{}\" says itself what its classes are\n",
                        csv));
  EXPECT_EQ(error(examples, {"--classes", "1"}),
            "error: --classes: expected a whole number from 2 to 1048576, got \"1\"\n");
  EXPECT_EQ(error(examples, {"--classes", "ant"}),
            "error: --classes: a number of classes, or two or more names, expected, got "
            "\"ant\"\n");
  EXPECT_EQ(error(examples, {"--classes", "ant,,bee"}),
            "error: --classes: an empty name among \"ant,,bee\"\n");
  EXPECT_EQ(error(examples, {"--classes", "ant,bee,ant"}),
            "error: --classes: \"ant\" is named twice\n");
}

TEST_F(DataKinds, WithoutSamplesSaySo) {
  for (const std::string part : {"train", "t10k"}) {
    write_idx(folder_ / (part + "-images-idx3-ubyte"), {0, 4, 4}, {});
    write_idx(folder_ / (part + "-labels-idx1-ubyte"), {0}, {});
  }
  const Outcome outcome = train("idx:" + (folder_ / ""));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(outcome.err.ends_with(": there are no samples\n")) << outcome.err;
}

// Before the first step, not after the last one.
TEST_F(DataKinds, ATestSetOfOtherSamplesIsRefused) {
  for (const auto& [part, side] :
       {std::pair<std::string, std::uint16_t>("train", 4), {"t10k", 5}}) {
    const auto area = static_cast<std::size_t>(side * side);
    write_idx(folder_ / (part + "-images-idx3-ubyte"), {2, side, side},
              std::vector<unsigned char>(2 * area));
    write_idx(folder_ / (part + "-labels-idx1-ubyte"), {2}, {0, 1});
  }
  const Outcome outcome =
      train("idx:" + (folder_ / ""), {"--validation", "none", "--out", folder_ / "run"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(
      outcome.err.ends_with("\": samples of the test set are u8[5,5], those of training u8[4,4]\n"))
      << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(DataKinds, ALabelThatIsNotUtf8IsRefusedWhereItStands) {
  io::write_file_atomically(folder_ / "a.csv", std::string_view("x,kind\n1,a\n2,b\xff\n3,a\n"));
  const Outcome outcome = train("csv:" + (folder_ / "a.csv"), {"--out", folder_ / "run"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(
      outcome.err,
      fmt::format("error: {}: line 3, column \"kind\": the label \"b\xef\xbf\xbd\" is not UTF-8; "
                  "help: iconv -f ISO-8859-1 -t UTF-8 makes it so, if the file is in "
                  "Latin-1\n",
                  folder_ / "a.csv"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(DataKinds, ArraysOfWhatIsNotFiniteAreRefused) {
  io::NamedTensors arrays;
  arrays.emplace("x", make_tensor<float>({3, 2}, {1, 2, 3, std::nanf(""), 5, 6}));
  arrays.emplace("y", make_tensor<std::int32_t>({3}, {0, 1, 0}));
  io::write_npz(folder_ / "a.npz", arrays);
  const Outcome outcome = train("npz:" + (folder_ / "a.npz"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, fmt::format("error: {}: x: row 1: number 1 is nan; only finite numbers "
                                     "can be trained with\n",
                                     folder_ / "a.npz"));
}

// A run that reads its data in memory goes on with workers, and ends as if it had not stopped.
TEST_F(DataKinds, WorkersMayJoinARun) {
  write_points(folder_ / "points.csv", 30);
  const std::string data = "csv:" + (folder_ / "points.csv");
  const auto model = [&](const std::string& name) {
    return io::read_safetensors(folder_ / name + "/model.safetensors").tensors;
  };
  ASSERT_EQ(train(data, {"--out", folder_ / "half"}).status, 0);
  std::vector<std::string> arguments = {
      "train", "--model",  "mlp",       "--hidden",     "4", "--data", data, "--epochs",
      "2",     "--device", "reference", "--batch-size", "8"};
  std::vector<std::string> whole = arguments, rest = arguments;
  whole.insert(whole.end(), {"--out", folder_ / "whole"});
  rest.insert(rest.end(), {"--out", folder_ / "half", "--resume", "--workers", "2"});
  ASSERT_EQ(run_tenon(whole).status, 0);
  const Outcome outcome = run_tenon(rest);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(model("half"), model("whole"));
}

class SmallImages : public DataKinds {
 protected:
  void SetUp() override { write_images({12, 8, 8}); }
  void write_images(const std::vector<std::uint16_t>& shape) const {
    std::vector<unsigned char> pixels, labels;
    for (int i = 0; i < 12; ++i) {
      for (int p = 0; p < 8 * 8 * (shape.size() == 4 ? 3 : 1); ++p)
        pixels.push_back(static_cast<unsigned char>(i % 2 == 0 ? 20 : 220));
      labels.push_back(static_cast<unsigned char>(i % 2));
    }
    for (const std::string part : {"train", "t10k"}) {
      write_idx(folder_ / (part + "-images-idx3-ubyte"), shape, pixels);
      write_idx(folder_ / (part + "-labels-idx1-ubyte"), {12}, labels);
    }
  }
  const std::string data_ = "idx:" + (folder_ / "");
};

TEST_F(SmallImages, OfOtherSizesAndKindsArePredicted) {
  ASSERT_EQ(run_tenon({"train", "--model", "mlp:hidden=4", "--data", data_, "--epochs", "20",
                       "--device", "reference", "--out", folder_ / "run"})
                .status,
            0);
  const auto predict = [&](const std::string& file) {
    const Outcome outcome = run_tenon(
        {"predict", folder_ / "run", "--input", folder_ / file, "--json", "--device", "reference"});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out)["predictions"][0];
  };
  HostTensor bright({DType::u8, {11, 13, 3}});
  for (std::uint8_t& value : bright.as<std::uint8_t>()) value = 220;
  io::write_file_atomically(folder_ / "a.jpg", io::jpeg_bytes(bright));
  io::write_png(folder_ / "a.png", bright);
  HostTensor same({DType::u8, {8, 8}});
  for (std::uint8_t& value : same.as<std::uint8_t>()) value = 220;
  io::write_png(folder_ / "same.png", same);
  EXPECT_EQ(predict("a.png"), predict("same.png"));
  EXPECT_EQ(predict("a.jpg"), predict("same.png"));
}

TEST_F(SmallImages, AModelOfOneSizeIsNotTrainedOnAnother) {
  const auto train_on = [&](const std::string& model, const std::string& augment) {
    return run_tenon({"train", "--model", model, "--data", data_, "--epochs", "1", "--device",
                      "reference", "--batch-size", "4", "--augment", augment});
  };
  const Outcome refused = train_on("mlp:hidden=4", "crop:height=4:width=6");
  EXPECT_EQ(refused.status, 2);
  EXPECT_TRUE(refused.err.starts_with(
      "error: --augment: makes samples of [4, 6] from [8, 8], and the model, which is evaluated "
      "on samples as they are, takes one size alone: matmul: inner dimensions differ; help: "))
      << refused.err;
  write_images({12, 8, 8, 3});
  const Outcome any = train_on("resnet20:blocks=1:width=2", "crop:height=4:width=6");
  EXPECT_EQ(any.status, 0) << any.err;
  write_points(folder_ / "points.csv", 12);
  const Outcome points = train("csv:" + (folder_ / "points.csv"), {"--augment", "flip"});
  EXPECT_EQ(points.status, 2);
  EXPECT_TRUE(points.err.starts_with("error: --augment: ")) << points.err;
}

}  // namespace
}  // namespace tenon::cli
