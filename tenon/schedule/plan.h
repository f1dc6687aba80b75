// The Plan: the ordered steps of an executable and where every value lives.
#pragma once
#include "tenon/ir/graph.h"
#include "tenon/kernel/kernel.h"
#include "tenon/lower/region.h"
#include "tenon/schedule/origins.h"
#include "tenon/schedule/plan_options.h"

namespace tenon::schedule {

// Where a value lives. state, input, result: number `index` of the entry's arrays (state = inputs
// of the signature that live across steps, in signature order; input = the others; result =
// outputs that update no input). constant: data kept with the executable. arena: at `offset`.
enum class Place : std::uint8_t { state, input, result, constant, arena };
struct PlanBuffer {
  std::string name;
  std::int64_t bytes = 0;
  Place place = Place::arena;
  std::uint32_t index = 0;
  std::int64_t offset = 0;  // bytes, multiple of 64 (arena)
  bool is_scratch = false;  // between the kernels of one region
};

// A position in a buffer: `offset` bytes, plus iteration * stride for each enclosing Repeat
// (outermost first; missing entries are zero).
struct BufferRef {
  std::uint32_t buffer = 0;
  std::int64_t offset = 0;
  std::vector<std::int64_t> strides;
};

struct PlanStep;
struct Launch {
  std::uint32_t kernel = 0;
  std::vector<BufferRef> arguments;
  std::vector<OriginRef> origins;  // the parts of the model that it computes
};
struct Copy {
  BufferRef from, to;
  std::int64_t bytes = 0;
};
struct Repeat {  // iterations 0 ... count - 1, or count - 1 ... 0 if reverse
  std::int64_t count = 0;
  bool reverse = false;
  std::vector<PlanStep> body;
};
struct RepeatWhile {  // condition steps; stop if the bool at `flag` is false; body steps; again
  std::vector<PlanStep> condition;
  BufferRef flag;
  std::vector<PlanStep> body;
};
struct Branch {
  BufferRef flag;
  std::vector<PlanStep> on_true, on_false;
};
struct PlanStep {
  std::variant<Launch, Copy, Repeat, RepeatWhile, Branch> step;
};

struct Plan {
  std::vector<PlanBuffer> buffers;
  std::vector<kernel::Kernel> kernels;  // structurally different ones
  std::vector<PlanStep> steps;
  std::vector<HostTensor> constants;
  std::int64_t arena_bytes = 0;
  std::int64_t live_bytes = 0;  // largest sum of arena buffers alive at once: a lower bound
  std::uint32_t state_count = 0, input_count = 0, result_count = 0;
};

// Fusion into regions, an execution order that keeps the peak low, kernels, and static memory.
// The graph has no composites left (RandomBits excepted) and has been through the passes.
Plan make_plan(const ir::Graph& graph, const lower::Target& target,
               const PlanOptions& options = {});

// Text of a plan: buffers, then steps.
std::string print(const Plan& plan);

}  // namespace tenon::schedule
