// A shared library in memory, unloaded when the last user is gone.
#pragma once
#include <filesystem>

namespace tenon::backends {

class Library {
 public:
  // BackendError with the loader's reason.
  explicit Library(const std::filesystem::path& path);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // The address of a symbol; BackendError if there is none of that name.
  void* symbol(const char* name) const;

 private:
  std::filesystem::path path_;
  void* handle_ = nullptr;
};

}  // namespace tenon::backends
