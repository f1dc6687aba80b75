#include "tenon/base/ceil_divide.h"
#include "tenon/base/error.h"
#include "tenon/codegen/c_math_text.h"
#include "tenon/codegen/c_printer.h"
#include "tenon/codegen/c_syntax.h"
#include "tenon/codegen/register_block.h"

// Accumulators live in vectors that the compiler keeps in registers once the loops over them,
// whose extents are constants, are unrolled. Measured on 12 x 32 f32 with AVX-512: plain loops of
// __builtin_fmaf reach a third of peak (clang: a twelfth), vectors of a target builtin all of it.
namespace tenon::codegen {

using namespace kernel;

namespace {

std::string sum_text(const std::string& start, std::string_view index, std::int64_t stride) {
  std::string text = start == "0" ? "" : start;
  if (stride == 0) return text;
  text += fmt::format("{}{}", text.empty() ? "" : " + ", index);
  if (stride != 1) text += fmt::format(" * {}", stride);
  return text;
}

std::string vector_width(DType dtype) { return dtype == DType::f32 ? "TENON_F32W" : "TENON_F64W"; }
// As C text, for the width is the machine's.
std::string vectors_per_row(DType dtype, std::int64_t lanes) {
  const std::string width = vector_width(dtype);
  if (lanes % full_width(dtype) == 0) return fmt::format("{} / {}", lanes, width);
  return fmt::format("({} + {} - 1) / {}", lanes, width, width);
}

std::string or_zero(const std::string& text) { return text.empty() ? "0" : text; }

}  // namespace

std::string CPrinter::row_text(const RegisterBlock& registers) {
  return registers.row.empty() ? "r" : fmt::format("({} + r)", registers.row);
}

void CPrinter::print_depth_loop(const Contract& contract, const RegisterBlock& registers) {
  const DType dtype = type(contract.accumulator).dtype;
  const std::string_view c_type = c_element_type(dtype);
  const DType lhs_dtype = kernel_.buffers[contract.lhs.index].dtype;
  const DType rhs_dtype = kernel_.buffers[contract.rhs.index].dtype;
  const bool is_direct = rhs_dtype == dtype && contract.rhs_lane_stride == 1;
  const std::string width = vector_width(dtype);
  const std::string vectors = vectors_per_row(dtype, registers.lanes);

  const bool has_turns = !registers.ahead.empty();
  if (has_turns) {
    line("int64_t k = 0;");
    open(fmt::format("for (int64_t turn = 0; turn < {}; ++turn) {{", registers.rows));
    print_prefetches(registers, "turn", registers.rows);
    open(fmt::format("for (const int64_t end = (turn + 1) * {} / {}; k < end; ++k) {{",
                     contract.depth, registers.rows));
  } else {
    open(fmt::format("for (int64_t k = 0; k < {}; ++k) {{", contract.depth));
  }
  print_operand_prefetches(contract, registers);
  std::string row = sum_text(storage(contract.rhs_offset).text, "k", contract.rhs_depth_stride);
  if (registers.lane > 0 && contract.rhs_lane_stride != 0)
    row += fmt::format("{}{}", row.empty() ? "" : " + ", registers.lane * contract.rhs_lane_stride);
  std::string source = fmt::format("&{}[{}]", buffer(contract.rhs), or_zero(row));
  if (!is_direct) {
    // Converted or strided lanes are gathered first.
    line(fmt::format("{} panel[{}]{};", c_type, registers.lanes, array_attributes()));
    const std::string place = or_zero(sum_text(row, "l", contract.rhs_lane_stride));
    line(fmt::format(
        "for (int64_t l = 0; l < {}; ++l) panel[l] = {};", registers.lanes,
        cast_text(rhs_dtype, dtype, fmt::format("{}[{}]", buffer(contract.rhs), place))));
    source = "panel";
  }
  line(fmt::format("tenon_{}w b[{}];", dtype, vectors));
  line("TENON_UNROLL");
  line(fmt::format(
      "for (int j = 0; j < {0}; ++j) b[j] = tenon_load_{1}w({2} + j * {3}, {4} - j * {3});",
      vectors, dtype, source, width, registers.lanes));
  line("TENON_UNROLL");
  open(fmt::format("for (int64_t r = 0; r < {}; ++r) {{", registers.rows));
  std::string place =
      sum_text(storage(contract.lhs_offset).text, row_text(registers), contract.lhs_row_stride);
  place = or_zero(sum_text(place, "k", contract.lhs_depth_stride));
  line(
      fmt::format("const {} factor = {};", c_type,
                  cast_text(lhs_dtype, dtype, fmt::format("{}[{}]", buffer(contract.lhs), place))));
  line("TENON_UNROLL");
  line(
      fmt::format("for (int j = 0; j < {0}; ++j) "
                  "c[r][j] = tenon_fma_{1}w(tenon_splat_{1}w(factor), b[j], c[r][j]);",
                  vectors, dtype));
  close();
  close();
  if (has_turns) close();
}

const Contract* CPrinter::carried_contract(const Block& block, ValueId carried) const {
  // One statement takes the carried value and gives the yield; the others compute offsets.
  const Contract* found = nullptr;
  for (const Statement& statement : block.statements) {
    const Instruction& instruction = statement.instruction;
    if (const auto* contract = std::get_if<Contract>(&instruction)) {
      if (found || contract->accumulator != carried) return nullptr;
      found = contract;
    } else if (const auto* loop = std::get_if<Loop>(&instruction)) {
      if (found || loop->initial.size() != 1 || loop->initial[0] != carried) return nullptr;
      found = carried_contract(loop->body, loop->body.arguments[1]);
      if (!found) return nullptr;
    } else if (std::holds_alternative<Store>(instruction) ||
               std::holds_alternative<StoreIndexed>(instruction) ||
               std::holds_alternative<Prefetch>(instruction) ||
               std::holds_alternative<Barrier>(instruction) ||
               std::holds_alternative<If>(instruction) ||
               std::holds_alternative<Fold>(instruction) ||
               !type(statement.results.front()).is_scalar()) {
      return nullptr;
    } else {
      continue;
    }
    if (block.yields.size() != 1 || block.yields[0] != statement.results.front()) return nullptr;
  }
  return found && uses_.count(carried) == 1 ? found : nullptr;
}

void CPrinter::print_register_statement(const Statement& statement,
                                        const RegisterBlock& registers) {
  if (const auto* contract = std::get_if<Contract>(&statement.instruction)) {
    print_depth_loop(*contract, registers);
    return;
  }
  const auto* loop = std::get_if<Loop>(&statement.instruction);
  if (!loop) {
    print_scalar_statement(statement);
    return;
  }
  const ValueId index = loop->body.arguments.front();
  storage(index) = {Storage::Kind::uniform, scalar_name(index)};
  open(fmt::format("for (int64_t {0} = 0; {0} < {1}; ++{0}) {{", scalar_name(index), loop->extent));
  print_prefetches(registers, scalar_name(index), loop->extent);
  RegisterBlock within = registers;
  within.ahead.clear();
  for (const Statement& inner : loop->body.statements) print_register_statement(inner, within);
  close();
}

void CPrinter::print_in_registers(const Contract& contract, ValueId initial, const Block& block,
                                  std::size_t position) {
  const Statement& statement = block.statements[position];
  const ValueId result = statement.results.front();
  const TileType& tile = type(result);
  const bool is_whole = contract.active_rows == tile.rows && contract.active_lanes == tile.lanes;
  // Accumulators that all start equal need no memory to start from.
  const bool starts_uniform = storage(initial).kind == Storage::Kind::uniform;
  std::string start, array;
  if (starts_uniform && is_whole) {
    start = storage(initial).text;
    declare_array(result);
    array = array_name(result);
  } else {
    array = take_over(initial, block, position, result);
  }
  storage(result) = {Storage::Kind::array, array};
  const Accumulators accumulators{array, start};
  if (contract.active_rows == 0 || contract.active_lanes == 0) return;

  const std::int64_t full = full_width(tile.dtype);
  const std::int64_t lane_blocks =
      (contract.active_lanes + kMostVectorsPerRow * full - 1) / (kMostVectorsPerRow * full);
  std::int64_t lane = 0;
  for (std::int64_t i = 0; i < lane_blocks; ++i) {
    const std::int64_t lanes = std::min(kMostVectorsPerRow * full, contract.active_lanes - lane);
    const std::int64_t vectors = ceil_divide(lanes, full);
    const std::int64_t most_rows = kMostVectors / vectors;
    const std::int64_t row_blocks = ceil_divide(contract.active_rows, most_rows);
    const std::int64_t rows = ceil_divide(contract.active_rows, row_blocks);
    const std::int64_t whole = contract.active_rows / rows * rows;
    RegisterBlock registers{"", rows, lane, lanes, !starts_uniform};
    if (has_one_register_block(contract)) registers.ahead = touched_ahead(block, position);
    if (whole > rows) {
      registers.row = "row";
      open(fmt::format("for (int64_t row = 0; row < {}; row += {}) {{", whole, rows));
      print_register_block(statement, registers, accumulators);
      close();
    } else {
      print_register_block(statement, registers, accumulators);
    }
    if (whole < contract.active_rows)
      print_register_block(
          statement,
          {fmt::format("{}", whole), contract.active_rows - whole, lane, lanes, !starts_uniform},
          accumulators);
    lane += lanes;
  }
}

// Loads or fills the accumulators, runs the statement on them, and stores them.
void CPrinter::print_register_block(const Statement& statement, const RegisterBlock& registers,
                                    const Accumulators& accumulators) {
  const TileType& tile = type(statement.results.front());
  const std::string width = vector_width(tile.dtype);
  const std::string vectors = vectors_per_row(tile.dtype, registers.lanes);
  const std::string place =
      fmt::format("&{}[{} * {}{} + j * {}]", accumulators.array, row_text(registers), tile.lanes,
                  registers.lane == 0 ? "" : fmt::format(" + {}", registers.lane), width);
  const std::string left = fmt::format("{} - j * {}", registers.lanes, width);
  const auto print_for_each = [&](const std::string& text) {
    line("TENON_UNROLL");
    open(fmt::format("for (int64_t r = 0; r < {}; ++r) {{", registers.rows));
    line("TENON_UNROLL");
    line(fmt::format("for (int j = 0; j < {}; ++j) {}", vectors, text));
    close();
  };
  open(fmt::format("{{  // {} x {} accumulators", registers.rows, registers.lanes));
  line(fmt::format("tenon_{}w c[{}][{}];", tile.dtype, registers.rows, vectors));
  if (accumulators.start.empty())
    print_for_each(fmt::format("c[r][j] = tenon_load_{}w({}, {});", tile.dtype, place, left));
  else
    print_for_each(fmt::format("c[r][j] = tenon_splat_{}w({});", tile.dtype, accumulators.start));
  print_register_statement(statement, registers);
  print_for_each(fmt::format("tenon_store_{}w({}, c[r][j], {});", tile.dtype, place, left));
  close();
}

void CPrinter::print_integer_contract(const Contract& contract, const std::string& array) {
  const TileType& tile = type(contract.accumulator);
  const std::string_view c_type = c_element_type(tile.dtype);
  const DType lhs_dtype = kernel_.buffers[contract.lhs.index].dtype;
  const DType rhs_dtype = kernel_.buffers[contract.rhs.index].dtype;
  if (contract.active_rows == 0 || contract.active_lanes == 0) return;
  open(fmt::format("for (int64_t r = 0; r < {}; ++r) {{", contract.active_rows));
  open(fmt::format("for (int64_t k = 0; k < {}; ++k) {{", contract.depth));
  std::string place = sum_text(storage(contract.lhs_offset).text, "r", contract.lhs_row_stride);
  place = or_zero(sum_text(place, "k", contract.lhs_depth_stride));
  line(fmt::format(
      "const {} factor = {};", c_type,
      cast_text(lhs_dtype, tile.dtype, fmt::format("{}[{}]", buffer(contract.lhs), place))));
  place = sum_text(storage(contract.rhs_offset).text, "k", contract.rhs_depth_stride);
  place = or_zero(sum_text(place, "l", contract.rhs_lane_stride));
  line("TENON_INDEPENDENT");
  open(fmt::format("for (int64_t l = 0; l < {}; ++l) {{", contract.active_lanes));
  line(fmt::format(
      "const {} other = {};", c_type,
      cast_text(rhs_dtype, tile.dtype, fmt::format("{}[{}]", buffer(contract.rhs), place))));
  const std::string sum = fmt::format("{}[r * {} + l]", array, tile.lanes);
  line(fmt::format("{} = {};", sum, multiply_add_text(tile.dtype, "factor", "other", sum)));
  close();
  close();
  close();
}

void CPrinter::print_scalar_contract(const Contract& contract, ValueId result) {
  const DType dtype = type(result).dtype;
  const std::string_view c_type = c_element_type(dtype);
  const auto operand = [&](BufferId id, ValueId offset, std::int64_t depth_stride) {
    const std::string place = or_zero(sum_text(storage(offset).text, "k", depth_stride));
    return cast_text(kernel_.buffers[id.index].dtype, dtype,
                     fmt::format("{}[{}]", buffer(id), place));
  };
  line(fmt::format("{} {} = {};", c_type, scalar_name(result), element(contract.accumulator)));
  storage(result) = {Storage::Kind::uniform, scalar_name(result)};
  if (contract.active_rows * contract.active_lanes == 0) return;
  open(fmt::format("for (int64_t k = 0; k < {}; ++k) {{", contract.depth));
  line(fmt::format("const {} factor = {};", c_type,
                   operand(contract.lhs, contract.lhs_offset, contract.lhs_depth_stride)));
  line(fmt::format("const {} other = {};", c_type,
                   operand(contract.rhs, contract.rhs_offset, contract.rhs_depth_stride)));
  line(fmt::format("{} = {};", scalar_name(result),
                   multiply_add_text(dtype, "factor", "other", scalar_name(result))));
  close();
}

void CPrinter::print_contract(const Contract& contract, const Block& block, std::size_t position) {
  const ValueId result = block.statements[position].results.front();
  const TileType& tile = type(result);
  if (tile.is_scalar()) {
    print_scalar_contract(contract, result);
  } else if (is_float(tile.dtype)) {
    print_in_registers(contract, contract.accumulator, block, position);
  } else {
    const std::string array = take_over(contract.accumulator, block, position, result);
    storage(result) = {Storage::Kind::array, array};
    print_integer_contract(contract, array);
  }
}

const Contract* CPrinter::special_contract(const Loop& loop) const {
  if (!options_.keep_accumulators || loop.initial.size() != 1 || loop.extent == 0) return nullptr;
  const TileType& tile = type(loop.initial.front());
  if (tile.is_scalar() || !is_float(tile.dtype)) return nullptr;
  return carried_contract(loop.body, loop.body.arguments[1]);
}

bool CPrinter::print_special_loop(const Block& block, std::size_t position) {
  const auto& loop = std::get<Loop>(block.statements[position].instruction);
  const Contract* contract = special_contract(loop);
  if (!contract) return false;
  print_in_registers(*contract, loop.initial.front(), block, position);
  return true;
}

}  // namespace tenon::codegen
