#include "tests/end_to_end/run_difference.h"

#include <cstring>

#include "tenon/base/text.h"
#include "tenon/io/file.h"
#include "tenon/io/safetensors.h"
#include "tenon/train/checkpoint.h"

namespace tenon {
namespace {

namespace fs = std::filesystem;

std::string index_text(std::int64_t index, const Shape& shape) {
  Shape place(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0; index /= shape[axis])
    place[axis] = index % shape[axis];
  return to_string(place);
}

std::string tensor_difference(const HostTensor& expected, const HostTensor& found) {
  if (expected.type() != found.type())
    return fmt::format(" is {}, expected {}", found.type(), expected.type());
  const std::size_t size = size_of(expected.dtype());
  std::int64_t first = -1, count = 0;
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    const std::size_t offset = static_cast<std::size_t>(i) * size;
    if (std::memcmp(&expected.bytes()[offset], &found.bytes()[offset], size) == 0) continue;
    if (count++ == 0) first = i;
  }
  if (count == 0) return "";
  return fmt::format("{} is {:.17g}, expected {:.17g} ({} of {} elements differ)",
                     index_text(first, expected.shape()), element_as_double(found, first),
                     element_as_double(expected, first), count, expected.size());
}

std::string tensors_difference(const io::NamedTensors& expected, const io::NamedTensors& found) {
  for (const auto& [name, tensor] : expected) {
    const auto same = found.find(name);
    if (same == found.end()) return in_quotes(name) + " is missing";
    const std::string difference = tensor_difference(tensor, same->second);
    if (!difference.empty()) return in_quotes(name) + difference;
  }
  for (const auto& [name, tensor] : found)
    if (!expected.contains(name)) return in_quotes(name) + " is not expected";
  return "";
}

std::string file_difference(const fs::path& expected, const fs::path& found) {
  if (io::read_text_file(expected) == io::read_text_file(found)) return "";
  const std::string difference = tensors_difference(io::read_safetensors(expected).tensors,
                                                    io::read_safetensors(found).tensors);
  return found.filename().string() + ": " +
         (difference.empty() ? "equal tensors, other metadata" : difference);
}

std::string table_difference(const fs::path& expected_file, const fs::path& found_file) {
  const std::string expected = io::read_text_file(expected_file);
  const std::string found = io::read_text_file(found_file);
  if (expected == found) return "";
  const std::vector<std::string_view> before = split(expected, '\n'), after = split(found, '\n');
  std::size_t line = 0;
  while (line < std::min(before.size(), after.size()) && before[line] == after[line]) ++line;
  const auto text = [line](const std::vector<std::string_view>& lines) {
    return line < lines.size() ? in_quotes(lines[line]) : "the end of the file";
  };
  return fmt::format("{}:{}: {}, expected {}", found_file.filename().string(), line + 1,
                     text(after), text(before));
}

}  // namespace

std::string first_difference(const fs::path& expected_run, const fs::path& run) {
  const RunFiles expected{expected_run}, found{run};
  std::string difference = file_difference(expected.model(), found.model());
  if (difference.empty()) difference = file_difference(expected.state(), found.state());
  if (difference.empty()) difference = table_difference(expected.metrics(), found.metrics());
  return difference;
}

}  // namespace tenon
