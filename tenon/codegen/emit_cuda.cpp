#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/codegen/c_math_text.h"
#include "tenon/codegen/c_syntax.h"
#include "tenon/codegen/cuda_printer.h"
#include "tenon/codegen/emit.h"
#include "tenon/kernel/operands.h"

namespace tenon::codegen {

using namespace kernel;

namespace {

constexpr std::int64_t kWarp = 32;
constexpr std::int64_t kMostThreads = 1024;
constexpr std::int64_t kMostGrid = 2147483647;
constexpr std::int64_t kMostSharedBytes = 48 * 1024;  // what a kernel may declare statically

}  // namespace

TeamMapping team_mapping(std::int64_t team, const Extents& extents) {
  TeamMapping best;
  std::int64_t best_count = 0, best_sum = 0;
  for (std::int64_t lane_threads = 1; lane_threads <= team; ++lane_threads) {
    if (team % lane_threads != 0) continue;
    TeamMapping next{team / lane_threads, lane_threads, 0, 0};
    next.row_registers = ceil_divide(extents.rows, next.row_threads);
    next.lane_registers = ceil_divide(extents.lanes, lane_threads);
    const std::int64_t count = next.row_registers * next.lane_registers;
    const std::int64_t sum = next.row_registers + next.lane_registers;
    // Of equal ones, the one with most threads along lanes reads memory in the longest pieces.
    if (best_count != 0 && (count > best_count || (count == best_count && sum > best_sum)))
      continue;
    best = next;
    best_count = count;
    best_sum = sum;
  }
  return best;
}

std::vector<KernelPrinter::Segment> CudaPrinter::segments(const Block&, std::size_t, std::size_t,
                                                          const Extents& extents) const {
  return {{0, extents.rows, 0, extents.lanes}};
}

void CudaPrinter::open_element_loop(const Extents& extents, const Segment&) {
  const TeamMapping map = team_mapping(kernel_.team, extents);
  if (extents.rows > 1) {
    line("#pragma unroll");
    open(fmt::format("for (int i = 0; i < {}; ++i) {{", map.row_registers));
    line(fmt::format("const int64_t r = thread / {} + i * {};", map.lane_threads, map.row_threads));
  }
  if (extents.lanes > 1) {
    line("#pragma unroll");
    open(fmt::format("for (int j = 0; j < {}; ++j) {{", map.lane_registers));
    line(fmt::format("const int64_t l = {} + j * {};",
                     map.lane_threads == kernel_.team
                         ? std::string("thread")
                         : fmt::format("thread % {}", map.lane_threads),
                     map.lane_threads));
  }
}

void CudaPrinter::close_element_loop(const Extents& extents, const Segment&) {
  if (extents.lanes > 1) close();
  if (extents.rows > 1) close();
}

std::string CudaPrinter::condition(const Segment&, const Extents& extents, std::int64_t rows,
                                   std::int64_t lanes) const {
  if (rows == 0 || lanes == 0) return "0";
  const TeamMapping map = team_mapping(kernel_.team, extents);
  std::vector<std::string> terms;
  if (rows < map.row_threads * map.row_registers)
    terms.push_back(extents.rows > 1 ? fmt::format("r < {}", rows)
                                     : fmt::format("thread < {}", map.lane_threads));
  if (lanes < map.lane_threads * map.lane_registers)
    terms.push_back(extents.lanes > 1 ? fmt::format("l < {}", lanes)
                                      : fmt::format("thread % {} == 0", map.lane_threads));
  return join(terms, " && ");
}

std::int64_t CudaPrinter::array_length(const TileType& type) const {
  const TeamMapping map = mapping(type);
  return map.row_registers * map.lane_registers;
}

std::string CudaPrinter::array_element(const std::string& array, const TileType& type) const {
  const TeamMapping map = mapping(type);
  if (type.lanes == 1) return fmt::format("{}[i]", array);
  if (type.rows == 1) return fmt::format("{}[j]", array);
  return fmt::format("{}[i * {} + j]", array, map.lane_registers);
}

std::int64_t CudaPrinter::scratch_bytes(const Block& block) const {
  std::int64_t bytes = 0;
  for (const Statement& statement : block.statements) {
    if (const auto* loop = std::get_if<Loop>(&statement.instruction))
      bytes = std::max(bytes, scratch_bytes(loop->body));
    if (const auto* node = std::get_if<If>(&statement.instruction))
      bytes = std::max(bytes, scratch_bytes(node->body));
    const auto* fold = std::get_if<Fold>(&statement.instruction);
    if (!fold || type(fold->tile).is_scalar()) continue;
    const TileType& tile = type(fold->tile);
    const auto size = static_cast<std::int64_t>(size_of(tile.dtype));
    if (fold->axis == FoldAxis::lanes && tile.rows == 1) {
      bytes = std::max(bytes, kernel_.team / kWarp * size);
      continue;
    }
    const TeamMapping map = mapping(tile);
    bytes = std::max(bytes, (fold->axis == FoldAxis::lanes ? tile.rows * map.lane_threads
                                                           : map.row_threads * tile.lanes) *
                                size);
  }
  return bytes;
}

std::string CudaPrinter::print() {
  check(kernel_.team % kWarp == 0 && kernel_.team <= kMostThreads,
        "kernel {}: a team of {} is not a multiple of {} up to {}", kernel_.name, kernel_.team,
        kWarp, kMostThreads);
  check(kernel_.grid <= kMostGrid, "kernel {}: a grid of {} is above {}", kernel_.name,
        kernel_.grid, kMostGrid);
  const std::int64_t scratch = scratch_bytes(kernel_.body);
  std::int64_t shared = scratch;
  std::vector<std::string> parameters;
  for (std::uint32_t i = 0; i < kernel_.buffers.size(); ++i) {
    const Buffer& one = kernel_.buffers[i];
    if (one.space == Space::shared) {
      shared += one.elements * static_cast<std::int64_t>(size_of(one.dtype));
      continue;
    }
    bool is_alone = true;
    for (std::uint32_t other = 0; other < kernel_.buffers.size(); ++other)
      is_alone = is_alone && (other == i || !may_alias(kernel_, {i}, {other}));
    parameters.push_back(fmt::format("{}{}*{} {}", one.is_written ? "" : "const ",
                                     c_element_type(one.dtype), is_alone ? " __restrict__" : "",
                                     buffer({i})));
  }
  check(shared <= kMostSharedBytes, "kernel {}: {} bytes of shared memory are above {}",
        kernel_.name, shared, kMostSharedBytes);
  text_ = comment_lines(kernel_);
  line(fmt::format("// {} blocks of {} threads", kernel_.grid, kernel_.team));
  open(fmt::format("extern \"C\" __global__ void __launch_bounds__({}) {}({}) {{", kernel_.team,
                   kernel_.name, join(parameters, ", ")));
  line("const int thread = threadIdx.x;");
  line(fmt::format("const int64_t {} = blockIdx.x;", scalar_name(kernel_.body.arguments.front())));
  for (std::uint32_t i = 0; i < kernel_.buffers.size(); ++i) {
    const Buffer& one = kernel_.buffers[i];
    if (one.space == Space::shared && one.elements > 0)
      line(fmt::format("__shared__ __align__(16) {} {}[{}];", c_element_type(one.dtype),
                       buffer({i}), one.elements));
  }
  if (scratch > 0)
    line(fmt::format("__shared__ __align__(16) unsigned char scratch[{}];", scratch));
  print_block(kernel_.body);
  close();
  return text_;
}

void CudaPrinter::print_contract(const Contract& contract, const Block& block,
                                 std::size_t position) {
  const ValueId result = block.statements[position].results.front();
  const TileType& tile = type(result);
  const DType dtype = tile.dtype;
  const std::string_view c_type = c_element_type(dtype);
  const auto operand = [&](BufferId id, ValueId offset, std::string_view outer,
                           std::int64_t outer_stride, std::int64_t depth_stride) {
    std::string place = storage(offset).text;
    if (!outer.empty() && outer_stride != 0)
      place += outer_stride == 1 ? fmt::format(" + {}", outer)
                                 : fmt::format(" + {} * {}", outer, outer_stride);
    if (depth_stride != 0)
      place += depth_stride == 1 ? " + k" : fmt::format(" + k * {}", depth_stride);
    return cast_text(kernel_.buffers[id.index].dtype, dtype,
                     fmt::format("{}[{}]", buffer(id), place));
  };
  if (tile.is_scalar()) {  // every thread computes it
    line(fmt::format("{} {} = {};", c_type, scalar_name(result), element(contract.accumulator)));
    storage(result) = {Storage::Kind::uniform, scalar_name(result)};
    if (contract.active_rows * contract.active_lanes == 0) return;
    open(fmt::format("for (int64_t k = 0; k < {}; ++k) {{", contract.depth));
    line(fmt::format(
        "{} = {};", scalar_name(result),
        multiply_add_text(
            dtype, operand(contract.lhs, contract.lhs_offset, "", 0, contract.lhs_depth_stride),
            operand(contract.rhs, contract.rhs_offset, "", 0, contract.rhs_depth_stride),
            scalar_name(result))));
    close();
    return;
  }
  const std::string array = take_over(contract.accumulator, block, position, result);
  storage(result) = {Storage::Kind::array, array};
  if (contract.active_rows == 0 || contract.active_lanes == 0) return;
  const TeamMapping map = mapping(tile);
  // What a thread needs of each operand is read once per k, then every pair is used.
  const std::string row =
      map.lane_threads == kernel_.team
          ? fmt::format("i * {}", map.row_threads)
          : fmt::format("(thread / {} + i * {})", map.lane_threads, map.row_threads);
  const std::string lane =
      fmt::format("(thread % {} + j * {})", map.lane_threads, map.lane_threads);
  const bool rows_are_whole = contract.active_rows == map.row_threads * map.row_registers;
  const bool lanes_are_whole = contract.active_lanes == map.lane_threads * map.lane_registers;
  open(fmt::format("for (int64_t k = 0; k < {}; ++k) {{", contract.depth));
  line(fmt::format("{} factor[{}];", c_type, map.row_registers));
  line("#pragma unroll");
  line(fmt::format("for (int i = 0; i < {}; ++i) factor[i] = {}{}{};", map.row_registers,
                   rows_are_whole ? "" : fmt::format("{} < {} ? ", row, contract.active_rows),
                   operand(contract.lhs, contract.lhs_offset, row, contract.lhs_row_stride,
                           contract.lhs_depth_stride),
                   rows_are_whole ? "" : " : 0"));
  line(fmt::format("{} panel[{}];", c_type, map.lane_registers));
  line("#pragma unroll");
  line(fmt::format("for (int j = 0; j < {}; ++j) panel[j] = {}{}{};", map.lane_registers,
                   lanes_are_whole ? "" : fmt::format("{} < {} ? ", lane, contract.active_lanes),
                   operand(contract.rhs, contract.rhs_offset, lane, contract.rhs_lane_stride,
                           contract.rhs_depth_stride),
                   lanes_are_whole ? "" : " : 0"));
  line("#pragma unroll");
  line(fmt::format("for (int i = 0; i < {}; ++i)", map.row_registers));
  line("#pragma unroll");
  std::vector<std::string> guards;
  if (!rows_are_whole) guards.push_back(fmt::format("{} < {}", row, contract.active_rows));
  if (!lanes_are_whole) guards.push_back(fmt::format("{} < {}", lane, contract.active_lanes));
  const std::string target = fmt::format("{}[i * {} + j]", array, map.lane_registers);
  line(fmt::format("  for (int j = 0; j < {}; ++j)", map.lane_registers));
  line(fmt::format("    {}{} = {};",
                   guards.empty() ? "" : fmt::format("if ({}) ", join(guards, " && ")), target,
                   multiply_add_text(dtype, "factor[i]", "panel[j]", target)));
  close();
}

namespace {

// Threads hold elements by the extents of a tile: those of a row or a column may be elsewhere.
void require_scalar_splats(const Kernel& kernel, const Block& block) {
  for (const Statement& statement : block.statements) {
    if (const auto* splat = std::get_if<Splat>(&statement.instruction))
      check(kernel.type(splat->operand).is_scalar(), "kernel {}: a row or column is repeated",
            kernel.name);
    if (const Block* body = body_of(statement.instruction)) require_scalar_splats(kernel, *body);
  }
}

}  // namespace

std::string emit_cuda(const Kernel& kernel) {
  require_scalar_splats(kernel, kernel.body);
  return CudaPrinter(kernel).print();
}

}  // namespace tenon::codegen
