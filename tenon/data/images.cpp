#include "tenon/data/images.h"

#include <algorithm>

#include "tenon/base/text.h"
#include "tenon/data/finite.h"
#include "tenon/io/file.h"
#include "tenon/io/idx.h"

namespace tenon::data {
namespace {

constexpr std::string_view kTrainImages = "train-images-idx3-ubyte";

// The file in the folder, plain or packed; none if neither is there.
std::optional<std::filesystem::path> find_idx_file(const std::filesystem::path& folder,
                                                   std::string_view name) {
  for (const std::string_view ending : {"", ".gz"}) {
    std::filesystem::path path = folder / (std::string(name) + std::string(ending));
    if (io::file_exists(path)) return path;
  }
  return std::nullopt;
}

std::filesystem::path need_idx_file(const std::filesystem::path& folder, std::string_view name) {
  require(io::folder_exists(folder), "cannot read {}: there is no such folder", folder.string());
  const std::optional<std::filesystem::path> path = find_idx_file(folder, name);
  require(path.has_value(), "{}: neither {} nor {}.gz is there", folder.string(), name, name);
  return *path;
}

struct IdxPair {
  HostTensor images, labels;
};

IdxPair read_idx_pair(const std::filesystem::path& folder, const std::string& prefix) {
  const std::filesystem::path images_path = need_idx_file(folder, prefix + "-images-idx3-ubyte");
  const std::filesystem::path labels_path = need_idx_file(folder, prefix + "-labels-idx1-ubyte");
  IdxPair pair{io::read_idx(images_path), io::read_idx(labels_path)};
  require(pair.labels.type().rank() == 1 && is_integer(pair.labels.dtype()),
          "{}: {} found; labels are integers with one axis", labels_path.string(),
          pair.labels.type());
  require(pair.images.shape().front() == pair.labels.size(),
          "{} holds {} images, but {} holds {} labels", images_path.string(),
          pair.images.shape().front(), labels_path.string(), pair.labels.size());
  require_finite_rows(pair.images, images_path.string(), "image");
  return pair;
}

// Where a Debian package put the file: what `dpkg -L` prints is in this list.
std::optional<std::filesystem::path> installed_folder() {
  const std::filesystem::path list = "/var/lib/dpkg/info/dataset-fashion-mnist.list";
  if (!io::file_exists(list)) return std::nullopt;
  const std::string text = io::read_text_file(list);
  for (const std::string_view line : split(text, '\n')) {
    const std::filesystem::path path(line);
    if (path.stem() == kTrainImages || path.filename() == kTrainImages) return path.parent_path();
  }
  return std::nullopt;
}

}  // namespace

TrainTest mnist_folder(const std::filesystem::path& folder, std::vector<std::string> class_names) {
  IdxPair train = read_idx_pair(folder, "train");
  IdxPair test = read_idx_pair(folder, "t10k");
  if (class_names.empty()) {
    std::int64_t classes = 0;
    for (const HostTensor* labels : {&train.labels, &test.labels})
      for (std::int64_t i = 0; i < labels->size(); ++i)
        classes = std::max(classes, static_cast<std::int64_t>(element_as_double(*labels, i)) + 1);
    constexpr std::int64_t kMostNamed = 65536;
    for (std::int64_t i = 0; i < std::min(classes, kMostNamed); ++i)
      class_names.push_back(fmt::format("{}", i));
  }
  const std::string name = folder.string();
  return {Dataset(name, std::move(train.images), Array(std::move(train.labels)), class_names),
          Dataset(name, std::move(test.images), Array(std::move(test.labels)), class_names)};
}

TrainTest fashion_mnist(const std::filesystem::path& folder) {
  const std::filesystem::path usual = "/usr/share/datasets/fashion-mnist";
  std::filesystem::path place = folder.empty() ? usual : folder;
  if (folder.empty() && !find_idx_file(usual, kTrainImages))
    place = installed_folder().value_or(usual);
  require(find_idx_file(place, kTrainImages).has_value(),
          "Fashion-MNIST was not found: there is no {}.gz in {}\n"
          "  help: sudo apt-get install dataset-fashion-mnist",
          kTrainImages, place.string());
  return mnist_folder(place, {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal",
                              "Shirt", "Sneaker", "Bag", "Ankle boot"});
}

}  // namespace tenon::data
