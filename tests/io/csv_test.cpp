#include "tenon/io/csv.h"

#include <gtest/gtest.h>

#include "io_testing.h"
#include "tenon/io/file.h"

namespace tenon::io {
namespace {

using Records = std::vector<std::vector<std::string>>;

Records records_of(std::string_view text) {
  const ByteSource source = source_of(text);
  CsvReader reader(source);
  Records records;
  std::vector<CsvField> fields;
  while (reader.next(fields)) {
    records.emplace_back();
    for (const CsvField& field : fields) records.back().push_back(field.text);
  }
  return records;
}

std::string csv_error(std::string_view text, const CsvOptions& options = {}) {
  return error_of([&] { read_csv(source_of(text), options); });
}

TEST(CsvReader, SplitsRecordsAndFields) {
  EXPECT_EQ(records_of("a,b\nc,d\n"), (Records{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(records_of("a,b\r\nc,d"), (Records{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(records_of("a\rb"), (Records{{"a"}, {"b"}}));
  EXPECT_EQ(records_of("\xef\xbb\xbf"
                       "a,,\n\n\n,b,"),
            (Records{{"a", "", ""}, {"", "b", ""}}));
  EXPECT_EQ(records_of(""), Records{});
  EXPECT_EQ(records_of("\n\r\n"), Records{});
}

TEST(CsvReader, QuotesHoldSeparatorsQuotesAndLineEnds) {
  EXPECT_EQ(records_of("\"a,b\",\"say \"\"hi\"\"\"\n\"one\r\ntwo\",\"\"\n"),
            (Records{{"a,b", "say \"hi\""}, {"one\ntwo", ""}}));
}

TEST(CsvReader, RecordsAcrossReadChunksStayWhole) {
  std::string text;
  for (int i = 0; i < 30000; ++i) text += fmt::format("{},\"x\ny{}\"\r\n", i, i);
  const Records records = records_of(text);
  ASSERT_EQ(records.size(), 30000u);
  for (int i = 0; i < 30000; i += 1234)
    EXPECT_EQ(records[static_cast<std::size_t>(i)],
              (std::vector<std::string>{fmt::format("{}", i), fmt::format("x\ny{}", i)}));
}

TEST(CsvReader, MalformedTextGivesLineAndColumn) {
  EXPECT_EQ(csv_error("1,2\n3,\"4\n5,6\n"),
            "sample: line 2, character 3: the quote that opens here is never closed");
  EXPECT_EQ(csv_error("1,2\n3,4\"5\n"),
            "sample: line 2, character 4: a quote inside a field that does not start with one");
  EXPECT_EQ(csv_error("1,\"2\"3\n"),
            "sample: line 1, character 6: text after a closing quote\n"
            "  help: a quote within quotes is written twice");
  EXPECT_EQ(csv_error(std::string_view("1,\0", 3)),
            "sample: line 1, character 3: a NUL byte (is this a text file?)");
  EXPECT_EQ(csv_error(std::string_view("\xff\xfe\x31\x00", 4)),
            "sample: line 1, character 1: this is UTF-16; save it as UTF-8");
  EXPECT_EQ(csv_error(std::string((1 << 20) + 1, '1')),
            "sample: line 1, character 1: a field of more than 1048576 bytes");
  EXPECT_EQ(csv_error(std::string((1 << 20) + 1, ',')),
            "sample: line 1, character 1048577: more than 1048576 fields");
}

TEST(CsvTable, DetectsTheHeaderAndColumnKinds) {
  const CsvTable table =
      read_csv(source_of("size, weight,kind,id\n1.5, 2,cat,7\n-3,4,\"d,og\",8\n"));
  EXPECT_TRUE(table.has_header);
  EXPECT_EQ(table.lines, (std::vector<std::uint64_t>{2, 3}));
  ASSERT_EQ(table.columns.size(), 4u);
  EXPECT_EQ(table.columns[0].name, "size");
  EXPECT_EQ(table.columns[0].numbers, (std::vector<double>{1.5, -3}));
  EXPECT_FALSE(table.columns[0].is_integer);
  EXPECT_EQ(table.columns[1].name, "weight");
  EXPECT_TRUE(table.columns[1].is_integer);
  EXPECT_TRUE(table.columns[2].is_text);
  EXPECT_EQ(table.columns[2].texts, (std::vector<std::string>{"cat", "d,og"}));
  EXPECT_EQ(table.columns[2].text_ids, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(table.columns[3].numbers, (std::vector<double>{7, 8}));
}

TEST(CsvTable, HeaderCanBeStated) {
  const CsvTable none = read_csv(source_of("1,a\n2,b\n"));
  EXPECT_FALSE(none.has_header);
  EXPECT_EQ(none.columns[1].name, "column 2");
  EXPECT_EQ(none.rows(), 2);
  EXPECT_EQ(read_csv(source_of("1,a\n2,b\n"), {.header = CsvHeader::present}).rows(), 1);
  EXPECT_EQ(read_csv(source_of("a,a\nb,b\n"), {.header = CsvHeader::absent}).rows(), 2);
  const CsvTable kept = read_csv(source_of("x,zip\n1,007\n"), {.text_columns = {"zip"}});
  EXPECT_EQ(kept.columns[1].texts, std::vector<std::string>{"007"});
}

TEST(CsvTable, NumbersAreStrict) {
  EXPECT_EQ(csv_error("a,b\n1,2\n3,1e999\n"),
            "sample: line 3, character 3: \"1e999\" does not fit a double (column \"b\")");
  EXPECT_EQ(csv_error("a,b\n1,1e999\n"),
            "sample: line 2, character 3: \"1e999\" does not fit a double (column \"b\")");
  EXPECT_EQ(csv_error("a,b\n1,2\n3,4x\n"),
            "sample: line 3, character 3: \"4x\" is not a number (column \"b\")");
  EXPECT_EQ(csv_error("1,2\n3,\n"),
            "sample: line 2, character 3: \"\" is not a number (column \"column 2\")");
  EXPECT_EQ(csv_error("1,2\n3,nan\n"),
            "sample: line 2, character 3: \"nan\" is not a finite number (column \"column 2\")");
  EXPECT_EQ(csv_error("1,inf\n"),
            "sample: line 1, character 3: \"inf\" is not a finite number (column \"column 2\")");
  EXPECT_EQ(csv_error("1\n0x10\n"),
            "sample: line 2, character 1: \"0x10\" is not a number (column \"column 1\")");
  EXPECT_FALSE(read_csv(source_of("9007199254740993\n")).columns[0].is_integer);
  EXPECT_TRUE(read_csv(source_of("9007199254740991\n")).columns[0].is_integer);
}

TEST(CsvTable, UnequalRecordsAndEmptyFilesAreRefused) {
  EXPECT_EQ(csv_error("1,2\n3,4,5\n"),
            "sample: line 2, character 1: 3 fields; 2 expected, as in the first record");
  EXPECT_EQ(csv_error(""), "sample: the file holds no records");
  EXPECT_EQ(csv_error("a,b\n"), "sample: the file holds a header but no records");
}

TEST(CsvTable, BadRecordsAreLeftOut) {
  std::vector<std::string> messages;
  CsvOptions options;
  options.bad_record = [&](const std::string& message) { messages.push_back(message); };
  const CsvTable table =
      read_csv(source_of("a,b,c\n,1,x\n1,2,\n3,4,y\n5,6\n7.5,z,y\n8,9,x\n"), options);
  ASSERT_EQ(table.rows(), 2);
  EXPECT_EQ(table.lines, (std::vector<std::uint64_t>{4, 7}));
  EXPECT_EQ(table.columns[0].numbers, (std::vector<double>{3, 8}));
  EXPECT_TRUE(table.columns[0].is_integer);
  EXPECT_EQ(table.columns[2].texts, (std::vector<std::string>{"y", "x"}));
  EXPECT_EQ(messages,
            (std::vector<std::string>{
                "sample: line 2, character 1: there is no value (column \"a\")",
                "sample: line 3, character 5: there is no value (column \"c\")",
                "sample: line 5, character 1: 2 fields; 3 expected, as in the first record",
                "sample: line 6, character 5: \"z\" is not a number (column \"b\")"}));
  EXPECT_EQ(csv_error("1\n", {.bad_record = options.bad_record}), "no error");
  EXPECT_EQ(csv_error("a\n \n\t\n", {.bad_record = options.bad_record}),
            "sample: none of its 2 records can be used; of the first one: sample: line 2, "
            "character 1: there is no value (column \"a\")");
  // Out of place quotes say nothing of where the next record begins.
  EXPECT_EQ(csv_error("1,2\n3,4\"5\n", {.bad_record = options.bad_record}),
            "sample: line 2, character 4: a quote inside a field that does not start with one");
}

TEST(CsvTable, EveryTruncationAndByteChangeGivesATableOrAUserError) {
  const std::string whole = "a,b\n1,\"x\"\"y\"\r\n-2.5e3,z\n";
  const auto read = [](const ByteSource& source) { read_csv(source); };
  expect_every_byte_change_survived(whole, read);
  for (std::size_t length = 0; length < whole.size(); ++length) try {
      read(source_of(whole.substr(0, length)));
    } catch (const UserError& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("sample: "));
    }
}

TEST(CsvField, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(csv_field("plain text"), "plain text");
  EXPECT_EQ(csv_field("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
  EXPECT_EQ(records_of(csv_field("a,\"b\"\n")), (Records{{"a,\"b\"\n"}}));
}

}  // namespace
}  // namespace tenon::io
