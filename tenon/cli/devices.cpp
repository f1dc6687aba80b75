// tenon devices
#include <nlohmann/json.hpp>

#include "tenon/backends/cpu/compiler.h"
#include "tenon/base/cpu_info.h"
#include "tenon/base/text.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/output.h"
#include "tenon/cli/text.h"

namespace tenon::cli {
namespace {

using Json = nlohmann::json;

int run_devices(bool json) {
  const CpuInfo& cpu = cpu_info();
  std::string compiler, problem;
  try {
    const backends::Compiler found = backends::find_compiler();
    compiler = fmt::format("{} ({})", found.path.string(), found.version);
  } catch (const Error& error) {
    problem = error.what();
  }
  if (json) {
    print_json({{"command", "devices"},
                {"devices",
                 {{{"name", "cpu"},
                   {"model", cpu.model},
                   {"cores", usable_cores()},
                   {"vector_bits", 8 * cpu.vector_bytes},
                   {"compiler", compiler.empty() ? Json() : Json(compiler)},
                   {"usable", !compiler.empty()}},
                  {{"name", "reference"}, {"usable", true}}}}});
    return 0;
  }
  print_text("cpu\n");
  print_text(facts_text({{"processor", cpu.model.empty() ? "unknown" : cpu.model},
                         {"usable cores", fmt::format("{}", usable_cores())},
                         {"vectors", fmt::format("{} bits", 8 * cpu.vector_bytes)},
                         {"compiler", compiler.empty() ? problem : compiler}}));
  print_text(
      "reference\n  interprets graphs one operation at a time: slow, and the judge of others\n");
  return 0;
}

}  // namespace

void add_devices(CLI::App& program, Action& action) {
  CLI::App* app = program.add_subcommand("devices", "what this machine can compute on");
  const auto json = std::make_shared<bool>(false);
  add_json_option(*app, *json);
  app->callback([json, &action] { action = [json] { return run_devices(*json); }; });
}

}  // namespace tenon::cli
