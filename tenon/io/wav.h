// WAV sound files: PCM and float samples as f32 tensors.
#pragma once
#include <cstdint>
#include <vector>

#include "tenon/base/host_tensor.h"
#include "tenon/io/byte_source.h"

namespace tenon::io {

struct Sound {
  HostTensor samples;      // f32[frames, channels]
  std::uint32_t rate = 0;  // frames per second
};

// PCM of 8, 16, 24 and 32 bits, divided by 2^(bits - 1): in [-1, 1), but that the largest values of
// 32 bits round to 1; floats of 32 and 64 bits as they are, rounded to f32. Other chunks are passed
// over. A data chunk of 2^32 - 1 bytes (what writers to a pipe leave) ends with the file.
// `max_bytes` bounds the tensor. UserError for compressed formats, RIFX and RF64, a header that
// contradicts itself, samples that are not finite, and a file that ends inside its data.
// Multimedia Programming Interface and Data Specifications 1.0, IBM and Microsoft 1991;
// WAVEFORMATEXTENSIBLE: https://learn.microsoft.com/windows-hardware/drivers/audio
Sound read_wav(const ByteSource& source, std::uint64_t max_bytes = std::uint64_t{1} << 30);

// A file of 16-bit PCM from f32[frames, channels]; values beyond [-1, 1) saturate, NaN is 0.
// UserError for another type, no channel or more than 65535, a rate of 0, or more than 4 GiB.
std::vector<std::byte> wav_bytes(const HostView& samples, std::uint32_t rate);

}  // namespace tenon::io
