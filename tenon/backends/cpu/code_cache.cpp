#include "tenon/backends/cpu/code_cache.h"

#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include "tenon/backends/cpu/process.h"
#include "tenon/base/cpu_info.h"
#include "tenon/base/environment.h"
#include "tenon/base/error.h"
#include "tenon/base/hash.h"
#include "tenon/base/text.h"

namespace tenon::backends {

namespace fs = std::filesystem;

namespace {

// Follows the library in its file, where loaders do not look: mark, then XXH3 of what precedes.
constexpr std::string_view kSealMark = "TENONSO1";
constexpr std::size_t kSealBytes = kSealMark.size() + sizeof(std::uint64_t);

// Folders that compilations work in; ones of killed processes stay until the cache is cleared.
constexpr std::string_view kWorkPrefix = "tenon-work-";

std::string seal_of(std::string_view content) {
  const std::uint64_t hash = hash_text(content);
  std::string seal(kSealMark);
  seal.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  return seal;
}

std::optional<std::string> read_content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool is_sound(std::string_view content) {
  if (content.size() < kSealBytes) return false;
  const std::string_view library = content.substr(0, content.size() - kSealBytes);
  return content.substr(library.size()) == seal_of(library);
}

void append_seal(const fs::path& path) {
  const std::string seal = seal_of(read_content(path).value_or(""));
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file.write(seal.data(), static_cast<std::streamsize>(seal.size()));
  file.close();
  if (!file)
    throw BackendError(fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
}

std::string entry_name(const std::vector<std::string>& sources, const Compiler& compiler) {
  std::string identity =
      fmt::format("{}\n{}\n{}\n{}\n{}\n", compiler.path.string(), compiler.version,
                  join(compiler_flags(), " "), cpu_info().model, cpu_info().flags);
  for (const std::string& source : sources) {
    identity += hex_digest(source);
    identity += '\n';
  }
  return hex_digest(identity);
}

// A new folder for one compilation below `parent`; none, and the reason, if there cannot be one.
std::optional<fs::path> make_work_folder(const fs::path& parent, std::string& reason) {
  std::error_code error;
  fs::create_directories(parent, error);
  std::string name = (parent / (std::string(kWorkPrefix) + "XXXXXX")).string();
  if (mkdtemp(name.data()) != nullptr) return name;
  reason = error ? error.message() : std::strerror(errno);
  return std::nullopt;
}

std::string commands_text(const Compilation& compilation) {
  std::string text;
  for (const auto& command : compilation.commands) text += shell_command(command) + "\n";
  return text;
}

void keep_sources(const fs::path& work, const Compilation& compilation, const fs::path& entry) {
  std::error_code ignored;
  for (int i = 0;; ++i) {
    const fs::path source = work / (i == 0 ? std::string("step.c") : fmt::format("step_{}.c", i));
    if (!fs::exists(source, ignored)) break;
    const std::string suffix = i == 0 ? ".c" : fmt::format("_{}.c", i);
    fs::rename(source, entry.parent_path() / (entry.stem().string() + suffix), ignored);
  }
  const fs::path commands = work / "commands.txt";
  std::ofstream(commands) << commands_text(compilation);
  fs::rename(commands, fs::path(entry).replace_extension(".txt"), ignored);
}

class Builder {
 public:
  Builder(const std::vector<std::string>& sources, const fs::path& folder,
          const std::function<void(std::string_view)>& log)
      : sources_(sources), log_(log), compiler_(find_compiler()) {
    entry_ = folder / (entry_name(sources, compiler_) + ".so");
  }

  BuiltCode build() {
    BuiltCode code;
    code.library = load_entry();
    code.was_cached = code.library != nullptr;
    if (code.was_cached) return code;
    const auto start = std::chrono::steady_clock::now();
    const auto stop_clock = [&] {
      code.compiler_seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    std::string reason;
    if (const auto work = make_work_folder(entry_.parent_path(), reason)) {
      const Compilation compilation = compile_sources(compiler_, sources_, *work);
      stop_clock();
      append_seal(compilation.library);
      std::error_code error;
      fs::rename(compilation.library, entry_, error);
      if (!error && environment::keep_source()) keep_sources(*work, compilation, entry_);
      code.library = std::make_unique<Library>(error ? compilation.library : entry_);
      std::error_code ignored;
      fs::remove_all(*work, ignored);
      return code;
    }
    say(
        fmt::format("the cache folder {} cannot be written ({}): this step will be compiled again "
                    "next time",
                    entry_.parent_path().string(), reason));
    const auto work = make_work_folder(environment::temporary_folder(), reason);
    if (!work)
      throw BackendError(fmt::format(
          "neither {} nor {} can be written: {}\n  help: set "
          "TENON_CACHE_DIR to a folder for compiled code",
          entry_.parent_path().string(), environment::temporary_folder().string(), reason));
    const Compilation compilation = compile_sources(compiler_, sources_, *work);
    stop_clock();
    code.library = std::make_unique<Library>(compilation.library);
    std::error_code ignored;
    fs::remove_all(*work, ignored);
    return code;
  }

 private:
  void say(const std::string& line) const {
    if (log_) log_(line);
  }

  std::unique_ptr<Library> load_entry() const {
    const auto content = read_content(entry_);
    if (!content) return nullptr;
    if (is_sound(*content)) return std::make_unique<Library>(entry_);
    say(fmt::format("cached code {} is damaged and is compiled again", entry_.string()));
    std::error_code ignored;
    fs::remove(entry_, ignored);
    return nullptr;
  }

  const std::vector<std::string>& sources_;
  const std::function<void(std::string_view)>& log_;
  Compiler compiler_;
  fs::path entry_;
};

// Entries are named by 32 hexadecimal digits; kept sources by them too.
bool is_entry_name(const std::string& name) {
  return name.size() > 32 &&
         std::all_of(name.begin(), name.begin() + 32,
                     [](unsigned char c) { return std::isxdigit(c) != 0; }) &&
         (name[32] == '.' || name[32] == '_');
}

std::vector<fs::path> cache_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::directory_entry& item : fs::directory_iterator(folder, ignored)) {
    const std::string name = item.path().filename().string();
    if (item.is_regular_file(ignored) && is_entry_name(name)) files.push_back(item.path());
    if (!item.is_directory(ignored) || !name.starts_with(kWorkPrefix)) continue;
    for (const fs::directory_entry& part : fs::directory_iterator(item.path(), ignored))
      if (part.is_regular_file(ignored)) files.push_back(part.path());
  }
  return files;
}

void count_file(const fs::path& path, CacheSummary& summary) {
  std::error_code ignored;
  const auto bytes = fs::file_size(path, ignored);
  if (ignored) return;
  summary.files += 1;
  summary.bytes += static_cast<std::int64_t>(bytes);
  if (path.extension() == ".so") summary.entries += 1;
}

}  // namespace

BuiltCode build_code(const std::vector<std::string>& sources, const fs::path& folder,
                     const std::function<void(std::string_view)>& log) {
  return Builder(sources, folder, log).build();
}

CacheSummary cache_entries(const fs::path& folder) {
  CacheSummary summary;
  for (const fs::path& file : cache_files(folder)) count_file(file, summary);
  return summary;
}

CacheSummary clear_cache(const fs::path& folder) {
  CacheSummary removed;
  for (const fs::path& file : cache_files(folder)) {
    count_file(file, removed);
    std::error_code error;
    fs::remove(file, error);
    require(!error, "cannot remove {}: {}", file.string(), error.message());
    const fs::path parent = file.parent_path();
    if (parent.filename().string().starts_with(kWorkPrefix)) fs::remove(parent, error);
  }
  return removed;
}

}  // namespace tenon::backends
