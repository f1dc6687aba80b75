#include "tenon/codegen/kernel_printer.h"

// Runs: statements that one loop over the elements of their tiles computes.
namespace tenon::codegen {

using namespace kernel;

void KernelPrinter::assign_yield_arrays(const Block& block, std::size_t begin, std::size_t end) {
  if (!options_.reuse_arrays) return;
  // Only bodies of loops yield; their carried values are the arguments behind the index.
  for (std::size_t carried = 0; carried < block.yields.size(); ++carried) {
    const ValueId argument = block.arguments[carried + 1];
    const ValueId yield = block.yields[carried];
    if (type(yield).is_scalar()) continue;
    if (storage(argument).kind != Storage::Kind::array) continue;
    // The argument may be needed later, and so may what has taken its array over since.
    bool is_free = true;
    for (std::uint32_t i = 0; i < storage_.size(); ++i)
      if (storage_[i].kind == Storage::Kind::array && storage_[i].text == storage(argument).text)
        is_free = is_free && !uses_.used_behind({i}, block, end - 1);
    if (!is_free) continue;
    for (std::size_t i = begin; i < end; ++i) {
      const Statement& statement = block.statements[i];
      if (!lane_parallel_extents(kernel_, statement) || statement.results.empty()) continue;
      if (statement.results.front() == yield) storage(yield).text = storage(argument).text;
    }
  }
}

void KernelPrinter::print_run(const Block& block, std::size_t begin, std::size_t end) {
  std::optional<Extents> extents;
  for (std::size_t i = begin; i < end; ++i) {
    const Statement& statement = block.statements[i];
    if (const auto tile = lane_parallel_extents(kernel_, statement))
      extents = tile;
    else
      print_scalar_statement(statement);
  }
  if (!extents) return;
  assign_yield_arrays(block, begin, end);
  // (array, element) pairs to write at the end of the loop's body, when all reads are done.
  struct Kept {
    ValueId value;
    std::string array;
  };
  std::vector<Kept> kept;
  std::vector<const Statement*> each;  // what is printed element by element
  for (std::size_t i = begin; i < end; ++i)
    if (lane_parallel_extents(kernel_, block.statements[i]) && !print_at_once(block, begin, i))
      each.push_back(&block.statements[i]);
  for (const Statement* const one : each) {
    const Statement& statement = *one;
    if (statement.results.empty()) continue;
    const ValueId result = statement.results.front();
    if (uses_.used_behind(result, block, end - 1)) {
      if (storage(result).text.empty()) {
        declare_array(result);
        storage(result).text = array_name(result);
      }
      kept.push_back({result, storage(result).text});
    }
    storage(result) = {Storage::Kind::local, scalar_name(result)};
  }
  for (const Segment& segment : segments(block, begin, end, *extents)) {
    const bool is_needed = std::ranges::any_of(kept, [&](const Kept& tile) {
      const Extents& needed = uses_.needed(tile.value);
      return segment.row_begin < needed.rows && segment.lane_begin < needed.lanes;
    });
    if (options_.drop_unneeded && !is_needed && !segment_has_effect(each, *extents, segment))
      continue;
    open_element_loop(*extents, segment);
    for (const Statement* const statement : each)
      print_element_statement(*statement, *extents, segment);
    for (const Kept& tile : kept)
      line(fmt::format("{} = {};", array_element(tile.array, type(tile.value)),
                       scalar_name(tile.value)));
    close_element_loop(*extents, segment);
  }
  for (const Kept& tile : kept) storage(tile.value) = {Storage::Kind::array, tile.array};
}

bool KernelPrinter::segment_has_effect(std::span<const Statement* const> each,
                                       const Extents& extents, const Segment& segment) const {
  for (const Statement* const statement : each) {
    const Instruction& instruction = statement->instruction;
    if (std::holds_alternative<StoreIndexed>(instruction)) return true;
    if (const auto* store = std::get_if<Store>(&instruction))
      if (condition(segment, extents, store->access.active_rows, store->access.active_lanes) != "0")
        return true;
  }
  return false;
}

}  // namespace tenon::codegen
