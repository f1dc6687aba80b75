// Random rectangles of photographs of any size, resized to one: decoded as far as they are needed.
#pragma once
#include "tenon/data/image_folder.h"
#include "tenon/io/jpeg.h"

namespace tenon::data {

// Szegedy et al. 2014, with torchvision's rule: a rectangle whose area is a part of the image's,
// uniform in least_area to most_area, and whose width / height is log-uniform in least_ratio to
// most_ratio; after ten that do not fit, the largest of a ratio in range in the middle. Resized
// with antialiasing; left and right exchanged with flip_probability. Everything is chosen by the
// seed, the epoch and the sample's index alone.
struct RandomResizedCrop {
  std::int64_t height = 224, width = 224;
  double least_area = 0.08, most_area = 1;
  double least_ratio = 0.75, most_ratio = 4.0 / 3;
  double flip_probability = 0.5;
  std::uint64_t seed = 0;
};

struct CropChoice {
  io::ImageRegion region;
  bool is_flipped = false;
};
// Of an image of this size. UserError for fields out of range and an image without pixels.
CropChoice choose_crop(const RandomResizedCrop& crop, std::int64_t height, std::int64_t width,
                       const SamplePlace& place);

// u8[crop.height, crop.width, C] from u8[H, W, C].
HostTensor random_resized_crop(const HostTensor& image, const RandomResizedCrop& crop,
                               const SamplePlace& place);
// The same from a JPEG or PNG file of 1 or 3 channels. Of a JPEG image only the rectangle is
// decoded, and at a half, a quarter or an eighth of its size if that is still as large as the
// result. UserError as from io::read_image.
HostTensor read_random_resized_crop(const io::ByteSource& source, std::int64_t channels,
                                    const RandomResizedCrop& crop, const SamplePlace& place,
                                    std::uint64_t max_bytes = std::uint64_t{1} << 30);

// The images of a folder, in its order, each read as above; the folder's own size is not used.
//   random_resized_crops(folder, {.seed = 1}).shuffle(1).batches(64, {.workers = 2})
Pipeline random_resized_crops(const ImageFolder& folder, const RandomResizedCrop& crop);

}  // namespace tenon::data
