// Safetensors files: named tensors and text metadata, with a checksum of the data.
#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "tenon/io/byte_source.h"
#include "tenon/io/named_tensors.h"

namespace tenon::io {

// The metadata entry that holds the checksum, "xxh3:" and 16 hexadecimal digits: XXH3 (64 bits) of
// all bytes after the header. Written always, checked when it is there.
inline constexpr std::string_view kChecksumKey = "checksum";

struct Safetensors {
  NamedTensors tensors;
  std::map<std::string, std::string> metadata;  // without the checksum
};

// UserError unless the header fits the file exactly: every tensor in range, no overlap, no hole, no
// rest, no name twice, and the checksum right if there is one.
// https://github.com/huggingface/safetensors (README, "Format")
Safetensors read_safetensors(const ByteSource& source);
Safetensors read_safetensors(const std::filesystem::path& path);

// Widest elements first, then by name, so that every tensor is aligned to its element and equal
// tensors give equal bytes. UserError if the metadata has a "checksum" of its own.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace tenon::io
