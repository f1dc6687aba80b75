#include <algorithm>

#include "tenon/base/ceil_divide.h"
#include "tenon/codegen/c_printer.h"
#include "tenon/codegen/register_block.h"

// What an epilogue reads and writes was last touched a step ago and lies in far memory. Its tiles
// are narrow and their rows lie far apart, which the processor's own prefetching does not foresee;
// asked for while the contraction computes, a few lines at a time, they are there in time. (All at
// once they would fill the buffers for lines that are on their way, and the contraction would
// wait.) Measured on a GPT of width 128, AVX-512: 8 % of the step. What a kernel asks for in front
// of a contraction is shared out over it in the same way.
namespace tenon::codegen {

using namespace kernel;

namespace {

constexpr std::int64_t kLineBytes = 64;
// Between steps of an operand: the processor follows shorter ones, but none over a page's end.
constexpr std::int64_t kFarBytes = 256;
constexpr std::int64_t kStepsAhead = 16;
// Rows of a product that is taken block by block meet many tiles of lanes one after the other, and
// lie near. Asked for too early they fill the first cache, or push each other out where a step is a
// multiple of 4 KiB. Measured on the weight gradients of GPT-2, AVX-512: 9 % of a kernel with such
// steps, 0 to 3 % of others; for the lanes, which come from further, 5 is too late.
constexpr std::int64_t kStepsAheadInBlock = 5;

// Positions in a row of `count` elements, rows `step` apart, in every line that it may touch: those
// of whole lines, whole lines apart, begin with one.
std::vector<std::int64_t> one_of_each_line(std::int64_t count, std::int64_t step,
                                           std::int64_t line_elements) {
  std::vector<std::int64_t> elements;
  for (std::int64_t i = 0; i < count; i += line_elements) elements.push_back(i);
  const bool is_whole = count % line_elements == 0 && step % line_elements == 0;
  if (!is_whole && elements.back() != count - 1) elements.push_back(count - 1);
  return elements;
}

bool ends_epilogue(const Instruction& instruction) {
  return std::holds_alternative<Contract>(instruction) ||
         std::holds_alternative<Loop>(instruction) || std::holds_alternative<If>(instruction) ||
         std::holds_alternative<Barrier>(instruction);
}

}  // namespace

bool CPrinter::has_one_register_block(const Contract& contract) const {
  const std::int64_t full = full_width(type(contract.accumulator).dtype);
  const std::int64_t vectors = ceil_divide(contract.active_lanes, full);
  return vectors > 0 && vectors <= kMostVectorsPerRow && contract.active_rows > 0 &&
         contract.active_rows <= kMostVectors / vectors;
}

bool CPrinter::is_spread(const Block& block, std::size_t position) const {
  const auto* prefetch = std::get_if<Prefetch>(&block.statements[position].instruction);
  // What is asked for in turns are lines of rows.
  if (prefetch == nullptr || prefetch->access.lane_stride != 1) return false;
  const auto next = std::find_if(
      block.statements.begin() + static_cast<std::ptrdiff_t>(position) + 1, block.statements.end(),
      [](const Statement& statement) { return ends_epilogue(statement.instruction); });
  if (next == block.statements.end()) return false;
  const auto* contract = std::get_if<Contract>(&next->instruction);
  if (const auto* loop = std::get_if<Loop>(&next->instruction)) contract = special_contract(*loop);
  if (contract == nullptr) return false;
  const TileType& tile = type(contract->accumulator);
  return !tile.is_scalar() && is_float(tile.dtype) && has_one_register_block(*contract);
}

std::vector<CPrinter::Ahead> CPrinter::touched_ahead(const Block& block,
                                                     std::size_t position) const {
  const TileType& tile = type(block.statements[position].results.front());
  std::vector<Ahead> ahead;
  if (!options_.prefetch) return ahead;
  for (std::size_t i = position; i-- > 0 && !ends_epilogue(block.statements[i].instruction);)
    if (is_spread(block, i))
      ahead.insert(ahead.begin(),
                   {std::get<Prefetch>(block.statements[i].instruction).access, ", 0, 2"});
  const std::size_t asked = ahead.size();
  const auto add = [&](const Access& access, std::int64_t rows, bool is_written) {
    const Buffer& memory = kernel_.buffers[access.buffer.index];
    const std::int64_t bytes =
        access.active_lanes * static_cast<std::int64_t>(size_of(memory.dtype));
    if (memory.space != Space::argument || rows != tile.rows || tile.rows == 1 ||
        access.active_rows != tile.rows || access.lane_stride != 1 || bytes < kLineBytes ||
        storage(access.offset).text.empty())
      return;
    for (std::size_t i = asked; i < ahead.size(); ++i) {
      if (ahead[i].access.buffer != access.buffer || ahead[i].access.offset != access.offset)
        continue;
      if (is_written) ahead[i].hint = ", 1";
      return;
    }
    ahead.push_back({access, is_written ? ", 1" : ", 0"});
  };
  for (std::size_t i = position + 1; i < block.statements.size(); ++i) {
    const Instruction& instruction = block.statements[i].instruction;
    if (ends_epilogue(instruction)) break;
    if (const auto* load = std::get_if<Load>(&instruction)) add(load->access, load->rows, false);
    if (const auto* store = std::get_if<Store>(&instruction))
      add(store->access, type(store->value).rows, true);
  }
  return ahead;
}

// Lines of one row lie next to each other; a row of many is shared out by lines, others by rows.
void CPrinter::print_prefetches(const RegisterBlock& registers, const std::string& turn,
                                std::int64_t turns) {
  for (const auto& [access, hint] : registers.ahead) {
    const auto bytes =
        static_cast<std::int64_t>(size_of(kernel_.buffers[access.buffer.index].dtype));
    const std::int64_t line_elements = kLineBytes / bytes;
    const std::int64_t lines = ceil_divide(access.active_lanes, line_elements);
    const bool is_row = access.active_rows == 1 && lines > 1;
    const std::int64_t parts = is_row ? lines : access.active_rows;
    std::string part = turn;
    if (parts != turns) {
      part = "ahead";
      open(fmt::format(
          "for (int64_t ahead = {0} * {1} / {2}; ahead < ({0} + 1) * {1} / {2}; ++ahead) {{", turn,
          parts, turns));
    }
    const std::int64_t stride = is_row ? line_elements : access.row_stride;
    for (const std::int64_t lane :
         is_row ? std::vector<std::int64_t>{0}
                : one_of_each_line(access.active_lanes, stride, line_elements)) {
      std::string place = storage(access.offset).text;
      if (stride != 0 && parts > 1) place += fmt::format(" + {} * {}", part, stride);
      if (lane > 0) place += fmt::format(" + {}", lane);
      line(fmt::format("__builtin_prefetch(&{}[{}]{});", buffer(access.buffer), place, hint));
    }
    if (parts != turns) close();
  }
}

void CPrinter::print_operand_prefetches(const Contract& contract, const RegisterBlock& registers) {
  if (!options_.prefetch || contract.depth <= kStepsAhead) return;
  const auto print = [&](BufferId id, ValueId offset, std::int64_t step, std::int64_t first,
                         std::int64_t count, std::int64_t ahead) {
    const auto bytes = static_cast<std::int64_t>(size_of(kernel_.buffers[id.index].dtype));
    if (step * bytes < kFarBytes || step < 2 * count) return;
    for (const std::int64_t i : one_of_each_line(count, step, kLineBytes / bytes)) {
      std::string place = storage(offset).text;
      place += fmt::format(" + (k + {}) * {}", ahead, step);
      if (first + i != 0) place += fmt::format(" + {}", first + i);
      line(fmt::format("__builtin_prefetch(&{}[{}]);", buffer(id), place));
    }
  };
  if (contract.lhs_row_stride == 1 && registers.row.empty())
    print(contract.lhs, contract.lhs_offset, contract.lhs_depth_stride, 0, registers.rows,
          registers.goes_on ? kStepsAheadInBlock : kStepsAhead);
  if (contract.rhs_lane_stride == 1)
    print(contract.rhs, contract.rhs_offset, contract.rhs_depth_stride, registers.lane,
          registers.lanes, kStepsAhead);
}

}  // namespace tenon::codegen
