// Image files of any known format as u8 tensors.
#pragma once
#include "tenon/base/host_tensor.h"
#include "tenon/io/byte_source.h"

namespace tenon::io {

// u8[height, width, channels] from PNG or JPEG, told apart by the first bytes, whatever the name
// says. channels: 1, gray, or 3, RGB; what converts them is said with read_png and read_jpeg.
// `max_bytes` bounds the tensor. UserError for another format and what those refuse.
HostTensor read_image(const ByteSource& source, std::int64_t channels,
                      std::uint64_t max_bytes = std::uint64_t{1} << 30);

}  // namespace tenon::io
