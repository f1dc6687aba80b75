// PNG images as u8 tensors (libpng).
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "tenon/base/host_tensor.h"
#include "tenon/io/byte_source.h"

namespace tenon::io {

enum class PngChannels : std::uint8_t { as_stored = 0, gray = 1, rgb = 3, rgba = 4 };

struct PngLimits {
  std::uint32_t max_side = 65535;                    // pixels
  std::uint64_t max_bytes = std::uint64_t{1} << 30;  // of the tensor
};

// u8[height, width, channels]. Palettes and 1, 2, 4 and 16 bits become 8 bits per channel; gray
// with alpha becomes RGBA; sample values are taken as stored, without gamma correction. Asking for
// fewer channels drops alpha and turns colours to gray by ITU-R BT.601 luma. UserError for anything
// malformed or beyond the limits; the size that the header claims is compared with what the file's
// bytes can hold before memory is taken.
HostTensor read_png(const ByteSource& source, PngChannels channels = PngChannels::as_stored,
                    const PngLimits& limits = {});
HostTensor read_png(const std::filesystem::path& path,
                    PngChannels channels = PngChannels::as_stored);

// From u8[height, width] or u8[height, width, channels] with 1, 3 or 4 channels; UserError
// otherwise.
std::vector<std::byte> png_bytes(const HostView& image);
void write_png(const std::filesystem::path& path, const HostView& image);

}  // namespace tenon::io
