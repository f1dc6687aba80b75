// Patterns of names, as a shell has them for files: "embedding/*", "*/bias".
#pragma once
#include <string_view>

namespace tenon {

// Whether the whole name is of the pattern, in which * stands for any characters (none and '/' too)
// and ? for one. Takes at most |name| * |pattern| steps.
bool matches_pattern(std::string_view name, std::string_view pattern);

}  // namespace tenon
