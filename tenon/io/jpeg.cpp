#include "tenon/io/jpeg.h"

// jpeglib.h needs size_t and FILE before it.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include <jerror.h>

namespace tenon::io {
namespace {

// What libjpeg's callbacks reach. All memory is owned here or further out, never in a frame that
// longjmp leaves.
struct JpegError {
  jpeg_error_mgr manager = {};  // first: libjpeg gives back its address
  std::jmp_buf place = {};
  int max_scans = 0;
  char message[JMSG_LENGTH_MAX] = "";
};

void on_jpeg_error(j_common_ptr jpeg) {
  auto* error = reinterpret_cast<JpegError*>(jpeg->err);
  error->manager.format_message(jpeg, error->message);
  std::longjmp(error->place, 1);
}

// libjpeg fills what is missing with gray and only warns; a training sample must not be that.
void on_jpeg_warning(j_common_ptr jpeg, int level) {
  constexpr int kWarning = -1;
  if (level != kWarning) return;
  const int code = jpeg->err->msg_code;
  if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM) return;  // pixels are all there
  on_jpeg_error(jpeg);
}

void on_jpeg_message(j_common_ptr) {}

// A short file can ask for the same pixels again and again.
void limit_scans(j_common_ptr jpeg) {
  auto* error = reinterpret_cast<JpegError*>(jpeg->err);
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= error->max_scans) return;
  std::snprintf(error->message, sizeof(error->message), "more than %d scans", error->max_scans);
  std::longjmp(error->place, 1);
}

void prepare_errors(JpegError& error) {
  jpeg_std_error(&error.manager);
  error.manager.error_exit = on_jpeg_error;
  error.manager.emit_message = on_jpeg_warning;
  error.manager.output_message = on_jpeg_message;
}

struct JpegReader {
  JpegError error;
  jpeg_progress_mgr progress = {};
  jpeg_decompress_struct jpeg = {};
  const std::vector<std::byte>* bytes = nullptr;
  JpegChannels channels = JpegChannels::as_stored;
  std::byte* out = nullptr;
  std::size_t stride = 0;

  JpegReader() = default;
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&jpeg); }
};

struct JpegWriter {
  JpegError error;
  jpeg_compress_struct jpeg = {};
  const HostView* image = nullptr;
  int quality = 0;
  unsigned char* out = nullptr;  // taken by malloc
  unsigned long size = 0;

  JpegWriter() = default;
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;
  ~JpegWriter() {
    jpeg_destroy_compress(&jpeg);
    std::free(out);
  }
};

// Runs one step with libjpeg's errors landing here; false if there was one. Steps hold nothing that
// needs a destructor, and this frame has no variable that setjmp could spoil.
template <class State>
bool succeeds(State& state, void (*step)(State&)) {
  if (setjmp(state.error.place) != 0) return false;
  step(state);
  return true;
}

void read_jpeg_header(JpegReader& reader) {
  jpeg_create_decompress(&reader.jpeg);
  reader.progress.progress_monitor = limit_scans;
  reader.jpeg.progress = &reader.progress;
  jpeg_mem_src(&reader.jpeg, reinterpret_cast<const unsigned char*>(reader.bytes->data()),
               static_cast<unsigned long>(reader.bytes->size()));
  jpeg_read_header(&reader.jpeg, TRUE);
}

void read_jpeg_pixels(JpegReader& reader) {
  reader.jpeg.out_color_space = reader.channels == JpegChannels::gray ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&reader.jpeg);
  while (reader.jpeg.output_scanline < reader.jpeg.output_height) {
    auto* row =
        reinterpret_cast<JSAMPROW>(reader.out + reader.jpeg.output_scanline * reader.stride);
    jpeg_read_scanlines(&reader.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&reader.jpeg);
}

void write_jpeg_image(JpegWriter& writer) {
  const Shape& shape = writer.image->type.shape;
  jpeg_create_compress(&writer.jpeg);
  jpeg_mem_dest(&writer.jpeg, &writer.out, &writer.size);
  writer.jpeg.image_height = static_cast<JDIMENSION>(shape[0]);
  writer.jpeg.image_width = static_cast<JDIMENSION>(shape[1]);
  writer.jpeg.input_components = static_cast<int>(shape[2]);
  writer.jpeg.in_color_space = shape[2] == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&writer.jpeg);
  jpeg_set_quality(&writer.jpeg, writer.quality, TRUE);
  jpeg_start_compress(&writer.jpeg, TRUE);
  const auto* data = static_cast<const unsigned char*>(writer.image->data);
  const auto stride = static_cast<std::size_t>(shape[1] * shape[2]);
  while (writer.jpeg.next_scanline < writer.jpeg.image_height) {
    // libjpeg reads the row only; its type lacks the const.
    auto* row = const_cast<JSAMPROW>(data + writer.jpeg.next_scanline * stride);
    jpeg_write_scanlines(&writer.jpeg, &row, 1);
  }
  jpeg_finish_compress(&writer.jpeg);
}

}  // namespace

