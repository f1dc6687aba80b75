#include "tenon/io/record_stream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "io_testing.h"
#include "tenon/base/interruption.h"
#include "tenon/io/crc32c.h"
#include "tenon/io/gzip.h"

namespace tenon::io {
namespace {

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const RecordHeader kHeader{{DType::f32, {2, -1}}, {DType::i32, {}}, {"no", "yes"}};

RecordTensors record_of(int columns, int label) {
  return {filled({DType::f32, {2, columns}}, label + 0.5), make_scalar(label)};
}

std::string frame_of(const RecordTensors& record) {
  return text_of(record_frame_bytes(kHeader, record.x, record.y));
}

std::string whole_stream() {
  return text_of(record_header_bytes(kHeader)) + frame_of(record_of(3, 0)) +
         frame_of(record_of(0, 1)) + text_of(record_end_bytes());
}

std::vector<RecordTensors> all_records(std::unique_ptr<ByteStream> stream,
                                       const RecordOptions& options = {}) {
  RecordReader reader(std::move(stream), options);
  std::vector<RecordTensors> records;
  while (const std::optional<RawRecord> record = reader.next())
    records.push_back(reader.parse(*record));
  return records;
}

std::vector<RecordTensors> records_of(std::string_view content, const RecordOptions& options = {}) {
  return all_records(stream_of(source_of(content)), options);
}

TEST(RecordStream, ReadsWhatItWrites) {
  RecordReader reader(stream_of(source_of(whole_stream())));
  EXPECT_EQ(reader.header()->x, kHeader.x);
  EXPECT_EQ(reader.class_names(), (std::vector<std::string>{"no", "yes"}));
  for (const RecordTensors& expected : {record_of(3, 0), record_of(0, 1)}) {
    const std::optional<RawRecord> record = reader.next();
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(reader.parse(*record).x, expected.x);
    EXPECT_EQ(reader.parse(*record).y, expected.y);
  }
  EXPECT_FALSE(reader.next().has_value());
  EXPECT_FALSE(reader.next().has_value());
  EXPECT_EQ(records_of(text_of(gzip(bytes_of(whole_stream())))).size(), 2u);
  EXPECT_EQ(error_of([] { record_frame_bytes(kHeader, make_scalar(1.0f), make_scalar(0)); }),
            "a record's tensor is f32[], its header says f32[2,-1]");
}

// What docs/data.md says that writers send, byte for byte.
TEST(RecordStream, HasTheFormatOfItsDocument) {
  const std::string json = R"({"classes":["no","yes"],"x":{"shape":[2,-1],"type":"f32"},)"
                           R"("y":{"shape":[],"type":"i32"}})";
  std::string header = "TENONREC" + std::string("\x01\x00\x00\x00", 4);
  header += static_cast<char>(json.size() + 1);
  header += std::string("\x00\x00\x00", 3) + json + "\n";
  const std::uint32_t checksum = crc32c(header);
  for (int i = 0; i < 4; ++i) header += static_cast<char>(checksum >> (8 * i));
  EXPECT_EQ(text_of(record_header_bytes(kHeader)), header);
  const std::string payload("\x01\x00\x00\x00\x00\x00\x80\x3f\x00\x00\x00\x40\x07\x00\x00\x00", 16);
  std::string frame("\x10\x00\x00\x00", 4);
  for (int i = 0; i < 4; ++i) frame += static_cast<char>(crc32c(payload) >> (8 * i));
  EXPECT_EQ(text_of(record_frame_bytes(kHeader, make_tensor<float>({2, 1}, {1, 2}),
                                       make_scalar<std::int32_t>(7))),
            frame + payload);
  EXPECT_EQ(text_of(record_end_bytes()), "\xff\xff\xff\xff");
}

TEST(RecordStream, CutOrChangedStreamsAreRefused) {
  const std::string whole = whole_stream();
  const auto read = [](const ByteSource& source) { all_records(stream_of(source)); };
  expect_every_prefix_refused(whole, read);
  expect_every_byte_change_survived(whole, read);
  const std::string header = text_of(record_header_bytes(kHeader));
  const std::string first = frame_of(record_of(3, 0));
  EXPECT_EQ(error_of([&] { records_of(header + first); }),
            "sample: record 1: the stream ends before it, without the mark of its end");
  EXPECT_EQ(error_of([&] { records_of(header + first + first.substr(0, 20)); }),
            "sample: record 1: the stream ends inside it (32 bytes expected, 12 came)");
  std::string changed = first;
  changed.back() = 9;
  EXPECT_TRUE(error_of([&] {
                records_of(header + changed);
              }).starts_with("sample: record 0: its CRC-32C is "));
  EXPECT_EQ(error_of([&] { records_of(header + first, {.max_record_bytes = 31}); }),
            "sample: record 0: 32 bytes, above the limit of 31");
  EXPECT_EQ(error_of([&] { records_of(header + std::string("\xfe\xff\xff\xff", 4)); }),
            "sample: record 0: 4294967294 bytes, above the limit of 268435456");
  EXPECT_EQ(error_of([] { records_of(""); }), "sample: the stream holds nothing");
  EXPECT_EQ(error_of([] { records_of("\x01..."); }),
            "sample: it starts with byte 0x01; TENONREC or a JSON object on each line expected");
  EXPECT_EQ(error_of([] { records_of("TENONRAC12345678"); }),
            "sample: it starts with \"TENONRAC\"; TENONREC expected");
}

std::string with_checksum(std::string payload) {
  std::string frame;
  for (int i = 0; i < 4; ++i) frame += static_cast<char>(payload.size() >> (8 * i));
  for (int i = 0; i < 4; ++i) frame += static_cast<char>(crc32c(payload) >> (8 * i));
  return frame + payload;
}

TEST(RecordStream, SizesThatDoNotFitAreRefused) {
  const std::string header = text_of(record_header_bytes(kHeader));
  EXPECT_EQ(error_of([&] { records_of(header + with_checksum("\xff\xff\xff\x7f")); }),
            "sample: record 0: byte 4: the shape [2, 2147483647] of f32 needs 17179869176 bytes, 0 "
            "are left");
  EXPECT_EQ(error_of([&] { records_of(header + with_checksum(std::string(12, '\0'))); }),
            "sample: record 0: 4 bytes after x and y");
  EXPECT_EQ(error_of([&] { records_of(header + with_checksum("ab")); }),
            "sample: record 0: byte 0: the file ends inside an extent (4 bytes expected, 2 left)");
}

std::string header_of(const std::string& json) {
  std::string bytes = "TENONREC" + std::string("\x01\x00\x00\x00", 4);
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(json.size() >> (8 * i));
  bytes += json;
  const std::uint32_t checksum = crc32c(bytes);
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(checksum >> (8 * i));
  return bytes;
}

TEST(RecordStream, MalformedHeadersAreNamed) {
  const auto error = [](const std::string& json) {
    return error_of([&] { records_of(header_of(json)); });
  };
  EXPECT_EQ(error("[]"), "sample: header: a JSON object expected");
  EXPECT_EQ(
      error(R"({"x":{"type":"f32","shape":[-2]}})"),
      "sample: header: \"x\" must be an object with \"type\", an element type, and \"shape\", "
      "a list of at most 32 extents, -1 for those that vary");
  EXPECT_EQ(error(R"({"x":{"type":"f31","shape":[2]}})"),
            "sample: header: \"f31\" is no element type");
  EXPECT_EQ(
      error(R"({"x":{"type":"f32","shape":[2]},"y":{"type":"i32","shape":[]},"classes":[1]})"),
      "sample: header: \"classes\" must be a list of names");
  EXPECT_TRUE(error("{").starts_with("sample: header: line 1, column 2: "));
  std::string huge = header_of("{}");
  huge[12] = huge[13] = huge[14] = '\x7f';
  huge[15] = 1;
  EXPECT_EQ(error_of([&] { records_of(huge); }),
            "sample: header: 25132927 bytes; at most 16777216 are possible");
}

TEST(JsonLines, GiveTensors) {
  const std::vector<RecordTensors> records = records_of(
      "{\"x\": [[1, 2.5], [3, -4]], \"y\": 1}\n\r\n  \n{\"x\": [], \"y\": [0.5, 1]}\r\n"
      "{\"y\": \"cat\", \"x\": 7, \"other\": null}\n{\"x\": [[], []]}",
      {.class_names = {"dog", "cat"}});
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].x, make_tensor<float>({2, 2}, {1, 2.5f, 3, -4}));
  EXPECT_EQ(records[0].y, make_scalar<std::int32_t>(1));
  EXPECT_EQ(records[1].x, HostTensor({DType::f32, {0}}));
  EXPECT_EQ(records[1].y, make_tensor<float>({2}, {0.5f, 1}));
  EXPECT_EQ(records[2].x, make_scalar(7.0f));
  EXPECT_EQ(records[2].y, make_scalar<std::int32_t>(1));
  EXPECT_EQ(records[3].x, HostTensor({DType::f32, {2, 0}}));
  EXPECT_EQ(records[3].y, HostTensor());
}

