// NumPy's .npy files (format versions 1.0, 2.0 and 3.0): one array each.
#pragma once
#include <filesystem>
#include <string>

#include "tenon/base/host_tensor.h"
#include "tenon/io/byte_source.h"

namespace tenon::io {

// Reads b1, i1, u1, i4, u4, i8, u8, f2, f4, f8 in either byte order and either array order;
// i2 and u2 become i32 and u32. UserError for anything else (objects, text, complex, records),
// for a header that contradicts the file's size, and for bytes after the data.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
HostTensor read_npy(const ByteSource& source);
HostTensor read_npy(const std::filesystem::path& path);

// What precedes the tensor's bytes in a file; the same bytes that NumPy writes.
// UserError for bf16, which NumPy lacks.
std::string npy_header(const TensorType& type);
void write_npy(const std::filesystem::path& path, const HostView& tensor);

}  // namespace tenon::io
