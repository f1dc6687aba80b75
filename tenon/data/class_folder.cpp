#include "tenon/data/class_folder.h"

#include <algorithm>
#include <cstring>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/data/pipeline_batches.h"
#include "tenon/data/text.h"
#include "tenon/io/file.h"

namespace tenon::data {
namespace {

bool has_ending(const std::filesystem::path& path, std::span<const std::string_view> endings) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::ranges::find(endings, ending) != endings.end();
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

// ".png, .jpg or .jpeg".
std::string list_of(std::span<const std::string_view> endings) {
  if (endings.size() == 1) return std::string(endings.front());
  return fmt::format("{} or {}", join(endings.first(endings.size() - 1), ", "), endings.back());
}

}  // namespace

ClassFiles list_class_files(const std::filesystem::path& folder,
                            std::span<const std::string_view> endings,
                            std::vector<std::string> class_names) {
  require(io::folder_exists(folder), "cannot read {}: there is no such folder", folder.string());
  ClassFiles result;
  result.class_names = std::move(class_names);
  std::vector<std::string> classes;
  for (std::string& name : sorted_names(folder))
    if (io::folder_exists(folder / name)) classes.push_back(std::move(name));
  require(!classes.empty(), "{}: no sub-folders; one for each class is needed", folder.string());
  if (result.class_names.empty()) result.class_names = classes;
  for (const std::string& name : classes) {
    split_characters(name, folder.string() + ": the name of a sub-folder");
    const auto known = std::ranges::find(result.class_names, name);
    require(known != result.class_names.end(), "{}: the sub-folder {} is none of the {} classes{}",
            folder.string(), in_quotes(name), result.class_names.size(),
            did_you_mean(name, result.class_names));
    const auto label = static_cast<std::int32_t>(known - result.class_names.begin());
    for (const std::string& file : sorted_names(folder / name)) {
      std::filesystem::path path = folder / name / file;
      if (!has_ending(path, endings) || io::folder_exists(path)) continue;
      result.files.push_back(std::move(path));
      result.labels.push_back(label);
    }
  }
  require(!result.files.empty(), "{}: no {} files in its {} sub-folders", folder.string(),
          list_of(endings), classes.size());
  return result;
}

std::vector<std::filesystem::path> class_files_ending_in(
    const std::filesystem::path& folder, std::span<const std::string_view> endings) {
  std::vector<std::filesystem::path> files;
  for (const std::string& name : sorted_names(folder)) {
    if (!io::folder_exists(folder / name)) continue;
    for (const std::string& file : sorted_names(folder / name))
      if (has_ending(file, endings)) files.push_back(folder / name / file);
  }
  return files;
}

Sample read_class_file(const std::function<Sample()>& read, std::string_view what) {
  try {
    return read();
  } catch (const UserError& error) {
    const std::string message = error.what();
    const bool has_help = message.find("\n  help: ") != std::string::npos;
    throw UserError(fmt::format("{}{}--bad-samples skip leaves such {} out", message,
                                has_help ? "\n  " : "\n  help: ", what));
  }
}

Dataset load_class_files(const ClassFiles& files, const Pipeline& pipeline,
                         const LoadFiles& options) {
  constexpr int kAhead = 64;
  const auto size = static_cast<std::int64_t>(files.files.size());
  const Pipeline source = options.bad ? pipeline.skip_bad(*options.bad) : pipeline;
  PipelineBatches batches = source.batches(1, {.workers = options.workers, .ahead = kAhead});
  HostTensor rows;
  std::vector<std::int32_t> labels;
  while (const Batch* batch = batches.next()) {
    const auto index = static_cast<std::size_t>(batch->indices.front());
    TensorType all = batch->x.type();
    all.shape.front() = size;
    if (labels.empty()) rows = HostTensor(all);
    check(rows.type() == all, "load_class_files: a sample of {} among {}", all, rows.type());
    const std::size_t bytes = batch->x.bytes().size();
    if (bytes > 0)
      std::memcpy(rows.bytes().data() + labels.size() * bytes, batch->x.bytes().data(), bytes);
    labels.push_back(files.labels[index]);
  }
  require(!labels.empty(), "{}: none of its {} {} could be decoded", options.name, size,
          options.what);
  const auto count = static_cast<std::int64_t>(labels.size());
  return {options.name, Array(std::move(rows)).rows(0, count),
          Array(make_tensor<std::int32_t>({count}, labels)), files.class_names};
}

}  // namespace tenon::data
