#include <gtest/gtest.h>

#include "data_testing.h"
#include "tenon/data/images.h"
#include "tenon/data/open.h"
#include "tenon/data/stream.h"
#include "tenon/data/tables.h"
#include "tenon/data/text.h"
#include "tenon/io/file.h"
#include "tenon/io/gzip.h"
#include "tenon/io/npz.h"

namespace tenon::data {
namespace {

std::string written(const TemporaryFolder& folder, std::string_view name, std::string_view text) {
  io::write_file_atomically(folder / name, text);
  return (folder / name).string();
}

TEST(FromArrays, TakesClassesOrTargets) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const std::vector<std::int64_t> wide = {0, 1, 1};
  const std::vector<int> labels = {0, 1, 1};
  const std::vector<float> targets = {0.5f, 1, 2};
  EXPECT_EQ(from_arrays(values, {3, 2}, wide).y().tensor(),
            make_tensor<std::int32_t>({3}, {0, 1, 1}));
  EXPECT_EQ(from_arrays(values, {3, 2}, labels, {"no", "yes"}).class_names()[1], "yes");
  EXPECT_EQ(from_arrays(values, {3, 2}, targets).y().tensor(),
            make_tensor<float>({3}, {0.5f, 1, 2}));
  EXPECT_EQ(from_arrays(targets, {3}, values).y().type(), (TensorType{DType::f32, {3, 2}}));
  EXPECT_EQ(error_of([&] {
              from_arrays(values, {4, 2}, labels);
            }),
            "from_arrays: 6 values given for the shape [4, 2]");
  EXPECT_EQ(error_of([&] {
              from_arrays(values, {3, 2}, std::vector<float>(4));
            }),
            "from_arrays: 4 targets for 3 samples; a whole number for each is needed");
  EXPECT_EQ(error_of([&] { from_arrays(std::vector<float>{1}, {}, labels); }),
            "from_arrays: the shape [] lacks the axis that counts the samples");
  EXPECT_THROW(from_arrays(values, {-3, -2}, labels), UserError);
  EXPECT_THROW(from_arrays(std::vector<float>{}, {0, 2}, targets), UserError);
  EXPECT_EQ(from_arrays(std::vector<float>{}, {0, 2}, std::vector<float>{}).size(), 0);
}

// Gives `count` samples: x [i, i], y i % 2.
Generator counting(std::int64_t count) {
  return [i = std::int64_t{0}, count]() mutable -> std::optional<Sample> {
    if (i == count) return std::nullopt;
    const auto value = static_cast<float>(i);
    return Sample{make_tensor<float>({2}, {value, value}),
                  make_scalar<std::int32_t>(static_cast<std::int32_t>(i++ % 2))};
  };
}

TEST(FromGenerator, CollectsAllSamples) {
  const Dataset dataset = from_generator(counting(3));
  EXPECT_EQ(dataset.x().tensor(), make_tensor<float>({3, 2}, {0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(dataset.y().tensor(), make_tensor<std::int32_t>({3}, {0, 1, 0}));
  EXPECT_EQ(error_of([] { from_generator(counting(0)); }),
            "from_generator: the function gave no samples");
  EXPECT_EQ(error_of([] {
              from_generator([i = 0]() mutable -> std::optional<Sample> {
                return Sample{HostTensor({DType::f32, {++i}}), make_scalar(1.0f)};
              });
            }),
            "from_generator: sample 1 has x of type f32[2], the first one had f32[1]");
  EXPECT_EQ(error_of([] { from_generator(nullptr); }), "from_generator: the function is empty");
  EXPECT_EQ(from_generator(counting(1), {}, "a.jsonl").name(), "a.jsonl");
  EXPECT_EQ(error_of([] { from_generator(counting(0), {}, "a.jsonl"); }),
            "a.jsonl: the function gave no samples");
}

TEST(StreamDataset, BatchesAnyNumberOfPasses) {
  const StreamDataset stream([] { return counting(5); });
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<std::int64_t> sizes;
    for (auto& batch : stream.batches(2)) {
      sizes.push_back(batch.size());
      EXPECT_EQ(batch.x.shape(), (Shape{batch.size(), 2}));
      EXPECT_EQ(batch.x.as<float>().back(), static_cast<float>(batch.indices.back()));
    }
    EXPECT_EQ(sizes, (std::vector<std::int64_t>{2, 2, 1}));
  }
  int count = 0;
  for (auto& batch : stream.batches(2, true)) count += static_cast<int>(batch.size());
  EXPECT_EQ(count, 4);
  const StreamDataset empty([] { return counting(0); });
  for ([[maybe_unused]] auto& batch : empty.batches(2)) ADD_FAILURE();
  EXPECT_THROW(stream.batches(0).begin(), UserError);
  EXPECT_THROW(StreamDataset([] { return Generator(); }).batches(1).begin(), UserError);
}

std::string idx_file(int rank, const std::vector<int>& extents, const std::vector<int>& values) {
  std::string file = {0, 0, 8, static_cast<char>(rank)};
  for (const int extent : extents) file += std::string{0, 0, 0, static_cast<char>(extent)};
  for (const int value : values) file += static_cast<char>(value);
  return file;
}

void write_mnist(const TemporaryFolder& folder) {
  const std::string packed_source = idx_file(3, {2, 1, 2}, {1, 2, 3, 4});
  const auto packed = io::gzip(std::as_bytes(std::span(packed_source)));
  io::write_file_atomically(folder / "train-images-idx3-ubyte.gz", packed);
  written(folder, "train-labels-idx1-ubyte", idx_file(1, {2}, {0, 2}));
  written(folder, "t10k-images-idx3-ubyte", idx_file(3, {1, 1, 2}, {5, 6}));
  written(folder, "t10k-labels-idx1-ubyte", idx_file(1, {1}, {3}));
}

TEST(MnistFolder, ReadsPlainAndPackedFiles) {
  const TemporaryFolder folder;
  write_mnist(folder);
  const TrainTest both = mnist_folder(folder.path());
  EXPECT_EQ(both.train.x().tensor(), make_tensor<std::uint8_t>({2, 1, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(both.train.y().tensor(), make_tensor<std::int32_t>({2}, {0, 2}));
  EXPECT_EQ(both.test.x().tensor(), make_tensor<std::uint8_t>({1, 1, 2}, {5, 6}));
  // The classes of both sets together.
  EXPECT_EQ(both.train.class_names(), (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_EQ(both.test.class_count(), 4);
  const Opened opened = open("idx:" + folder.path());
  EXPECT_EQ(opened.train.size(), 2);
  EXPECT_EQ(opened.test->size(), 1);
}

TEST(MnistFolder, MissingAndUnfittingFilesAreNamed) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { mnist_folder(folder / "nothing"); }),
            "cannot read " + folder.path() + "/nothing: there is no such folder");
  EXPECT_EQ(
      error_of([&] { mnist_folder(folder.path()); }),
      folder.path() + ": neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz is there");
  write_mnist(folder);
  written(folder, "train-labels-idx1-ubyte", idx_file(1, {3}, {0, 2, 1}));
  EXPECT_EQ(error_of([&] { mnist_folder(folder.path()); }),
            folder.path() + "/train-images-idx3-ubyte.gz holds 2 images, but " + folder.path() +
                "/train-labels-idx1-ubyte holds 3 labels");
  written(folder, "train-labels-idx1-ubyte", idx_file(2, {2, 1}, {0, 2}));
  EXPECT_EQ(
      error_of([&] { mnist_folder(folder.path()); }),
      folder.path() + "/train-labels-idx1-ubyte: u8[2,1] found; labels are integers with one axis");
}

TEST(FashionMnist, MissingPackageTellsTheCommand) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { fashion_mnist(folder.path()); }),
            "Fashion-MNIST was not found: there is no train-images-idx3-ubyte.gz in " +
                folder.path() + "\n  help: sudo apt-get install dataset-fashion-mnist");
}

TEST(FashionMnist, InstalledPackageIsRead) {
  if (!io::folder_exists("/usr/share/datasets/fashion-mnist"))
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const TrainTest images = fashion_mnist();
  EXPECT_EQ(images.train.x().type(), (TensorType{DType::u8, {60000, 28, 28}}));
  EXPECT_EQ(images.test.x().type(), (TensorType{DType::u8, {10000, 28, 28}}));
  EXPECT_EQ(images.train.class_count(), 10);
  // The first training image is an ankle boot.
  EXPECT_EQ(images.train.y().rows(0, 1).tensor(), make_tensor<std::int32_t>({1}, {9}));
  EXPECT_EQ(images.train.class_names()[9], "Ankle boot");
}

TEST(MnistFolder, RealDigitsAreRead) {
  const std::filesystem::path folder =
      std::filesystem::path(TENON_TEST_DATA) / "../../../shared/data/mnist";
  if (!io::folder_exists(folder)) GTEST_SKIP() << "the MNIST files are not there";
  const TrainTest digits = mnist_folder(folder);
  EXPECT_EQ(digits.train.x().row_shape(), (Shape{28, 28}));
  EXPECT_EQ(digits.train.size(), digits.train.y().size());
  EXPECT_EQ(digits.test.class_count(), 10);
}

TEST(Csv, AClassForNearlyEveryRowIsRefused) {
  const TemporaryFolder folder;
  std::string rows = "a,id\n";
  for (int i = 0; i < 3000; ++i) rows += fmt::format("{},row{}\n", i, i);
  const std::string file = written(folder, "ids.csv", rows);
  EXPECT_EQ(error_of([&] { csv(file); }),
            file +
                ": 3000 classes in 3000 rows; is the label another column? --label names it, "
                "--task regression is for numbers, --task classification for so many classes");
}

TEST(Csv, LastColumnIsTheLabelUnlessNamed) {
  const TemporaryFolder folder;
  const std::string file = written(folder, "a.csv", "a,kind,b\n1,2,0\n3,0,1\n");
  const Dataset last = csv(file);
  EXPECT_EQ(last.x().tensor(), make_tensor<float>({2, 2}, {1, 2, 3, 0}));
  EXPECT_EQ(last.y().tensor(), make_tensor<std::int32_t>({2}, {0, 1}));
  const Dataset named = csv(file, {.label = "kind"});
  EXPECT_EQ(named.x().tensor(), make_tensor<float>({2, 2}, {1, 0, 3, 1}));
  EXPECT_EQ(named.y().tensor(), make_tensor<std::int32_t>({2}, {2, 0}));
  EXPECT_EQ(named.class_count(), 3);
  EXPECT_EQ(csv(file, {.label = "1", .task = Task::regression}).y().tensor(),
            make_tensor<float>({2}, {1, 3}));
  EXPECT_EQ(csv(file, {.task = Task::unlabelled}).x().type(), (TensorType{DType::f32, {2, 3}}));
  EXPECT_FALSE(csv(file, {.task = Task::unlabelled}).has_y());
  EXPECT_EQ(csv(file, {.dtype = DType::f64}).x().dtype(), DType::f64);
  EXPECT_EQ(error_of([&] { csv(file, {.label = "kin"}); }),
            file + ": no column is named \"kin\"; did you mean \"kind\"?");
  EXPECT_EQ(error_of([&] { csv(file, {.label = "9"}); }),
            file + ": no column is named \"9\", and there are 3 columns");
}

TEST(Csv, ALabelIsLeftOutUnparsed) {
  const TemporaryFolder folder;
  const std::string file = written(folder, "a.csv", "a,kind,b\n1,7,2\n3,,4\n5,x,6\n7,nan,8\n");
  for (const char* label : {"kind", "2"}) {
    const Dataset rows = csv(file, {.label = label, .task = Task::unlabelled});
    EXPECT_EQ(rows.x().tensor(), make_tensor<float>({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
    EXPECT_FALSE(rows.has_y());
  }
  const std::string numbers = written(folder, "b.csv", "a,b\n1,2\n");
  EXPECT_THROW(csv(numbers, {.label = "c", .task = Task::unlabelled}), LabelError);
}

TEST(Csv, TextLabelsAreSortedClassesOrGivenOnes) {
  const TemporaryFolder folder;
  const std::string file = written(folder, "a.csv", "1,dog\n2,cat\n3,dog\n");
  const Dataset sorted = csv(file);
  EXPECT_EQ(sorted.class_names(), (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(sorted.y().tensor(), make_tensor<std::int32_t>({3}, {1, 0, 1}));
  const Dataset given = csv(file, {.class_names = {"dog", "emu", "cat"}});
  EXPECT_EQ(given.y().tensor(), make_tensor<std::int32_t>({3}, {0, 2, 0}));
  EXPECT_EQ(given.class_count(), 3);
  EXPECT_EQ(error_of([&] {
              csv(file, {.class_names = {"dog", "cats"}});
            }),
            file +
                ": line 2: the label \"cat\" is none of the 2 known classes; did you mean "
                "\"cats\"?");
}

TEST(Csv, BadColumnsAreNamedWithTheirLine) {
  const TemporaryFolder folder;
  const auto error = [&](std::string_view text, const CsvOptions& options = {}) {
    const std::string file = written(folder, "a.csv", text);
    return error_of([&] { csv(file, options); }).substr(file.size());
  };
  EXPECT_EQ(error("colour,y\nred,1\n"),
            ": line 2: column \"colour\" holds text (\"red\"); features must be numbers (the label "
            "is column \"y\")\n"
            "  help: --ignore-columns colour leaves it out (CsvOptions::ignored in C++)");
  EXPECT_EQ(error("a,y\n1,x\n", {.task = Task::regression}),
            ": line 2: column \"y\" holds text (\"x\"); regression targets must be numbers");
  EXPECT_EQ(error("a,y\n1,1\n1,0.5\n"),
            ": line 3: the label 0.5 is not an integer\n"
            "  help: for numbers to predict, --task regression (CsvOptions::task in C++)");
  EXPECT_EQ(error("1,-1\n"),
            ": line 1: the label -1 is not a class; classes are 0 to 1048575\n"
            "  help: for numbers to predict, --task regression (CsvOptions::task in C++)");
  EXPECT_EQ(error("1,250000000\n"),
            ": line 1: the label 250000000 is not a class; classes are 0 to 1048575\n"
            "  help: for numbers to predict, --task regression (CsvOptions::task in C++)");
  EXPECT_EQ(error("1,0\n1e39,0\n"), ": line 2: 1e+39 in column \"column 1\" does not fit f32");
  EXPECT_EQ(error("1\n2\n"), ": the only column is the label; there are no features");
  EXPECT_EQ(error("a|y\n1|x\n"),
            ": the only column is the label; there are no features\n"
            "  help: fields are separated by commas, and line 1 holds \"|\"");
  EXPECT_EQ(error("red,1\n", {.task = Task::unlabelled}),
            ": line 1: column \"column 1\" holds text (\"red\"); features must be numbers\n"
            "  help: --label 1 leaves it out (CsvOptions::label in C++)");
  EXPECT_EQ(error("1,2\n3,1e999\n"),
            ": line 2, character 3: \"1e999\" does not fit a double (column \"column 2\")\n"
            "  help: --ignore-columns NAME leaves a column out (CsvOptions::ignored in C++), "
            "--bad-samples skip leaves such rows out");
}

TEST(Npz, TakesXAndY) {
  const TemporaryFolder folder;
  io::NamedTensors arrays;
  arrays.emplace("x", make_tensor<double>({2, 1}, {1, 2}));
  const std::string file = (folder / "a.npz").string();
  io::write_npz(file, arrays);
  EXPECT_EQ(error_of([&] { npz(file); }), file + ": no array named \"y\"; there are: \"x\"");
  arrays.emplace("y", make_tensor<std::uint8_t>({2}, {1, 0}));
  io::write_npz(file, arrays);
  EXPECT_EQ(npz(file).x().tensor(), arrays.at("x"));
  EXPECT_EQ(npz(file).y().tensor(), make_tensor<std::int32_t>({2}, {1, 0}));
  EXPECT_EQ(open("npz:" + file).train.size(), 2);
  arrays.at("x") = make_scalar(1.0);
  io::write_npz(file, arrays);
  EXPECT_EQ(error_of([&] { npz(file); }),
            file + ": x is f64[]; an array needs a first axis that counts the samples");
}

TEST(TextCharacters, WindowsAndTheNextCharacters) {
  const TemporaryFolder folder;
  const std::string file = written(folder, "a.txt",
                                   "abc\xc3\xa9"
                                   "ba");
  const Dataset dataset = text_characters(file, 2);
  EXPECT_EQ(dataset.class_names(), (std::vector<std::string>{"a", "b", "c", "\xc3\xa9"}));
  EXPECT_EQ(dataset.x().tensor(), make_tensor<std::int32_t>({2, 2}, {0, 1, 2, 3}));
  EXPECT_EQ(dataset.y().tensor(), make_tensor<std::int32_t>({2, 2}, {1, 2, 3, 1}));
  EXPECT_EQ(text_characters(file, 2, {.stride = 1}).size(), 4);
  EXPECT_EQ(text_characters(file, 5).size(), 1);
  EXPECT_EQ(
      text_characters(file, 2, {.vocabulary = {"z", "a", "b", "c", "\xc3\xa9"}}).class_count(), 5);
  EXPECT_EQ(error_of([&] { text_characters(file, 6); }),
            file + ": 6 characters are too few for windows of 6 and the character after each");
  EXPECT_EQ(error_of([&] {
              text_characters(file, 2, {.vocabulary = {"a", "b"}});
            }),
            file + ": byte 2: the character \"c\" is not in the vocabulary of 2");
  EXPECT_THROW(text_characters(file, 0), UserError);
  EXPECT_THROW(text_characters(file, 2, {.stride = -1}), UserError);
  EXPECT_EQ(open("text:" + file, {.window = 3}).train.x().type(), (TensorType{DType::i32, {1, 3}}));
}

TEST(SplitCharacters, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(split_characters("a\xe2\x82\xac\xf0\x9f\x98\x80", "t"),
            (std::vector<std::string_view>{"a", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}));
  EXPECT_EQ(error_of([] { split_characters("ab\xff", "t"); }), "t: byte 2: the text is not UTF-8");
  for (const std::string bad :
       {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"})
    EXPECT_THROW(split_characters(bad, "t"), UserError);
}

TEST(Open, UnknownAndIncompleteNamesAreExplained) {
  const std::string forms =
      "fashion-mnist, idx:FOLDER, cifar10:FOLDER, images:FOLDER, csv:FILE, npz:FILE, text:FILE, "
      "wav:FOLDER, parquet:FILE, arrow:FILE, tfrecord:GLOB, tar:GLOB, stream:ADDRESS";
  EXPECT_EQ(error_of([] { open("fashion_mnist"); }),
            "unknown data \"fashion_mnist\": one of " + forms +
                " expected; did you mean \"fashion-mnist\"?");
  EXPECT_EQ(error_of([] { open("csv"); }), "data \"csv\" names no file: csv:FILE expected");
  EXPECT_EQ(error_of([] { open("idx:"); }), "data \"idx:\" names no folder: idx:FOLDER expected");
  EXPECT_EQ(error_of([] { open(""); }), "unknown data \"\": one of " + forms + " expected");
  EXPECT_EQ(error_of([] { open("csv:/no/such/file"); }),
            "cannot read /no/such/file: No such file or directory");
}

}  // namespace
}  // namespace tenon::data
