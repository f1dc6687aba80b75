#include "tenon/data/image_folder.h"

#include <algorithm>
#include <cstring>

#include "tenon/base/text.h"
#include "tenon/data/pipeline_batches.h"
#include "tenon/data/resize.h"
#include "tenon/data/text.h"
#include "tenon/io/file.h"
#include "tenon/io/image.h"

namespace tenon::data {
namespace {

bool is_image_name(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

// Names in the folder that do not begin with a dot, sorted by bytes.
std::vector<std::string> sorted_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    std::string name = entries->path().filename().string();
    if (!name.starts_with('.')) names.push_back(std::move(name));
  }
  require(!error, "cannot read {}: {}", folder.string(), error.message());
  std::ranges::sort(names);
  return names;
}

}  // namespace

ImageFolder image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options) {
  constexpr std::int64_t kMostPixels = 65535;
  require(options.channels == 1 || options.channels == 3,
          "images of {} channels; 1 (gray) or 3 (RGB) expected", options.channels);
  require((options.height == 0 && options.width == 0) ||
              (options.height >= 1 && options.width >= 1 && options.height <= kMostPixels &&
               options.width <= kMostPixels),
          "images of {} x {} pixels; 1 to {} a side, or 0 x 0 to leave them as they are",
          options.height, options.width, kMostPixels);
  require(io::folder_exists(folder), "cannot read {}: there is no such folder", folder.string());
  auto contents = std::make_shared<ImageFolder::Contents>();
  contents->name = folder.string();
  contents->options = options;
  contents->class_names = options.class_names;
  std::vector<std::string> classes;
  for (std::string& name : sorted_names(folder))
    if (io::folder_exists(folder / name)) classes.push_back(std::move(name));
  require(!classes.empty(), "{}: no sub-folders; one for each class is needed", folder.string());
  if (contents->class_names.empty()) contents->class_names = classes;
  for (const std::string& name : classes) {
    split_characters(name, folder.string() + ": the name of a sub-folder");
    const auto known = std::ranges::find(contents->class_names, name);
    require(known != contents->class_names.end(),
            "{}: the sub-folder {} is none of the {} classes{}", folder.string(), in_quotes(name),
            contents->class_names.size(), did_you_mean(name, contents->class_names));
    const auto label = static_cast<std::int32_t>(known - contents->class_names.begin());
    for (const std::string& file : sorted_names(folder / name)) {
      std::filesystem::path path = folder / name / file;
      if (!is_image_name(path) || io::folder_exists(path)) continue;
      contents->files.push_back(std::move(path));
      contents->labels.push_back(label);
    }
  }
  require(!contents->files.empty(), "{}: no .png, .jpg or .jpeg files in its {} sub-folders",
          folder.string(), classes.size());
  ImageFolder result;
  result.contents_ = std::move(contents);
  return result;
}

const std::filesystem::path& ImageFolder::file(std::int64_t index) const {
  require(index >= 0 && index < size(), "{}: image {} of {}", name(), index, size());
  return contents_->files[static_cast<std::size_t>(index)];
}

std::int32_t ImageFolder::label(std::int64_t index) const {
  file(index);  // checks the range
  return contents_->labels[static_cast<std::size_t>(index)];
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
  constexpr int kAhead = 64;
  Pipeline source = pipeline();
  if (bad) source = source.skip_bad(*bad);
  // One by one, so that an image of another size can be named.
  PipelineBatches batches = source.batches(1, {.workers = workers, .ahead = kAhead});
  HostTensor images;
  std::vector<std::int32_t> labels;
  std::int64_t first = 0;
  while (const Batch* batch = batches.next()) {
    const std::int64_t index = batch->indices.front();
    TensorType type = batch->x.type();
    if (labels.empty()) {
      first = index;
      type.shape.front() = size();
      images = HostTensor(type);
    } else {
      type.shape.front() = images.shape().front();
      require(
          type == images.type(),
          "{}: an image of {} x {} pixels, but {} has {} x {}; ask for a size to resize them to",
          file(index).string(), type.shape[2], type.shape[1], file(first).string(),
          images.shape()[2], images.shape()[1]);
    }
    std::memcpy(images.bytes().data() + labels.size() * batch->x.bytes().size(),
                batch->x.bytes().data(), batch->x.bytes().size());
    labels.push_back(label(index));
  }
  require(!labels.empty(), "{}: none of its {} images could be decoded", name(), size());
  const auto count = static_cast<std::int64_t>(labels.size());
  return {name(), Array(std::move(images)).rows(0, count),
          Array(make_tensor<std::int32_t>({count}, labels)), class_names()};
}

}  // namespace tenon::data
