#include "golden.h"

#include <gtest/gtest.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tenon/base/text.h"

namespace tenon::testing {

void expect_golden(std::string_view name, std::string_view text) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / fmt::format("{}.txt", name);
  const char* update = std::getenv("TENON_UPDATE_GOLDEN");
  if (update != nullptr && std::string_view(update) == "1") {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  contents << file.rdbuf();
  const std::string expected = contents.str();
  if (expected == text) return;
  const auto expected_lines = split(expected, '\n');
  const auto lines = split(text, '\n');
  std::size_t i = 0;
  while (i < lines.size() && i < expected_lines.size() && lines[i] == expected_lines[i]) ++i;
  const auto line = [&](const auto& all) { return i < all.size() ? all[i] : "(no line)"; };
  ADD_FAILURE() << path.string() << ":" << i + 1 << " differs (TENON_UPDATE_GOLDEN=1 rewrites it)\n"
                << "  file: " << line(expected_lines) << "\n  text: " << line(lines) << "\n"
                << text;
}

}  // namespace tenon::testing