TEST(JsonLines, BadLinesAreNamed) {
  const auto error = [](const std::string& line) {
    return error_of([&] { records_of("{\"x\": 1}\n" + line, {.class_names = {"cat"}}); });
  };
  EXPECT_EQ(error("{\"y\": 1}"), "sample: record 1: an object with \"x\" expected");
  EXPECT_EQ(error("[1]"), "sample: record 1: an object with \"x\" expected");
  EXPECT_EQ(error("{\"x\": [1, [2]]}"),
            "sample: record 1: \"x\" is lists and numbers side by side");
  EXPECT_EQ(error("{\"x\": [[1], 2]}"),
            "sample: record 1: \"x\" is lists and numbers side by side");
  EXPECT_EQ(error("{\"x\": [[1, 2], [3]]}"),
            "sample: record 1: \"x\" is a list of 1 beside one of 2");
  EXPECT_EQ(error("{\"x\": [true]}"),
            "sample: record 1: \"x\" is neither a number nor a list of numbers");
  EXPECT_EQ(error("{\"x\": 1e39}"), "sample: record 1: \"x\" holds a number that does not fit f32");
  EXPECT_EQ(error("{\"x\": 1, \"y\": \"cart\"}"),
            "sample: record 1: \"y\" is \"cart\", none of the 1 classes; did you mean \"cat\"?");
  EXPECT_EQ(error("{\"x\": " + std::string(40, '[') + "1" + std::string(40, ']') + "}"),
            "sample: record 1: \"x\" is more than 32 nested lists");
  EXPECT_TRUE(error("{\"x\": 1e999}").starts_with("sample: record 1: line 1, column "));
  EXPECT_TRUE(error("{\"x\": \"\xff\"}").starts_with("sample: record 1: line 1, column "));
  EXPECT_TRUE(error("{\"x\": \"never closed").starts_with("sample: record 1: line 1, column "));
  EXPECT_EQ(
      error_of([] { records_of("{\"x\": 1}\n{\"x\": [1, 2, 3]}\n", {.max_record_bytes = 10}); }),
      "sample: record 1: a line above the limit of 10 bytes");
}

