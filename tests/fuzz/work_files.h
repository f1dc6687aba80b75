// A folder for the files that readers open, removed at the end of the program.
#pragma once
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace tenon::fuzz {

inline const std::filesystem::path& work_folder() {
  struct Folder {
    std::filesystem::path path;
    Folder() {
      std::string pattern = (std::filesystem::temp_directory_path() / "tenon_fuzz_XXXXXX").string();
      path = ::mkdtemp(pattern.data());
    }
    ~Folder() {
      std::error_code error;
      std::filesystem::remove_all(path, error);
    }
  };
  static const Folder folder;
  return folder.path;
}

// Overwritten in place: not flushed to the disk each time.
inline std::filesystem::path written(const std::string& name, const std::string& content) {
  const std::filesystem::path path = work_folder() / name;
  std::filesystem::create_directories(path.parent_path());
  if (std::FILE* file = std::fopen(path.c_str(), "w")) {
    std::fwrite(content.data(), 1, content.size(), file);
    std::fclose(file);
  }
  return path;
}

}  // namespace tenon::fuzz
