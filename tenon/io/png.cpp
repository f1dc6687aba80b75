#include "tenon/io/png.h"

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "tenon/io/file.h"
#include "tenon/io/gzip.h"

namespace tenon::io {
namespace {

// What libpng's callbacks reach. All memory is owned here or further out, never in a frame that
// longjmp leaves.
struct PngState {
  png_structp png = nullptr;
  png_infop info = nullptr;
  bool writing = false;
  const std::byte* input = nullptr;
  std::size_t input_left = 0;
  std::vector<std::byte> output;
  std::vector<png_bytep> rows;
  char message[128] = "";

  PngState() = default;
  PngState(const PngState&) = delete;
  PngState& operator=(const PngState&) = delete;
  ~PngState() {
    if (writing)
      png_destroy_write_struct(&png, &info);
    else
      png_destroy_read_struct(&png, &info, nullptr);
  }
};

void on_png_error(png_structp png, png_const_charp message) {
  auto* state = static_cast<PngState*>(png_get_error_ptr(png));
  std::strncpy(state->message, message, sizeof(state->message) - 1);
  png_longjmp(png, 1);
}

void on_png_warning(png_structp, png_const_charp) {}

void read_png_bytes(png_structp png, png_bytep out, std::size_t count) {
  auto* state = static_cast<PngState*>(png_get_io_ptr(png));
  if (count > state->input_left) png_error(png, "the file ends early");
  std::memcpy(out, state->input, count);
  state->input += count;
  state->input_left -= count;
}

void write_png_bytes(png_structp png, png_bytep bytes, std::size_t count) {
  auto* state = static_cast<PngState*>(png_get_io_ptr(png));
  bool stored = true;
  try {
    const auto* first = reinterpret_cast<const std::byte*>(bytes);
    state->output.insert(state->output.end(), first, first + count);
  } catch (const std::bad_alloc&) {
    stored = false;  // an exception may not cross libpng's frames
  }
  if (!stored) png_error(png, "out of memory");
}

void flush_png(png_structp) {}

// Runs one step with libpng's errors landing here; false if there was one. Steps hold nothing that
// needs a destructor, and this frame has no variable that setjmp could spoil.
bool succeeds(PngState& state, void (*step)(PngState&, const void*), const void* argument) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  step(state, argument);
  return true;
}

void read_header(PngState& state, const void* argument) {
  const auto& limits = *static_cast<const PngLimits*>(argument);
  constexpr png_alloc_size_t kMaxChunkBytes = 1 << 23;
  constexpr png_uint_32 kMaxChunks = 128;
  png_set_read_fn(state.png, &state, read_png_bytes);
  png_set_user_limits(state.png, limits.max_side, limits.max_side);
  png_set_chunk_malloc_max(state.png, kMaxChunkBytes);
  png_set_chunk_cache_max(state.png, kMaxChunks);
  png_read_info(state.png, state.info);
}

PngChannels stored_channels(const PngState& state) {
  const int colour = png_get_color_type(state.png, state.info);
  const bool alpha = (colour & PNG_COLOR_MASK_ALPHA) != 0 ||
                     png_get_valid(state.png, state.info, PNG_INFO_tRNS) != 0;
  if (alpha) return PngChannels::rgba;
  return (colour & PNG_COLOR_MASK_COLOR) != 0 ? PngChannels::rgb : PngChannels::gray;
}

void start_conversion(PngState& state, const void* argument) {
  const auto wanted = *static_cast<const PngChannels*>(argument);
  const bool stored_alpha = stored_channels(state) == PngChannels::rgba;
  const bool stored_gray = (png_get_color_type(state.png, state.info) & PNG_COLOR_MASK_COLOR) == 0;
  png_set_expand(state.png);  // palette to RGB, 1, 2, 4 bits to 8, transparent colour to alpha
  png_set_scale_16(state.png);
  if (wanted == PngChannels::gray) {
    constexpr int kSilent = 1;                      // no complaint about pixels that are not gray
    constexpr double kRed = 0.299, kGreen = 0.587;  // blue is the rest
    if (!stored_gray) png_set_rgb_to_gray(state.png, kSilent, kRed, kGreen);
  } else if (stored_gray) {
    png_set_gray_to_rgb(state.png);
  }
  if (wanted == PngChannels::rgba) {
    constexpr png_uint_32 kOpaque = 255;
    if (!stored_alpha) png_set_add_alpha(state.png, kOpaque, PNG_FILLER_AFTER);
  } else if (stored_alpha) {
    png_set_strip_alpha(state.png);
  }
  png_set_interlace_handling(state.png);
  png_read_update_info(state.png, state.info);
}

void read_pixels(PngState& state, const void*) {
  png_read_image(state.png, state.rows.data());
  png_read_end(state.png, nullptr);
}

struct PngImage {
  const HostView* view;
  png_uint_32 height, width;
  int colour;
};

void write_image(PngState& state, const void* argument) {
  const auto& image = *static_cast<const PngImage*>(argument);
  constexpr int kBits = 8;
  png_set_write_fn(state.png, &state, write_png_bytes, flush_png);
  png_set_IHDR(state.png, state.info, image.width, image.height, kBits, image.colour,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(state.png, state.info);
  png_write_image(state.png, state.rows.data());
  png_write_end(state.png, nullptr);
}

void point_rows(PngState& state, std::byte* data, std::size_t height, std::size_t stride) {
  state.rows.resize(height);
  for (std::size_t row = 0; row < height; ++row)
    state.rows[row] = reinterpret_cast<png_bytep>(data + row * stride);
}

}  // namespace

HostTensor read_png(const ByteSource& source, PngChannels channels, const PngLimits& limits) {
  constexpr std::uint64_t kMaxPngBytes = std::uint64_t{1} << 30;
  constexpr std::size_t kSignatureBytes = 8;
  const std::vector<std::byte> bytes = source.read_all(kMaxPngBytes);
  if (bytes.size() < kSignatureBytes ||
      png_sig_cmp(reinterpret_cast<png_const_bytep>(bytes.data()), 0, kSignatureBytes) != 0)
    fail_at(source.name(), 0, "not a PNG file: the signature is missing");

  PngState state;
  state.input = bytes.data();
  state.input_left = bytes.size();
  state.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, on_png_error, on_png_warning);
  require(state.png != nullptr, "{}: out of memory", source.name());
  state.info = png_create_info_struct(state.png);
  require(state.info != nullptr, "{}: out of memory", source.name());
  const auto run = [&](void (*step)(PngState&, const void*), const void* argument) {
    if (!succeeds(state, step, argument))
      fail_at(source.name(), bytes.size() - state.input_left, "bad PNG data ({})", state.message);
  };

