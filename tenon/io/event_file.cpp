#include "tenon/io/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "tenon/base/error.h"
#include "tenon/base/scalar_convert.h"
#include "tenon/io/crc32c.h"
#include "tenon/io/file.h"

namespace tenon::io {
namespace {

template <class Bytes>
void put_little_endian(Bytes& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

// One message of a protocol buffer:
// https://protobuf.dev/programming-guides/encoding. Zeros and empty texts are left out, as proto3
// has it, but where a field is written though it is zero. Short ones are no memory of the heap.
class WireMessage {
 public:
  WireMessage& number(int field, std::int64_t value) {
    if (value == 0) return *this;
    tag(field, kVarint);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  WireMessage& real(int field, double value) {
    // A negative zero is not the default.
    return std::bit_cast<std::uint64_t>(value) == 0 ? *this : real_always(field, value);
  }
  WireMessage& real_always(int field, double value) {
    tag(field, kEightBytes);
    put_little_endian(bytes_, std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }
  WireMessage& short_real_always(int field, float value) {
    tag(field, kFourBytes);
    put_little_endian(bytes_, std::bit_cast<std::uint32_t>(value), 4);
    return *this;
  }
  WireMessage& text(int field, std::string_view value) {
    return value.empty() ? *this : part(field, value);
  }
  // A message, or a text that is written though it may be empty.
  WireMessage& part(int field, std::string_view value) {
    tag(field, kBytes);
    varint(value.size());
    bytes_.append(value);
    return *this;
  }
  WireMessage& reals(int field, const std::vector<double>& values) {
    if (values.empty()) return *this;
    tag(field, kBytes);
    varint(8 * values.size());
    for (const double value : values)
      put_little_endian(bytes_, std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }
  std::string text() const { return std::string(bytes()); }

 private:
  enum WireType : std::uint8_t { kVarint = 0, kEightBytes = 1, kBytes = 2, kFourBytes = 5 };
  void tag(int field, WireType type) {
    varint((static_cast<std::uint64_t>(field) << 3) | static_cast<std::uint64_t>(type));
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>((value & 0x7f) | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  fmt::memory_buffer bytes_;
};

// Fields of Event.
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
// Fields of Summary.Value.
constexpr int kTag = 1, kSimpleValue = 2, kHistogram = 5, kTensor = 8, kMetadata = 9;

WireMessage event_at(double wall_time, std::int64_t step) {
  WireMessage event;
  event.real(kWallTime, wall_time).number(kStep, step);
  return event;
}

WireMessage event_of_value(double wall_time, std::int64_t step, const WireMessage& value) {
  WireMessage summary;
  summary.part(1, value.bytes());
  WireMessage event = event_at(wall_time, step);
  event.part(kSummary, summary.bytes());
  return event;
}

WireMessage scalar_message(double wall_time, std::int64_t step, std::string_view tag,
                           double value) {
  WireMessage scalar;
  scalar.text(kTag, tag).short_real_always(kSimpleValue, convert_element<float>(value));
  return event_of_value(wall_time, step, scalar);
}

void append_frame(std::string& out, std::string_view record) {
  const std::size_t first = out.size();
  put_little_endian(out, record.size(), 8);
  put_little_endian(out, masked_crc32c(std::string_view(out).substr(first)), 4);
  out += record;
  put_little_endian(out, masked_crc32c(record), 4);
}

// Bytes that are kept before they are written.
constexpr std::size_t kMostWaiting = 1 << 16;

double wall_time_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Readers take the files of a folder in the order of their names.
std::string event_file_name(int attempt) {
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  return fmt::format("events.out.tfevents.{:010}.{:09}.{}.{}", now / 1'000'000'000,
                     now % 1'000'000'000, ::getpid(), attempt);
}

}  // namespace

std::string version_event(double wall_time) {
  return event_at(wall_time, 0).part(kFileVersion, "brain.Event:2").text();
}

std::string restart_event(double wall_time, std::int64_t step) {
  constexpr int kStatus = 1, kStart = 1;
  WireMessage log;
  log.number(kStatus, kStart);
  return event_at(wall_time, step).part(kSessionLog, log.bytes()).text();
}

std::string scalar_event(double wall_time, std::int64_t step, std::string_view tag, double value) {
  return scalar_message(wall_time, step, tag, value).text();
}

std::string histogram_event(double wall_time, std::int64_t step, std::string_view tag,
                            const EventHistogram& histogram) {
  check(histogram.limits.size() == histogram.counts.size(), "{} limits for {} counts",
        histogram.limits.size(), histogram.counts.size());
  WireMessage proto;
  proto.real(1, histogram.min)
      .real(2, histogram.max)
      .real(3, histogram.count)
      .real(4, histogram.sum)
      .real(5, histogram.sum_of_squares)
      .reals(6, histogram.limits)
      .reals(7, histogram.counts);
  WireMessage value;
  value.text(kTag, tag).part(kHistogram, proto.bytes());
  return event_of_value(wall_time, step, value).text();
}

std::string text_event(double wall_time, std::int64_t step, std::string_view tag,
                       std::string_view text) {
  constexpr int kString = 7;  // DT_STRING
  WireMessage plugin, metadata, extent, shape, tensor, value;
  plugin.text(1, "text");
  metadata.part(1, plugin.bytes());
  extent.number(1, 1);
  shape.part(2, extent.bytes());
  tensor.number(1, kString).part(2, shape.bytes()).part(8, text);
  value.text(kTag, tag).part(kTensor, tensor.bytes()).part(kMetadata, metadata.bytes());
  return event_of_value(wall_time, step, value).text();
}

std::string record_frame(std::string_view record) {
  std::string frame;
  append_frame(frame, record);
  return frame;
}

EventFile::EventFile(const std::filesystem::path& folder) {
  make_folders(folder);
  constexpr int kMostAttempts = 100;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    path_ = (folder / event_file_name(attempt)).string();
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0 || errno != EEXIST) break;
  }
  require(descriptor_ >= 0, "cannot write {}: {}", path_, std::strerror(errno));
  waiting_.reserve(kMostWaiting + kMostWaiting / 16);
  add(version_event(wall_time_now()));
}

EventFile::~EventFile() {
  try {
    flush();
  } catch (const UserError&) {  // there is nobody left to tell
  }
  ::close(descriptor_);
}

void EventFile::add_scalar(std::int64_t step, std::string_view tag, double value) {
  add(scalar_message(wall_time_now(), step, tag, value).bytes());
}
void EventFile::add_histogram(std::int64_t step, std::string_view tag,
                              const EventHistogram& histogram) {
  add(histogram_event(wall_time_now(), step, tag, histogram));
}
void EventFile::add_text(std::int64_t step, std::string_view tag, std::string_view text) {
  add(text_event(wall_time_now(), step, tag, text));
}
void EventFile::add_restart(std::int64_t step) { add(restart_event(wall_time_now(), step)); }

void EventFile::add(std::string_view event) {
  append_frame(waiting_, event);
  if (waiting_.size() >= kMostWaiting) flush();
}

void EventFile::flush() {
  std::string_view rest = waiting_;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      waiting_.clear();  // a part of it is there already
      throw UserError(fmt::format("cannot write {}: {}", path_, std::strerror(reason)));
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  waiting_.clear();
}

}  // namespace tenon::io
