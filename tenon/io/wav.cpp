#include "tenon/io/wav.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

#include "tenon/base/text.h"

namespace tenon::io {
namespace {

enum class SampleKind : std::uint8_t { pcm8, pcm16, pcm24, pcm32, float32, float64 };

struct WavFormat {
  SampleKind kind = SampleKind::pcm16;
  std::uint32_t channels = 1, rate = 0, sample_bytes = 2;
};

constexpr std::uint16_t kPcmTag = 1, kFloatTag = 3, kExtensibleTag = 0xfffe;
constexpr std::uint32_t kPlainFormatBytes = 16, kExtensibleFormatBytes = 40;

std::optional<SampleKind> sample_kind(std::uint16_t tag, std::uint16_t bits) {
  if (tag == kPcmTag) {
    switch (bits) {
      case 8: return SampleKind::pcm8;
      case 16: return SampleKind::pcm16;
      case 24: return SampleKind::pcm24;
      case 32: return SampleKind::pcm32;
    }
  } else if (tag == kFloatTag) {
    switch (bits) {
      case 32: return SampleKind::float32;
      case 64: return SampleKind::float64;
    }
  }
  return std::nullopt;
}

WavFormat read_format(const ByteSource& source, Cursor& cursor, std::uint32_t size) {
  const std::string_view what = "the format chunk";
  const std::uint64_t start = cursor.offset();
  if (size < kPlainFormatBytes)
    fail_at(source.name(), start, "a format chunk of {} bytes; at least {} expected", size,
            kPlainFormatBytes);
  auto tag = cursor.little_endian<std::uint16_t>(what);
  WavFormat format;
  format.channels = cursor.little_endian<std::uint16_t>(what);
  format.rate = cursor.little_endian<std::uint32_t>(what);
  cursor.little_endian<std::uint32_t>(what);  // bytes per second: follows from the rest
  const auto frame_bytes = cursor.little_endian<std::uint16_t>(what);
  const auto bits = cursor.little_endian<std::uint16_t>(what);
  if (tag == kExtensibleTag) {
    if (size < kExtensibleFormatBytes)
      fail_at(source.name(), start, "an extensible format of {} bytes; {} expected", size,
              kExtensibleFormatBytes);
    cursor.little_endian<std::uint64_t>(what);  // its size, valid bits, places of the channels
    tag = cursor.little_endian<std::uint16_t>(what);
    constexpr std::string_view kRestOfGuid(
        "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71", 14);
    if (cursor.text(kRestOfGuid.size(), what) != kRestOfGuid) tag = 0;
  }
  const std::optional<SampleKind> kind = sample_kind(tag, bits);
  if (!kind)
    fail_at(source.name(), start,
            "format {} with {} bits a sample; PCM (1) of 8, 16, 24 or 32 bits and float (3) of 32 "
            "or 64 expected",
            tag, bits);
  format.kind = *kind;
  format.sample_bytes = bits / 8u;
  if (format.channels == 0) fail_at(source.name(), start, "a sound without channels");
  if (format.rate == 0) fail_at(source.name(), start, "a rate of 0 frames per second");
  if (frame_bytes != format.channels * format.sample_bytes)
    fail_at(source.name(), start, "frames of {} bytes; {} channels of {} bits take {}", frame_bytes,
            format.channels, bits, format.channels * format.sample_bytes);
  return format;
}

std::uint32_t little_word(const std::byte* bytes, std::size_t count) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < count; ++i) word |= static_cast<std::uint32_t>(bytes[i]) << (8 * i);
  return word;
}

float sample_value(SampleKind kind, const std::byte* bytes) {
  switch (kind) {
    case SampleKind::pcm8: return (static_cast<float>(bytes[0]) - 128.0f) * 0x1p-7f;
    case SampleKind::pcm16:
      return static_cast<float>(std::bit_cast<std::int32_t>(little_word(bytes, 2) << 16)) *
             0x1p-31f;
    case SampleKind::pcm24:
      return static_cast<float>(std::bit_cast<std::int32_t>(little_word(bytes, 3) << 8)) * 0x1p-31f;
    case SampleKind::pcm32:
      return static_cast<float>(std::bit_cast<std::int32_t>(little_word(bytes, 4))) * 0x1p-31f;
    case SampleKind::float32: return std::bit_cast<float>(little_word(bytes, 4));
    case SampleKind::float64: break;
  }
  const std::uint64_t low = little_word(bytes, 4), high = little_word(bytes + 4, 4);
  const auto value = std::bit_cast<double>(high << 32 | low);
  // Beyond the range of f32 the conversion itself would be undefined.
  constexpr double kMost = 3.4028234663852886e38;
  return std::abs(value) <= kMost ? static_cast<float>(value) : NAN;
}

Sound read_samples(const ByteSource& source, std::uint64_t offset, std::uint64_t bytes,
                   const WavFormat& format, std::uint64_t max_bytes) {
  const std::uint64_t frame_bytes = std::uint64_t{format.channels} * format.sample_bytes;
  if (bytes % frame_bytes != 0)
    fail_at(source.name(), offset, "{} bytes of sound are no whole number of frames of {} bytes",
            bytes, frame_bytes);
  const std::uint64_t count = bytes / format.sample_bytes;
  if (count > max_bytes / sizeof(float))
    fail_at(source.name(), offset,
            "a sound of {} frames in {} channels, above the limit of {} bytes", bytes / frame_bytes,
            format.channels, max_bytes);
  Sound sound{HostTensor({DType::f32,
                          {static_cast<std::int64_t>(bytes / frame_bytes),
                           static_cast<std::int64_t>(format.channels)}}),
              format.rate};
  const std::span<float> out = sound.samples.as<float>();
  constexpr std::size_t kChunk = 16384;  // samples
  std::vector<std::byte> stored;
  for (std::size_t done = 0; done < out.size();) {
    const std::size_t now = std::min(kChunk, out.size() - done);
    stored.resize(now * format.sample_bytes);
    const std::uint64_t place = offset + done * format.sample_bytes;
    source.read(place, stored);
    for (std::size_t i = 0; i < now; ++i) {
      const float value = sample_value(format.kind, stored.data() + i * format.sample_bytes);
      if (!std::isfinite(value))
        fail_at(source.name(), place + i * format.sample_bytes,
                "a sample that is not a finite f32");
      out[done + i] = value;
    }
    done += now;
  }
  return sound;
}

