#include "tenon/base/error.h"
#include "tenon/lower/reduce.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

using Carried = std::vector<std::vector<ValueId>>;  // for each reduction

constexpr std::int64_t kColumnLanes = 64;
constexpr std::int64_t kColumnTileElements = 512;
constexpr std::int64_t kLeastRows = 16;  // partial sums of a column, whatever its length
constexpr std::int64_t kMostRows = 128;

std::vector<ValueId> all_of(const Carried& main, const Carried& rest) {
  std::vector<ValueId> all;
  for (const Carried* part : {&main, &rest})
    for (const auto& values : *part) all.insert(all.end(), values.begin(), values.end());
  return all;
}

// Accumulates tiles of rows (the last reduced group) x lanes (kept), stepping through the other
// reduced groups. What is left over of the rows accumulates in a tile of its own.
struct ColumnReducer {
  Emitter& emitter;
  const ReductionProblem& problem;
  std::vector<AxisGroup> reduced;  // outermost first
  std::int64_t lanes = 1;
  std::int64_t rows = 1;  // of the main tile

  std::int64_t rest_rows(std::int64_t extent) const { return extent % rows; }

  void from_flat(std::span<const ValueId> all, Carried& main, Carried& rest) const {
    std::size_t next = 0;
    for (Carried* part : {&main, &rest})
      for (auto& values : *part)
        for (ValueId& value : values) value = all[next++];
  }

  Carried start(std::int64_t tile_rows) const {
    Carried initial;
    for (const Reduction& reduction : problem.reductions)
      initial.push_back(reduction.start(emitter, tile_rows, lanes));
    return initial;
  }

  // One more tile of `tile_rows` rows from position `first` of the last group on.
  Carried accumulate(const Carried& carried, ValueId first, std::int64_t tile_rows) {
    Carried result;
    emitter.scoped([&] {
      emitter.bind(reduced.back(), first, Along::rows);
      emitter.set_frame({tile_rows, lanes, tile_rows, lanes});
      const Affine full = row_major(emitter.space());
      for (std::size_t i = 0; i < carried.size(); ++i) {
        const Reduction& reduction = problem.reductions[i];
        const ValueId tile = emitter.value_at(reduction.operand(), full);
        result.push_back(
            reduction.combine(emitter, carried[i], reduction.lift(emitter, tile, first)));
      }
      write_full_outputs(emitter, problem);
    });
    return result;
  }

  void reduce(std::size_t level, Carried& main, Carried& rest, ValueId base, std::int64_t extent) {
    const auto at = [&](ValueId i, std::int64_t factor) {
      const ValueId distance =
          emitter.call(ScalarFunction::multiply, {i, emitter.index_constant(DType::i64, factor)});
      return emitter.call(ScalarFunction::add, {base, distance});
    };
    const bool is_last = level + 1 == reduced.size();
    const auto body = [&](ValueId i, std::span<const ValueId> carried) {
      Carried next_main = main, next_rest = rest;
      from_flat(carried, next_main, next_rest);
      if (is_last) {
        next_main = accumulate(next_main, at(i, rows), rows);
      } else {
        emitter.bind(reduced[level], at(i, 1));
        reduce(level + 1, next_main, next_rest, emitter.index_constant(DType::i64, 0),
               reduced[level + 1].extent);
      }
      return all_of(next_main, next_rest);
    };
    const std::int64_t count = is_last ? extent / rows : extent;
    from_flat(emitter.loop(count, all_of(main, rest), body), main, rest);
    if (is_last && rest_rows(extent) > 0)
      rest =
          accumulate(rest, at(emitter.index_constant(DType::i64, count), rows), rest_rows(extent));
  }

  // The whole reduction; the outermost group from `base` on.
  Carried run(ValueId base, std::int64_t extent) {
    const std::int64_t last = reduced.size() == 1 ? extent : reduced.back().extent;
    const std::int64_t left = rest_rows(last);
    const bool has_main = last >= rows;
    Carried main = has_main ? start(rows) : Carried{};
    Carried rest = left > 0 ? start(left) : Carried{};
    reduce(0, main, rest, base, extent);
    if (rows == 1) return main;
    Carried result;
    for (std::size_t i = 0; i < problem.reductions.size(); ++i) {
      const Reduction& reduction = problem.reductions[i];
      std::vector<ValueId> total;
      if (has_main) total = reduction.fold_carried(emitter, main[i]);
      if (left > 0) {
        const std::vector<ValueId> tail = reduction.fold_carried(emitter, rest[i]);
        total = has_main ? reduction.combine(emitter, total, tail) : tail;
      }
      result.push_back(std::move(total));
    }
    return result;
  }
};

std::int64_t choose_rows(std::int64_t extent, std::int64_t lanes) {
  const std::int64_t most = std::clamp(kColumnTileElements / lanes, kLeastRows, kMostRows);
  if (extent <= most) return extent;
  return divisor_within(extent, std::max(most / 2, kLeastRows), most).value_or(most);
}

}  // namespace

void lower_column_reduction(ReductionProblem& problem) {
  const Target& target = problem.writer.target();
  std::vector<AxisGroup> reduced;
  Tiling tiling;
  for (const AxisGroup& group : problem.groups) {
    if (group.label == kReduced)
      reduced.push_back(group);
    else
      tiling.push_back({group, 1, Along::none, false});
  }
  bool finds_positions = false;
  for (const Reduction& reduction : problem.reductions)
    finds_positions |= reduction.finds_position();
  if (finds_positions) reduced = {group_of(problem.found.space, kReduced)};
  tiling.back().along = Along::lanes;
  tiling.back().tile = tile_extent(tiling.back().group.extent, std::max(kColumnLanes, target.team));
  const std::int64_t rows =
      finds_positions
          ? 1
          : choose_rows(reduced.back().extent, std::min(tiling.back().tile, kColumnLanes));
  const Partials partials = choose_partials(problem, reduced.front().extent);
  if (partials.blocks > 1) {
    const std::int64_t size = ceil_divide(reduced.front().extent, partials.blocks);
    tiling.insert(tiling.begin(), {reduced.front(), size, Along::none, true});
  }
  Emitter emitter(problem.writer.context(),
                  problem.writer.kernel_name(partials.blocks > 1 ? "partial" : ""),
                  problem.found.space, tile_count(tiling));
  const auto body = [&](std::span<const TilePlace> places) {
    const std::int64_t lanes = emitter.frame().active_lanes;
    ColumnReducer reducer{emitter, problem, reduced, lanes, rows};
    Carried result;
    if (partials.blocks > 1)
      result = reducer.run(places[0].base, places[0].size);
    else
      result = reducer.run(emitter.index_constant(DType::i64, 0), reduced.front().extent);
    emitter.set_frame({1, lanes, 1, lanes});
    if (partials.blocks > 1)
      write_partials(emitter, problem, partials, result, places[0].number);
    else
      write_kept_outputs(emitter, problem, result);
  };
  write_tile(emitter, tiling, emitter.builder().instance(), body);
  problem.writer.add(std::move(emitter).finish());
  if (partials.blocks > 1) combine_partials(problem, partials);
}

}  // namespace tenon::lower
