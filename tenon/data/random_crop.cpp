#include "tenon/data/random_crop.h"

#include <algorithm>
#include <cmath>

#include "tenon/base/threefry.h"
#include "tenon/data/resize.h"
#include "tenon/io/image.h"

namespace tenon::data {
namespace {

void require_valid(const RandomResizedCrop& crop) {
  constexpr std::int64_t kMostSide = 65535;
  require(
      crop.height >= 1 && crop.width >= 1 && crop.height <= kMostSide && crop.width <= kMostSide,
      "random resized crop: {} x {} pixels; 1 to {} a side expected", crop.height, crop.width,
      kMostSide);
  require(crop.least_area >= 0 && crop.least_area <= crop.most_area && crop.most_area <= 1,
          "random resized crop: areas from {} to {}; two numbers in 0 to 1 expected",
          crop.least_area, crop.most_area);
  constexpr double kMostRatio = 1000;
  require(crop.least_ratio >= 1 / kMostRatio && crop.least_ratio <= crop.most_ratio &&
              crop.most_ratio <= kMostRatio,
          "random resized crop: ratios from {} to {}; two numbers in 0.001 to 1000 expected",
          crop.least_ratio, crop.most_ratio);
  require(crop.flip_probability >= 0 && crop.flip_probability <= 1,
          "random resized crop: a flip probability of {}; 0 to 1 expected", crop.flip_probability);
}

// Numbers of one sample.
struct SampleDraws {
  ThreefrySequence words;
  double uniform() { return static_cast<double>(words.next() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + uniform() * (high - low); }
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(words.below(static_cast<std::uint64_t>(bound)));
  }
};

io::ImageRegion middle_region(const RandomResizedCrop& crop, std::int64_t height,
                              std::int64_t width) {
  const auto h = static_cast<double>(height), w = static_cast<double>(width);
  io::ImageRegion region{0, 0, height, width};
  if (w / h < crop.least_ratio)
    region.height = std::clamp<std::int64_t>(std::llrint(w / crop.least_ratio), 1, height);
  else if (w / h > crop.most_ratio)
    region.width = std::clamp<std::int64_t>(std::llrint(h * crop.most_ratio), 1, width);
  region.top = (height - region.height) / 2;
  region.left = (width - region.width) / 2;
  return region;
}

// The part of an image whose first pixel is (top, left) / reduction, rounded down.
ImageBox box_inside(const io::ImageRegion& region, int reduction, const Shape& part) {
  const auto place = [&](std::int64_t pixel) {
    return static_cast<double>(pixel % reduction) / reduction;
  };
  ImageBox box{place(region.top), place(region.left),
               static_cast<double>(region.height) / reduction,
               static_cast<double>(region.width) / reduction};
  // Sums of halves are exact; the last pixel of an odd side stands for less than it covers.
  box.height = std::min(box.height, static_cast<double>(part[0]) - box.top);
  box.width = std::min(box.width, static_cast<double>(part[1]) - box.left);
  return box;
}

bool is_jpeg(const io::ByteSource& source) {
  std::array<std::byte, 2> start{};
  if (source.size() < start.size()) return false;
  source.read(0, start);
  return start == std::array{std::byte{0xff}, std::byte{0xd8}};
}

}  // namespace

CropChoice choose_crop(const RandomResizedCrop& crop, std::int64_t height, std::int64_t width,
                       const SamplePlace& place) {
  constexpr int kTries = 10;
  require_valid(crop);
  require(height >= 1 && width >= 1, "random resized crop: an image of {} x {} pixels", height,
          width);
  SampleDraws draws{
      {threefry64(threefry64(crop.seed, place.epoch), static_cast<std::uint64_t>(place.index))}};
  CropChoice choice;
  choice.is_flipped = draws.uniform() < crop.flip_probability;
  const double area = static_cast<double>(height) * static_cast<double>(width);
  for (int i = 0; i < kTries; ++i) {
    const double wanted = area * draws.uniform(crop.least_area, crop.most_area);
    const double ratio =
        std::exp(draws.uniform(std::log(crop.least_ratio), std::log(crop.most_ratio)));
    const std::int64_t columns = std::llrint(std::sqrt(wanted * ratio));
    const std::int64_t rows = std::llrint(std::sqrt(wanted / ratio));
    if (columns < 1 || rows < 1 || columns > width || rows > height) continue;
    const std::int64_t top = draws.below(height - rows + 1);
    choice.region = {top, draws.below(width - columns + 1), rows, columns};
    return choice;
  }
  choice.region = middle_region(crop, height, width);
  return choice;
}

HostTensor random_resized_crop(const HostTensor& image, const RandomResizedCrop& crop,
                               const SamplePlace& place) {
  require(image.dtype() == DType::u8 && image.shape().size() == 3,
          "random resized crop: expected u8[height, width, channels], got {}", image.type());
  const auto [region, is_flipped] = choose_crop(crop, image.shape()[0], image.shape()[1], place);
  // As if the rectangle were an image of its own.
  const auto channels = image.shape()[2];
  HostTensor part({DType::u8, {region.height, region.width, channels}});
  for (std::int64_t y = 0; y < region.height; ++y)
    std::copy_n(
        image.bytes().data() + ((region.top + y) * image.shape()[1] + region.left) * channels,
        region.width * channels, part.bytes().data() + y * region.width * channels);
  return resized_antialiased(part, box_inside(region, 1, part.shape()), crop.height, crop.width,
                             is_flipped);
}

HostTensor read_random_resized_crop(const io::ByteSource& source, std::int64_t channels,
                                    const RandomResizedCrop& crop, const SamplePlace& place,
                                    std::uint64_t max_bytes) {
  require(channels == 1 || channels == 3, "images of {} channels; 1 or 3 expected", channels);
  if (!is_jpeg(source))
    return random_resized_crop(io::read_image(source, channels, max_bytes), crop, place);
  CropChoice choice;
  int reduction = 1;
  const auto choose = [&](std::int64_t height, std::int64_t width) -> io::JpegPart {
    choice = choose_crop(crop, height, width, place);
    constexpr int kMostReduction = 8;
    while (reduction < kMostReduction && choice.region.height >= 2 * reduction * crop.height &&
           choice.region.width >= 2 * reduction * crop.width)
      reduction *= 2;
    return {choice.region, reduction};
  };
  const HostTensor part =
      io::read_jpeg_part(source, channels == 1 ? io::JpegChannels::gray : io::JpegChannels::rgb,
                         choose, {.max_bytes = max_bytes});
  return resized_antialiased(part, box_inside(choice.region, reduction, part.shape()), crop.height,
                             crop.width, choice.is_flipped);
}

Pipeline random_resized_crops(const ImageFolder& folder, const RandomResizedCrop& crop) {
  require_valid(crop);
  // Only in the second stage is the epoch known.
  return Pipeline::from(folder.size(),
                        [folder](std::int64_t index) -> Sample {
                          return {HostTensor(), make_scalar(folder.label(index))};
                        })
      .map([folder, crop](Sample sample, const SamplePlace& place) -> Sample {
        const ImageFolderOptions& options = folder.options();
        return {read_random_resized_crop(io::ByteSource::open(folder.file(place.index)),
                                         options.channels, crop, place, options.max_image_bytes),
                std::move(sample.y)};
      });
}

}  // namespace tenon::data
