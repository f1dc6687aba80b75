#include <algorithm>
#include <nlohmann/json.hpp>

#include "readers.h"
#include "tenon/io/crc32c.h"
#include "tenon/io/csv.h"
#include "tenon/io/example.h"
#include "tenon/io/gzip.h"
#include "tenon/io/idx.h"
#include "tenon/io/image.h"
#include "tenon/io/jpeg.h"
#include "tenon/io/json.h"
#include "tenon/io/npy.h"
#include "tenon/io/npz.h"
#include "tenon/io/png.h"
#include "tenon/io/record_stream.h"
#include "tenon/io/safetensors.h"
#include "tenon/io/tar.h"
#include "tenon/io/tfrecord.h"
#include "tenon/io/wav.h"

namespace tenon::fuzz {
namespace {

constexpr std::uint64_t kMostBytes = 1 << 24;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

io::ByteSource source_of(const std::string& content) {
  return io::ByteSource::borrow("sample", bytes_of(content));
}

std::vector<std::string> sample_files(std::initializer_list<const char*> names) {
  std::vector<std::string> files;
  for (const char* name : names)
    files.push_back(io::read_text_file(std::string(TENON_TEST_DATA "/io/") + name));
  return files;
}

// The reader of a source, with what it gives thrown away.
template <class Read>
std::function<void(const std::string&)> of_source(Read read) {
  return [read](const std::string& content) { (void)read(source_of(content)); };
}

std::string idx_file(char code, int rank, const std::string& data) {
  std::string file{0, 0, code, static_cast<char>(rank)};
  for (int i = 0; i < rank; ++i) file += std::string("\0\0\0\2", 4);
  return file + data;
}

HostTensor small_image(std::int64_t channels) {
  HostTensor image({DType::u8, {9, 7, channels}});
  for (std::size_t i = 0; i < image.bytes().size(); ++i) image.bytes()[i] = std::byte(37 * i % 251);
  return image;
}

// Puts right the checksums of the chunks, so that changes reach what is behind them.
std::string with_png_checksums(std::string file) {
  constexpr std::size_t kSignature = 8, kAround = 12;
  for (std::size_t at = kSignature; at + kAround <= file.size();) {
    std::uint64_t length = 0;
    for (int i = 0; i < 4; ++i)
      length = length << 8 | static_cast<unsigned char>(file[at + static_cast<std::size_t>(i)]);
    if (length > file.size() - at - kAround) break;
    const std::uint32_t crc =
        io::crc32_of(bytes_of(file).subspan(at + 4, static_cast<std::size_t>(length) + 4));
    at += 8 + static_cast<std::size_t>(length);
    for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<char>(crc >> (24 - 8 * i));
    at += 4;
  }
  return file;
}

std::string with_tar_checksums(std::string file) {
  constexpr std::size_t kBlock = 512, kAt = 148, kLength = 8;
  for (std::size_t at = 0; at + kBlock <= file.size(); at += kBlock) {
    if (file[at + 257] != 'u') continue;  // no header
    file.replace(at + kAt, kLength, kLength, ' ');
    unsigned sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) sum += static_cast<unsigned char>(file[at + i]);
    file.replace(at + kAt, kLength - 1, fmt::format("{:06o}", sum) + '\0');
  }
  return file;
}

void read_all_records(const std::string& content) {
  io::RecordReader reader(io::stream_of(source_of(content)), {.max_record_bytes = kMostBytes});
  while (const std::optional<io::RawRecord> record = reader.next()) (void)reader.parse(*record);
}

// A stream whose one record has the bytes, with a checksum that is right.
void read_framed(const std::string& content) {
  std::string stream =
      text_of(io::record_header_bytes({{DType::f32, {-1, 2}}, {DType::boolean, {-1}}}));
  for (int i = 0; i < 4; ++i) stream += static_cast<char>(content.size() >> (8 * i));
  for (int i = 0; i < 4; ++i) stream += static_cast<char>(io::crc32c(content) >> (8 * i));
  read_all_records(stream + content + text_of(io::record_end_bytes()));
}

void read_all_files(const std::string& content) {
  io::TarReader reader(io::stream_of(source_of(content)), kMostBytes);
  while (reader.next()) {
  }
}

// The right lower quarter of the middle, with half as long sides.
HostTensor read_middle(const io::ByteSource& source) {
  const auto choose = [](std::int64_t height, std::int64_t width) {
    const io::ImageRegion part{height / 2, width / 2, (height + 3) / 4, (width + 3) / 4};
    return io::JpegPart{part, 2};
  };
  return io::read_jpeg_part(source, io::JpegChannels::rgb, choose, {.max_bytes = kMostBytes});
}

}  // namespace

