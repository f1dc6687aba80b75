#include "tenon/passes/pass.h"

#include <chrono>

#include "tenon/base/text.h"
#include "tenon/ir/verify.h"

namespace tenon::passes {
namespace {

void require_pass_name(const std::string& name, std::span<const Pass> passes) {
  std::vector<std::string> names;
  for (const Pass& pass : passes) names.emplace_back(pass.name);
  require(std::ranges::count(names, name) > 0, "there is no pass named {} among {}{}",
          in_quotes(name), join(names, ", "), did_you_mean(name, names));
}

void require_can_be_skipped(const std::string& name, std::span<const Pass> passes) {
  require_pass_name(name, passes);
  for (const Pass& pass : passes)
    require(pass.name != name || !pass.is_required, "pass {} cannot be left out", name);
}

void verify_after(const Pass& pass, const ir::Graph& graph) {
  try {
    ir::verify(graph);
  } catch (const InternalError& error) {
    throw InternalError(fmt::format("after pass {}: {}", pass.name, error.what()));
  }
}

}  // namespace

PassResult run_passes(ir::Graph graph, const PassOptions& options, std::span<const Pass> passes) {
  for (const std::string& name : options.skip) require_can_be_skipped(name, passes);
  if (!options.stop_after.empty()) require_pass_name(options.stop_after, passes);
  PassResult result{std::move(graph), {}};
  for (const Pass& pass : passes) {
    if (std::ranges::count(options.skip, pass.name) == 0) {
      const auto start = std::chrono::steady_clock::now();
      ir::Graph after = pass.run(result.graph, options.context);
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
      verify_after(pass, after);
      result.times.push_back(
          {pass.name, elapsed.count(), result.graph.nodes().size(), after.nodes().size()});
      if (options.observe) options.observe(pass.name, result.graph, after);
      result.graph = std::move(after);
    }
    if (pass.name == options.stop_after) break;
  }
  return result;
}

}  // namespace tenon::passes
