// TFRecord files, tar shards, record streams and caches in files, as pipelines.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <set>
#include <thread>

#include "pipeline_testing.h"
#include "tenon/data/file_list.h"
#include "tenon/data/open_stream.h"
#include "tenon/data/record_stream.h"
#include "tenon/data/tfrecord.h"
#include "tenon/data/web_dataset.h"
#include "tenon/io/file.h"
#include "tenon/io/npy.h"
#include "tenon/io/tfrecord.h"
#include "tenon/io/wav.h"

namespace tenon::data {
namespace {

std::string io_sample(const std::string& name) { return TENON_TEST_DATA "/io/" + name; }

std::vector<Sample> samples_of(const Pipeline& pipeline, std::uint64_t epoch = 0) {
  std::vector<Sample> samples;
  const Generator generator = pipeline.samples(epoch);
  while (std::optional<Sample> sample = generator()) samples.push_back(*std::move(sample));
  return samples;
}

TEST(FileList, PatternsAreSorted) {
  const TemporaryFolder folder;
  for (const char* name : {"b.txt", "a.txt", "c.bin", "[x].txt"})
    io::write_file_atomically(folder / name, std::string_view("1"));
  std::filesystem::create_directory(folder / "d.txt");
  EXPECT_EQ(
      files_of(folder.path() + "/*.txt"),
      (std::vector<std::filesystem::path>{folder / "[x].txt", folder / "a.txt", folder / "b.txt"}));
  EXPECT_EQ(files_of(folder.path() + "/[x].txt").size(), 1u);
  EXPECT_EQ(error_of([&] { files_of(folder.path() + "/*.png"); }),
            "cannot read " + folder.path() + "/*.png: there is no such file");
}

TEST(TfRecordPipeline, FeaturesBecomeTensors) {
  const TfRecordOptions options{.x = {"x", {DType::f32, {2, -1}}},
                                .y = FeatureSpec{"y", {DType::i32, {}}}};
  const Pipeline pipeline = tfrecord(io_sample("examples.tfrecord"), options);
  const std::vector<Sample> samples = samples_of(pipeline);
  ASSERT_EQ(samples.size(), 5u);
  EXPECT_EQ(samples[4].x, make_tensor<float>({2, 3}, {4, 4.25f, 4.5f, 4.75f, 5, 5.25f}));
  EXPECT_EQ(samples[4].y, make_scalar<std::int32_t>(1));
  expect_repeatable(pipeline, 2, {});
  const Pipeline images =
      tfrecord(io_sample("images.tfrecord"),
               {.x = {"image", {}, 3}, .y = FeatureSpec{"label", {DType::i64, {}}}});
  EXPECT_EQ(samples_of(images)[2].x, filled({DType::u8, {4, 5, 3}}, 100));
  EXPECT_EQ(samples_of(images)[2].y, make_scalar<std::int64_t>(2));
}

TEST(TfRecordPipeline, FeaturesAreSuggestedByTheFirstRecord) {
  const TfRecordOptions numbers = suggest_features(io_sample("examples.tfrecord"));
  EXPECT_EQ(numbers.x.name, "x");
  EXPECT_EQ(numbers.x.type, (TensorType{DType::f32, {6}}));
  EXPECT_EQ(numbers.y->type, (TensorType{DType::i32, {}}));
  const TfRecordOptions images = suggest_features(io_sample("images.tfrecord"), "", 1);
  EXPECT_EQ(images.x.name, "image");
  EXPECT_EQ(images.x.image_channels, 1);
  EXPECT_EQ(samples_of(tfrecord(io_sample("images.tfrecord"), images))[1].x,
            filled({DType::u8, {4, 5, 1}}, 50));
  EXPECT_EQ(error_of([] { suggest_features(io_sample("examples.tfrecord"), "names"); }),
            io_sample("examples.tfrecord") +
                ": no feature \"names\", only \"big\", \"name\", \"x\", \"y\"; did you mean "
                "\"name\"?");
}

void write_examples(const std::filesystem::path& file, const std::vector<io::Example>& examples) {
  io::TfRecordWriter writer(file);
  for (const io::Example& example : examples) writer.add(io::example_bytes(example));
  writer.commit();
}

TEST(TfRecordPipeline, FeaturesThatDoNotFitAreNamed) {
  const TemporaryFolder folder;
  using Integers = std::vector<std::int64_t>;
  using Texts = std::vector<std::string>;
  write_examples(folder / "a.tfrecord", {{{"i", Integers{1, 2, 300}},
                                          {"f", std::vector<float>{1.5f}},
                                          {"t", Texts{"ab", "c"}},
                                          {"b", Texts{"cat"}}}});
  const auto error = [&](const FeatureSpec& spec) {
    const std::string message =
        error_of([&] { samples_of(tfrecord(folder.path() + "/a.tfrecord", {.x = spec})); });
    const std::string start =
        "sample 0 of epoch 0: " + folder.path() + "/a.tfrecord: record 0: feature ";
    EXPECT_TRUE(message.starts_with(start)) << message;
    return message.substr(std::min(start.size(), message.size()));
  };
  EXPECT_EQ(error({"i", {DType::i32, {2}}}), "\"i\": 3 values for the shape [2]");
  EXPECT_EQ(error({"i", {DType::i32, {2, -1}}}), "\"i\": 3 values for the shape [2, -1]");
  EXPECT_EQ(error({"i", {DType::u8, {3}}}), "\"i\": 300 does not fit u8");
  EXPECT_EQ(error({"f", {DType::i32, {}}}), "\"f\": 1.5 does not fit i32");
  EXPECT_EQ(error({"t", {DType::u8, {2}}}), "\"t\": 2 byte strings; one expected");
  EXPECT_EQ(error({"b", {DType::f32, {-1}}}), "\"b\": 3 bytes are no whole number of f32");
  EXPECT_EQ(error({"b", {}, 3}), "\"b\": byte 0: neither a PNG nor a JPEG file by its first bytes");
  EXPECT_EQ(error({"z", {DType::f32, {}}}),
            "\"z\": there is none of that name, only \"b\", \"f\", \"i\", \"t\"");
  EXPECT_EQ(
      error_of([&] {
        samples_of(tfrecord(folder.path() + "/a.tfrecord", {.x = {"i", {DType::i64, {-1}}},
                                                            .y = FeatureSpec{"b", {DType::i32, {}}},
                                                            .class_names = {"dog", "cats"}}));
      }).substr(folder.path().size() + 21),
      "/a.tfrecord: record 0: feature \"b\": \"cat\" is none of the 2 classes; did you mean "
      "\"cats\"?");
  EXPECT_EQ(
      error_of([&] {
        tfrecord(folder.path() + "/a.tfrecord", {.x = {"i", {DType::i64, {-2}}}});
      }),
      "feature \"i\": the shape [-2]; extents of at least 0, and -1 for one of them, expected");
  EXPECT_EQ(error_of([&] { tfrecord(folder.path() + "/*.png", {}); }),
            "cannot read " + folder.path() + "/*.png: there is no such file");
}

TEST(TfRecordPipeline, FilesAreShuffledAndInterleaved) {
  const TemporaryFolder folder;
  for (int file = 0; file < 3; ++file) {
    std::vector<io::Example> examples;
    for (int i = 0; i < 4; ++i)
      examples.push_back({{"x", std::vector<float>{static_cast<float>(10 * file + i)}}});
    write_examples(folder / fmt::format("{}.tfrecord", file), examples);
  }
  TfRecordOptions options{.x = {"x", {DType::f32, {}}}};
  const auto values = [&](std::uint64_t epoch) {
    return values_of(tfrecord(folder.path() + "/*.tfrecord", options), epoch);
  };
  EXPECT_EQ(values(0), (Values{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23}));
  options.files.at_once = 2;
  EXPECT_EQ(values(0), (Values{0, 10, 1, 11, 2, 12, 3, 13, 20, 21, 22, 23}));
  options.files = {.shuffle = true, .seed = 2, .at_once = 3};
  EXPECT_EQ(values(4), values(4));
  std::set<Values> orders;
  for (std::uint64_t epoch = 0; epoch < 40; ++epoch) orders.insert(values(epoch));
  EXPECT_EQ(orders.size(), 6u);  // of three files
  expect_repeatable(tfrecord(folder.path() + "/*.tfrecord", options), 3, {.epoch = 1});
}

TEST(WebDataset, FilesOfOneKeyAreOneSample) {
  const Pipeline images = web_dataset(io_sample("shard-*.tar*"));
  const std::vector<Sample> samples = samples_of(images);
  ASSERT_EQ(samples.size(), 6u);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(samples[static_cast<std::size_t>(i)].x, filled({DType::u8, {4, 5, 3}}, 40 * (i % 3)));
    EXPECT_EQ(samples[static_cast<std::size_t>(i)].y, make_scalar<std::int32_t>(i));
  }
  const std::vector<Sample> arrays =
      samples_of(web_dataset(io_sample("shard-1.tar.gz"), {.x = {"npy"}, .y = {"json"}}));
  ASSERT_EQ(arrays.size(), 3u);
  EXPECT_EQ(arrays[2].x, make_tensor<float>({3}, {2, 3, 4}));
  EXPECT_EQ(arrays[2].y, make_tensor<std::int32_t>({2}, {2, 1}));
  const std::vector<Sample> texts =
      samples_of(web_dataset(io_sample("shard-0.tar"), {.x = {"txt"}, .y = {}}));
  EXPECT_EQ(texts[1].x, make_tensor<std::uint8_t>({6}, {'t', 'e', 'x', 't', ' ', '1'}));
  EXPECT_EQ(texts[1].y, HostTensor());
  const std::vector<Sample> named = samples_of(
      web_dataset(io_sample("shard-0.tar"),
                  {.x = {"npy"}, .y = {"txt"}, .class_names = {"text 2", "text 1", "text 0"}}));
  EXPECT_EQ(named[0].y, make_scalar<std::int32_t>(2));
  expect_repeatable(web_dataset(io_sample("shard-*.tar*"),
                                {.shards = {.shuffle = true, .seed = 3, .at_once = 2}}),
                    2, {});
}

TEST(WebDataset, BadSamplesAreNamed) {
  const auto error = [](const WebDatasetOptions& options) {
    return error_of([&] { samples_of(web_dataset(io_sample("shard-0.tar"), options)); });
  };
  const std::string start =
      "sample 0 of epoch 0: " + io_sample("shard-0.tar") + ": sample \"set/0-0\": ";
  EXPECT_EQ(error({.x = {"jpg"}}), start +
                                       "no file for x; one of .jpg expected, it has .cls, .json, "
                                       ".npy, .png, .txt");
  EXPECT_EQ(error({.x = {"json"}}), start +
                                        "files of kind \"json\" cannot be x; .png, .jpg, .jpeg, "
                                        ".npy, .wav and .txt can");
  EXPECT_EQ(error({.y = {"json"}, .json_key = "class"}), start + "\"json\" has no \"class\"");
  EXPECT_EQ(error({.y = {"txt"}}),
            start +
                "the label \"text 0\" is no whole number, and no classes are named\n  help: "
                "--classes NAME,NAME,... names them (WebDatasetOptions::class_names in C++)");
  EXPECT_EQ(error({.y = {"txt"}, .class_names = {"text 1", "b"}}),
            start +
                "the label \"text 0\" is neither a whole number nor one of the 2 classes; did you "
                "mean \"text 1\"?");
  EXPECT_EQ(error({.x = {}}), "a WebDataset without kinds of files for x");
}

// A framed file of `count` samples x = f32[length i % 3], y = i.
void write_stream(const std::filesystem::path& file, int count) {
  io::RecordWriter writer(file, {{DType::f32, {-1}}, {DType::i32, {}}, {"a", "b"}});
  for (int i = 0; i < count; ++i) {
    const Shape shape{i % 3};
    writer.add(filled({DType::f32, shape}, static_cast<double>(i)), make_scalar(i));
  }
  writer.commit();
}

std::vector<int> labels_of(const Pipeline& pipeline, std::uint64_t epoch = 0) {
  std::vector<int> labels;
  for (const Sample& sample : samples_of(pipeline, epoch))
    labels.push_back(sample.y.as<std::int32_t>()[0]);
  return labels;
}

TEST(RecordStreamPipeline, ReadsFilesAgainAndAgain) {
  const TemporaryFolder folder;
  write_stream(folder / "s", 7);
  for (const std::uint64_t kept : {0, 200, 1 << 20}) {
    const RecordStream stream = record_stream(folder.path() + "/s", {.replay_bytes = kept});
    EXPECT_EQ(stream.class_names, (std::vector<std::string>{"a", "b"}));
    for (const std::uint64_t epoch : {0, 1})
      EXPECT_EQ(labels_of(stream.samples, epoch), (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
    expect_repeatable(stream.samples, 3, {.padding = Padding{.x = -1}});
  }
}

TEST(RecordStreamPipeline, PassesDoNotDisturbEachOther) {
  const TemporaryFolder folder;
  write_stream(folder / "s", 7);
  for (const std::uint64_t kept : {0, 200, 1 << 20}) {
    const RecordStream stream = record_stream(folder.path() + "/s", {.replay_bytes = kept});
    const Generator first = stream.samples.samples(0);
    std::vector<int> labels;
    for (int i = 0; i < 7; ++i) {
      const std::optional<Sample> sample = first();
      ASSERT_TRUE(sample.has_value()) << i;
      labels.push_back(sample->y.as<std::int32_t>()[0]);
      EXPECT_EQ(labels_of(stream.samples, 1), (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
    }
    EXPECT_EQ(labels, (std::vector<int>{0, 1, 2, 3, 4, 5, 6})) << kept;
    EXPECT_FALSE(first().has_value());
  }
}

// Standard input comes from the file while this lives.
class StandardInput {
 public:
  explicit StandardInput(const std::filesystem::path& file) : saved_(::dup(STDIN_FILENO)) {
    EXPECT_NE(std::freopen(file.c_str(), "r", stdin), nullptr);
  }
  ~StandardInput() {
    ::dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }

 private:
  int saved_;
};

TEST(RecordStreamPipeline, StandardInputIsReadOnce) {
  const TemporaryFolder folder;
  write_stream(folder / "s", 6);
  {
    const StandardInput input(folder / "s");
    const RecordStream stream = record_stream("-");
    EXPECT_EQ(labels_of(stream.samples.take(2)), (std::vector<int>{0, 1}));  // a first look
    EXPECT_EQ(labels_of(stream.samples), (std::vector<int>{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(labels_of(stream.samples, 1), (std::vector<int>{0, 1, 2, 3, 4, 5}));  // kept
  }
  const StandardInput input(folder / "s");
  const RecordStream stream = record_stream("-", {.replay_bytes = 100});
  EXPECT_EQ(labels_of(stream.samples).size(), 6u);
  EXPECT_EQ(error_of([&] { labels_of(stream.samples, 1); }),
            "standard input: it can be read only once, and more than 100 bytes were not kept for a "
            "second pass; cache its samples, or train for one epoch");
}

TEST(RecordStreamPipeline, TakesNoMoreThanItIsAskedFor) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const io::RecordHeader header{{DType::f32, {1000}}, {DType::i32, {}}};
  const std::vector<std::byte> start = io::record_header_bytes(header);
  EXPECT_EQ(::write(ends[1], start.data(), start.size()), static_cast<ssize_t>(start.size()));
  std::atomic<int> written = 0;
  std::atomic<bool> stopped = false;
  std::thread writer([&] {
    ::signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 1000 && !stopped; ++i) {
      const std::vector<std::byte> frame =
          io::record_frame_bytes(header, HostTensor({DType::f32, {1000}}), make_scalar(i));
      if (::write(ends[1], frame.data(), frame.size()) < 0) break;
      ++written;
    }
    ::close(ends[1]);
  });
  {
    const int saved = ::dup(STDIN_FILENO);
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    const RecordStream stream = record_stream("-", {.replay_bytes = 0});
    ::dup2(saved, STDIN_FILENO);
    ::close(saved);
    PipelineBatches batches = stream.samples.batches(4, {.workers = 2, .ahead = 2});
    for (int i = 0; i < 5; ++i) ASSERT_NE(batches.next(), nullptr);
    // 4 KB a record: 28 in batches at most, 64 KiB each in the pipe and in the reader.
    EXPECT_LE(written, 28 + 17 + 17 + 1);
    stopped = true;
  }
  writer.join();
}

TEST(FileCache, IsWrittenOnceAndReadFromThenOn) {
  const TemporaryFolder folder;
  std::atomic<int> made = 0;
  const Pipeline source = Pipeline::from(20, [&made](std::int64_t i) {
    ++made;
    const Shape shape{i % 3, 2};
    return Sample{filled({DType::f32, shape}, static_cast<double>(i)),
                  make_scalar(static_cast<std::int32_t>(i))};
  });
  const Pipeline cached = source.shuffle(3).cache(folder / "cache", 2);
  const std::vector<int> order = labels_of(source.shuffle(3), 0);
  made = 0;
  EXPECT_EQ(labels_of(cached, 5), order);
  EXPECT_EQ(labels_of(cached, 6), order);
  EXPECT_EQ(made, 20);
  EXPECT_EQ(labels_of(source.cache(folder / "cache")), order);  // the file is there already
  EXPECT_EQ(samples_of(cached)[3].x, samples_of(source.shuffle(3))[3].x);
  expect_repeatable(cached, 3, {.padding = Padding{}});
  EXPECT_TRUE(samples_of(counting_to(0).cache(folder / "empty")).empty());
  io::write_file_atomically(folder / "cut", io::read_text_file(folder / "cache").substr(0, 300));
  const std::string message = error_of([&] { samples_of(source.cache(folder / "cut")); });
  EXPECT_TRUE(message.starts_with(folder.path() + "/cut: byte ")) << message;
}

TEST(OpenStream, SourcesAreStreamedOrLoaded) {
  const TemporaryFolder folder;
  for (const char* name : {"no", "yes"}) {
    std::filesystem::create_directory(folder / name);
    io::write_file_atomically(folder / (std::string(name) + "/a.wav"),
                              io::wav_bytes(HostTensor({DType::f32, {4, 1}}), 8000));
  }
  const Dataset sounds = open("wav:" + folder.path()).train;
  EXPECT_EQ(sounds.x().type(), (TensorType{DType::f32, {2, 4}}));
  EXPECT_EQ(sounds.class_names(), (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(open("wav:" + folder.path(), {.sounds = {.frames = 3}}).train.x().row_shape(),
            Shape{3});

  const Dataset records = open("tfrecord:" + io_sample("examples.tfrecord")).train;
  EXPECT_EQ(records.x().type(), (TensorType{DType::f32, {5, 6}}));
  EXPECT_EQ(records.y().tensor(), make_tensor<std::int32_t>({5}, {0, 1, 2, 0, 1}));
  const Dataset bare =
      open("tfrecord:" + io_sample("examples.tfrecord"), {.csv = {.task = Task::unlabelled}}).train;
  EXPECT_FALSE(bare.has_y());

  const Dataset images = open("tar:" + io_sample("shard-*"), {.images = {.channels = 1}}).train;
  EXPECT_EQ(images.x().type(), (TensorType{DType::u8, {6, 4, 5, 1}}));
  EXPECT_EQ(images.class_count(), 6);

  io::write_file_atomically(folder / "lines", std::string_view("{\"x\": [1, 2], \"y\": 1}\n"
                                                               "{\"x\": [3], \"y\": 0}\n"));
  EXPECT_EQ(
      error_of([&] { open("stream:" + folder.path() + "/lines"); }),
      "sample 1 of epoch 0: " + folder.path() + "/lines: record 1: x is f32[1], but " +
          folder.path() +
          "/lines: record 0 has f32[2]\n  help: --bad-samples skip leaves such samples out "
          "(Pipeline::skip_bad in C++); padded batches (LoadingOptions::padding) take x of other "
          "extents");
  const BadSamples bad;
  EXPECT_EQ(open("stream:" + folder.path() + "/lines", {.bad_samples = bad}).train.size(), 1);
  EXPECT_EQ(bad.count(), 1);
  // Other lengths are for padded batches.
  const std::optional<Stream> lines = open_stream("stream:" + folder.path() + "/lines");
  EXPECT_EQ(samples_of(lines->samples).size(), 2u);
  PipelineBatches padded = lines->samples.batches(2, {.padding = Padding{}});
  EXPECT_EQ(padded.next()->x, make_tensor<float>({2, 2}, {1, 2, 3, 0}));
  EXPECT_EQ(error_of([&] { lines->samples.batches(2, {}).next(); }),
            "sample 1 of epoch 0: " + folder.path() + "/lines: record 1: x is f32[1], but " +
                folder.path() + "/lines: record 0 has f32[2]; padding can make extents equal");
  EXPECT_FALSE(open_stream("csv:x").has_value());
  EXPECT_EQ(error_of([] { open("stream:"); }),
            "data \"stream:\" names no address: stream:ADDRESS expected");
}

TEST(OpenStream, TextLabelsOfExamplesAreClasses) {
  const TemporaryFolder folder;
  std::vector<io::Example> examples;
  for (const char* name : {"dog", "cat", "dog"})
    examples.push_back({{"v", std::vector<float>{1, 2}}, {"kind", std::vector<std::string>{name}}});
  write_examples(folder / "a.tfrecord", examples);
  const Dataset dataset =
      open("tfrecord:" + folder.path() + "/a.tfrecord", {.csv = {.label = "kind"}}).train;
  EXPECT_EQ(dataset.class_names(), (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(dataset.y().tensor(), make_tensor<std::int32_t>({3}, {1, 0, 1}));
  examples[1]["kind"] = std::vector<std::string>{"c\xe0t"};
  write_examples(folder / "b.tfrecord", examples);
  EXPECT_EQ(error_of([&] {
              open("tfrecord:" + folder.path() + "/b.tfrecord", {.csv = {.label = "kind"}});
            }),
            folder.path() +
                "/b.tfrecord: feature \"kind\": \"c\xef\xbf\xbdt\": byte 1: the text is "
                "not UTF-8");
}

}  // namespace
}  // namespace tenon::data