void append_little(std::vector<std::byte>& bytes, std::uint32_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    bytes.push_back(static_cast<std::byte>(value >> (8 * i) & 0xff));
}

void append_tag(std::vector<std::byte>& bytes, std::string_view tag) {
  for (const char c : tag) bytes.push_back(static_cast<std::byte>(c));
}

}  // namespace

Sound read_wav(const ByteSource& source, std::uint64_t max_bytes) {
  constexpr std::uint32_t kUnknownSize = 0xffffffff;
  Cursor cursor(source);
  const std::string container = cursor.text(4, "the start");
  if (container == "RIFX" || container == "RF64" || container == "BW64")
    fail_at(source.name(), 0, "{} files are not supported; save it as a plain WAV file", container);
  if (container != "RIFF") fail_at(source.name(), 0, "not a WAV file: it does not start with RIFF");
  cursor.little_endian<std::uint32_t>("the start");  // the file's size, often wrong: not needed
  if (cursor.text(4, "the start") != "WAVE")
    fail_at(source.name(), 8, "a RIFF file that does not hold WAVE");
  std::optional<WavFormat> format;
  for (std::uint64_t start = cursor.offset();;) {
    Cursor chunk(source, start);
    const std::string tag = chunk.text(4, "a chunk's name");
    const auto size = chunk.little_endian<std::uint32_t>("a chunk's size");
    const std::uint64_t content = chunk.offset();
    if (tag == "data") {
      if (!format) fail_at(source.name(), start, "the data chunk comes before the format chunk");
      const std::uint64_t bytes = size == kUnknownSize ? chunk.remaining() : size;
      if (bytes > chunk.remaining())
        fail_at(source.name(), content,
                "the file ends inside the sound ({} bytes expected, {} left)", bytes,
                chunk.remaining());
      return read_samples(source, content, bytes, *format, max_bytes);
    }
    if (size > chunk.remaining())
      fail_at(source.name(), start, "the chunk {} of {} bytes runs past the end of the file",
              in_quotes(tag), size);
    if (tag == "fmt ") {
      if (format) fail_at(source.name(), start, "a second format chunk");
      format = read_format(source, chunk, size);
    }
    // Chunks start at even places.
    start = content + size + size % 2;
    if (start >= source.size())
      fail_at(source.name(), source.size(), "the file ends before a data chunk");
  }
}

std::vector<std::byte> wav_bytes(const HostView& samples, std::uint32_t rate) {
  constexpr std::int64_t kMostChannels = 65535;
  constexpr std::uint32_t kHeaderBytes = 36, kSampleBytes = 2;
  const Shape& shape = samples.type.shape;
  require(samples.type.dtype == DType::f32 && shape.size() == 2 && shape[1] >= 1 &&
              shape[1] <= kMostChannels / static_cast<std::int64_t>(kSampleBytes),
          "a sound is f32[frames, channels], not {}", samples.type);
  require(rate >= 1, "a sound of 0 frames per second");
  const std::int64_t count = checked_multiply(shape[0], shape[1], "a sound's samples");
  require(count <= (std::int64_t{0xffffffff} - kHeaderBytes) / kSampleBytes,
          "a sound of {} samples does not fit a WAV file of 4 GiB", count);
  const auto channels = static_cast<std::uint32_t>(shape[1]);
  const std::uint32_t data_bytes = static_cast<std::uint32_t>(count) * kSampleBytes;
  require(std::uint64_t{rate} * channels * kSampleBytes <= 0xffffffff,
          "a sound of {} frames per second in {} channels does not fit a WAV file", rate, channels);
  std::vector<std::byte> bytes;
  bytes.reserve(std::size_t{kHeaderBytes} + 8 + data_bytes);
  append_tag(bytes, "RIFF");
  append_little(bytes, kHeaderBytes + data_bytes, 4);
  append_tag(bytes, "WAVEfmt ");
  append_little(bytes, kPlainFormatBytes, 4);
  append_little(bytes, kPcmTag, 2);
  append_little(bytes, channels, 2);
  append_little(bytes, rate, 4);
  append_little(bytes, rate * channels * kSampleBytes, 4);
  append_little(bytes, channels * kSampleBytes, 2);
  append_little(bytes, 8 * kSampleBytes, 2);
  append_tag(bytes, "data");
  append_little(bytes, data_bytes, 4);
  const auto* values = static_cast<const float*>(samples.data);
  for (std::int64_t i = 0; i < count; ++i) {
    const float scaled = std::isnan(values[i]) ? 0.0f : std::nearbyint(values[i] * 0x1p15f);
    const auto whole = static_cast<std::int32_t>(std::clamp(scaled, -0x1p15f, 0x1p15f - 1));
    append_little(bytes, static_cast<std::uint32_t>(whole), kSampleBytes);
  }
  return bytes;
}

}  // namespace tenon::io
