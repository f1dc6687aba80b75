#include "tenon/base/error.h"
#include "tenon/codegen/c_math_text.h"
#include "tenon/codegen/c_printer.h"
#include "tenon/codegen/c_syntax.h"

// Accumulators live in vectors that the compiler keeps in registers once the loops over them,
// whose extents are constants, are unrolled. Measured on 12 x 32 f32 with AVX-512: plain loops of
// __builtin_fmaf reach a third of peak (clang: a twelfth), vectors of a target builtin all of it.
namespace tenon::codegen {

using namespace kernel;

namespace {

// Vectors of accumulators per block: what 32 registers hold beside the operands. Lowering chooses
// smaller tiles for targets with fewer registers.
constexpr std::int64_t kMostVectors = 28;
constexpr std::int64_t kMostVectorsPerRow = 4;

std::int64_t full_width(DType dtype) { return dtype == DType::f32 ? 16 : 8; }

std::string sum_text(const std::string& start, std::string_view index, std::int64_t stride) {
  std::string text = start == "0" ? "" : start;
  if (stride == 0) return text;
  text += fmt::format("{}{}", text.empty() ? "" : " + ", index);
  if (stride != 1) text += fmt::format(" * {}", stride);
  return text;
}

std::string or_zero(const std::string& text) { return text.empty() ? "0" : text; }

}  // namespace

// Vectors as wide as the machine's, then halves and quarters of the widest, then single lanes.
std::vector<CPrinter::Piece> CPrinter::pieces_of(DType dtype, std::int64_t lanes) const {
  const std::string prefix(name(dtype));
  std::string macro = dtype == DType::f32 ? "TENON_F32" : "TENON_F64";
  std::vector<Piece> pieces;
  std::int64_t lane = 0;
  const auto add = [&](std::string_view suffix, std::string_view macro_suffix,
                       std::int64_t covered) {
    if (covered == 0) return;
    const std::string width = macro + std::string(macro_suffix);
    pieces.push_back(
        {prefix + std::string(suffix), fmt::format("{} / {}", covered, width), width, lane});
    lane += covered;
  };
  const std::int64_t full = full_width(dtype);
  add("w", "W", lanes / full * full);
  add("h", "H", (lanes - lane) / (full / 2) * (full / 2));
  add("q", "Q", (lanes - lane) / (full / 4) * (full / 4));
  if (lane < lanes) pieces.push_back({prefix, fmt::format("{}", lanes - lane), "1", lane});
  return pieces;
}

void CPrinter::print_depth_loop(const Contract& contract, const RegisterBlock& registers,
                                const std::vector<Piece>& pieces) {
  const DType dtype = type(contract.accumulator).dtype;
  const std::string_view c_type = c_element_type(dtype);
  const DType lhs_dtype = kernel_.buffers[contract.lhs.index].dtype;
  const DType rhs_dtype = kernel_.buffers[contract.rhs.index].dtype;
  const std::string& lhs_start = storage(contract.lhs_offset).text;
  const std::string& rhs_start = storage(contract.rhs_offset).text;
  const bool is_direct = rhs_dtype == dtype && contract.rhs_lane_stride == 1;

  open(fmt::format("for (int64_t k = 0; k < {}; ++k) {{", contract.depth));
  const std::string depth = sum_text(rhs_start, "k", contract.rhs_depth_stride);
  const auto rhs_place = [&](std::int64_t lane) {
    return fmt::format("{}[{}{}]", buffer(contract.rhs), or_zero(depth),
                       lane == 0 ? "" : fmt::format(" + {}", lane));
  };
  if (!is_direct) {
    // Converted or strided lanes are gathered first.
    line(fmt::format("{} panel[{}]{};", c_type, registers.lanes, array_attributes()));
    std::string place = sum_text(depth, "l", contract.rhs_lane_stride);
    if (registers.lane > 0 && contract.rhs_lane_stride != 0)
      place += fmt::format(" + {}", registers.lane * contract.rhs_lane_stride);
    line(fmt::format(
        "for (int64_t l = 0; l < {}; ++l) panel[l] = {};", registers.lanes,
        cast_text(rhs_dtype, dtype, fmt::format("{}[{}]", buffer(contract.rhs), or_zero(place)))));
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    line(fmt::format("tenon_{} b{}[{}];", piece.type, i, piece.vectors));
    line("TENON_UNROLL");
    if (is_direct)
      line(fmt::format("for (int j = 0; j < {}; ++j) b{}[j] = *(const tenon_{}*)(&{} + j * {});",
                       piece.vectors, i, piece.type, rhs_place(registers.lane + piece.lane),
                       piece.width));
    else
      line(fmt::format(
          "for (int j = 0; j < {}; ++j) b{}[j] = *(const tenon_{}*)&panel[{} + j * {}];",
          piece.vectors, i, piece.type, piece.lane, piece.width));
  }
  line("TENON_UNROLL");
  open(fmt::format("for (int64_t r = 0; r < {}; ++r) {{", registers.rows));
  std::string place =
      sum_text(lhs_start, registers.row.empty() ? "r" : fmt::format("({} + r)", registers.row),
               contract.lhs_row_stride);
  place = sum_text(place, "k", contract.lhs_depth_stride);
  line(fmt::format(
      "const {} factor = {};", c_type,
      cast_text(lhs_dtype, dtype, fmt::format("{}[{}]", buffer(contract.lhs), or_zero(place)))));
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    line("TENON_UNROLL");
    line(fmt::format(
        "for (int j = 0; j < {0}; ++j) c{1}[r][j] = tenon_fma_{2}(tenon_splat_{2}(factor), "
        "b{1}[j], c{1}[r][j]);",
        pieces[i].vectors, i, pieces[i].type));
  }
  close();
  close();
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

void CPrinter::print_register_statement(const Statement& statement, const RegisterBlock& registers,
                                        const std::vector<Piece>& pieces) {
  if (const auto* contract = std::get_if<Contract>(&statement.instruction)) {
    print_depth_loop(*contract, registers, pieces);
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
  for (const Statement& inner : loop->body.statements)
    print_register_statement(inner, registers, pieces);
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
  if (contract.active_rows == 0 || contract.active_lanes == 0) return;

  const std::int64_t full = full_width(tile.dtype);
  const std::int64_t lane_blocks =
      (contract.active_lanes + kMostVectorsPerRow * full - 1) / (kMostVectorsPerRow * full);
  std::int64_t lane = 0;
  for (std::int64_t i = 0; i < lane_blocks; ++i) {
    const std::int64_t lanes = std::min(kMostVectorsPerRow * full, contract.active_lanes - lane);
    const std::vector<Piece> pieces = pieces_of(tile.dtype, lanes);
    const std::int64_t vectors = (lanes + full - 1) / full;
    const std::int64_t most_rows = kMostVectors / vectors;
    const std::int64_t row_blocks = (contract.active_rows + most_rows - 1) / most_rows;
    const std::int64_t rows = (contract.active_rows + row_blocks - 1) / row_blocks;
    const std::int64_t whole = contract.active_rows / rows * rows;
    RegisterBlock registers{"", rows, lane, lanes};
    const Accumulators accumulators{array, start, pieces};
    if (whole > rows) {
      registers.row = "row";
      open(fmt::format("for (int64_t row = 0; row < {}; row += {}) {{", whole, rows));
      print_register_block(statement, registers, accumulators);
      close();
    } else {
      print_register_block(statement, registers, accumulators);
    }
    if (whole < contract.active_rows)
      print_register_block(statement,
                           {fmt::format("{}", whole), contract.active_rows - whole, lane, lanes},
                           accumulators);
    lane += lanes;
  }
}

// Loads or fills the accumulators, runs the statement on them, and stores them.
void CPrinter::print_register_block(const Statement& statement, const RegisterBlock& registers,
                                    const Accumulators& accumulators) {
  const std::vector<Piece>& pieces = accumulators.pieces;
  const std::int64_t lanes = type(statement.results.front()).lanes;
  open(fmt::format("{{  // {} x {} accumulators", registers.rows, registers.lanes));
  for (std::size_t i = 0; i < pieces.size(); ++i)
    line(
        fmt::format("tenon_{} c{}[{}][{}];", pieces[i].type, i, registers.rows, pieces[i].vectors));
  const auto print_for_each = [&](std::size_t i, const std::string& text) {
    line("TENON_UNROLL");
    open(fmt::format("for (int64_t r = 0; r < {}; ++r) {{", registers.rows));
    line("TENON_UNROLL");
    line(fmt::format("for (int j = 0; j < {}; ++j) {}", pieces[i].vectors, text));
    close();
  };
  const auto place = [&](const Piece& piece) {
    const std::int64_t lane = registers.lane + piece.lane;
    return fmt::format("{}[{} * {}{} + j * {}]", accumulators.array,
                       registers.row.empty() ? "r" : fmt::format("({} + r)", registers.row), lanes,
                       lane == 0 ? "" : fmt::format(" + {}", lane), piece.width);
  };
  for (std::size_t i = 0; i < pieces.size(); ++i)
    print_for_each(
        i, fmt::format("c{}[r][j] = ", i) +
               (accumulators.start.empty()
                    ? fmt::format("*(const tenon_{}*)&{};", pieces[i].type, place(pieces[i]))
                    : fmt::format("tenon_splat_{}({});", pieces[i].type, accumulators.start)));
  print_register_statement(statement, registers, pieces);
  for (std::size_t i = 0; i < pieces.size(); ++i)
    print_for_each(
        i, fmt::format("*(tenon_{}*)&{} = c{}[r][j];", pieces[i].type, place(pieces[i]), i));
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

bool CPrinter::print_special_loop(const Block& block, std::size_t position) {
  const auto& loop = std::get<Loop>(block.statements[position].instruction);
  if (loop.initial.size() != 1 || loop.extent == 0) return false;
  const TileType& tile = type(loop.initial.front());
  if (tile.is_scalar() || !is_float(tile.dtype)) return false;
  const Contract* contract = carried_contract(loop.body, loop.body.arguments[1]);
  if (!contract) return false;
  print_in_registers(*contract, loop.initial.front(), block, position);
  return true;
}

}  // namespace tenon::codegen
