// The idx format of the MNIST files, gzip or not.
#pragma once
#include <filesystem>

#include "tenon/base/host_tensor.h"
#include "tenon/io/byte_source.h"

namespace tenon::io {

// Ranks 1 to 4; u8, i8, i32, f32 and f64 as they are, i16 as i32. UserError if the header is
// malformed or does not fit the size exactly. http://yann.lecun.com/exdb/mnist/
HostTensor read_idx(const ByteSource& source);
HostTensor read_idx(const std::filesystem::path& path);

}  // namespace tenon::io
