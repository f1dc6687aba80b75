#include "tenon/io/jpeg.h"

// jpeglib.h needs size_t and FILE before it.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>

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
  // A part: its rows and columns of the scaled image, and room for one wider row.
  JDIMENSION top = 0, bottom = 0, left = 0, columns = 0;
  std::vector<unsigned char> row;

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

// Rows and columns of the reader's part. Columns that libjpeg gives start at a whole block, and its
// smooth upsampling looks one pixel beyond: one more is asked for at each side.
void read_jpeg_part_pixels(JpegReader& reader) {
  jpeg_decompress_struct& jpeg = reader.jpeg;
  jpeg.out_color_space = reader.channels == JpegChannels::gray ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&jpeg);
  JDIMENSION first = reader.left > 0 ? reader.left - 1 : 0;
  const JDIMENSION end = std::min(reader.left + reader.columns + 1, jpeg.output_width);
  if (first > 0 || end < jpeg.output_width) {
    JDIMENSION count = end - first;
    jpeg_crop_scanline(&jpeg, &first, &count);
  } else {
    first = 0;
  }
  if (reader.top > 0) jpeg_skip_scanlines(&jpeg, reader.top);
  const auto pixel = static_cast<std::size_t>(jpeg.output_components);
  const unsigned char* from = reader.row.data() + (reader.left - first) * pixel;
  for (JDIMENSION y = reader.top; y < reader.bottom; ++y) {
    JSAMPROW row = reader.row.data();
    jpeg_read_scanlines(&jpeg, &row, 1);
    std::memcpy(reader.out + (y - reader.top) * reader.stride, from, reader.columns * pixel);
  }
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

namespace {

// An image whose header is read and found sound.
class OpenJpeg {
 public:
  OpenJpeg(const ByteSource& source, JpegChannels channels, const JpegLimits& limits)
      : source_(source) {
    constexpr std::uint64_t kMaxJpegBytes = std::uint64_t{1} << 30;
    bytes_ = source.read_all(kMaxJpegBytes);
    constexpr std::byte kMark{0xff}, kStart{0xd8};  // ITU-T T.81, table B.1: start of image
    if (bytes_.size() < 3 || bytes_[0] != kMark || bytes_[1] != kStart || bytes_[2] != kMark)
      fail_at(source.name(), 0, "not a JPEG file: the signature is missing");
    prepare_errors(reader_.error);
    reader_.error.max_scans = limits.max_scans;
    reader_.jpeg.err = &reader_.error.manager;
    reader_.bytes = &bytes_;
    run(read_jpeg_header);
    require_sound(limits, channels);
  }
  OpenJpeg(const OpenJpeg&) = delete;
  OpenJpeg& operator=(const OpenJpeg&) = delete;

  std::int64_t height() const { return reader_.jpeg.image_height; }
  std::int64_t width() const { return reader_.jpeg.image_width; }

  HostTensor read_all() {
    HostTensor image = room_for(height(), width());
    run(read_jpeg_pixels);
    return image;
  }

  HostTensor read(const JpegPart& part) {
    const ImageRegion& region = part.region;
    const int reduction = part.reduction;
    require(reduction == 1 || reduction == 2 || reduction == 4 || reduction == 8,
            "{}: JPEG images are made smaller by 1, 2, 4 or 8, not by {}", source_.name(),
            reduction);
    require(region.top >= 0 && region.left >= 0 && region.height >= 1 && region.width >= 1 &&
                region.height <= height() && region.top <= height() - region.height &&
                region.width <= width() && region.left <= width() - region.width,
            "{}: {} x {} pixels at ({}, {}) are no part of an image of {} x {} pixels",
            source_.name(), region.height, region.width, region.top, region.left, height(),
            width());
    const auto below = [&](std::int64_t place) {
      return static_cast<JDIMENSION>((place + reduction - 1) / reduction);
    };
    reader_.jpeg.scale_num = 1;
    reader_.jpeg.scale_denom = static_cast<unsigned>(reduction);
    reader_.top = static_cast<JDIMENSION>(region.top / reduction);
    reader_.left = static_cast<JDIMENSION>(region.left / reduction);
    reader_.bottom = below(region.top + region.height);
    reader_.columns = below(region.left + region.width) - reader_.left;
    reader_.row.resize(static_cast<std::size_t>(below(width())) *
                       static_cast<std::size_t>(reader_.channels));
    HostTensor image = room_for(reader_.bottom - reader_.top, reader_.columns);
    run(read_jpeg_part_pixels);
    return image;
  }

 private:
  void run(void (*step)(JpegReader&)) {
    if (succeeds(reader_, step)) return;
    const std::size_t left = reader_.jpeg.src != nullptr ? reader_.jpeg.src->bytes_in_buffer : 0;
    fail_at(source_.name(), bytes_.size() - std::min(left, bytes_.size()), "bad JPEG data ({})",
            reader_.error.message);
  }

  void require_sound(const JpegLimits& limits, JpegChannels channels) {
    const jpeg_decompress_struct& jpeg = reader_.jpeg;
    if (jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK)
      fail_at(source_.name(), 0, "a JPEG image of four colours (CMYK); convert it to RGB");
    if (jpeg.arith_code)
      fail_at(source_.name(), 0, "a JPEG image with arithmetic coding; Huffman coding expected");
    if (jpeg.jpeg_color_space == JCS_UNKNOWN)
      fail_at(source_.name(), 0, "a JPEG image of {} unnamed colours; 1 or 3 expected",
              jpeg.num_components);
    if (channels == JpegChannels::as_stored)
      channels = jpeg.num_components == 1 ? JpegChannels::gray : JpegChannels::rgb;
    reader_.channels = channels;
    const std::uint64_t pixels = std::uint64_t{jpeg.image_height} * jpeg.image_width;
    if (pixels > limits.max_bytes / static_cast<std::uint64_t>(channels))
      fail_at(source_.name(), 0, "an image of {} x {} pixels, above the limit of {} bytes",
              jpeg.image_width, jpeg.image_height, limits.max_bytes);
    // Each block of 8 x 8 samples has at least one bit.
    constexpr std::uint64_t kPixelsPerByte = 8 * 8 * 8;
    if (pixels / kPixelsPerByte > bytes_.size())
      fail_at(source_.name(), 0, "{} bytes cannot hold an image of {} x {} pixels", bytes_.size(),
              jpeg.image_width, jpeg.image_height);
  }

  HostTensor room_for(std::int64_t rows, std::int64_t columns) {
    const auto channels = static_cast<std::int64_t>(reader_.channels);
    HostTensor image({DType::u8, {rows, columns, channels}});
    reader_.out = image.bytes().data();
    reader_.stride = static_cast<std::size_t>(columns * channels);
    return image;
  }

  const ByteSource& source_;
  std::vector<std::byte> bytes_;
  JpegReader reader_;
};

}  // namespace

HostTensor read_jpeg(const ByteSource& source, JpegChannels channels, const JpegLimits& limits) {
  return OpenJpeg(source, channels, limits).read_all();
}

HostTensor read_jpeg_part(const ByteSource& source, JpegChannels channels,
                          const std::function<JpegPart(std::int64_t, std::int64_t)>& choose,
                          const JpegLimits& limits) {
  OpenJpeg image(source, channels, limits);
  return image.read(choose(image.height(), image.width()));
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