std::vector<Reader> io_readers() {
  const auto records = [](const std::string& content) {
    io::TfRecordReader reader(io::stream_of(source_of(content)), kMostBytes);
    while (const auto record = reader.next()) (void)io::read_example(*record, "sample");
  };
  const std::string framed =
      text_of(io::record_header_bytes({{DType::f32, {2}}, {DType::i32, {}}})) +
      text_of(io::record_frame_bytes({{DType::f32, {2}}, {DType::i32, {}}},
                                     HostTensor({DType::f32, {2}}), make_scalar<std::int32_t>(1))) +
      text_of(io::record_end_bytes());
  const io::Example example = {{"f", std::vector<float>{1, 2}},
                               {"i", std::vector<std::int64_t>{-1, 300}},
                               {"t", std::vector<std::string>{"a", "bc"}}};
  const std::vector<std::string> pngs = {text_of(io::png_bytes(small_image(1))),
                                         text_of(io::png_bytes(small_image(3)))};
  const std::vector<std::string> jpegs =
      sample_files({"gray.jpg", "rgb.jpg", "progressive.jpg", "subsampled.jpg", "cmyk.jpg"});
  const auto image = [](const io::ByteSource& source) {
    return io::read_image(source, 3, kMostBytes);
  };
  return {
      {"Idx",
       {idx_file(8, 2, "abcd"), idx_file(13, 1, "abcdefgh"), idx_file(11, 1, "abcd")},
       of_source([](const io::ByteSource& source) { return io::read_idx(source); })},
      {"Csv",
       {"a,b\n1,2.5\n-3,\"4\"\n", "1;2\r\n\"x \"\"y\"\"\",z\r\n",
        "\xef\xbb\xbf"
        "1,2\n"},
       of_source([](const io::ByteSource& source) { return io::read_csv(source); })},
      {"Npy",
       sample_files(
           {"f4.npy", "i2_big.npy", "fortran.npy", "b1.npy", "version2.npy", "record.npy"}),
       of_source([](const io::ByteSource& source) { return io::read_npy(source); })},
      {"Npz", sample_files({"stored.npz", "deflated.npz"}),
       of_source([](const io::ByteSource& source) { return io::read_npz(source, kMostBytes); })},
      {"Safetensors",
       {std::string("\x40\0\0\0\0\0\0\0", 8) +
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}         abcd",
        std::string("\x02\0\0\0\0\0\0\0", 8) + "{}"},
       of_source([](const io::ByteSource& source) { return io::read_safetensors(source); })},
      {"Gzip",
       {text_of(io::gzip(bytes_of(std::string(1000, 'a')))), text_of(io::gzip({}))},
       of_source([](const io::ByteSource& source) {
         auto stream = io::stream_of(source);
         std::vector<std::byte> part(1000);
         for (std::uint64_t total = 0; total < kMostBytes;) {
           const std::size_t count = stream->read(part);
           total += count;
           if (count < part.size()) break;
         }
         return io::gunzip(source, kMostBytes);
       })},
      {"Json",
       {"{\"a\": [1, 2.5e3, true, null, \"\\u00e9\"], \"b\": {\"c\": -0.0}}", "[[[[]]]]"},
       [](const std::string& content) { (void)io::parse_json(content, "sample"); }},
      {"Png", pngs, of_source(image)},
      {"PngWithChecksums", pngs,
       [image](const std::string& content) {
         const std::string file = with_png_checksums(content);
         (void)image(source_of(file));
       }},
      {"Jpeg", jpegs, of_source(image)},
      {"JpegPart", jpegs, of_source(read_middle)},
      {"Wav",
       sample_files(
           {"pcm8.wav", "pcm24.wav", "extensible_float.wav", "float64.wav", "odd_chunks.wav"}),
       of_source([](const io::ByteSource& source) { return io::read_wav(source, kMostBytes); })},
      {"TfRecord", sample_files({"examples.tfrecord", "images.tfrecord"}), records},
      {"Example",
       {io::example_bytes(example), sample_files({"loose_example.bin"}).front()},
       [](const std::string& content) { (void)io::read_example(bytes_of(content), "sample"); }},
      {"Tar", sample_files({"gnu.tar", "pax.tar", "ustar.tar"}), read_all_files},
      {"TarWithChecksums", sample_files({"gnu.tar", "pax.tar", "ustar.tar"}),
       [](const std::string& content) { read_all_files(with_tar_checksums(content)); }},
      {"RecordStream", {framed}, read_all_records},
      {"RecordFrame",
       {std::string("\1\0\0\0abcdefgh\2\0\0\0\1\0", 18), std::string("\0\0\0\0\0\0\0\0", 8)},
       read_framed},
      {"JsonLines",
       {"{\"x\": [[1, 2], [3, 4]], \"y\": 1}\n{\"x\": 2, \"y\": [0.5]}\n"},
       read_all_records},
  };
}

}  // namespace tenon::fuzz
