// A region: the nodes of a graph that become one kernel, and how it becomes one.
#pragma once
#include "tenon/ir/graph.h"
#include "tenon/kernel/kernel.h"
#include "tenon/kernel/kernel_options.h"

namespace tenon::lower {

// What kernels are generated for; tile sizes follow from it.
struct Target {
  enum class Kind : std::uint8_t { cpu, cuda };
  Kind kind = Kind::cpu;
  std::int64_t vector_bytes = 32;  // width of one register of lanes (cpu)
  std::int64_t registers = 16;     // number of such registers (cpu)
  std::int64_t team = 1;           // threads per instance (cuda)
  std::int64_t shared_bytes = 0;   // shared memory per instance (cuda)
  kernel::KernelOptions options{};
  bool operator==(const Target&) const = default;
};

struct Region {
  std::vector<std::uint32_t> nodes;  // ascending
  std::vector<ir::Value> inputs;     // values made elsewhere, in order of first use
  std::vector<ir::Value> outputs;    // values needed elsewhere
  // Inputs that stay as they are while the region runs many times: what is made of them alone (a
  // packed copy) is made once.
  std::vector<ir::Value> lasting{};
};

struct LoweredRegion {
  kernel::Kernel kernel;
  // What each argument buffer of the kernel holds, in order: an input, an output, or scratch
  // (memory of the given size that lives only during the kernel).
  struct Argument {
    enum class Kind : std::uint8_t { input, output, scratch };
    Kind kind = Kind::input;
    ir::Value value;         // input or output
    std::int64_t bytes = 0;  // scratch
    bool operator==(const Argument&) const = default;
  };
  std::vector<Argument> arguments;
  // Pairs (output, input) that may share one buffer: every instance reads what it needs of the
  // input's elements no later than it overwrites them, and no other instance reads them.
  std::vector<std::pair<ir::Value, ir::Value>> in_place;
  // It only copies the input of its in-place pair to the output: not needed where they share.
  bool is_copy = false;
};

// Values are row-major and dense in their buffers; bool takes one byte.
// One region may need several kernels in sequence (a large reduction has a second stage; a
// contraction may pack an operand first): scratch arguments with equal `value` numbers connect
// them.
std::vector<LoweredRegion> lower(const ir::Graph& graph, const Region& region, const Target& target,
                                 std::string name);

// How a node may take part in regions; fusion in schedule/ asks only this.
enum class Fusability : std::uint8_t {
  pointwise,    // one element of the result from one position: elementwise, select, cast, iota,
                // constants, broadcast, reshape, transpose, slice, reverse, pad, gather, ...
  reduction,    // may take pointwise producers in, and pointwise consumers as an epilogue
  contraction,  // dot, convolution: pointwise consumers as an epilogue
  alone,        // sort, scatter, cumulative and window ops: a kernel of their own
  structural,   // no kernel: parameter, scan, while, cond, barrier (the plan deals with them)
};
Fusability fusability(const ir::Op& op);

// Whether lower() can compute the region as one: its outputs have one iteration space, it has at
// most one contraction or reductions over the same axes of one shape, and what depends on those is
// needed only where they are. Also refuses regions that would compute a value at many positions.
// Fusion proposes regions and asks this, so that what lower() can do is written once, here.
bool is_one_kernel(const ir::Graph& graph, const Region& region);

}  // namespace tenon::lower
