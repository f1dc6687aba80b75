// JPEG images as u8 tensors (libjpeg-turbo).
#pragma once
#include <cstdint>
#include <functional>

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

// A rectangle of an image, in pixels.
struct ImageRegion {
  std::int64_t top = 0, left = 0, height = 0, width = 0;
  bool operator==(const ImageRegion&) const = default;
};

// What to decode of an image: a rectangle, with sides a whole number of times smaller.
struct JpegPart {
  ImageRegion region;
  int reduction = 1;  // 1, 2, 4 or 8
};

// u8[rows, columns, channels]: the pixels of the part that `choose` names, given the image's height
// and width; without a reduction those that read_jpeg gives. With one, those of the image made
// smaller by libjpeg's scaled decoding (rounded up at the far sides), from pixel top / reduction
// and left / reduction, rounded down, to the part's far sides, rounded up. Rows behind the part are
// not read: damage there is not seen. UserError as from read_jpeg, and for a part outside of the
// image.
HostTensor read_jpeg_part(const ByteSource& source, JpegChannels channels,
                          const std::function<JpegPart(std::int64_t, std::int64_t)>& choose,
                          const JpegLimits& limits = {});

// From u8[height, width, 1 or 3]; quality 1 to 100. UserError otherwise.
std::vector<std::byte> jpeg_bytes(const HostView& image, int quality = 90);

}  // namespace tenon::io
