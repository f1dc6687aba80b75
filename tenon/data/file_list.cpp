#include "tenon/data/file_list.h"

#include <glob.h>

#include <algorithm>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/io/file.h"

namespace tenon::data {

std::vector<std::filesystem::path> files_of(const std::string& pattern) {
  if (io::file_exists(pattern)) return {pattern};  // whatever its name holds
  require(pattern.find('\0') == std::string::npos, "the pattern {} holds a NUL byte",
          in_quotes(pattern));
  std::vector<std::filesystem::path> files;
  ::glob_t found{};
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
      if (io::file_exists(found.gl_pathv[i])) files.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  require(!files.empty(), "cannot read {}: there is no such file", pattern);
  std::ranges::sort(files);
  return files;
}

}  // namespace tenon::data
