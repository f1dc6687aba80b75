#include "tenon/data/arrow.h"

#include <gtest/gtest.h>

#include <functional>

#include "pipeline_testing.h"
#include "tenon/io/arrow_abi.h"
#include "tenon/io/file.h"

namespace tenon::data {
namespace {

// A table made by hand in the form of Arrow's C interfaces: one column, one batch.
struct HandMade {
  const char* format;
  std::vector<const void*> buffers;
  std::int64_t length = 0, null_count = 0, offset = 0;
  const char* dictionary_format = nullptr;
  std::vector<const void*> dictionary_buffers = {};
  std::int64_t dictionary_length = 0;
};

template <class T>
void release_nothing(T* one) {
  one->release = nullptr;
}

// Hands out the schema and, once, the batch.
struct HandMadeStream {
  explicit HandMadeStream(HandMade one) : made(std::move(one)) {
    dictionary_schema.format = made.dictionary_format;
    dictionary_schema.name = "";
    column_schema.format = made.format;
    column_schema.name = "c";
    if (made.dictionary_format != nullptr) column_schema.dictionary = &dictionary_schema;
    dictionary.length = made.dictionary_length;
    dictionary.n_buffers = static_cast<std::int64_t>(made.dictionary_buffers.size());
    dictionary.buffers = made.dictionary_buffers.data();
    column.length = made.length;
    column.null_count = made.null_count;
    column.offset = made.offset;
    column.n_buffers = static_cast<std::int64_t>(made.buffers.size());
    column.buffers = made.buffers.data();
    if (made.dictionary_format != nullptr) column.dictionary = &dictionary;
  }
  ArrowArrayStream stream() {
    ArrowArrayStream result{};
    result.private_data = this;
    result.release = [](ArrowArrayStream* one) { one->release = nullptr; };
    result.get_last_error = [](ArrowArrayStream*) { return "broken"; };
    result.get_schema = [](ArrowArrayStream* one, ArrowSchema* out) {
      auto* self = static_cast<HandMadeStream*>(one->private_data);
      *out = {};
      out->format = "+s";
      out->name = "";
      out->n_children = 1;
      out->children = &self->schema_children;
      out->release = release_nothing<ArrowSchema>;
      return 0;
    };
    result.get_next = [](ArrowArrayStream* one, ArrowArray* out) {
      auto* self = static_cast<HandMadeStream*>(one->private_data);
      *out = {};
      if (self->fails) return 5;
      if (std::exchange(self->given, true)) return 0;
      out->length = self->made.length;
      out->n_children = 1;
      out->children = &self->children;
      out->release = release_nothing<ArrowArray>;
      return 0;
    };
    return result;
  }

