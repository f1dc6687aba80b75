// Finds and opens the Arrow plugin.
#include <dlfcn.h>

#include <array>
#include <vector>

#include "tenon/arrow_places.h"
#include "tenon/base/error.h"
#include "tenon/base/regular_file.h"
#include "tenon/base/text.h"
#include "tenon/io/arrow_abi.h"
#include "tenon/io/arrow_table.h"

namespace tenon::io {
namespace {

struct ArrowPlugin {
  TenonArrowOpen open = nullptr;
  std::string missing;  // why there is none
};

ArrowPlugin find_arrow_plugin() {
  constexpr const char* kFile = "libtenon_arrow.so";
  std::vector<std::string> places;
  for (const std::string_view folder : split(kArrowPlaces, ':'))
    places.push_back(fmt::format("{}/{}", folder, kFile));
  places.emplace_back(kFile);  // wherever the system looks
  ArrowPlugin plugin;
  for (const std::string& place : places) {
    void* library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      plugin.missing += fmt::format("\n  {}", ::dlerror());
      continue;
    }
    plugin.open = reinterpret_cast<TenonArrowOpen>(::dlsym(library, "tenon_arrow_open"));
    if (plugin.open != nullptr) return plugin;
    plugin.missing += fmt::format("\n  {}: it is not Tenon's Arrow plugin", place);
  }
  return plugin;
}

// Opened once, and never closed: Arrow keeps threads.
const ArrowPlugin& arrow_plugin() {
  static const ArrowPlugin plugin = find_arrow_plugin();
  return plugin;
}

}  // namespace

bool has_arrow() { return arrow_plugin().open != nullptr; }

ArrowBatches ArrowBatches::open(const std::filesystem::path& path, ArrowKind kind,
                                const std::optional<std::string>& column) {
  const std::string name =
      RegularFile(path).name();  // refuses folders, devices and what is missing
  const ArrowPlugin& plugin = arrow_plugin();
  require(
      plugin.open != nullptr,
      "cannot read {}: Parquet and Arrow files need the plugin libtenon_arrow.so, which was not "
      "found{}\n  help: python3 -m pip install pyarrow, then configure and build Tenon anew",
      name, plugin.missing);
  std::array<char, 1024> error{};
  ArrowArrayStream stream{};
  const int status =
      plugin.open(name.c_str(), static_cast<int>(kind), column ? column->c_str() : nullptr, &stream,
                  error.data(), error.size());
  require(status == 0, "{}: {}", name, error.data());
  return {name, stream};
}

}  // namespace tenon::io
