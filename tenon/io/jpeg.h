// JPEG images as u8 tensors (libjpeg-turbo).
#pragma once
#include <cstdint>

#include "tenon/base/host_tensor.h"
#include "tenon/io/byte_source.h"

namespace tenon::io {

enum class JpegChannels : std::uint8_t { as_stored = 0, gray = 1, rgb = 3 };

struct JpegLimits {
  std::uint64_t max_bytes = std::uint64_t{1} << 30;  // of the tensor
  int max_scans = 200;                               // of a progressive file
};

// u8[height, width, channels]: 1 channel or 3. Colours become gray by their luma. An orientation in
// EXIF data is not applied. UserError for anything malformed, cut off, or beyond the limits, for
// arithmetic coding and for four colours (CMYK); the size that the header claims is compared with
// what the file's bytes can hold before memory is taken.
HostTensor read_jpeg(const ByteSource& source, JpegChannels channels = JpegChannels::as_stored,
                     const JpegLimits& limits = {});

// From u8[height, width, 1 or 3]; quality 1 to 100. UserError otherwise.
std::vector<std::byte> jpeg_bytes(const HostView& image, int quality = 90);

}  // namespace tenon::io
