#include "tenon/codegen/c_math_text.h"
#include "tenon/codegen/c_syntax.h"
#include "tenon/codegen/cuda_printer.h"

namespace tenon::codegen {

using namespace kernel;

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
  const std::int64_t registers = ceil_divide(fold.active, kernel_.team);
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

}  // namespace tenon::codegen
