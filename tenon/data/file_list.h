// The files that a pattern names.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace tenon::data {

// A file, or a pattern with *, ? and [...] as the shell has them; sorted by bytes. UserError if
// there is none.
std::vector<std::filesystem::path> files_of(const std::string& pattern);

}  // namespace tenon::data
