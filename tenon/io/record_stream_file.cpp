// Framed streams in files.
#include "tenon/io/record_stream.h"

namespace tenon::io {
namespace {

constexpr std::uint64_t kFrameStart = 8;  // bytes of a record's length and checksum

}  // namespace

RecordFile::RecordFile(const std::filesystem::path& path)
    : source_(ByteSource::open(path)),
      // Borrowing by copy: both read the same open file.
      reader_(stream_of(source_), {.max_record_bytes = source_.size()}) {
  require(reader_.header().has_value(), "{}: JSON lines; a framed stream expected", source_.name());
  constexpr std::uint64_t kLengthAt = 12, kBehindLength = 16, kChecksumBytes = 4;
  std::uint64_t place = kBehindLength +
                        Cursor(source_, kLengthAt).little_endian<std::uint32_t>("the header") +
                        kChecksumBytes;
  for (;;) {
    const auto what = fmt::format("record {}", offsets_.size());
    Cursor cursor(source_, place);
    const auto length = cursor.little_endian<std::uint32_t>(what);
    if (length == 0xffffffff) break;
    cursor.little_endian<std::uint32_t>(what);
    if (length > cursor.remaining())
      fail_at(source_.name(), place, "the file ends inside {} ({} bytes expected, {} left)", what,
              length, cursor.remaining());
    offsets_.push_back(place);
    place += kFrameStart + length;
  }
}

RecordTensors RecordFile::read(std::int64_t index) const {
  require(index >= 0 && index < size(), "{}: record {} of {}", source_.name(), index, size());
  Cursor cursor(source_, offsets_[static_cast<std::size_t>(index)]);
  RawRecord record;
  record.number = static_cast<std::uint64_t>(index);
  record.bytes.resize(cursor.little_endian<std::uint32_t>("a record"));
  record.checksum = cursor.little_endian<std::uint32_t>("a record");
  cursor.read(record.bytes, "a record");
  return reader_.parse(record);
}

RecordWriter::RecordWriter(const std::filesystem::path& path, RecordHeader header)
    : file_(path), header_(std::move(header)) {
  file_.write(record_header_bytes(header_));
}

void RecordWriter::add(const HostView& x, const HostView& y) {
  file_.write(record_frame_bytes(header_, x, y));
}

void RecordWriter::commit() {
  file_.write(record_end_bytes());
  file_.commit();
}

}  // namespace tenon::io
