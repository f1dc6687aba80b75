#include "tenon/base/error.h"
#include "tenon/lower/reduce.h"

namespace tenon::lower {

using kernel::FoldAxis;
using kernel::ValueId;

namespace {

using Carried = std::vector<std::vector<ValueId>>;  // for each reduction

constexpr std::int64_t kChunkLanes = 4096;
constexpr std::int64_t kRowTileElements = 2048, kChainElements = 512, kMostRowsOfTile = 64;
constexpr std::int64_t kShortRow = 15;
constexpr std::int64_t kLanesOfShortRows = 16;

std::vector<ValueId> flattened(const Carried& carried) {
  std::vector<ValueId> all;
  for (const auto& values : carried) all.insert(all.end(), values.begin(), values.end());
  return all;
}

Carried unflattened(std::span<const ValueId> all, const Carried& like) {
  Carried carried;
  std::size_t next = 0;
  for (const auto& values : like) {
    carried.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(next),
                         all.begin() + static_cast<std::ptrdiff_t>(next + values.size()));
    next += values.size();
  }
  return carried;
}

// Folds tiles whose lanes (or rows) run along the last reduced group, stepping through the others.
struct RowReducer {
  Emitter& emitter;
  const ReductionProblem& problem;
  std::vector<AxisGroup> reduced;  // outermost first
  std::int64_t rows = 1;
  FoldAxis axis = FoldAxis::lanes;

  // One tile at the place the axes are bound to; positions start at `first`.
  Carried fold_tile(ValueId first) {
    const Affine full = row_major(emitter.space());
    Carried result;
    for (const Reduction& reduction : problem.reductions) {
      const ValueId tile = emitter.value_at(reduction.operand(), full);
      result.push_back(reduction.fold(emitter, axis, tile, first));
      // In a chain the next reduction may need this one.
      if (problem.is_chain)
        reduction.set_known(emitter, result.back(), kept_major(emitter.space()));
    }
    write_full_outputs(emitter, problem);
    return result;
  }

  // What the next tile reads, or the next instance: while a tile is computed with, the processor
  // does not see that the row goes on. Measured on 256 rows of 50304, AVX-512: half the time.
  void fetch_next() {
    if (reduced.size() > 1 || emitter.context().target.kind == Target::Kind::cuda) return;
    const auto at = emitter.place(row_major(emitter.space()));
    if (!at || at->lane_step != 1) return;
    const Frame& frame = emitter.frame();
    const ValueId next = emitter.call(
        ScalarFunction::add, {at->offset, emitter.index_constant(DType::i64, frame.lanes)});
    const RegionWriter& writer = problem.writer;
    for (const ir::Value value : writer.region().inputs)
      if (element_count(writer.type(value).shape) == element_count(problem.shape))
        emitter.prefetch(
            {emitter.declare_input(value), next, at->row_step, 1, frame.rows, frame.lanes});
  }

  Carried combine(const Carried& earlier, const Carried& later) {
    Carried result;
    for (std::size_t i = 0; i < earlier.size(); ++i)
      result.push_back(problem.reductions[i].combine(emitter, earlier[i], later[i]));
    return result;
  }

  // Tiles of one size: `count` of them from `first` on.
  Carried fold_tiles(const Carried& initial, ValueId first, std::int64_t count,
                     std::int64_t lanes) {
    const auto body = [&](ValueId i, std::span<const ValueId> carried) {
      const ValueId distance =
          emitter.call(ScalarFunction::multiply, {i, emitter.index_constant(DType::i64, lanes)});
      const ValueId base = emitter.call(ScalarFunction::add, {first, distance});
      Carried next;
      emitter.bind(reduced.back(), base, Along::lanes);
      emitter.set_frame(frame_of(emitter.context().target, rows, lanes));
      fetch_next();
      next = combine(unflattened(carried, initial), fold_tile(base));
      return flattened(next);
    };
    return unflattened(emitter.loop(count, flattened(initial), body), initial);
  }

  // `base` and `extent` say which part of the outermost group is this instance's.
  Carried reduce(std::size_t level, const Carried& initial, ValueId base, std::int64_t extent) {
    if (level + 1 < reduced.size()) {
      const auto body = [&](ValueId i, std::span<const ValueId> carried) {
        emitter.bind(reduced[level], emitter.call(ScalarFunction::add, {base, i}));
        return flattened(reduce(level + 1, unflattened(carried, initial),
                                emitter.index_constant(DType::i64, 0), reduced[level + 1].extent));
      };
      return unflattened(emitter.loop(extent, flattened(initial), body), initial);
    }
    const std::int64_t lanes = tile_extent(extent, kChunkLanes);
    const std::int64_t whole = extent / lanes;
    Carried result = fold_tiles(initial, base, whole, lanes);
    if (extent % lanes == 0) return result;
    const ValueId rest = emitter.call(ScalarFunction::add,
                                      {base, emitter.index_constant(DType::i64, whole * lanes)});
    return fold_tiles(result, rest, 1, extent % lanes);
  }

