// NumPy's .npz files: zip archives of .npy files, one per named array.
#pragma once
#include <filesystem>

#include "tenon/io/byte_source.h"
#include "tenon/io/named_tensors.h"
#include "tenon/io/zip.h"

namespace tenon::io {

// The arrays by name (without ".npy"). UserError for whatever read_zip_directory and read_npy
// refuse, and for members that are not .npy files.
NamedTensors read_npz(const ByteSource& source, std::uint64_t limit = kMaxUnpackedBytes);
NamedTensors read_npz(const std::filesystem::path& path);

void write_npz(const std::filesystem::path& path, const NamedTensors& tensors,
               ZipMethod method = ZipMethod::stored);

}  // namespace tenon::io
