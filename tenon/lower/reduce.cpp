#include "tenon/lower/reduce.h"

#include <set>

#include "tenon/base/error.h"
#include "tenon/lower/elements.h"

namespace tenon::lower {

using kernel::ValueId;

Affine kept_major(const Space& space) {
  Affine affine = constant_affine(space, 0);
  std::int64_t stride = 1;
  for (std::size_t i = space.size(); i-- > 0;) {
    if (space[i].label != kKept) continue;
    affine.coefficients[i] = stride;
    stride *= space[i].extent;
  }
  return affine;
}

std::int64_t ReductionProblem::kept_count() const { return element_count(shape) / reduced_count(); }
std::int64_t ReductionProblem::reduced_count() const {
  std::int64_t count = 1;
  for (const std::int64_t axis : axes) count *= shape[static_cast<std::size_t>(axis)];
  return count;
}

namespace {

// First elements of a reduction's operand stand in for its results while a kernel is surveyed.
std::vector<ValueId> stand_in(Emitter& emitter, const Reduction& reduction, ValueId tile) {
  if (!reduction.finds_position()) return {tile};
  return {tile, emitter.constant(DType::i32, 0)};
}

Space reduction_space(const Shape& shape, const Axes& axes) {
  Space space;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool is_reduced = std::ranges::count(axes, static_cast<std::int64_t>(i)) > 0;
    if (shape[i] != 1) space.push_back({shape[i], is_reduced ? kReduced : kKept});
  }
  return space;
}

void survey_reduction(Emitter& emitter, const ReductionProblem& problem) {
  const Affine full = row_major(emitter.space());
  const Affine kept = kept_major(emitter.space());
  for (const Reduction& reduction : problem.reductions) {
    const ValueId tile = emitter.value_at(reduction.operand(), full);
    reduction.set_known(emitter, stand_in(emitter, reduction, tile), kept);
  }
  for (const Destination& to : problem.full) emitter.value_at(to.value, full);
  for (const Destination& to : problem.kept) emitter.value_at(to.value, kept);
}

// Nodes of the region that a reduction's result goes into.
std::set<std::uint32_t> dependents(const RegionWriter& writer,
                                   const std::vector<Reduction>& reductions) {
  std::set<std::uint32_t> result;
  for (const Reduction& reduction : reductions) result.insert(reduction.node());
  for (const std::uint32_t node : writer.region().nodes)
    for (const ir::Value operand : writer.graph().node(node).operands)
      if (result.contains(operand.node) && !writer.context().memory.contains(operand))
        result.insert(node);
  return result;
}

}  // namespace

void lower_reduction(RegionWriter& writer) {
  ReductionProblem problem{writer, {}, {}, {}, {}, {}, false, {}, {}};
  for (const std::uint32_t node : reductions_of(writer.graph(), writer.region().nodes)) {
    problem.reductions.emplace_back(writer.graph(), writer.region(), node);
    const Axes& axes = std::get<ir::Reduce>(writer.graph().node(node).op).axes;
    const Shape& shape = writer.type(problem.reductions.back().operand()).shape;
    if (problem.reductions.size() == 1) {
      problem.axes = axes;
      problem.shape = shape;
    }
    check(axes == problem.axes && shape == problem.shape,
          "a region reduces {} over {} and {} over {}", tenon::to_string(problem.shape),
          tenon::to_string(problem.axes), tenon::to_string(shape), tenon::to_string(axes));
  }
  const std::set<std::uint32_t> after = dependents(writer, problem.reductions);
  for (const Destination& to : writer.outputs()) {
    const std::int64_t count = element_count(writer.type(to.value).shape);
    const bool is_full = count == element_count(problem.shape);
    check(is_full || count == problem.kept_count(), "a reduction gives {}", writer.type(to.value));
    (is_full ? problem.full : problem.kept).push_back(to);
    problem.is_chain |= is_full && after.contains(to.value.node);
  }
  for (const Reduction& reduction : problem.reductions)
    problem.is_chain |= after.contains(reduction.operand().node) &&
                        !writer.context().memory.contains(reduction.operand());
  problem.found = survey(writer.context(), reduction_space(problem.shape, problem.axes),
                         [&](Emitter& emitter) { survey_reduction(emitter, problem); });
  problem.groups = merge_axes(problem.found.space, affines(problem.found.forms));
  if (problem.is_chain || problem.groups.back().label == kReduced)
    lower_row_reduction(problem);
  else
    lower_column_reduction(problem);
}

