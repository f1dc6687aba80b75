// A shared library in memory, unloaded when the last user is gone.
#pragma once
#include <cstdint>
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
  // Its code and constants, as the file holds them.
  std::int64_t bytes() const { return bytes_; }

 private:
  std::filesystem::path path_;
  void* handle_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace tenon::backends
