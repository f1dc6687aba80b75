#include "tenon/io/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace tenon::io {
namespace {

constexpr int kGzipWindow = MAX_WBITS + 16;
constexpr int kRawWindow = -MAX_WBITS;

// A stretch of compressed bytes of a source, unpacked piece by piece.
class Inflater {
 public:
  Inflater(const ByteSource& source, std::uint64_t offset, std::uint64_t packed, int window)
      : source_(source), next_(offset), end_(offset + packed) {
    check(inflateInit2(&stream_, window) == Z_OK, "inflateInit2 failed");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Fills `out` as far as it can; less than all only when the compressed stream has ended.
  std::size_t read(std::span<std::byte> out) {
    std::size_t done = 0;
    while (done < out.size() && !ended_) {
      refill();
      const std::size_t room =
          std::min<std::size_t>(out.size() - done, std::numeric_limits<uInt>::max());
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + done);
      stream_.avail_out = static_cast<uInt>(room);
      const uInt input_before = stream_.avail_in;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      ended_ = status == Z_STREAM_END;
      if (status == Z_DATA_ERROR || status == Z_NEED_DICT)
        fail_at(source_.name(), place(), "corrupt compressed data ({})",
                stream_.msg != nullptr ? stream_.msg : "a preset dictionary");
      require(status != Z_MEM_ERROR, "{}: out of memory while unpacking", source_.name());
      const bool stuck = stream_.avail_out == room && stream_.avail_in == input_before;
      if (!ended_ && stuck && next_ == end_)
        fail_at(source_.name(), place(), "the compressed data ends early");
    }
    return done;
  }
  bool ended() const { return ended_; }
  // Bytes of the stretch after what was read.
  std::uint64_t left() const { return end_ - next_ + stream_.avail_in; }
  std::uint64_t place() const { return next_ - stream_.avail_in; }
  void start_next_member() {
    inflateReset(&stream_);
    ended_ = false;
  }

 private:
  void refill() {
    if (stream_.avail_in > 0) return;
    input_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, end_ - next_)));
    source_.read(next_, input_);
    next_ += input_.size();
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(input_.size());
  }

  static constexpr std::uint64_t kChunk = 1 << 16;
  const ByteSource& source_;
  std::uint64_t next_;  // first byte not yet in input_
  std::uint64_t end_;
  std::vector<std::byte> input_;
  z_stream stream_{};
  bool ended_ = false;
};

std::vector<std::byte> deflated(std::span<const std::byte> bytes, int window) {
  z_stream stream{};
  constexpr int kLevel = 6, kMemoryLevel = 8;
  check(deflateInit2(&stream, kLevel, Z_DEFLATED, window, kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK,
        "deflateInit2 failed");
  std::vector<std::byte> out(deflateBound(&stream, bytes.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
  std::size_t given = 0;
  int status = Z_OK;
  while (status == Z_OK) {  // zlib counts in 32 bits
    const std::size_t input = std::min(bytes.size() - given, kMost);
    const uInt room = static_cast<uInt>(std::min(out.size() - stream.total_out, kMost));
    stream.avail_in = static_cast<uInt>(input);
    stream.avail_out = room;
    status = deflate(&stream, given + input == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    given += input - stream.avail_in;
  }
  out.resize(stream.total_out);
  deflateEnd(&stream);
  check(status == Z_STREAM_END, "deflate returned {}", status);
  return out;
}

// The size that the last four bytes claim (modulo 2^32), as far as it is believable.
std::uint64_t claimed_size(const ByteSource& source, std::uint64_t limit) {
  constexpr std::uint64_t kShortest = 18;    // header and trailer
  constexpr std::uint64_t kBelievable = 64;  // times the packed size
  if (source.size() < kShortest) return 0;
  Cursor cursor(source, source.size() - 4);
  const std::uint64_t claimed = cursor.little_endian<std::uint32_t>("the size");
  return std::min({claimed, limit, source.size() * kBelievable});
}

}  // namespace

bool is_gzip(const ByteSource& source) {
  if (source.size() < 2) return false;
  return Cursor(source).big_endian<std::uint16_t>("the magic number") == 0x1f8b;
}

std::vector<std::byte> gunzip(const ByteSource& source, std::uint64_t limit) {
  limit = std::min(limit, std::uint64_t{1} << 62);
  Inflater inflater(source, 0, source.size(), kGzipWindow);
  // One byte more than expected, so that the end is seen without growing.
  std::vector<std::byte> out(static_cast<std::size_t>(claimed_size(source, limit) + 1));
  std::size_t size = 0;
  for (;;) {
    size += inflater.read(std::span(out).subspan(size));
    require(size <= limit, "{}: unpacks to more than the limit of {} bytes", source.name(), limit);
    if (inflater.ended()) {
      if (inflater.left() == 0) break;
      inflater.start_next_member();
    } else if (size == out.size()) {
      constexpr std::uint64_t kLeast = 1 << 16;
      out.resize(static_cast<std::size_t>(
          std::min(std::max<std::uint64_t>(2 * out.size(), kLeast), limit + 1)));
    }
  }
  out.resize(size);
  return out;
}

ByteSource open_maybe_gzip(const std::filesystem::path& path, std::uint64_t limit) {
  ByteSource source = ByteSource::open(path);
  if (!is_gzip(source)) return source;
  return {source.name(), gunzip(source, limit)};
}

std::vector<std::byte> gzip(std::span<const std::byte> bytes) {
  return deflated(bytes, kGzipWindow);
}

std::vector<std::byte> deflate_raw(std::span<const std::byte> bytes) {
  return deflated(bytes, kRawWindow);
}

std::vector<std::byte> inflate_raw(const ByteSource& source, std::uint64_t offset,
                                   std::uint64_t packed, std::uint64_t unpacked) {
  if (offset > source.size() || packed > source.size() - offset)
    fail_at(source.name(), offset, "{} bytes of compressed data expected, the file ends", packed);
  constexpr std::uint64_t kSlack = 64;
  if (unpacked > kSlack && (unpacked - kSlack) / kMaxDeflateRatio > packed)
    fail_at(source.name(), offset, "{} compressed bytes cannot hold {} bytes", packed, unpacked);
  Inflater inflater(source, offset, packed, kRawWindow);
  std::vector<std::byte> out(static_cast<std::size_t>(unpacked + 1));
  const std::size_t size = inflater.read(out);
  if (size != unpacked)
    fail_at(source.name(), offset, "the compressed data gives {} bytes than the {} promised",
            size < unpacked ? "fewer" : "more", unpacked);
  if (inflater.left() != 0)
    fail_at(source.name(), inflater.place(), "{} bytes after the compressed data", inflater.left());
  out.resize(size);
  return out;
}

std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t before) {
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace tenon::io