  Carried start() {
    Carried initial;
    for (const Reduction& reduction : problem.reductions)
      initial.push_back(reduction.start(emitter, rows, 1));
    return initial;
  }
};

bool finds_positions(const ReductionProblem& problem) {
  return std::ranges::any_of(problem.reductions,
                             [](const Reduction& r) { return r.finds_position(); });
}

// Whether each element of a row takes an exponential: a softmax.
bool has_exponentials(const ReductionProblem& problem) {
  const ir::Graph& graph = problem.writer.graph();
  return std::ranges::any_of(problem.writer.region().nodes, [&](std::uint32_t node) {
    const auto* op = std::get_if<ir::Elementwise>(&graph.node(node).op);
    return op != nullptr && op->function == ScalarFunction::exp &&
           graph.node(node).results[0].shape == problem.shape;
  });
}

// Several short rows at once. Where something needs a row's results beside its elements, a row by
// itself stays in registers, which is faster unless it computes long between two folds: those of
// several rows do not wait for one another (softmax over 64 elements, AVX-512: a sixth less time).
void tile_kept_rows(const ReductionProblem& problem, Tiling& tiling, std::int64_t lanes) {
  const Target& target = problem.writer.target();
  if (!target.options.tile_rows || tiling.empty() || finds_positions(problem)) return;
  if (target.kind == Target::Kind::cuda) return;
  if (problem.is_chain && !has_exponentials(problem)) return;
  for (const Emitter::Form& form : problem.found.forms)
    if (!problem.is_chain && !form.is_memory && depends_on(form.affine, tiling.back().group))
      return;
  const std::int64_t elements = problem.is_chain ? kChainElements : kRowTileElements;
  const std::int64_t room = std::min(elements / lanes, kMostRowsOfTile);
  if (room < 2) return;
  tiling.back().along = Along::rows;
  tiling.back().tile = tile_extent(tiling.back().group.extent, room);
}

// Rows that fill no vector, side by side: lanes run along what is kept, and each fold combines
// whole vectors, in the order in which the lanes of one row are folded.
bool has_short_rows(const ReductionProblem& problem, const std::vector<AxisGroup>& reduced,
                    const Tiling& tiling) {
  return problem.writer.target().kind == Target::Kind::cpu &&
         problem.writer.options().fold_short_rows && reduced.size() == 1 &&
         reduced.front().extent <= kShortRow && !tiling.empty() &&
         tiling.back().group.extent >= kLanesOfShortRows;
}

void lower_short_rows(const ReductionProblem& problem, const AxisGroup& reduced, Tiling tiling) {
  tiling.back().along = Along::lanes;
  tiling.back().tile = tile_extent(tiling.back().group.extent, 2 * kLanesOfShortRows);
  Emitter emitter(problem.writer.context(), problem.writer.kernel_name(""), problem.found.space,
                  tile_count(tiling));
  write_tile(emitter, tiling, emitter.builder().instance(), [&](std::span<const TilePlace>) {
    const std::int64_t lanes = emitter.frame().lanes;
    RowReducer reducer{emitter, problem, {reduced}, 1, FoldAxis::rows};
    const ValueId zero = emitter.index_constant(DType::i64, 0);
    Carried result;
    emitter.scoped([&] {
      emitter.bind(reduced, zero, Along::rows);
      emitter.set_frame({reduced.extent, lanes, reduced.extent, lanes});
      result = reducer.fold_tile(zero);
    });
    emitter.set_frame({1, lanes, 1, lanes});
    write_kept_outputs(emitter, problem, result);
  });
  problem.writer.add(std::move(emitter).finish());
}

}  // namespace

void lower_row_reduction(ReductionProblem& problem) {
  std::vector<AxisGroup> reduced;
  Tiling tiling;
  for (const AxisGroup& group : problem.groups) {
    if (group.label == kReduced)
      reduced.push_back(group);
    else
      tiling.push_back({group, 1, Along::none, false});
  }
  if (problem.is_chain || finds_positions(problem))
    reduced = {group_of(problem.found.space, kReduced)};
  if (has_short_rows(problem, reduced, tiling))
    return lower_short_rows(problem, reduced.front(), std::move(tiling));
  const std::int64_t lanes = reduced.back().extent;
  // All of a row in one tile: nothing is carried.
  const bool is_single = problem.is_chain || (reduced.size() == 1 && lanes <= kChunkLanes);
  tile_kept_rows(problem, tiling, is_single ? lanes : std::min(lanes, kChunkLanes));
  const Partials partials =
      is_single ? Partials{} : choose_partials(problem, reduced.front().extent);
  // Instances that follow each other read memory that does: blocks of one row, or rows of a block.
  const std::size_t block_place = reduced.size() == 1 ? tiling.size() : 0;
  if (partials.blocks > 1) {
    const std::int64_t size = ceil_divide(reduced.front().extent, partials.blocks);
    tiling.insert(tiling.begin() + static_cast<std::ptrdiff_t>(block_place),
                  {reduced.front(), size, Along::none, true});
  }
  Emitter emitter(problem.writer.context(),
                  problem.writer.kernel_name(partials.blocks > 1 ? "partial" : ""),
                  problem.found.space, tile_count(tiling));
  const auto body = [&](std::span<const TilePlace> places) {
    const std::int64_t rows = emitter.frame().rows;
    RowReducer reducer{emitter, problem, reduced, rows};
    const ValueId zero = emitter.index_constant(DType::i64, 0);
    Carried result;
    if (is_single) {
      emitter.scoped([&] {
        emitter.bind(reduced.back(), zero, Along::lanes);
        emitter.set_frame(frame_of(emitter.context().target, rows, lanes));
        result = reducer.fold_tile(zero);
      });
    } else if (partials.blocks > 1) {
      result =
          reducer.reduce(0, reducer.start(), places[block_place].base, places[block_place].size);
    } else {
      result = reducer.reduce(0, reducer.start(), zero, reduced.front().extent);
    }
    emitter.set_frame({rows, 1, rows, 1});
    if (partials.blocks > 1)
      write_partials(emitter, problem, partials, result, places[block_place].number);
    else
      write_kept_outputs(emitter, problem, result);
  };
  write_tile(emitter, tiling, emitter.builder().instance(), body);
  problem.writer.add(std::move(emitter).finish());
  if (partials.blocks > 1) combine_partials(problem, partials);
}

}  // namespace tenon::lower
