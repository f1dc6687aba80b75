#include "tenon/schedule/plan.h"

#include "tenon/schedule/lifetimes.h"
#include "tenon/schedule/plan_builder.h"

namespace tenon::schedule {

Plan make_plan(const ir::Graph& graph, const lower::Target& target, const PlanOptions& options) {
  PlanBuilder builder(target, options);
  Plan& plan = builder.plan;
  std::vector<BufferRef> inputs;
  for (const ir::Input& input : graph.inputs()) {
    const bool is_data = input.role == ir::Role::data;
    std::uint32_t& count = is_data ? plan.input_count : plan.state_count;
    inputs.push_back(builder.add_buffer(input.name, byte_size(input.type),
                                        is_data ? Place::input : Place::state, count++));
  }
  std::vector<BlockTarget> outputs;
  for (const ir::Output& output : graph.outputs()) {
    if (output.updates_input) {
      const std::uint32_t updated = *output.updates_input;
      check(graph.inputs()[updated].role != ir::Role::data,
            "output \"{}\" updates the batch input \"{}\"", output.name,
            graph.inputs()[updated].name);
      outputs.push_back({inputs[updated], updated});
      continue;
    }
    const std::string name =
        output.name.empty() ? fmt::format("result_{}", plan.result_count) : output.name;
    outputs.push_back({builder.add_buffer(name, byte_size(graph.type(output.value)), Place::result,
                                          plan.result_count),
                       std::nullopt});
    ++plan.result_count;
  }
  plan.steps = plan_block(builder, graph, std::move(inputs), std::move(outputs), 0);

  std::vector<Lifetime> lifetimes = buffer_lifetimes(plan);
  for (std::size_t i = 0; i < lifetimes.size(); ++i)
    if (plan.buffers[i].place != Place::arena) lifetimes[i].bytes = 0;
  if (!options.share_memory)
    for (Lifetime& lifetime : lifetimes) lifetime = {lifetime.bytes, 0, 0};
  const Arena arena = place_buffers(lifetimes);
  for (std::size_t i = 0; i < lifetimes.size(); ++i)
    if (plan.buffers[i].place == Place::arena) plan.buffers[i].offset = arena.offsets[i];
  plan.arena_bytes = arena.bytes;
  plan.live_bytes = arena.live_bytes;
  return std::move(plan);
}

}  // namespace tenon::schedule
