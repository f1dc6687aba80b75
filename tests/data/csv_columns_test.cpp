// Which columns of a CSV file become features, by which names, and what separates them.
#include <gtest/gtest.h>

#include "data_testing.h"
#include "tenon/data/image_folder.h"
#include "tenon/data/open.h"
#include "tenon/data/tables.h"
#include "tenon/io/file.h"
#include "tenon/io/png.h"

namespace tenon::data {
namespace {

using Names = std::vector<std::string>;

class CsvColumns : public testing::Test {
 protected:
  std::string write(std::string_view text) const {
    io::write_file_atomically(folder_ / "a.csv", text);
    return (folder_ / "a.csv").string();
  }
  // Without the file's name.
  std::string error(std::string_view text, const CsvOptions& options) const {
    const std::string file = write(text);
    return error_of([&] { csv(file, options); }).substr(file.size());
  }
  const TemporaryFolder folder_;
};

TEST_F(CsvColumns, AreFoundByName) {
  const std::string file = write("note,down,across,kind\nx,1,2,0\n,3,4,1\n");
  const NamedColumns found =
      csv_with_columns(file, {.label = "kind", .features = {"across", "down"}});
  EXPECT_EQ(found.rows.x().tensor(), make_tensor<float>({2, 2}, {2, 1, 4, 3}));
  EXPECT_EQ(found.columns.features, (Names{"across", "down"}));
  EXPECT_EQ(found.columns.label, "kind");
  EXPECT_EQ(error("down,acros,kind\n1,2,0\n", {.label = "kind", .features = {"across", "down"}}),
            ": no column is named \"across\", which the model takes; did you mean \"acros\"?");
  EXPECT_EQ(error("a,a,kind\n1,2,0\n", {.label = "kind", .features = {"a"}}),
            ": two columns are named \"a\"");
}

TEST_F(CsvColumns, WithoutAHeaderGoByTheirPlaces) {
  const std::string file = write("1,2,0\n3,4,1\n");
  const NamedColumns found =
      csv_with_columns(file, {.label = "kind", .features = {"across", "down"}});
  EXPECT_EQ(found.rows.x().tensor(), make_tensor<float>({2, 2}, {1, 2, 3, 4}));
  EXPECT_FALSE(found.columns.is_known());
}

TEST_F(CsvColumns, NamesThatAreNoKeysAreNotKept) {
  EXPECT_EQ(csv_with_columns(write("a,b,y\n1,2,0\n3,4,1\n")).columns.features, (Names{"a", "b"}));
  EXPECT_FALSE(csv_with_columns(write("a,a,y\n1,2,0\n3,4,1\n")).columns.is_known());
  EXPECT_FALSE(csv_with_columns(write("a,b\xff,y\n1,2,0\n3,4,1\n")).columns.is_known());
}

TEST_F(CsvColumns, MayBeLeftOut) {
  const std::string file = write("id,a,note,y\nx1,1,,0\nx2,2,long,1\n");
  for (const Names& ignored : {Names{"id", "note"}, Names{"1", "3"}}) {
    const NamedColumns found = csv_with_columns(file, {.ignored = ignored});
    EXPECT_EQ(found.rows.x().tensor(), make_tensor<float>({2, 1}, {1, 2}));
    EXPECT_EQ(found.columns.features, (Names{"a"}));
  }
  EXPECT_THROW(csv(file, {.ignored = {"ids"}}), IgnoredError);
  EXPECT_EQ(error("id,a,y\n1,1,0\n", {.ignored = {"ib"}}),
            ": no column is named \"ib\"; did you mean \"id\"?");
  EXPECT_EQ(error("id,a,y\n1,1,0\n", {.ignored = {"id", "a"}}),
            ": all columns are left out; there are no features");
}

TEST_F(CsvColumns, CellsThatAreNoNumbersSayWhatHelps) {
  EXPECT_EQ(error("a,b,y\n1,2,0\n3,,1\n", {}),
            ": line 3, character 3: \"\" is not a number (column \"b\")\n"
            "  help: --ignore-columns NAME leaves a column out (CsvOptions::ignored in C++), "
            "--bad-samples skip leaves such rows out");
  EXPECT_EQ(error("colour,a,y\nred,1,0\n", {}),
            ": line 2: column \"colour\" holds text (\"red\"); features must be numbers (the label "
            "is column \"y\")\n"
            "  help: --ignore-columns colour leaves it out (CsvOptions::ignored in C++)");
}

TEST_F(CsvColumns, TrueAndFalseAreOneAndZero) {
  const std::string file = write("a,b,y\ntrue,1,False\nFALSE,2,True\n");
  const Dataset rows = csv(file);
  EXPECT_EQ(rows.x().tensor(), make_tensor<float>({2, 2}, {1, 1, 0, 2}));
  EXPECT_EQ(rows.class_names(), (Names{"False", "True"}));
  EXPECT_EQ(csv(file, {.task = Task::regression}).y().tensor(), make_tensor<float>({2}, {0, 1}));
  EXPECT_EQ(error("a,y\ntrue,0\nmaybe,1\n", {}),
            ": line 2: column \"a\" holds text (\"true\"); features must be numbers (the label is "
            "column \"y\")\n"
            "  help: --ignore-columns a leaves it out (CsvOptions::ignored in C++)");
}

TEST_F(CsvColumns, AreSeparatedAsTheFirstLineSays) {
  const HostTensor expected = make_tensor<float>({2, 2}, {1, 2, 3, 4});
  for (const char* text : {"a;b;y\n1;2;0\n3;4;1\n", "a\tb\ty\n1\t2\t0\n3\t4\t1\n",
                           "\"a,1\";\"b\";y\n1;2;0\n3;4;1\n", "\n1;2;0\n3;4;1\n"})
    EXPECT_EQ(csv(write(text)).x().tensor(), expected) << text;
  EXPECT_EQ(csv(write("a;b,y\n1,0\n2,1\n")).x().tensor(), make_tensor<float>({2, 1}, {1, 2}));
  EXPECT_EQ(error("a;b;y\n1;2;0\n", {.separator = ','}),
            ": the only column is the label; there are no features\n"
            "  help: fields are separated by commas, and line 1 holds \";\"; --delimiter says what "
            "separates them");
  EXPECT_EQ(error("\"a\";\"b\"\n1;2\n", {.separator = ','}),
            ": line 1, character 4: text after a closing quote\n"
            "  help: --delimiter says what separates fields");
}

TEST_F(CsvColumns, NumbersToPredictAreNoClasses) {
  std::string prices = "rooms,price\n", years = "a,year\n", marks = "a,mark\n", far = "a,y\n";
  for (int i = 0; i < 200; ++i) {
    prices += fmt::format("{},{}\n", i % 7, 100000 + i * 1995);
    years += fmt::format("{},{}\n", i, 1800 + i);
    marks += fmt::format("{},{}\n", i, i % 40);
    far += fmt::format("{},{}\n", i, i % 2 * 5000);
  }
  EXPECT_EQ(error(prices, {}),
            ": 497006 classes in 200 rows; --task regression, or --task classification if they "
            "are classes (CsvOptions::task and are_classes in C++)");
  EXPECT_EQ(csv(write(prices), {.are_classes = true}).class_count(), 497006);
  EXPECT_EQ(csv(write(prices), {.task = Task::regression}).class_count(), 0);
  EXPECT_TRUE(error(years, {}).starts_with(": 2000 classes in 200 rows; --task regression"));
  EXPECT_TRUE(error(far, {}).starts_with(": 5001 classes in 200 rows; --task regression"));
  EXPECT_EQ(csv(write(marks)).class_count(), 40);
  // Few rows with a class each are nothing unusual.
  EXPECT_EQ(csv(write("a,y\n1,0\n2,1\n3,2\n")).class_count(), 3);
}

TEST(ImageParts, OfOtherNamesAreRefused) {
  const TemporaryFolder folder;
  for (const char* name : {"train/cat", "train/dog", "val/cat", "val/dog"}) {
    std::filesystem::create_directories(folder / name);
    io::write_png(folder / name / "a.png", filled({DType::u8, {4, 4, 3}}, 7));
  }
  EXPECT_EQ(error_of([&] { open("images:" + folder.path()); }),
            fmt::format("{0}: the sub-folders train and val hold classes each; a test set is named "
                        "test\n  help: rename val to test, or --data images:{0}/train --validation "
                        "images:{0}/val",
                        folder.path()));
  std::filesystem::rename(folder / "val", folder / "test");
  EXPECT_TRUE(open("images:" + folder.path()).test.has_value());
  io::write_file_atomically(folder / "train/cat/b.WEBP", std::string_view("RIFF"));
  io::write_file_atomically(folder / "train/dog/c.bmp", std::string_view("BM"));
  EXPECT_EQ(unread_images(folder / "train"),
            (std::vector<std::filesystem::path>{folder / "train/cat/b.WEBP",
                                                folder / "train/dog/c.bmp"}));
}

}  // namespace
}  // namespace tenon::data