// The far end of a pair of sockets, written to by the test.
struct Pair {
  int ends[2] = {-1, -1};
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }
  ~Pair() { close_far(); }
  void send(std::string_view text) const {
    EXPECT_EQ(::send(ends[1], text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  void close_far() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
};

TEST(RecordStream, SilentAndClosingPeersAreNamed) {
  Pair pair;
  const std::string header = text_of(record_header_bytes(kHeader));
  pair.send(header + frame_of(record_of(3, 0)).substr(0, 10));
  RecordReader reader(descriptor_stream(pair.ends[0], "peer", {.timeout_seconds = 0.05}));
  EXPECT_EQ(error_of([&] { reader.next(); }), "peer: nothing came for 0.05 seconds");
  Pair closing;
  closing.send(header + frame_of(record_of(3, 0)) + frame_of(record_of(3, 1)).substr(0, 10));
  closing.close_far();
  RecordReader cut(descriptor_stream(closing.ends[0], "peer"));
  EXPECT_TRUE(cut.next().has_value());
  EXPECT_EQ(error_of([&] { cut.next(); }),
            "peer: record 1: the stream ends inside it (32 bytes expected, 2 came)");
}

TEST(RecordStream, ConnectsAndListens) {
  const TemporaryFolder folder;
  const std::string address = "unix:" + (folder / "socket").string();
  std::vector<RecordTensors> records;
  std::thread listener(
      [&] { records = all_records(connect_stream("listen:" + address, {.timeout_seconds = 20})); });
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  const std::string path = (folder / "socket").string();
  std::copy(path.begin(), path.end(), place.sun_path);
  const int peer = ::socket(AF_UNIX, SOCK_STREAM, 0);
  while (::connect(peer, reinterpret_cast<const sockaddr*>(&place), sizeof(place)) != 0)
    std::this_thread::yield();
  const std::string stream = whole_stream();
  EXPECT_EQ(::write(peer, stream.data(), stream.size()), static_cast<ssize_t>(stream.size()));
  ::close(peer);
  listener.join();
  EXPECT_EQ(records.size(), 2u);
  EXPECT_EQ(folder.entries(), 0u);
  EXPECT_EQ(error_of([&] { connect_stream(address); }),
            "cannot connect to \"" + address + "\": No such file or directory");
  EXPECT_EQ(error_of([&] { connect_stream("listen:" + address, {.timeout_seconds = 0.01}); }),
            "listen:" + address + ": nobody connected for 0.01 seconds");
  EXPECT_EQ(
      error_of([] { connect_stream("nowhere"); }),
      "\"nowhere\" is neither a file nor an address: HOST:PORT or unix:PATH expected, or listen: "
      "and one of these");
  EXPECT_TRUE(error_of([] {
                connect_stream("127.0.0.1:99999");
              }).starts_with("\"127.0.0.1:99999\" is neither a file nor an address: "));
  EXPECT_EQ(error_of([] { connect_stream("a:1", {.timeout_seconds = -1}); }),
            "a timeout of -1 seconds; more than 0, or 0 to wait for ever, expected");
}

TEST(RecordStream, ReadsOverTcp) {
  const int server = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(server, reinterpret_cast<const sockaddr*>(&place), sizeof(place)), 0);
  ASSERT_EQ(::listen(server, 1), 0);
  socklen_t size = sizeof(place);
  ASSERT_EQ(::getsockname(server, reinterpret_cast<sockaddr*>(&place), &size), 0);
  std::thread writer([server] {
    const int peer = ::accept(server, nullptr, nullptr);
    for (const char c : whole_stream()) EXPECT_EQ(::write(peer, &c, 1), 1);  // in many pieces
    ::close(peer);
  });
  EXPECT_EQ(all_records(connect_stream(fmt::format("127.0.0.1:{}", ntohs(place.sin_port)))).size(),
            2u);
  writer.join();
  ::close(server);
}

// Waits that are given up at once.
std::optional<RawRecord> impatiently(RecordReader& reader) {
  const InterruptionScope scope([] { return true; });
  return reader.next();
}

TEST(RecordStream, CanBeGivenUpBetweenTwoRecordsAndGoneOnWith) {
  for (const bool is_framed : {true, false}) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const auto send = [&](std::string_view bytes) {
      ASSERT_EQ(::write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    };
    const std::string framed = whole_stream();
    const std::string lines = "{\"x\":[1],\"y\":0}\n{\"x\":[2],\"y\":1}\n";
    const std::string& bytes = is_framed ? framed : lines;
    // All but the second record's last bytes and what follows them.
    const std::size_t first = is_framed ? bytes.size() - 6 : bytes.find('\n') + 1;
    send(std::string_view(bytes).substr(0, first));
    RecordReader reader(descriptor_stream(ends[0], "pipe"));
    ASSERT_TRUE(reader.next());
    EXPECT_THROW(impatiently(reader), Interrupted);
    send(std::string_view(bytes).substr(first));
    ::close(ends[1]);
    if (is_framed) {
      EXPECT_EQ(error_of([&] { reader.next(); }),
                "pipe: record 1: reading was given up in the middle of it");
    } else {
      ASSERT_TRUE(reader.next());
      EXPECT_FALSE(reader.next());
    }
  }
}

}  // namespace
}  // namespace tenon::io
