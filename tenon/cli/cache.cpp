// tenon cache
#include <nlohmann/json.hpp>

#include "tenon/backends/cpu/code_cache.h"
#include "tenon/base/environment.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/output.h"
#include "tenon/cli/text.h"

namespace tenon::cli {
namespace {

struct CacheCommand {
  bool clear = false, json = false;
};

int run_cache(const CacheCommand& command) {
  const std::filesystem::path folder = environment::cache_folder();
  const backends::CacheSummary summary =
      command.clear ? backends::clear_cache(folder) : backends::cache_entries(folder);
  if (command.json) {
    print_json({{"command", "cache"},
                {"folder", folder.string()},
                {"cleared", command.clear},
                {"entries", summary.entries},
                {"files", summary.files},
                {"bytes", summary.bytes},
                {"most_bytes", environment::cache_mib() << 20}});
    return 0;
  }
  const auto counted = [](std::int64_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
  };
  const std::string most =
      command.clear ? ""
                    : fmt::format(" (of at most {})", bytes_text(environment::cache_mib() << 20));
  print_text(fmt::format("{}{}, {}, {}{} in {}\n", command.clear ? "removed " : "",
                         counted(summary.entries, "compiled step"), counted(summary.files, "file"),
                         bytes_text(summary.bytes), most, folder.string()));
  return 0;
}

}  // namespace

void add_cache(CLI::App& program, Action& action) {
  CLI::App* app = program.add_subcommand("cache", "compiled code on disk");
  const auto command = std::make_shared<CacheCommand>();
  app->add_flag("--clear", command->clear, "remove it");
  add_json_option(*app, command->json);
  app->callback([command, &action] { action = [command] { return run_cache(*command); }; });
}

}  // namespace tenon::cli
