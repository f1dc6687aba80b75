#include "tenon/io/idx.h"

#include <optional>

#include "tenon/io/elements.h"
#include "tenon/io/gzip.h"

namespace tenon::io {
namespace {

std::optional<ElementFormat> idx_format(std::uint8_t code) {
  switch (code) {
    case 0x08: return ElementFormat{DType::u8, 1, true};
    case 0x09: return ElementFormat{DType::i8, 1, true};
    case 0x0b: return ElementFormat{DType::i32, 2, true};
    case 0x0c: return ElementFormat{DType::i32, 4, true};
    case 0x0d: return ElementFormat{DType::f32, 4, true};
    case 0x0e: return ElementFormat{DType::f64, 8, true};
  }
  return std::nullopt;
}

}  // namespace

HostTensor read_idx(const ByteSource& source) {
  Cursor cursor(source);
  if (cursor.big_endian<std::uint16_t>("the magic number") != 0)
    fail_at(source.name(), 0, "not an idx file: it must start with two zero bytes");
  const auto code = cursor.big_endian<std::uint8_t>("the element type");
  const std::optional<ElementFormat> format = idx_format(code);
  if (!format)
    fail_at(source.name(), 2, "unknown element type 0x{:02x} (08, 09, 0b, 0c, 0d, 0e are known)",
            code);
  const auto rank = cursor.big_endian<std::uint8_t>("the rank");
  if (rank < 1 || rank > 4) fail_at(source.name(), 3, "rank {}; 1 to 4 expected", rank);
  Shape shape;
  for (int axis = 0; axis < rank; ++axis)
    shape.push_back(cursor.big_endian<std::uint32_t>("the shape"));
  const std::optional<std::uint64_t> bytes = stored_bytes(shape, format->stored_size);
  if (bytes && *bytes < cursor.remaining())
    fail_at(source.name(), cursor.offset() + *bytes, "{} bytes after the data of {}",
            cursor.remaining() - *bytes, TensorType{format->dtype, shape});
  return read_elements(source, cursor.offset(), shape, *format);
}

HostTensor read_idx(const std::filesystem::path& path) { return read_idx(open_maybe_gzip(path)); }

}  // namespace tenon::io