  HandMade made;
  ArrowSchema column_schema{}, dictionary_schema{};
  ArrowArray column{}, dictionary{};
  ArrowSchema* schema_children = &column_schema;
  ArrowArray* children = &column;
  bool given = false, fails = false;
};

io::ArrowColumn read_hand_made(const HandMade& made) {
  HandMadeStream stream(made);
  io::ArrowBatches batches("table", stream.stream());
  EXPECT_EQ(batches.column_names(), std::vector<std::string>{"c"});
  io::ArrowColumn column = batches.next().value().columns.front();
  EXPECT_FALSE(batches.next().has_value());
  return column;
}

TEST(ArrowBatches, ReadsNumbersOfEveryWidth) {
  const auto numbers = [](const char* format, const auto& values) {
    return read_hand_made({format, {nullptr, values.data()}, 2, 0, 1}).numbers;
  };
  using Numbers = std::vector<double>;
  EXPECT_EQ(numbers("c", std::vector<std::int8_t>{0, -1, 5}), (Numbers{-1, 5}));
  EXPECT_EQ(numbers("C", std::vector<std::uint8_t>{0, 255, 5}), (Numbers{255, 5}));
  EXPECT_EQ(numbers("s", std::vector<std::int16_t>{0, -300, 5}), (Numbers{-300, 5}));
  EXPECT_EQ(numbers("S", std::vector<std::uint16_t>{0, 65535, 5}), (Numbers{65535, 5}));
  EXPECT_EQ(numbers("i", std::vector<std::int32_t>{0, -70000, 5}), (Numbers{-70000, 5}));
  EXPECT_EQ(numbers("I", std::vector<std::uint32_t>{0, 4000000000u, 5}), (Numbers{4e9, 5}));
  EXPECT_EQ(numbers("l", std::vector<std::int64_t>{0, -5000000000, 5}), (Numbers{-5e9, 5}));
  EXPECT_EQ(numbers("L", std::vector<std::uint64_t>{0, 5000000000u, 5}), (Numbers{5e9, 5}));
  EXPECT_EQ(numbers("e", std::vector<std::uint16_t>{0, 0x3e00, 0xc000}), (Numbers{1.5, -2}));
  EXPECT_EQ(numbers("f", std::vector<float>{0, 0.25f, 5}), (Numbers{0.25, 5}));
  EXPECT_EQ(numbers("g", std::vector<double>{0, 0.1, 5}), (Numbers{0.1, 5}));
  EXPECT_EQ(numbers("b", std::vector<std::uint8_t>{0b010}), (Numbers{1, 0}));
}

TEST(ArrowBatches, ReadsTextsAndDictionaries) {
  const std::vector<std::int32_t> ends = {0, 2, 4, 4, 6};
  const io::ArrowColumn texts = read_hand_made({"u", {nullptr, ends.data(), "abcdab"}, 4, 0, 0});
  EXPECT_TRUE(texts.is_text);
  EXPECT_EQ(texts.texts, (std::vector<std::string>{"ab", "cd", ""}));
  EXPECT_EQ(texts.text_ids, (std::vector<std::int32_t>{0, 1, 2, 0}));
  const std::vector<std::int64_t> long_ends = {0, 1, 3};
  EXPECT_EQ(read_hand_made({"U", {nullptr, long_ends.data(), "xyz"}, 2, 0, 0}).texts,
            (std::vector<std::string>{"x", "yz"}));
  const std::vector<std::int8_t> ids = {9, 1, 0, 1};
  HandMade coded{"c", {nullptr, ids.data()}, 3, 0, 1, "u", {nullptr, ends.data(), "abcdab"}, 2};
  const io::ArrowColumn column = read_hand_made(coded);
  EXPECT_EQ(column.texts, (std::vector<std::string>{"ab", "cd"}));
  EXPECT_EQ(column.text_ids, (std::vector<std::int32_t>{1, 0, 1}));
  coded.offset = 0;
  EXPECT_EQ(error_of([&] { read_hand_made(coded); }),
            "table: row 0, column \"c\": an index that its dictionary does not have");
}

TEST(ArrowBatches, NullsAndOtherTypesAreRefused) {
  const std::vector<std::int32_t> values = {1, 2, 3, 4};
  const std::vector<std::uint8_t> valid = {0b1011};
  const HandMade nulls{"i", {valid.data(), values.data()}, 3, -1, 1};
  EXPECT_EQ(error_of([&] { read_hand_made(nulls); }),
            "table: row 1, column \"c\": there is no value; fill in or leave out such rows first");
  EXPECT_EQ(read_hand_made({"i", {valid.data(), values.data()}, 2, -1, 0}).numbers,
            (std::vector<double>{1, 2}));
  EXPECT_EQ(
      error_of([&] {
        read_hand_made({"tdD", {nullptr, values.data()}, 1});
      }),
      "table: row 0, column \"c\": values of Arrow's type \"tdD\"; numbers, bools and texts can "
      "be read");
  HandMadeStream failing({"i", {nullptr, values.data()}, 1});
  failing.fails = true;
  io::ArrowBatches batches("table", failing.stream());
  EXPECT_EQ(error_of([&] { batches.next(); }), "table: broken");
}

TEST(ArrowRows, BecomeFeaturesAndLabels) {
  io::ArrowColumn a{.is_whole = true, .numbers = {1, 2}}, b{.numbers = {0.5, 1e39}},
      t{.is_text = true, .text_ids = {1, 0}, .texts = {"dog", "cat"}};
  const io::ArrowBatch batch{10, 2, {a, b, t}};
  const std::vector<std::string> names = {"a", "b", "t"};
  const auto error = [&](const CsvOptions& options) {
    return error_of([&] { arrow_rows_of(batch, "table", names, options); });
  };
  const Dataset rows = arrow_rows_of(batch, "table", names,
                                     {.class_names = {"ant", "cat", "dog"}, .dtype = DType::f64});
  EXPECT_EQ(rows.x().tensor(), make_tensor<double>({2, 2}, {1, 0.5, 2, 1e39}));
  EXPECT_EQ(rows.y().tensor(), make_tensor<std::int32_t>({2}, {1, 2}));
  EXPECT_EQ(error({.class_names = {"cat", "dog"}}),
            "table: row 11, column \"b\": 1e+39 does not fit f32");
  EXPECT_EQ(
      error({.class_names = {"cats", "dog"}, .dtype = DType::f64}),
      "table: row 10, column \"t\": \"cat\" is none of the 2 classes; did you mean \"cats\"?");
  EXPECT_EQ(error({.label = "a"}), "table: row 11, column \"b\": 1e+39 does not fit f32");
  EXPECT_EQ(
      error({.label = "b", .dtype = DType::f64}),
      "table: row 10, column \"b\": 0.5 is no class; whole numbers from 0 on, or text, expected");
  EXPECT_EQ(error({.label = "a", .task = Task::regression, .dtype = DType::f64}),
            "table: row 10, column \"t\": text; features and targets are numbers");
  EXPECT_EQ(error({.label = "tt"}), "table: no column \"tt\", only a, b, t; did you mean \"t\"?");
  EXPECT_EQ(error({.label = "3", .class_names = {"cat", "dog"}, .dtype = DType::i32}),
            "table: features are f32 or f64, not i32");
}

std::string table_sample(const std::string& name) { return TENON_TEST_DATA "/io/" + name; }

#ifdef TENON_HAS_ARROW

HostTensor expected_features() {
  HostTensor x({DType::f32, {7, 6}});
  for (int i = 0; i < 7; ++i) {
    const double row[] = {i / 4.0, i * 2.0, i / 2.0, i - 3.0, i + 10.0, i % 2 == 0 ? 1.0 : 0.0};
    for (int j = 0; j < 6; ++j)
      x.as<float>()[static_cast<std::size_t>(6 * i + j)] = static_cast<float>(row[j]);
  }
  return x;
}

TEST(ArrowFiles, AgreeWithPyarrow) {
  using Kind = io::ArrowKind;
  const std::pair<const char*, Kind> files[] = {{"table.parquet", Kind::parquet},
                                                {"text.parquet", Kind::parquet},
                                                {"table.arrow", Kind::ipc},
                                                {"table.arrows", Kind::ipc}};
  for (const auto& [file, kind] : files) {
    const Dataset dataset = arrow_table(table_sample(file), kind);
    EXPECT_EQ(dataset.x().tensor(), expected_features()) << file;
    EXPECT_EQ(dataset.y().tensor(), make_tensor<std::int32_t>({7}, {0, 1, 2, 0, 1, 2, 0})) << file;
    EXPECT_EQ(dataset.class_names(), (std::vector<std::string>{"cat", "dog", "emu"})) << file;
    const TableStream stream = arrow_rows(table_sample(file), kind);
    EXPECT_EQ(stream.class_names, dataset.class_names());
    EXPECT_EQ(whole_batches(stream.rows, 4, {}), whole_batches(Pipeline::from(dataset), 4, {}));
    expect_repeatable(stream.rows.shuffle(1), 2, {.epoch = 1});
  }
  const Dataset targets = arrow_table(table_sample("table.parquet"), Kind::parquet,
                                      {.label = "kind", .task = Task::unlabelled});
  EXPECT_FALSE(targets.has_y());
}

TEST(ArrowFiles, ColumnsAreFoundByName) {
  const std::string file = table_sample("table.parquet");
  constexpr io::ArrowKind kParquet = io::ArrowKind::parquet;
  const TableColumns columns = arrow_columns(file, kParquet);
  ASSERT_EQ(columns.features.size(), 6u);
  EXPECT_EQ(columns.label, "kind");
  const Dataset chosen =
      arrow_table(file, kParquet, {.features = {columns.features[5], columns.features[1]}});
  EXPECT_EQ(chosen.x().row_shape(), (Shape{2}));
  const HostTensor x = chosen.x().tensor(), all = expected_features();
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(x.as<float>()[2 * i], all.as<float>()[6 * i + 5]);
    EXPECT_EQ(x.as<float>()[2 * i + 1], all.as<float>()[6 * i + 1]);
  }
  const CsvOptions without{.ignored = {columns.features[0], "2"}};
  EXPECT_EQ(arrow_columns(file, kParquet, without).features,
            std::vector<std::string>(columns.features.begin() + 2, columns.features.end()));
  EXPECT_EQ(arrow_table(file, kParquet, without).x().row_shape(), (Shape{4}));
  EXPECT_EQ(error_of([&] { arrow_table(file, kParquet, {.features = {"nothing"}}); }),
            file + ": no column is named \"nothing\", which the model takes");
  EXPECT_THROW(arrow_table(file, kParquet, {.ignored = {"nothing"}}), IgnoredError);
}

TEST(ArrowFiles, BadFilesAreNamed) {
  const auto error = [](const std::string& file, io::ArrowKind kind = io::ArrowKind::parquet) {
    return error_of([&] { arrow_table(file, kind); });
  };
  EXPECT_EQ(error(table_sample("null.parquet")),
            table_sample("null.parquet") +
                ": row 2, column \"x\": there is no value; fill in or leave out such rows first");
  EXPECT_EQ(error(table_sample("nested.parquet")),
            table_sample("nested.parquet") +
                ": row 0, column \"x\": values of Arrow's type \"+l\"; "
                "numbers, bools and texts can be read");
  EXPECT_TRUE(error(table_sample("pcm8.wav")).starts_with(table_sample("pcm8.wav") + ": "));
  EXPECT_TRUE(error(table_sample("pcm8.wav"), io::ArrowKind::ipc)
                  .starts_with(table_sample("pcm8.wav") + ": "));
  EXPECT_EQ(error("/nowhere"), "cannot read /nowhere: No such file or directory");
  const TemporaryFolder folder;
  for (const char* name : {"text.parquet", "table.arrow", "table.arrows"}) {
    const std::string whole = io::read_text_file(table_sample(name));
    const io::ArrowKind kind =
        std::string_view(name) == "text.parquet" ? io::ArrowKind::parquet : io::ArrowKind::ipc;
    for (std::size_t length = 0; length < whole.size(); length += 211) {
      io::write_file_atomically(folder / "cut", whole.substr(0, length));
      const auto read = [&] { arrow_table(folder / "cut", kind); };
      // A stream of batches may end after any of them.
      if (std::string_view(name) == "table.arrows") continue;
      EXPECT_TRUE(error_of(read).starts_with(folder.path() + "/cut: ")) << name << " " << length;
    }
  }
}

#else

TEST(ArrowFiles, AMissingPluginIsAnErrorThatSaysWhatToInstall) {
  EXPECT_FALSE(io::has_arrow());
  const std::string message =
      error_of([] { arrow_table(table_sample("table.parquet"), io::ArrowKind::parquet); });
  EXPECT_TRUE(message.starts_with("cannot read " + table_sample("table.parquet") +
                                  ": Parquet and Arrow files need the plugin libtenon_arrow.so"))
      << message;
  EXPECT_TRUE(
      message.ends_with("\n  help: python3 -m pip install pyarrow, then configure and build "
                        "Tenon anew"))
      << message;
}

#endif

}  // namespace
}  // namespace tenon::data
