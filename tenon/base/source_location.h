// Where in the user's program something was written (std::source_location, for clang 14 too).
#pragma once
#include <string>

namespace tenon {

struct SourceLocation {
  const char* file = "";
  int line = 0;

  static constexpr SourceLocation current(const char* file = __builtin_FILE(),
                                          int line = __builtin_LINE()) {
    return {file, line};
  }
  // "train_mnist.cpp:42"; empty for no location.
  std::string text() const {
    if (line == 0) return {};
    const std::string path = file;
    return path.substr(path.find_last_of('/') + 1) + ":" + std::to_string(line);
  }
};

}  // namespace tenon
