#include "tenon/backends/cpu/library.h"

#include <dlfcn.h>

#include "tenon/base/error.h"

namespace tenon::backends {

namespace {

std::string loader_error() {
  const char* text = dlerror();
  return text != nullptr ? text : "unknown reason";
}

}  // namespace

Library::Library(const std::filesystem::path& path)
    : path_(path), handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr)
    throw BackendError(fmt::format("cannot load {}: {}", path.string(), loader_error()));
  std::error_code gone;  // another process may have cleared the cache by now
  const std::uintmax_t bytes = std::filesystem::file_size(path, gone);
  if (!gone) bytes_ = static_cast<std::int64_t>(bytes);
}

Library::~Library() { dlclose(handle_); }

void* Library::symbol(const char* name) const {
  void* address = dlsym(handle_, name);
  if (address == nullptr)
    throw BackendError(
        fmt::format("{} has no symbol {}: {}", path_.string(), name, loader_error()));
  return address;
}

}  // namespace tenon::backends