  run(read_header, &limits);
  const std::uint64_t height = png_get_image_height(state.png, state.info);
  const std::uint64_t width = png_get_image_width(state.png, state.info);
  if (channels == PngChannels::as_stored) channels = stored_channels(state);
  const std::uint64_t count = static_cast<std::uint64_t>(channels);
  if (height * width > limits.max_bytes / count)
    fail_at(source.name(), kSignatureBytes,
            "an image of {} x {} pixels, above the limit of {} bytes", width, height,
            limits.max_bytes);
  const std::uint64_t bits = static_cast<std::uint64_t>(png_get_bit_depth(state.png, state.info)) *
                             png_get_channels(state.png, state.info);
  const std::uint64_t packed = height * (width * bits / 8);
  if (packed / kMaxDeflateRatio > bytes.size())
    fail_at(source.name(), kSignatureBytes, "{} bytes cannot hold an image of {} x {} pixels",
            bytes.size(), width, height);

  run(start_conversion, &channels);
  check(png_get_rowbytes(state.png, state.info) == width * count,
        "png: {} bytes per row for {} pixels", png_get_rowbytes(state.png, state.info), width);
  HostTensor image({DType::u8,
                    {static_cast<std::int64_t>(height), static_cast<std::int64_t>(width),
                     static_cast<std::int64_t>(count)}});
  point_rows(state, image.bytes().data(), height, width * count);
  run(read_pixels, nullptr);
  return image;
}

HostTensor read_png(const std::filesystem::path& path, PngChannels channels) {
  return read_png(ByteSource::open(path), channels);
}

std::vector<std::byte> png_bytes(const HostView& image) {
  const Shape& shape = image.type.shape;
  const std::int64_t channels = shape.size() == 3 ? shape[2] : 1;
  require(image.type.dtype == DType::u8 && (shape.size() == 2 || shape.size() == 3) &&
              (channels == 1 || channels == 3 || channels == 4),
          "a PNG image is made from u8[height, width] or u8[height, width, 1, 3 or 4], not {}",
          image.type);
  constexpr std::int64_t kMaxSide = 65535;
  require(shape[0] >= 1 && shape[1] >= 1 && shape[0] <= kMaxSide && shape[1] <= kMaxSide,
          "a PNG image is 1 to {} pixels wide and high, not {}", kMaxSide, image.type);
  PngState state;
  state.writing = true;
  state.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, on_png_error, on_png_warning);
  check(state.png != nullptr, "png_create_write_struct failed");
  state.info = png_create_info_struct(state.png);
  check(state.info != nullptr, "png_create_info_struct failed");
  const PngImage description{&image, static_cast<png_uint_32>(shape[0]),
                             static_cast<png_uint_32>(shape[1]),
                             channels == 1   ? PNG_COLOR_TYPE_GRAY
                             : channels == 3 ? PNG_COLOR_TYPE_RGB
                                             : PNG_COLOR_TYPE_RGB_ALPHA};
  // libpng reads the rows only; its type lacks the const.
  point_rows(state, const_cast<std::byte*>(static_cast<const std::byte*>(image.data)),
             static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1] * channels));
  require(succeeds(state, write_image, &description), "cannot make a PNG image: {}", state.message);
  return std::move(state.output);
}

void write_png(const std::filesystem::path& path, const HostView& image) {
  write_file_atomically(path, png_bytes(image));
}

}  // namespace tenon::io
