#include "tenon/data/image_folder.h"

#include <array>

#include "tenon/data/resize.h"
#include "tenon/io/image.h"

namespace tenon::data {

ImageFolder image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options) {
  constexpr std::int64_t kMostPixels = 65535;
  require(options.channels == 1 || options.channels == 3,
          "images of {} channels; 1 (gray) or 3 (RGB) expected", options.channels);
  require((options.height == 0 && options.width == 0) ||
              (options.height >= 1 && options.width >= 1 && options.height <= kMostPixels &&
               options.width <= kMostPixels),
          "images of {} x {} pixels; 1 to {} a side, or 0 x 0 to leave them as they are",
          options.height, options.width, kMostPixels);
  constexpr std::array<std::string_view, 3> kEndings = {".png", ".jpg", ".jpeg"};
  ImageFolder::Contents contents{folder.string(), options,
                                 list_class_files(folder, kEndings, options.class_names)};
  ImageFolder result;
  result.contents_ = std::make_shared<const ImageFolder::Contents>(std::move(contents));
  return result;
}

const std::filesystem::path& ImageFolder::file(std::int64_t index) const {
  require(index >= 0 && index < size(), "{}: image {} of {}", name(), index, size());
  return contents_->listed.files[static_cast<std::size_t>(index)];
}

std::int32_t ImageFolder::label(std::int64_t index) const {
  file(index);  // checks the range
  return contents_->listed.labels[static_cast<std::size_t>(index)];
}

Sample ImageFolder::read(std::int64_t index) const {
  const ImageFolderOptions& options = contents_->options;
  HostTensor image =
      io::read_image(io::ByteSource::open(file(index)), options.channels, options.max_image_bytes);
  const bool fits = image.shape()[0] == options.height && image.shape()[1] == options.width;
  if (options.height > 0 && !fits) image = resized_bilinear(image, options.height, options.width);
  return {std::move(image), make_scalar(label(index))};
}

Pipeline ImageFolder::pipeline() const {
  return Pipeline::from(size(),
                        [folder = *this](std::int64_t index) { return folder.read(index); });
}

Dataset ImageFolder::load(int workers, const std::optional<BadSamples>& bad) const {
  const auto unequal = [this](const TensorType& found, std::int64_t first,
                              const TensorType& other) {
    return fmt::format(
        "an image of {} x {} pixels, but {} has {} x {}; ask for a size to resize them to",
        found.shape[1], found.shape[0], file(first).string(), other.shape[1], other.shape[0]);
  };
  return load_class_files(contents_->listed, pipeline(), {name(), "images", workers, bad, unequal});
}

}  // namespace tenon::data
