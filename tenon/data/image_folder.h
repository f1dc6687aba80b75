// Images in a folder with one sub-folder for each class, decoded when they are needed.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tenon/data/class_folder.h"
#include "tenon/data/pipeline.h"

namespace tenon::data {

struct ImageFolderOptions {
  std::int64_t height = 0, width = 0;         // every image is resized to it; 0: left as it is
  std::int64_t channels = 3;                  // 1, gray, or 3, RGB
  std::vector<std::string> class_names = {};  // of a trained model; the sorted sub-folders if empty
  std::uint64_t max_image_bytes = std::uint64_t{1} << 28;  // of one decoded image
};

// The list of files; a value, copies share it.
class ImageFolder {
 public:
  const std::string& name() const { return contents_->name; }
  std::int64_t size() const { return static_cast<std::int64_t>(contents_->listed.files.size()); }
  const std::vector<std::string>& class_names() const { return contents_->listed.class_names; }
  const ImageFolderOptions& options() const { return contents_->options; }
  const std::filesystem::path& file(std::int64_t index) const;
  std::int32_t label(std::int64_t index) const;

  // The images of these numbers, in their order; class names stay. UserError for one out of range.
  ImageFolder part(std::span<const std::int64_t> indices) const;
  // Without the images: x i32[] is the number of each, y its class.
  Dataset labels() const;

  // x: u8[height, width, channels], y: i32[], the class. UserError naming the file that cannot be
  // decoded.
  Sample read(std::int64_t index) const;
  // All samples in the order of classes and file names; decoding is left to the workers.
  Pipeline pipeline() const;
  // The same; images of another size than the first one that can be decoded are bad samples, too.
  Pipeline equal_pipeline() const;
  // All images in memory. Without `bad`, one that cannot be decoded or is of another size than the
  // first one is a UserError; with it, they are left out and counted. UserError if none is left.
  Dataset load(int workers, const std::optional<BadSamples>& bad = std::nullopt) const;

 private:
  friend ImageFolder image_folder(const std::filesystem::path& folder,
                                  const ImageFolderOptions& options);
  struct Contents {
    std::string name;
    ImageFolderOptions options;
    ClassFiles listed;
  };
  std::shared_ptr<const Contents> contents_;
};

// The folders of the training and the test set: the sub-folders `train` and `test` if both are
// there, otherwise the folder itself. UserError if `train` has a sub-folder of another name beside
// it that seems to be its other part, such as `val`.
struct ImageParts {
  std::filesystem::path train;
  std::optional<std::filesystem::path> test = {};
};
ImageParts image_parts(const std::filesystem::path& folder);

// The files of kinds that are not read (.bmp, .gif, .webp, .tif, ...) in the sub-folders, by name.
std::vector<std::filesystem::path> unread_images(const std::filesystem::path& folder);

// The files that end in .png, .jpg or .jpeg, in any case, of each sub-folder; others, and those
// whose names begin with a dot, are passed over. Files are not opened yet. UserError if there is no
// sub-folder, no image, or a sub-folder that is none of the classes given, for names that are not
// UTF-8, and for options out of range.
ImageFolder image_folder(const std::filesystem::path& folder,
                         const ImageFolderOptions& options = {});

}  // namespace tenon::data
