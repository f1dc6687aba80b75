#include "tenon/io/image.h"

#include <algorithm>
#include <array>

#include "tenon/io/jpeg.h"
#include "tenon/io/png.h"

namespace tenon::io {

HostTensor read_image(const ByteSource& source, std::int64_t channels, std::uint64_t max_bytes) {
  require(channels == 1 || channels == 3, "images of {} channels; 1 or 3 expected", channels);
  std::array<std::byte, 2> start{};
  source.read(0, std::span(start).first(static_cast<std::size_t>(
                     std::min<std::uint64_t>(start.size(), source.size()))));
  if (start == std::array{std::byte{0x89}, std::byte{'P'}})
    return read_png(source, channels == 1 ? PngChannels::gray : PngChannels::rgb,
                    {.max_bytes = max_bytes});
  if (start == std::array{std::byte{0xff}, std::byte{0xd8}})
    return read_jpeg(source, channels == 1 ? JpegChannels::gray : JpegChannels::rgb,
                     {.max_bytes = max_bytes});
  fail_at(source.name(), 0, "neither a PNG nor a JPEG file by its first bytes");
}

}  // namespace tenon::io
