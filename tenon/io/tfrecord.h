// TFRecord files: records of bytes, each with two checksums.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/io/byte_stream.h"
#include "tenon/io/file.h"

namespace tenon::io {

// Reads records one after the other; both checksums are compared.
// https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
class TfRecordReader {
 public:
  explicit TfRecordReader(std::unique_ptr<ByteStream> stream,
                          std::uint64_t max_record_bytes = std::uint64_t{1} << 30);

  const std::string& name() const { return stream_->name(); }
  std::uint64_t count() const { return count_; }  // records so far
  // The next record; nothing after the last. UserError "FILE: record N: REASON" for a wrong
  // checksum, a record that is cut off, and one above the limit; memory is taken as the bytes come.
  std::optional<std::vector<std::byte>> next();

 private:
  [[noreturn]] void fail(const std::string& reason) const;
  std::unique_ptr<ByteStream> stream_;
  std::uint64_t max_record_bytes_;
  std::uint64_t count_ = 0;
};

// A record with its length and checksums.
std::string tfrecord_bytes(std::string_view record);

class TfRecordWriter {
 public:
  explicit TfRecordWriter(const std::filesystem::path& path) : file_(path) {}
  void add(std::string_view record) { file_.write(tfrecord_bytes(record)); }
  // Without it there is no file.
  void commit() { file_.commit(); }

 private:
  AtomicFile file_;
};

}  // namespace tenon::io