HostTensor read_jpeg(const ByteSource& source, JpegChannels channels, const JpegLimits& limits) {
  constexpr std::uint64_t kMaxJpegBytes = std::uint64_t{1} << 30;
  const std::vector<std::byte> bytes = source.read_all(kMaxJpegBytes);
  constexpr std::byte kMark{0xff}, kStart{0xd8};  // ITU-T T.81, table B.1: start of image
  if (bytes.size() < 3 || bytes[0] != kMark || bytes[1] != kStart || bytes[2] != kMark)
    fail_at(source.name(), 0, "not a JPEG file: the signature is missing");

  JpegReader reader;
  prepare_errors(reader.error);
  reader.error.max_scans = limits.max_scans;
  reader.jpeg.err = &reader.error.manager;
  reader.bytes = &bytes;
  const auto run = [&](void (*step)(JpegReader&)) {
    if (succeeds(reader, step)) return;
    const std::size_t left = reader.jpeg.src != nullptr ? reader.jpeg.src->bytes_in_buffer : 0;
    fail_at(source.name(), bytes.size() - std::min(left, bytes.size()), "bad JPEG data ({})",
            reader.error.message);
  };

  run(read_jpeg_header);
  const jpeg_decompress_struct& jpeg = reader.jpeg;
  if (jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK)
    fail_at(source.name(), 0, "a JPEG image of four colours (CMYK); convert it to RGB");
  if (jpeg.arith_code)
    fail_at(source.name(), 0, "a JPEG image with arithmetic coding; Huffman coding expected");
  if (jpeg.jpeg_color_space == JCS_UNKNOWN)
    fail_at(source.name(), 0, "a JPEG image of {} unnamed colours; 1 or 3 expected",
            jpeg.num_components);
  const std::uint64_t height = jpeg.image_height, width = jpeg.image_width;
  if (channels == JpegChannels::as_stored)
    channels = jpeg.num_components == 1 ? JpegChannels::gray : JpegChannels::rgb;
  const auto count = static_cast<std::uint64_t>(channels);
  if (height * width > limits.max_bytes / count)
    fail_at(source.name(), 0, "an image of {} x {} pixels, above the limit of {} bytes", width,
            height, limits.max_bytes);
  // Each block of 8 x 8 samples has at least one bit.
  constexpr std::uint64_t kPixelsPerByte = 8 * 8 * 8;
  if (height * width / kPixelsPerByte > bytes.size())
    fail_at(source.name(), 0, "{} bytes cannot hold an image of {} x {} pixels", bytes.size(),
            width, height);

  HostTensor image({DType::u8,
                    {static_cast<std::int64_t>(height), static_cast<std::int64_t>(width),
                     static_cast<std::int64_t>(count)}});
  reader.channels = channels;
  reader.out = image.bytes().data();
  reader.stride = width * count;
  run(read_jpeg_pixels);
  return image;
}

std::vector<std::byte> jpeg_bytes(const HostView& image, int quality) {
  const Shape& shape = image.type.shape;
  constexpr std::int64_t kMaxSide = JPEG_MAX_DIMENSION;
  require(image.type.dtype == DType::u8 && shape.size() == 3 && (shape[2] == 1 || shape[2] == 3) &&
              shape[0] >= 1 && shape[1] >= 1 && shape[0] <= kMaxSide && shape[1] <= kMaxSide,
          "a JPEG image is made from u8[height, width, 1 or 3] of 1 to {} pixels a side, not {}",
          kMaxSide, image.type);
  require(quality >= 1 && quality <= 100, "a JPEG quality of {}; 1 to 100 expected", quality);
  JpegWriter writer;
  prepare_errors(writer.error);
  writer.jpeg.err = &writer.error.manager;
  writer.image = &image;
  writer.quality = quality;
  require(succeeds(writer, write_jpeg_image), "cannot make a JPEG image: {}", writer.error.message);
  const auto* first = reinterpret_cast<const std::byte*>(writer.out);
  return {first, first + writer.size};
}

}  // namespace tenon::io
