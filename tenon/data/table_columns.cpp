#include "tenon/data/table_columns.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "tenon/data/text_unicode.h"

namespace tenon::data {

std::optional<std::size_t> column_number(const std::string& text) {
  std::size_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::optional<std::size_t> find_column(const std::vector<std::string>& columns,
                                       const std::string& wanted) {
  const auto named = std::ranges::find(columns, wanted);
  if (named != columns.end()) return static_cast<std::size_t>(named - columns.begin());
  const std::optional<std::size_t> number = column_number(wanted);
  if (!number || *number < 1 || *number > columns.size()) return std::nullopt;
  return *number - 1;
}

bool are_keys(const std::vector<std::string>& names) {
  return std::set<std::string_view>(names.begin(), names.end()).size() == names.size() &&
         std::ranges::all_of(
             names, [](const std::string& name) { return well_formed_utf8(name) == name; });
}

}  // namespace tenon::data
