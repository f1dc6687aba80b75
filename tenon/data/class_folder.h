// The files of a folder with one sub-folder for each class.
#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/data/pipeline.h"

namespace tenon::data {

struct ClassFiles {
  std::vector<std::string> class_names;
  std::vector<std::filesystem::path> files;  // in the order of classes and of file names
  std::vector<std::int32_t> labels;          // of each file
};

// The files whose names end in one of `endings` (".png", in any case) in each sub-folder; others,
// and those whose names begin with a dot, are passed over. Files are not opened. Classes are the
// sorted sub-folders unless names are given. UserError if there is no sub-folder, no such file, or
// a sub-folder that is none of the classes given, and for names of classes that are not UTF-8.
ClassFiles list_class_files(const std::filesystem::path& folder,
                            std::span<const std::string_view> endings,
                            std::vector<std::string> class_names);

// The files with such names in the sub-folders, whatever these are called. UserError if a folder
// cannot be read.
std::vector<std::filesystem::path> class_files_ending_in(const std::filesystem::path& folder,
                                                         std::span<const std::string_view> endings);

// How the files of a folder become a dataset in memory.
struct LoadFiles {
  std::string name;  // of the dataset
  std::string what;  // "images": what could not be decoded
  int workers = 1;
  std::optional<BadSamples> bad = {};  // leaves out and counts what cannot be used
};
// The sample that `read` gives; its UserError says behind the reason that bad `what` can be left
// out.
Sample read_class_file(const std::function<Sample()>& read, std::string_view what);
// The samples of a folder of `what`, read so; `help` is for those of another type than the first.
template <class Folder>
Pipeline equal_class_files(const Folder& folder, std::string_view what, const std::string& help) {
  const Pipeline files = Pipeline::from(
      folder.size(),
      [folder, what](std::int64_t index) {
        return read_class_file([&] { return folder.read(index); }, what);
      },
      [folder](std::int64_t index) { return folder.file(index).string(); });
  return files.equal_types(help);
}
// All samples of `pipeline`, which gives file i of `files` as sample i, all of one type, with the
// files' labels. UserError for one that cannot be made unless `bad` is there, and if there is none.
Dataset load_class_files(const ClassFiles& files, const Pipeline& pipeline,
                         const LoadFiles& options);

}  // namespace tenon::data
