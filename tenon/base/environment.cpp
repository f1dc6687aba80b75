#include "tenon/base/environment.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "tenon/base/cpu_info.h"
#include "tenon/base/error.h"
#include "tenon/base/text.h"

namespace tenon::environment {

namespace {

// An empty variable counts as one that is not set.
std::optional<std::string> read_variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// UserError unless the variable is a whole number in the range; none if it is not set.
std::optional<int> read_number(const char* name, int lowest, int highest) {
  const auto text = read_variable(name);
  if (!text) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  require(error == std::errc() && end == text->data() + text->size() && value >= lowest &&
              value <= highest,
          "{} is {}; expected a whole number from {} to {}", name, in_quotes(*text), lowest,
          highest);
  return value;
}

}  // namespace

std::filesystem::path temporary_folder() { return read_variable("TMPDIR").value_or("/tmp"); }

std::filesystem::path cache_folder() {
  if (const auto folder = read_variable("TENON_CACHE_DIR")) return *folder;
  if (const auto folder = read_variable("XDG_CACHE_HOME"))
    return std::filesystem::path(*folder) / "tenon";
  if (const auto home = read_variable("HOME"))
    return std::filesystem::path(*home) / ".cache" / "tenon";
  return temporary_folder() / fmt::format("tenon-{}", getuid());
}

std::optional<std::string> compiler() { return read_variable("TENON_CC"); }

int compile_seconds() { return read_number("TENON_COMPILE_SECONDS", 1, 86400).value_or(600); }

std::int64_t cache_mib() { return read_number("TENON_CACHE_MIB", 1, 1 << 20).value_or(1024); }

std::optional<int> threads() { return read_number("TENON_THREADS", 1, 1024); }

int thread_count(int asked) { return asked > 0 ? asked : threads().value_or(usable_cores()); }

std::int64_t vector_bytes() {
  const auto text = read_variable("TENON_VECTOR_BYTES");
  if (!text || *text == "64") return 64;
  require(*text == "32", "TENON_VECTOR_BYTES is {}; expected 32 or 64", in_quotes(*text));
  return 32;
}

bool keep_source() {
  const auto text = read_variable("TENON_KEEP_SOURCE");
  return text && *text != "0";
}

std::vector<std::filesystem::path> program_folders() {
  std::vector<std::filesystem::path> folders;
  const std::string path = read_variable("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  for (const std::string_view folder : split(path, ':'))
    folders.emplace_back(folder.empty() ? std::string_view(".") : folder);
  return folders;
}

}  // namespace tenon::environment
