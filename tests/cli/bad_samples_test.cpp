// Samples that cannot be used: where and why they stop a command, and that --bad-samples skip
// leaves them out, whatever the workers, and counts them.
#include <cmath>
#include <cstring>

#include "cli_testing.h"
#include "tenon/io/arrow_table.h"
#include "tenon/io/example.h"
#include "tenon/io/npy.h"
#include "tenon/io/npz.h"
#include "tenon/io/png.h"
#include "tenon/io/tfrecord.h"
#include "tenon/io/wav.h"

namespace tenon::cli {
namespace {

constexpr const char* kSkipHelp =
    "; help: --bad-samples skip leaves such samples out (Pipeline::skip_bad in C++); padded "
    "batches "
    "(LoadingOptions::padding) take x of other extents";

class BadSamples : public testing::Test {
 protected:
  Outcome train(const std::string& data, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {
        "train", "--model",      "mlp", "--hidden",     "4",        "--data",   data, "--epochs",
        "1",     "--batch-size", "8",   "--no-shuffle", "--device", "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  std::string model(const std::string& run) const {
    return io::read_text_file(folder_ / run + "/model.safetensors");
  }
  // The training stops with this message, and passes with this warning if bad samples are skipped:
  // in memory, streamed by one worker and by three, to the same weights.
  void expect_stop_and_skip(const std::string& data, const std::string& stop,
                            const std::string& warning,
                            const std::vector<std::string>& more = {}) const {
    for (const char* workers : {"", "1", "3"}) {
      SCOPED_TRACE(std::string("workers ") + workers);
      std::vector<std::string> options = more;
      if (*workers != 0) options.insert(options.end(), {"--workers", workers});
      const Outcome stopped = train(data, options);
      EXPECT_EQ(stopped.status, 1);
      EXPECT_TRUE(stopped.err.ends_with("error: " + stop + "\n")) << stopped.err;
      const std::string run = std::string("run") + workers;
      options.insert(options.end(), {"--bad-samples", "skip", "--out", folder_ / run});
      const Outcome skipped = train(data, options);
      ASSERT_EQ(skipped.status, 0) << skipped.err;
      EXPECT_NE(skipped.err.find("warning: " + data + ": " + warning), std::string::npos)
          << skipped.err;
      if (*workers == '3') {
        EXPECT_EQ(model("run3"), model("run1"));
      }
    }
    for (const char* run : {"run", "run1", "run3"}) std::filesystem::remove_all(folder_ / run);
  }
  const TemporaryFolder folder_;
};

// 60 records; x of record 57 is longer, and record 30 has no y if `is_bare`.
std::string lines_with_bad_ones(bool is_bare) {
  std::string lines;
  for (int i = 0; i < 60; ++i) {
    const char* third = i == 57 ? ", 7" : "";
    const std::string label = is_bare && i == 30 ? "" : fmt::format(", \"y\": {}", i % 3);
    lines += fmt::format("{{\"x\": [{}, 1.5{}]{}}}\n", i % 5, third, label);
  }
  return lines;
}

TEST_F(BadSamples, OfAStreamAreNamedByRecord) {
  const std::string file = folder_ / "mid.jsonl";
  io::write_file_atomically(file, lines_with_bad_ones(false));
  expect_stop_and_skip("stream:" + file,
                       "sample 57 of epoch 0: " + file + ": record 57: x is f32[3], but " + file +
                           ": record 0 has f32[2]" + kSkipHelp,
                       "1 sample was skipped\n  " + file + ": record 57: x is f32[3], but " + file +
                           ": record 0 has f32[2]\n",
                       {"--classes", "3"});
}

TEST_F(BadSamples, WithoutALabelAreNamed) {
  const std::string file = folder_ / "mid.jsonl", data = "stream:" + file;
  io::write_file_atomically(file, lines_with_bad_ones(true));
  const std::string reason =
      file + ": record 30: there is no y, but " + file + ": record 0 has i32[]";
  // Without --classes, records are read before the first step.
  for (const std::vector<std::string>& classes :
       {std::vector<std::string>{"--classes", "3"}, std::vector<std::string>{}}) {
    const Outcome stopped = train(data, classes);
    EXPECT_EQ(stopped.status, 1);
    EXPECT_TRUE(stopped.err.ends_with("error: sample 30 of epoch 0: " + reason + kSkipHelp + "\n"))
        << stopped.err;
    std::vector<std::string> more = classes;
    more.insert(more.end(), {"--bad-samples", "skip"});
    const Outcome skipped = train(data, more);
    EXPECT_EQ(skipped.status, 0);
    EXPECT_NE(skipped.err.find(data + ": 2 samples were skipped\n  " + reason + "\n  " + file +
                               ": record 57: x is f32[3], but " + file + ": record 0 has f32[2]\n"),
              std::string::npos)
        << skipped.err;
  }
}

TEST_F(BadSamples, AtTheStartAreSkippedToo) {
  const std::string file = folder_ / "a.jsonl", data = "stream:" + file;
  io::write_file_atomically(file, "{\"x\": 1\n" + lines_with_bad_ones(false));
  const Outcome skipped = train(data, {"--classes", "3", "--bad-samples", "skip"});
  EXPECT_EQ(skipped.status, 0) << skipped.err;
  EXPECT_NE(skipped.err.find(" samples were skipped\n  " + file + ": record 0: line 1"),
            std::string::npos)
      << skipped.err;
  EXPECT_NE(skipped.err.find("record 58: x is f32[3], but " + file + ": record 1 has f32[2]\n"),
            std::string::npos)
      << skipped.err;
}

TEST_F(BadSamples, OfAStreamLeaveARunThatGoesOnAsItWas) {
  const std::string file = folder_ / "mid.jsonl";
  io::write_file_atomically(file, lines_with_bad_ones(true));
  const auto run = [&](const std::string& name, const std::string& steps, bool resume) {
    std::vector<std::string> arguments = {"train",
                                          "--model",
                                          "mlp",
                                          "--hidden",
                                          "4",
                                          "--data",
                                          "stream:" + file,
                                          "--epochs",
                                          "2",
                                          "--batch-size",
                                          "8",
                                          "--classes",
                                          "3",
                                          "--device",
                                          "reference",
                                          "--bad-samples",
                                          "skip",
                                          "--workers",
                                          "2",
                                          "--out",
                                          folder_ / name};
    if (!steps.empty()) arguments.insert(arguments.end(), {"--max-steps", steps});
    if (resume) arguments.emplace_back("--resume");
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
  };
  run("whole", "", false);
  for (const char* steps : {"5", "7", "11"}) {
    run(steps, steps, false);
    run(steps, "", true);
    EXPECT_EQ(model(steps), model("whole")) << steps;
  }
}

void write_plain_png(const std::string& file, std::int64_t height, std::int64_t width, int value) {
  io::write_png(file, filled({DType::u8, {height, width, 3}}, value));
}

TEST_F(BadSamples, ImagesOfAnotherSizeAreNamedByFile) {
  for (const char* name : {"dark", "light"}) {
    std::filesystem::create_directories(folder_ / (std::string("images/") + name));
    for (int i = 0; i < 9; ++i)
      write_plain_png(folder_ / fmt::format("images/{}/{}.png", name, i), 8, 8,
                      (name[0] == 'd' ? 20 : 200) + i);
  }
  write_plain_png(folder_ / "images/light/5.png", 8, 9, 200);
  const std::string bad = folder_ / "images/light/5.png", first = folder_ / "images/dark/0.png";
  const std::string reason = bad + ": x is u8[8,9,3], but " + first + " has u8[8,8,3]";
  expect_stop_and_skip("images:" + (folder_ / "images"),
                       "sample 14 of epoch 0: " + reason +
                           "; help: --image-size HEIGHTxWIDTH makes them equal "
                           "(ImageFolderOptions in C++), --bad-samples skip leaves such images out",
                       "1 sample was skipped\n  " + reason + "\n");
  io::write_file_atomically(folder_ / "images/dark/3.png", std::string_view("damaged"));
  const Outcome stopped = train("images:" + (folder_ / "images"), {});
  EXPECT_EQ(stopped.status, 1);
  EXPECT_NE(stopped.err.find(": byte 0: neither a PNG nor a JPEG file by its first bytes; help: "
                             "--bad-samples skip leaves such images out\n"),
            std::string::npos)
      << stopped.err;
  const Outcome both = train("images:" + (folder_ / "images"), {"--bad-samples", "skip"});
  EXPECT_EQ(both.status, 0);
  EXPECT_NE(both.err.find(": 2 samples were skipped\n  " + (folder_ / "images/dark/3.png") +
                          ": byte 0: neither a PNG nor a JPEG file by its first bytes\n  " +
                          reason + "\n"),
            std::string::npos)
      << both.err;
}

TEST_F(BadSamples, SoundsOfAnotherLengthAreNamedByFile) {
  for (const char* name : {"no", "yes"}) {
    std::filesystem::create_directories(folder_ / (std::string("sounds/") + name));
    for (int i = 0; i < 6; ++i) {
      const std::int64_t frames = name[0] == 'y' && i == 2 ? 7 : 5;
      io::write_file_atomically(
          folder_ / fmt::format("sounds/{}/{}.wav", name, i),
          io::wav_bytes(filled({DType::f32, {frames, 1}}, name[0] == 'y' ? 0.5 : -0.5), 8000));
    }
  }
  const std::string reason = (folder_ / "sounds/yes/2.wav") + ": x is f32[7], but " +
                             (folder_ / "sounds/no/0.wav") + " has f32[5]";
  expect_stop_and_skip("wav:" + (folder_ / "sounds"),
                       "sample 8 of epoch 0: " + reason +
                           "; help: --frames N cuts or fills sounds to one length "
                           "(WavFolderOptions::frames in C++), --bad-samples skip leaves such "
                           "sounds out",
                       "1 sample was skipped\n  " + reason + "\n");
}

TEST_F(BadSamples, ExamplesOfAnotherTypeAreNamedByRecord) {
  const auto write = [&](const std::string& name, int bad) {
    io::TfRecordWriter writer(folder_ / name);
    for (int i = 0; i < 12; ++i) {
      const std::vector<std::byte> png =
          io::png_bytes(filled({DType::u8, {4, i == bad ? 5 : 4, 3}}, 20 * i));
      const std::string image(reinterpret_cast<const char*>(png.data()), png.size());
      writer.add(io::example_bytes(
          {{"x", std::vector<std::string>{image}}, {"y", std::vector<std::int64_t>{i % 3}}}));
    }
    writer.commit();
  };
  write("a.tfrecord", -1);
  write("b.tfrecord", 4);
  const std::string reason = (folder_ / "b.tfrecord") + ": record 4: x is u8[4,5,3], but " +
                             (folder_ / "a.tfrecord") + ": record 0 has u8[4,4,3]";
  expect_stop_and_skip("tfrecord:" + (folder_ / "*.tfrecord"),
                       "sample 16 of epoch 0: " + reason + kSkipHelp,
                       "1 sample was skipped\n  " + reason + "\n", {"--classes", "3"});
}

TEST_F(BadSamples, ExamplesOfWhatIsNotFiniteAreNamedByRecord) {
  {
    io::TfRecordWriter writer(folder_ / "a.tfrecord");
    for (int i = 0; i < 12; ++i)
      writer.add(io::example_bytes({{"x", std::vector<float>{1, i == 5 ? std::nanf("") : 2.0f}},
                                    {"y", std::vector<std::int64_t>{i % 3}}}));
    writer.commit();
  }
  const std::string reason = (folder_ / "a.tfrecord") +
                             ": record 5: feature \"x\": number 1 is nan; only finite numbers can "
                             "be trained with";
  expect_stop_and_skip("tfrecord:" + (folder_ / "a.tfrecord"), "sample 5 of epoch 0: " + reason,
                       "1 sample was skipped\n  " + reason + "\n", {"--classes", "3"});
}

std::string bytes_of_file(const std::string& file) { return io::read_text_file(file); }

// A member of an archive in the format ustar.
std::string tar_member(const std::string& name, const std::string& content) {
  std::string block(512, '\0');
  block.replace(0, name.size(), name);
  block.replace(100, 8, std::string("0000644\0", 8));
  block.replace(124, 12, fmt::format("{:011o}", content.size()) + '\0');
  block.replace(148, 8, "        ");
  block[156] = '0';
  block.replace(257, 8, std::string("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  block.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return block + content + std::string((512 - content.size() % 512) % 512, '\0');
}

TEST_F(BadSamples, OfTarShardsAreNamedByKey) {
  std::string archive;
  for (int i = 0; i < 12; ++i) {
    const std::int64_t width = i == 7 ? 3 : 2;
    io::write_npy(folder_ / "x.npy",
                  filled({DType::f32, {width}}, i == 9 ? std::nan("") : 0.5 * i));
    archive += tar_member(fmt::format("s{:02}.npy", i), bytes_of_file(folder_ / "x.npy"));
    archive += tar_member(fmt::format("s{:02}.cls", i), fmt::format("{}", i % 3));
  }
  const std::string file = folder_ / "a.tar";
  io::write_file_atomically(file, archive + std::string(1024, '\0'));
  const std::string wide =
      file + ": sample \"s07\": x is f32[3], but " + file + ": sample \"s00\" has f32[2]";
  expect_stop_and_skip("tar:" + file, "sample 7 of epoch 0: " + wide + kSkipHelp,
                       "2 samples were skipped\n", {"--classes", "3"});
  const Outcome skipped = train("tar:" + file, {"--classes", "3", "--bad-samples", "skip"});
  EXPECT_NE(skipped.err.find(": 2 samples were skipped\n  " + wide + "\n  " + file +
                             ": \"s09.npy\": number 0 is nan; only finite numbers can be trained "
                             "with\n"),
            std::string::npos)
      << skipped.err;
}

TEST_F(BadSamples, RowsOfParquetAreNamedByRow) {
  if (!io::has_arrow()) GTEST_SKIP() << "Parquet files need the Arrow plugin";
  const std::string file = TENON_TEST_DATA "/io/gaps.parquet";
  const std::string row = file + ": row ";
  expect_stop_and_skip(
      "parquet:" + file,
      "sample 2 of epoch 0: " + row +
          "2, column \"x\": there is no value; fill in or leave out such rows first",
      "5 samples were skipped\n");
  const Outcome skipped = train("parquet:" + file, {"--bad-samples", "skip"});
  EXPECT_NE(skipped.err.find(
                "5 samples were skipped\n  " + row +
                "2, column \"x\": there is no value; fill in or leave out such rows first\n  " +
                row + "4, column \"x\": nan is not a finite number\n  " + row +
                "7, column \"z\": inf is not a finite number\n  " + row +
                "8, column \"x\": 1e+39 does not fit f32\n  " + row +
                "9, column \"kind\": there is no value; fill in or leave out such rows first\n"),
            std::string::npos)
      << skipped.err;
}

TEST_F(BadSamples, RowsOfCsvAreNamedByLine) {
  const std::string file = folder_ / "a.csv";
  std::string text = "across,down,class\n";
  for (int i = 0; i < 24; ++i) {
    if (i == 4) text += "1,nan,0\n";
    if (i == 6) text += "1,2\n";
    if (i == 9) text += "1,1e39,0\n";
    if (i == 11) text += "1,,0\n";
    if (i == 15) text += "1,2,-1\n";
    text += fmt::format("{},{}.5,{}\n", i % 5, i % 4, i % 3);
  }
  io::write_file_atomically(file, text);
  const std::string data = "csv:" + file;
  const Outcome stopped = train(data);
  EXPECT_EQ(stopped.status, 1);
  EXPECT_EQ(stopped.err,
            "error: " + file +
                ": line 6, character 3: \"nan\" is not a finite number (column "
                "\"down\"); help: --ignore-columns NAME leaves a column out "
                "(CsvOptions::ignored in C++), --bad-samples skip leaves such rows out\n");
  const Outcome skipped = train(data, {"--bad-samples", "skip", "--out", folder_ / "skipped"});
  ASSERT_EQ(skipped.status, 0) << skipped.err;
  EXPECT_NE(skipped.err.find(
                "warning: " + data + ": 5 samples were skipped\n  " + file +
                ": line 6, character 3: \"nan\" is not a finite number (column \"down\")\n  " +
                file + ": line 9, character 1: 2 fields; 3 expected, as in the first record\n  " +
                file + ": line 16, character 3: \"\" is not a number (column \"down\")\n  " + file +
                ": line 13: 1e+39 in column \"down\" does not fit f32\n  " + file +
                ": line 21: the label -1 is not a class; classes are 0 to 1048575\n"),
            std::string::npos)
      << skipped.err;
  // The same as if they were not there.
  std::string clean = "across,down,class\n";
  for (int i = 0; i < 24; ++i) clean += fmt::format("{},{}.5,{}\n", i % 5, i % 4, i % 3);
  io::write_file_atomically(file, clean);
  ASSERT_EQ(train(data, {"--out", folder_ / "clean"}).status, 0);
  EXPECT_EQ(model("skipped"), model("clean"));
}

TEST_F(BadSamples, AreSkippedOnlyWhereTheyCanBe) {
  for (const std::string data : {"idx:x", "npz:x", "text:x", "cifar10:x", "fashion-mnist"}) {
    const Outcome outcome = train(data, {"--bad-samples", "skip"});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.err,
              "error: --bad-samples: skip is for images:, csv:, wav:, parquet:, arrow:, tfrecord:, "
              "tar: and stream:, the data is \"" +
                  data + "\"\n");
  }
  const Outcome help = run_tenon({"train", "--help"});
  EXPECT_NE(help.out.find("what to do at a sample that cannot be read or differs in type"),
            std::string::npos)
      << help.out;
}

TEST_F(BadSamples, FloatImagesOfWhatIsNotFiniteAreRefused) {
  for (const std::string part : {"train", "t10k"}) {
    std::string images = std::string("\0\0\x0d\x03\0\0\0\x04\0\0\0\x02\0\0\0\x02", 16);
    for (int i = 0; i < 16; ++i) {
      const float value = i == 13 ? -INFINITY : 0.5f;
      std::uint32_t bits = 0;
      std::memcpy(&bits, &value, 4);
      for (const int shift : {24, 16, 8, 0}) images += static_cast<char>(bits >> shift & 0xff);
    }
    io::write_file_atomically(folder_ / (part + "-images-idx3-ubyte"), images);
    write_idx(folder_ / (part + "-labels-idx1-ubyte"), {4}, {0, 1, 0, 1});
  }
  const Outcome outcome = train("idx:" + (folder_ / ""));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "error: " + (folder_ / "train-images-idx3-ubyte") +
                             ": image 3: number 1 is -inf; only finite numbers can be trained "
                             "with\n");
}

}  // namespace
}  // namespace tenon::cli
