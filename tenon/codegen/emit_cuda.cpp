#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/codegen/c_math_text.h"
#include "tenon/codegen/c_syntax.h"
#include "tenon/codegen/cuda_printer.h"
#include "tenon/codegen/emit.h"

namespace tenon::codegen {

using namespace kernel;

namespace {

std::int64_t rounded_quotient(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

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
    next.row_registers = rounded_quotient(extents.rows, next.row_threads);
    next.lane_registers = rounded_quotient(extents.lanes, lane_threads);
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

std::string team_fold_text(ScalarFunction function, DType dtype) {
  const std::string_view c_type = c_element_type(dtype);
  // Shuffles move 32 and 64 bits.
  const std::string moved = size_of(dtype) < 4 ? "(unsigned int)value" : "value";
  std::string text = fmt::format(
      "/* {0} of one value of each of the first `members` threads; scratch has one place per warp. "
      "*/\n"
      "TENON_INLINE {1} tenon_team_{0}_{2}({1} value, int members, {1}* scratch) {{\n"
      "  const int thread = threadIdx.x;\n"
      "  const int lane = thread % 32;\n"
      "  for (int step = 16; step >= 1; step /= 2) {{\n"
      "    const {1} other = ({1})__shfl_down_sync(0xffffffffu, {3}, step);\n"
      "    if (lane + step < 32 && thread + step < members)\n"
      "      value = {4};\n"
      "  }}\n"
      "  if (lane == 0) scratch[thread / 32] = value;\n"
      "  __syncthreads();\n"
      "  value = scratch[0];\n"
      "  for (int warp = 1; warp < (members + 31) / 32; ++warp)\n"
      "    value = {5};\n"
      "  __syncthreads();\n"
      "  return value;\n"
      "}}\n\n",
      info(function).name, c_type, dtype, moved, call_text(function, dtype, {"value", "other"}),
      call_text(function, dtype, {"value", "scratch[warp]"}));
  return text;
}

// One row: every thread combines its own lanes, then the team its threads.
void CudaPrinter::print_team_fold(const Fold& fold, ValueId result) {
  const TileType& tile = type(fold.tile);
  const std::string_view c_type = c_element_type(tile.dtype);
  const std::string& array = storage(fold.tile).text;
  line(fmt::format("{} {} = {}[0];", c_type, scalar_name(result), array));
  const std::int64_t registers = rounded_quotient(fold.active, kernel_.team);
  if (registers > 1) {
    line("#pragma unroll");
    line(fmt::format("for (int j = 1; j < {}; ++j)", registers));
    line(fmt::format(
        "  {}{} = {};",
        registers * kernel_.team == fold.active
            ? ""
            : fmt::format("if (thread + j * {} < {}) ", kernel_.team, fold.active),
        scalar_name(result),
        call_text(fold.function, tile.dtype, {scalar_name(result), fmt::format("{}[j]", array)})));
  }
  line(fmt::format("{0} = tenon_team_{1}_{2}({0}, {3}, ({4}*)scratch);", scalar_name(result),
                   info(fold.function).name, tile.dtype, std::min(fold.active, kernel_.team),
                   c_type));
  storage(result) = {Storage::Kind::uniform, scalar_name(result)};
}

// Several rows: each thread combines what it holds of a line, puts that into shared memory, and
// the holders of the result combine the threads' values in order.
void CudaPrinter::print_shared_fold(const Fold& fold, ValueId result) {
  const TileType& tile = type(fold.tile);
  const TeamMapping map = mapping(tile);
  const bool over_lanes = fold.axis == FoldAxis::lanes;
  const std::string_view c_type = c_element_type(tile.dtype);
  const std::string& array = storage(fold.tile).text;
  const Extents extents{tile.rows, tile.lanes};
  const Segment whole{0, tile.rows, 0, tile.lanes};

  const std::int64_t folded_threads = over_lanes ? map.lane_threads : map.row_threads;
  const std::int64_t members = std::min(fold.active, folded_threads);
  const std::int64_t lines = over_lanes ? tile.rows : tile.lanes;
  // Scratch holds one value per line and folded thread.
  const std::string owner = over_lanes ? fmt::format("thread % {}", map.lane_threads)
                                       : fmt::format("thread / {}", map.lane_threads);
  const std::int64_t line_registers = over_lanes ? map.row_registers : map.lane_registers;
  const std::int64_t line_threads = over_lanes ? map.row_threads : map.lane_threads;
  const std::string line_thread = over_lanes ? fmt::format("thread / {}", map.lane_threads)
                                             : fmt::format("thread % {}", map.lane_threads);
  const std::int64_t folded_registers = over_lanes ? map.lane_registers : map.row_registers;
  const auto held = [&](std::string_view line_index, std::string_view folded_index) {
    if (over_lanes)
      return fmt::format("{}[{} * {} + {}]", array, line_index, map.lane_registers, folded_index);
    return fmt::format("{}[{} * {} + {}]", array, folded_index, map.lane_registers, line_index);
  };
  if (lines > 1)
    declare_array(result);
  else
    line(fmt::format("{} {};", c_type, scalar_name(result)));
  open("{");
  line(fmt::format("// {} over {} {}", info(fold.function).name, fold.active,
                   over_lanes ? "lanes" : "rows"));
  line(fmt::format("{0}* const part = ({0}*)scratch;", c_type));
  line("#pragma unroll");
  open(fmt::format("for (int i = 0; i < {}; ++i) {{", line_registers));
  line(fmt::format("{} p = {};", c_type, held("i", "0")));
  if (folded_registers > 1) {
    line("#pragma unroll");
    line(fmt::format("for (int j = 1; j < {}; ++j)", folded_registers));
    line(fmt::format("  if ({} + j * {} < {}) p = {};", owner, folded_threads, fold.active,
                     call_text(fold.function, tile.dtype, {"p", held("i", "j")})));
  }
  line(fmt::format("const int at = {} + i * {};", line_thread, line_threads));
  line(fmt::format("if (at < {} && {} < {}) part[at * {} + {}] = p;", lines, owner, members,
                   members, owner));
  close();
  line("__syncthreads();");
  const auto print_combination = [&](const std::string& target, const std::string& index) {
    line(fmt::format("{} p = part[{} * {}];", c_type, index, members));
    line(fmt::format("for (int n = 1; n < {}; ++n)", members));
    line(fmt::format("  p = {};",
                     call_text(fold.function, tile.dtype,
                               {"p", fmt::format("part[{} * {} + n]", index, members)})));
    line(fmt::format("{} = p;", target));
  };
  if (lines == 1) {
    print_combination(scalar_name(result), "0");
  } else {
    const TileType& type_of_result = type(result);
    const Extents result_extents{type_of_result.rows, type_of_result.lanes};
    open_element_loop(result_extents, {0, result_extents.rows, 0, result_extents.lanes});
    const std::string index = over_lanes ? "r" : "l";
    line(fmt::format("if ({} < {}) {{", index, lines));
    print_combination(array_element(array_name(result), type_of_result), index);
    line("}");
    close_element_loop(result_extents, {});
  }
  line("__syncthreads();");
  close();
  storage(result) = lines > 1 ? Storage{Storage::Kind::array, array_name(result)}
                              : Storage{Storage::Kind::uniform, scalar_name(result)};
}

void CudaPrinter::print_fold(const Fold& fold, ValueId result) {
  if (fold.axis == FoldAxis::lanes && type(fold.tile).rows == 1)
    print_team_fold(fold, result);
  else
    print_shared_fold(fold, result);
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
  const Extents extents{tile.rows, tile.lanes};
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

std::string emit_cuda(const Kernel& kernel) { return CudaPrinter(kernel).print(); }

}  // namespace tenon::codegen
