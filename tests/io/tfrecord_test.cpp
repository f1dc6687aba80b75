#include "tenon/io/tfrecord.h"

#include <gtest/gtest.h>

#include "io_testing.h"
#include "tenon/io/example.h"
#include "tenon/io/file.h"

namespace tenon::io {
namespace {

std::vector<std::string> records_of(const ByteSource& source, std::uint64_t limit = 1 << 20) {
  TfRecordReader reader(stream_of(source), limit);
  std::vector<std::string> records;
  while (const auto record = reader.next())
    records.emplace_back(reinterpret_cast<const char*>(record->data()), record->size());
  return records;
}

TEST(TfRecord, ReadsWhatTensorFlowWrites) {
  const std::vector<std::string> records =
      records_of(ByteSource::open(sample_path("examples.tfrecord")));
  ASSERT_EQ(records.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    const Example example = read_example(bytes_of(records[i]), "record");
    ASSERT_EQ(example.size(), 4u);
    const auto start = static_cast<float>(i);
    EXPECT_EQ(std::get<std::vector<float>>(example.at("x")),
              (std::vector<float>{start, start + 0.25f, start + 0.5f, start + 0.75f, start + 1,
                                  start + 1.25f}));
    EXPECT_EQ(std::get<std::vector<std::int64_t>>(example.at("y")),
              (std::vector<std::int64_t>{static_cast<std::int64_t>(i % 3)}));
    EXPECT_EQ(std::get<std::vector<std::int64_t>>(example.at("big")),
              (std::vector<std::int64_t>{-1, INT64_MAX, INT64_MIN, static_cast<std::int64_t>(i)}));
    EXPECT_EQ(std::get<std::vector<std::string>>(example.at("name")),
              (std::vector<std::string>{fmt::format("record {}", i), std::string("\x00\xff", 2)}));
    // TensorFlow writes features in the same order when it is asked to be deterministic.
    EXPECT_EQ(example_bytes(example), records[i]);
  }
  EXPECT_EQ(records_of(ByteSource::open(sample_path("images.tfrecord"))).size(), 3u);  // gzip
}

TEST(TfRecord, WritesWhatItReads) {
  const TemporaryFolder folder;
  TfRecordWriter writer(folder / "a.tfrecord");
  for (const char* record : {"first", "", "third"}) writer.add(record);
  writer.commit();
  EXPECT_EQ(records_of(ByteSource::open(folder / "a.tfrecord")),
            (std::vector<std::string>{"first", "", "third"}));
  const std::string sample = read_text_file(sample_path("examples.tfrecord"));
  std::string written;
  for (const std::string& record : records_of(source_of(sample))) written += tfrecord_bytes(record);
  EXPECT_EQ(written, sample);
}

TEST(TfRecord, CutOrChangedRecordsAreNamed) {
  const std::string first = tfrecord_bytes("hello"), second = tfrecord_bytes("world, again");
  const std::string whole = first + second;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    if (length == 0 || length == first.size()) continue;
    const std::string message = error_of([&] { records_of(source_of(whole.substr(0, length))); });
    EXPECT_TRUE(message.starts_with(length < first.size() ? "sample: record 0: the file ends"
                                                          : "sample: record 1: the file ends"))
        << message;
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    const std::string message = error_of([&] { records_of(source_of(changed)); });
    EXPECT_TRUE(message.starts_with(i < first.size() ? "sample: record 0: the checksum of its "
                                                     : "sample: record 1: the checksum of its "))
        << message;
  }
  EXPECT_EQ(error_of([&] { records_of(source_of(whole.substr(0, first.size() + 20))); }),
            "sample: record 1: the file ends inside it (12 bytes expected, 8 left)");
  EXPECT_EQ(error_of([&] { records_of(source_of(whole), 11); }),
            "sample: record 1: 12 bytes, above the limit of 11");
}

TEST(Example, ReadsWhatOtherWritersLeave) {
  const ByteSource file = ByteSource::open(sample_path("loose_example.bin"));
  const Example example = read_example(file.read_all(1000), "loose");
  EXPECT_EQ(std::get<std::vector<float>>(example.at("f")), (std::vector<float>{1.5f, -2}));
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(example.at("i")),
            (std::vector<std::int64_t>{5, 150, 7}));
  EXPECT_TRUE(std::get<std::vector<std::string>>(example.at("e")).empty());
  EXPECT_EQ(std::get<std::vector<std::string>>(example.at("u")), std::vector<std::string>{"z"});
  EXPECT_TRUE(read_example({}, "nothing").empty());
}

TEST(Example, MalformedMessagesAreRefused) {
  const auto error = [](std::string_view content) {
    return error_of([&] { read_example(bytes_of(content), "sample"); });
  };
  EXPECT_EQ(error("\x0a\x05zz"), "sample: byte 2: field 1 of 5 bytes runs past the end (2 left)");
  EXPECT_EQ(error("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            "sample: byte 11: field 1 of 18446744073709551615 bytes runs past the end (0 left)");
  EXPECT_EQ(error("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
            "sample: byte 10: a number of more than 64 bits");
  EXPECT_EQ(error("\x0b"), "sample: byte 1: field 1 has the unknown wire type 3");
  EXPECT_EQ(error("\x02"), "sample: byte 1: a field without a valid number");
  EXPECT_EQ(error("\x08\x01"), "sample: byte 2: the features has wire type 0; 2 expected");
  EXPECT_EQ(error("\x0a"), "sample: byte 1: the message ends inside a number");
  EXPECT_EQ(error(std::string_view("\x0d\x00\x00", 3)),
            "sample: byte 1: the message ends inside a number");
  const std::string sample = read_text_file(sample_path("loose_example.bin"));
  expect_every_byte_change_survived(
      sample, [](const ByteSource& source) { read_example(source.read_all(1000), "sample"); });
}

}  // namespace
}  // namespace tenon::io
