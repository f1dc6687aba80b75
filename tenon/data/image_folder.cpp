#include "tenon/data/image_folder.h"

#include <array>
#include <numeric>

#include "tenon/data/resize.h"
#include "tenon/io/file.h"
#include "tenon/io/image.h"

namespace tenon::data {

namespace {

bool has_sub_folders(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error))
    if (io::folder_exists(entries->path())) return true;
  return false;
}

}  // namespace

ImageParts image_parts(const std::filesystem::path& folder) {
  const std::filesystem::path train = folder / "train", test = folder / "test";
  if (!io::folder_exists(train)) return {folder};
  if (io::folder_exists(test)) return {train, test};
  for (const char* name : {"val", "valid", "validation", "dev", "eval"})
    require(!has_sub_folders(train) || !has_sub_folders(folder / name),
            "{0}: the sub-folders train and {1} hold classes each; a test set is named test\n  "
            "help: rename {1} to test, or --data images:{2} --validation images:{3}",
            folder.string(), name, train.string(), (folder / name).string());
  return {folder};
}

std::vector<std::filesystem::path> unread_images(const std::filesystem::path& folder) {
  constexpr std::array<std::string_view, 10> kOtherEndings = {
      ".bmp", ".gif", ".webp", ".tif", ".tiff", ".heic", ".avif", ".jp2", ".ppm", ".pgm"};
  return class_files_ending_in(folder, kOtherEndings);
}

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

ImageFolder ImageFolder::part(std::span<const std::int64_t> indices) const {
  Contents contents{contents_->name, contents_->options, {class_names(), {}, {}}};
  for (const std::int64_t index : indices) {
    contents.listed.files.push_back(file(index));
    contents.listed.labels.push_back(label(index));
  }
  ImageFolder result;
  result.contents_ = std::make_shared<const Contents>(std::move(contents));
  return result;
}

Dataset ImageFolder::labels() const {
  const std::vector<std::int32_t>& classes = contents_->listed.labels;
  std::vector<std::int32_t> numbers(classes.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  return {name(), make_tensor<std::int32_t>({size()}, numbers),
          Array(make_tensor<std::int32_t>({size()}, classes)), class_names()};
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
  return Pipeline::from(
      size(), [folder = *this](std::int64_t index) { return folder.read(index); },
      [folder = *this](std::int64_t index) { return folder.file(index).string(); });
}

Pipeline ImageFolder::equal_pipeline() const {
  return equal_class_files(
      *this, "images",
      "\n  help: --image-size HEIGHTxWIDTH makes them equal (ImageFolderOptions in C++), "
      "--bad-samples skip leaves such images out");
}

Dataset ImageFolder::load(int workers, const std::optional<BadSamples>& bad) const {
  return load_class_files(contents_->listed, equal_pipeline(), {name(), "images", workers, bad});
}

}  // namespace tenon::data
