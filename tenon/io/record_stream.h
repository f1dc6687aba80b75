// Streams of samples, x and y: frames of bytes with checksums, or a JSON object on each line.
// docs/data.md describes both for those who write them.
#pragma once
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tenon/base/host_tensor.h"
#include "tenon/io/byte_stream.h"
#include "tenon/io/file.h"

namespace tenon::io {

// What the header of a framed stream says. An extent of -1 may differ from record to record.
struct RecordHeader {
  TensorType x, y;
  std::vector<std::string> class_names = {};
};

struct RecordTensors {
  HostTensor x, y;
};

// The bytes that writers send: the header once, a frame for each sample, the end mark. UserError
// for a header with too many axes or names that are not UTF-8, and for tensors that do not fit it.
std::vector<std::byte> record_header_bytes(const RecordHeader& header);
std::vector<std::byte> record_frame_bytes(const RecordHeader& header, const HostView& x,
                                          const HostView& y);
std::vector<std::byte> record_end_bytes();

// A number or nested lists of numbers: i32 if all are whole (and none is f32[0]), else f32.
// UserError "PLACE is REASON" for anything else, lists of unequal lengths, and numbers beyond f32.
HostTensor tensor_of_json(const nlohmann::json& json, const std::string& place,
                          std::optional<DType> dtype = {});

struct RecordOptions {
  std::uint64_t max_record_bytes = std::uint64_t{1} << 28;
  // Of JSON lines whose y is text; the header has those of framed streams.
  std::vector<std::string> class_names = {};
};

// A record as it arrived.
struct RawRecord {
  std::uint64_t number = 0;  // from 0
  std::uint32_t checksum = 0;
  std::vector<std::byte> bytes;
};

// Reads a framed stream, or JSON lines if it starts with a brace. Not more than 64 KiB beyond the
// record asked for is taken from the stream.
class RecordReader {
 public:
  // UserError for a stream that starts with neither, and for a header that is malformed.
  explicit RecordReader(std::unique_ptr<ByteStream> stream, RecordOptions options = {});

  const std::string& name() const { return stream_->name(); }
  // None for JSON lines.
  const std::optional<RecordHeader>& header() const { return header_; }
  const std::vector<std::string>& class_names() const { return options_.class_names; }

  // The next record; nothing after the end mark or, of JSON lines, at the end of the stream.
  // UserError naming the record for a stream that ends before, and for records above the limit.
  // Where waiting for one was interrupted (base/interruption.h) before it began, reading can go on.
  std::optional<RawRecord> next();

  // The record's tensors; by any thread. Of JSON lines x is f32, y i32 if all its numbers are
  // whole, an index of class_names if it is text, and f32[0] if there is none. UserError
  // "STREAM: record N: REASON" for a wrong checksum, sizes that do not fit the header, and JSON
  // that is no such object.
  RecordTensors parse(const RawRecord& record) const;

 private:
  bool fill();  // more bytes in the buffer; false at the end
  std::size_t take(std::span<std::byte> out);
  void read_header();
  std::optional<RawRecord> next_frame();
  std::optional<RawRecord> next_line();
  RecordTensors parse_frame(const RawRecord& record) const;
  RecordTensors parse_line(const RawRecord& record) const;
  [[noreturn]] void fail(std::uint64_t number, const std::string& reason) const;

  std::unique_ptr<ByteStream> stream_;
  RecordOptions options_;
  std::optional<RecordHeader> header_;
  std::vector<std::byte> buffer_;
  std::size_t place_ = 0;  // in the buffer
  std::uint64_t count_ = 0;
  bool ended_ = false;
  bool is_cut_ = false;  // an Interrupted left it in the middle of a record
};

// A framed stream in a file, whose records are read in any order, by any thread.
class RecordFile {
 public:
  // Finds where the records start. UserError as RecordReader, and for what is no framed stream.
  explicit RecordFile(const std::filesystem::path& path);
  std::int64_t size() const { return static_cast<std::int64_t>(offsets_.size()); }
  RecordTensors read(std::int64_t index) const;  // UserError for an index out of range

 private:
  ByteSource source_;
  RecordReader reader_;
  std::vector<std::uint64_t> offsets_;
};

class RecordWriter {
 public:
  RecordWriter(const std::filesystem::path& path, RecordHeader header);
  void add(const HostView& x, const HostView& y);
  // Without it there is no file.
  void commit();

 private:
  AtomicFile file_;
  RecordHeader header_;
};

}  // namespace tenon::io