void write_kept_outputs(Emitter& emitter, const ReductionProblem& problem,
                        const std::vector<std::vector<ValueId>>& carried) {
  const Affine kept = kept_major(emitter.space());
  for (std::size_t i = 0; i < carried.size(); ++i)
    problem.reductions[i].set_known(emitter, carried[i], kept);
  std::vector<ValueId> tiles;
  for (const Destination& to : problem.kept) tiles.push_back(emitter.value_at(to.value, kept));
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Destination& to = problem.kept[i];
    emitter.store(emitter.buffer(to.argument, problem.writer.type(to.value), true), kept, tiles[i]);
  }
}

void write_full_outputs(Emitter& emitter, const ReductionProblem& problem) {
  const Affine full = row_major(emitter.space());
  std::vector<ValueId> tiles;
  for (const Destination& to : problem.full) tiles.push_back(emitter.value_at(to.value, full));
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Destination& to = problem.full[i];
    emitter.store(emitter.buffer(to.argument, problem.writer.type(to.value), true), full, tiles[i]);
  }
}

namespace {

constexpr std::int64_t kBlockElements = 16384;  // that one block of a cut reduction combines
constexpr std::int64_t kMostBlocks = 64;
constexpr std::int64_t kFewResults = 8192;  // with more there is enough to do side by side

}  // namespace

Partials choose_partials(const ReductionProblem& problem, std::int64_t outer_extent) {
  Partials partials;
  if (!problem.writer.options().cut_long_sums) return partials;
  const bool finds_position = std::ranges::any_of(
      problem.reductions, [](const Reduction& r) { return r.finds_position(); });
  const std::int64_t kept = problem.kept_count();
  const std::int64_t wanted =
      std::min({element_count(problem.shape) / kBlockElements, kMostBlocks, outer_extent});
  if (problem.is_chain || finds_position || kept > kFewResults || wanted < 2) return partials;
  if (problem.reduced_count() < 16 * wanted) return partials;
  const std::int64_t size = ceil_divide(outer_extent, wanted);
  partials.blocks = ceil_divide(outer_extent, size);
  for (const Reduction& reduction : problem.reductions) {
    std::vector<Argument> scratch;
    for (const TensorType& type : reduction.carried_types({partials.blocks, kept}))
      scratch.push_back(problem.writer.new_scratch(byte_size(type)));
    partials.scratch.push_back(std::move(scratch));
  }
  return partials;
}

void write_partials(Emitter& emitter, const ReductionProblem& problem, const Partials& partials,
                    const std::vector<std::vector<ValueId>>& carried, ValueId block) {
  const std::int64_t kept = problem.kept_count();
  Affine place = kept_major(emitter.space());
  place.runtime.push_back({block, kept, {0, partials.blocks - 1}});
  for (std::size_t r = 0; r < carried.size(); ++r) {
    const auto types = problem.reductions[r].carried_types({partials.blocks, kept});
    for (std::size_t i = 0; i < types.size(); ++i)
      emitter.store(emitter.buffer(partials.scratch[r][i], types[i], true), place, carried[r][i]);
  }
}

void combine_partials(ReductionProblem& problem, const Partials& partials) {
  const std::int64_t kept = problem.kept_count();
  const auto prepare = [&](Emitter& emitter) {
    const Affine flat = row_major(emitter.space());
    for (std::size_t r = 0; r < problem.reductions.size(); ++r) {
      const Reduction& reduction = problem.reductions[r];
      const TensorType type = reduction.carried_types({partials.blocks, kept})[0];
      const kernel::BufferId from = emitter.buffer(partials.scratch[r][0], type);
      const auto at = emitter.place(flat);
      check(at.has_value(), "partial results are not read in order");
      const Frame& frame = emitter.frame();
      const ValueId tile = emitter.builder().load(
          {from, at->offset, kept, at->lane_step, partials.blocks, frame.active_lanes},
          partials.blocks, frame.lanes);
      emitter.note_form(flat, true);
      reduction.set_known(emitter, reduction.fold_carried(emitter, std::array{tile}), flat);
    }
  };
  lower_elements(problem.writer, problem.writer.context(), problem.kept, "", prepare);
}

}  // namespace tenon::lower
