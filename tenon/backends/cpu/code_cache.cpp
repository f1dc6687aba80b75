#include "tenon/backends/cpu/code_cache.h"

#include <chrono>
#include <cstring>
#include <fstream>
#include <system_error>

#include "tenon/backends/cpu/process.h"
#include "tenon/backends/cpu/work_folder.h"
#include "tenon/base/cpu_info.h"
#include "tenon/base/environment.h"
#include "tenon/base/error.h"
#include "tenon/base/hash.h"
#include "tenon/base/interruption.h"
#include "tenon/base/regular_file.h"
#include "tenon/base/text.h"

namespace tenon::backends {

namespace fs = std::filesystem;

namespace {

// Follows the library in its file, where loaders do not look: mark, then XXH3 of what precedes and
// of the entry's name, so that a file under another's name is not taken for it.
constexpr std::string_view kSealMark = "TENONSO1";
constexpr std::size_t kSealBytes = kSealMark.size() + sizeof(std::uint64_t);

constexpr std::uint64_t kLargestEntry = std::uint64_t{1} << 30;

std::string seal_of(std::string_view content, const std::string& name) {
  const std::uint64_t hash = hash_combine(hash_text(content), hash_text(name));
  std::string seal(kSealMark);
  seal.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  return seal;
}

bool is_sound(std::string_view content, const std::string& name) {
  if (content.size() < kSealBytes) return false;
  const std::string_view library = content.substr(0, content.size() - kSealBytes);
  return content.substr(library.size()) == seal_of(library, name);
}

void append_seal(const fs::path& path, const std::string& name) {
  const auto content = read_if_regular(path, kLargestEntry);
  if (!content) throw BackendError(fmt::format("cannot read {}", path.string()));
  const std::string seal = seal_of(*content, name);
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file.write(seal.data(), static_cast<std::streamsize>(seal.size()));
  file.close();
  if (!file)
    throw BackendError(fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
}

fs::path path_of_entry(const fs::path& folder, const std::string& name) {
  return folder / (name + ".so");
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

// A file of the cache folder that holds a library, or will.
class Entry {
 public:
  Entry(fs::path folder, std::string name, const std::function<void(std::string_view)>& log)
      : folder_(std::move(folder)),
        name_(std::move(name)),
        path_(path_of_entry(folder_, name_)),
        log_(log) {}

  const fs::path& path() const { return path_; }
  void say(const std::string& line) const {
    if (log_) log_(line);
  }

  // None if there is no sound entry. A damaged one is replaced later: by then this name may be that
  // of another process's sound one.
  std::unique_ptr<Library> load_if_sound(bool& is_damaged) const {
    const auto no_trimming = FolderLock::share(folder_);
    const auto content = read_if_regular(path_, kLargestEntry);
    if (!content) return nullptr;
    is_damaged = !is_sound(*content, name_);
    if (is_damaged) return nullptr;
    mark_as_used(path_);
    try {
      return load(path_);
    } catch (const BackendError&) {
      std::error_code ignored;
      if (fs::exists(path_, ignored)) throw;
      return nullptr;  // cleared since it was read
    }
  }

  // From its place or, where that does not allow code to be run (as some mounts), from a copy.
  std::unique_ptr<Library> load(const fs::path& file) const {
    try {
      return std::make_unique<Library>(file);
    } catch (const BackendError& error) {
      std::unique_ptr<Library> copy = load_copy(file);
      if (copy == nullptr) throw;
      say(fmt::format("{}: a copy in {} is loaded instead", error.what(),
                      environment::temporary_folder().string()));
      return copy;
    }
  }

 private:
  static std::unique_ptr<Library> load_copy(const fs::path& file) {
    std::string ignored;
    auto work = WorkFolder::make(environment::temporary_folder(), ignored);
    if (!work) return nullptr;
    const fs::path copy = work->path() / "step.so";
    std::unique_ptr<Library> library;
    try {
      fs::copy_file(file, copy);
      library = std::make_unique<Library>(copy);
    } catch (const std::runtime_error&) {  // the file system's, or the loader's
    }
    work->remove();
    return library;
  }

  fs::path folder_;
  std::string name_;
  fs::path path_;
  const std::function<void(std::string_view)>& log_;
};

class Builder {
 public:
  Builder(const std::vector<std::string>& sources, const fs::path& folder,
          const std::function<void(std::string_view)>& log)
      : sources_(sources),
        folder_(folder),
        compiler_(find_compiler()),
        name_(entry_name(sources, compiler_, compiler_flags(compiler_, sources), cpu_info())),
        entry_(folder, name_, log) {}

  BuiltCode build() {
    std::string reason = reason_against_cache(folder_);
    if (reason.empty()) {
      bool is_damaged = false;
      if (auto library = entry_.load_if_sound(is_damaged))
        return {std::move(library), true, 0, name_};
      if (is_damaged)
        entry_.say(
            fmt::format("cached code {} is damaged and is compiled again", entry_.path().string()));
      if (auto code = build_in_cache(reason)) return std::move(*code);
    }
    entry_.say(fmt::format(
        "the cache folder {} cannot be used ({}): this step will be compiled again next "
        "time",
        folder_.string(), reason));
    const fs::path temporary = environment::temporary_folder();
    remove_abandoned_work_folders(temporary);
    auto work = WorkFolder::make(temporary, reason);
    if (!work)
      throw BackendError(fmt::format(
          "neither {} nor {} can be written: {}\n  help: set TENON_CACHE_DIR to a folder for "
          "compiled code",
          folder_.string(), temporary.string(), reason));
    BuiltCode code = compile(*work, false);
    work->remove();
    return code;
  }

 private:
  // None, and the reason, if the folder is to blame; its own error if the code is.
  std::optional<BuiltCode> build_in_cache(std::string& reason) {
    remove_abandoned_work_folders(folder_);
    auto work = WorkFolder::make(folder_, reason);
    if (!work) return std::nullopt;
    try {
      BuiltCode code = compile(*work, true);
      work->remove();
      return code;
    } catch (const BackendError&) {
      reason = work->reason_against_writing();
      if (reason.empty()) throw;
    }
    work->remove();
    return std::nullopt;
  }

  // What fails leaves its files, to be looked at; what is given up leaves none.
  BuiltCode compile(WorkFolder& work, bool is_kept) {
    try {
      return compile_in(work, is_kept);
    } catch (const Interrupted&) {
      work.remove();
      throw;
    } catch (const BackendError& error) {
      std::ofstream(work.path() / kFailureFile) << error.what() << "\n";
      throw;
    }
  }

  std::unique_ptr<Library> load_made(const Compilation& compilation, const fs::path& work) const {
    try {
      return entry_.load(compilation.library);
    } catch (const BackendError& error) {
      throw BackendError(fmt::format(
          "what the C compiler made is no library: {}\n  source: {}\n  command: {}\n  help: the "
          "compiler or its linker is broken, or its disk is full; run the command by itself, or "
          "set TENON_CC to another compiler",
          error.what(), (work / "step.c").string(), shell_command(compilation.commands.back())));
    }
  }

  // Loaded before it gets the name under which others find and may replace or remove it.
  BuiltCode compile_in(const WorkFolder& work, bool is_kept) {
    BuiltCode code;
    const auto start = std::chrono::steady_clock::now();
    const Compilation compilation = compile_sources(compiler_, sources_, work.path());
    code.compiler_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    append_seal(compilation.library, name_);
    code.library = load_made(compilation, work.path());
    if (!is_kept) return code;
    std::error_code error;
    fs::rename(compilation.library, entry_.path(), error);
    if (error) {
      entry_.say(
          fmt::format("compiled code cannot be kept as {} ({}): this step will be compiled again "
                      "next time",
                      entry_.path().string(), error.message()));
      return code;
    }
    code.entry = name_;
    if (environment::keep_source()) keep_sources(work.path(), compilation, entry_.path());
    trim_cache(folder_, environment::cache_mib() << 20, name_);
    return code;
  }

  const std::vector<std::string>& sources_;
  const fs::path folder_;
  const Compiler compiler_;
  const std::string name_;
  const Entry entry_;
};

}  // namespace

std::string compile_identity(const Compiler& compiler, const std::vector<std::string>& flags,
                             const CpuInfo& processor) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n", compiler.path.string(), compiler.version,
                     compiler.file, join(flags, " "), processor.model, processor.flags);
}

std::string entry_name(const std::vector<std::string>& sources, const Compiler& compiler,
                       const std::vector<std::string>& flags, const CpuInfo& processor) {
  std::string identity = compile_identity(compiler, flags, processor);
  for (const std::string& source : sources) {
    identity += hex_digest(source);
    identity += '\n';
  }
  return hex_digest(identity);
}

std::unique_ptr<Library> load_code(const std::string& entry, const fs::path& folder,
                                   const std::function<void(std::string_view)>& log) {
  if (!reason_against_cache(folder).empty()) return nullptr;
  bool is_damaged = false;  // is said by who makes it again
  return Entry(folder, entry, log).load_if_sound(is_damaged);
}

BuiltCode build_code(const std::vector<std::string>& sources, const fs::path& folder,
                     const std::function<void(std::string_view)>& log) {
  return Builder(sources, folder, log).build();
}

}  // namespace tenon::backends
