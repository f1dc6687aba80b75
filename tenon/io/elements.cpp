#include "tenon/io/elements.h"

#include <algorithm>
#include <cstring>

namespace tenon::io {
namespace {

void swap_byte_order(std::span<std::byte> bytes, std::size_t size) {
  for (std::size_t i = 0; i + size <= bytes.size(); i += size)
    std::reverse(bytes.begin() + i, bytes.begin() + i + size);
}

template <class Narrow, Element Wide>
void widen(std::span<const std::byte> stored, std::span<Wide> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Narrow value;
    std::memcpy(&value, stored.data() + i * sizeof(Narrow), sizeof(Narrow));
    out[i] = value;
  }
}

void read_widened(const ByteSource& source, std::uint64_t offset, const ElementFormat& format,
                  HostTensor& tensor) {
  constexpr std::size_t kChunk = 32768;  // elements
  std::vector<std::byte> stored;
  for (std::size_t done = 0; done < static_cast<std::size_t>(tensor.size());) {
    const std::size_t count = std::min(kChunk, static_cast<std::size_t>(tensor.size()) - done);
    stored.resize(count * format.stored_size);
    source.read(offset + done * format.stored_size, stored);
    if (format.big_endian) swap_byte_order(stored, format.stored_size);
    if (format.dtype == DType::i32)
      widen<std::int16_t>(stored, tensor.as<std::int32_t>().subspan(done, count));
    else
      widen<std::uint16_t>(stored, tensor.as<std::uint32_t>().subspan(done, count));
    done += count;
  }
}

}  // namespace

std::optional<std::uint64_t> stored_bytes(const Shape& shape, std::size_t element_size) {
  auto bytes = static_cast<std::int64_t>(element_size);
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    if (extent == 0)
      empty = true;
    else if (__builtin_mul_overflow(bytes, extent, &bytes))
      return std::nullopt;
  }
  return empty ? 0 : static_cast<std::uint64_t>(bytes);
}

HostTensor read_elements(const ByteSource& source, std::uint64_t offset, Shape shape,
                         const ElementFormat& format) {
  const std::uint64_t left = offset <= source.size() ? source.size() - offset : 0;
  if (shape.size() > kMaxRank)
    fail_at(source.name(), offset, "a tensor with {} axes; at most {} are supported", shape.size(),
            kMaxRank);
  // The larger of the two widths: the tensor in memory must be addressable too.
  const std::size_t widest = std::max(format.stored_size, size_of(format.dtype));
  const std::optional<std::uint64_t> bytes = stored_bytes(shape, format.stored_size);
  if (!bytes || !stored_bytes(shape, widest))
    fail_at(source.name(), offset, "the shape {} is impossible", to_string(shape));
  if (*bytes > left)
    fail_at(source.name(), offset, "the shape {} of {} needs {} bytes, {} are left",
            to_string(shape), format.dtype, *bytes, left);

  HostTensor tensor({format.dtype, std::move(shape)});
  if (format.stored_size != size_of(format.dtype)) {
    read_widened(source, offset, format, tensor);
    return tensor;
  }
  source.read(offset, tensor.bytes());
  if (format.big_endian) swap_byte_order(tensor.bytes(), format.stored_size);
  if (format.dtype == DType::boolean) {
    const auto bad =
        std::ranges::find_if(tensor.bytes(), [](std::byte b) { return b > std::byte{1}; });
    if (bad != tensor.bytes().end())
      fail_at(source.name(), offset + static_cast<std::uint64_t>(bad - tensor.bytes().begin()),
              "{} is not a bool; 0 or 1 expected", static_cast<int>(*bad));
  }
  return tensor;
}

}  // namespace tenon::io
