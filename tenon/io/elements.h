// Tensor elements as files hold them: other widths and byte orders, turned into a HostTensor.
#pragma once
#include <optional>

#include "tenon/base/host_tensor.h"
#include "tenon/io/byte_source.h"

namespace tenon::io {

// Files may not ask for more axes than this.
inline constexpr std::size_t kMaxRank = 32;

// How a file stores elements that become `dtype`: in dtype's own width, or as 16-bit integers that
// become i32 or u32.
struct ElementFormat {
  DType dtype = DType::f32;
  std::size_t stored_size = 4;  // bytes per element in the file
  bool big_endian = false;
};

// Bytes that a tensor of this shape takes, or none if an extent is negative or the product (of
// the non-zero extents) does not fit in 63 bits.
std::optional<std::uint64_t> stored_bytes(const Shape& shape, std::size_t element_size);

// The row-major tensor whose bytes start at `offset`. UserError if the shape is impossible, needs
// more bytes than are left (checked before memory is taken), or a bool is neither 0 nor 1.
HostTensor read_elements(const ByteSource& source, std::uint64_t offset, Shape shape,
                         const ElementFormat& format);

}  // namespace tenon::io
