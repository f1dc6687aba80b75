#include "tenon/backends/cpu/program_record.h"

#include <algorithm>
#include <charconv>
#include <fstream>

#include "tenon/backends/cpu/build_id.h"
#include "tenon/backends/cpu/code_cache.h"
#include "tenon/backends/cpu/work_folder.h"
#include "tenon/base/hash.h"
#include "tenon/base/regular_file.h"
#include "tenon/base/text.h"

namespace tenon::backends {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kLongestRecord = 4096;
constexpr std::size_t kDigits = 32;  // of a name

fs::path path_of(const fs::path& folder, const std::string& name) {
  return folder / (name + ".plan");
}

// The name stands in the text, so that a file under another's name is not taken for it.
std::string record_text(const std::string& name, const ProgramRecord& record) {
  const std::string text = fmt::format(
      "Tenon plan 1\nname {}\ncode {}\narena {}\nconstants {}\nkernels {}\nthreads {}\n", name,
      record.code, record.arena, record.constants, record.kernels, record.uses_threads ? 1 : 0);
  return text + hex_digest(text) + '\n';
}

bool is_digest(std::string_view text) {
  return text.size() == kDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The rest of the line that begins with the key.
std::string_view value_of(std::string_view key, std::span<const std::string_view> lines) {
  for (const std::string_view line : lines)
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
      return line.substr(key.size() + 1);
  return "";
}

std::int64_t count_of(std::string_view key, std::span<const std::string_view> lines) {
  const std::string_view text = value_of(key, lines);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::max<std::int64_t>(value, 0);
}

}  // namespace

std::string record_name(const std::string& digest, const lower::Target& target,
                        const Compiler& compiler) {
  static const std::string build = build_id_of(reinterpret_cast<const void*>(&record_name));
  if (build.empty()) return "";
  return hex_digest(fmt::format("{}\n{} {}\n{}\n{}", build, target.vector_bytes, target.registers,
                                compile_identity(compiler, common_flags(compiler), cpu_info()),
                                digest));
}

std::optional<ProgramRecord> read_record(const fs::path& folder, const std::string& name) {
  const auto text = read_if_regular(path_of(folder, name), kLongestRecord);
  if (!text) return std::nullopt;
  const auto lines = split(*text, '\n');
  ProgramRecord record;
  record.code = value_of("code", lines);
  record.arena = count_of("arena", lines);
  record.constants = count_of("constants", lines);
  record.kernels = count_of("kernels", lines);
  record.uses_threads = value_of("threads", lines) == "1";
  // Whatever else the file holds, this is what it holds if it is sound.
  if (!is_digest(record.code) || *text != record_text(name, record)) return std::nullopt;
  return record;
}

void write_record(const fs::path& folder, const std::string& name, const ProgramRecord& record) {
  std::string ignored;
  auto work = WorkFolder::make(folder, ignored);
  if (!work) return;
  const fs::path made = work->path() / "plan";
  std::ofstream file(made, std::ios::binary);
  file << record_text(name, record);
  file.close();
  std::error_code error;
  if (file) fs::rename(made, path_of(folder, name), error);
  work->remove();
}

}  // namespace tenon::backends
