#include "tenon/base/name_pattern.h"

#include <cstddef>

namespace tenon {

bool matches_pattern(std::string_view name, std::string_view pattern) {
  constexpr std::size_t kNone = std::string_view::npos;
  // A later * can take over whatever an earlier one might have taken, so only the last is retried.
  std::size_t i = 0, k = 0, last_star = kNone, taken = 0;
  while (i < name.size()) {
    if (k < pattern.size() && pattern[k] == '*') {
      last_star = k++;
      taken = i;
    } else if (k < pattern.size() && (pattern[k] == '?' || pattern[k] == name[i])) {
      ++i;
      ++k;
    } else if (last_star != kNone) {
      k = last_star + 1;
      i = ++taken;
    } else {
      return false;
    }
  }
  while (k < pattern.size() && pattern[k] == '*') ++k;
  return k == pattern.size();
}

}  // namespace tenon
