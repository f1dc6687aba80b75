#include "tenon/lower/contraction.h"

#include <algorithm>
#include <functional>

#include "tenon/base/error.h"
#include "tenon/lower/contraction_blocks.h"

namespace tenon::lower {

using kernel::ValueId;

DType contraction_accumulator(DType operand, DType result) {
  if (!is_float(result)) return size_of(operand) > size_of(result) ? operand : result;
  return operand == DType::f64 || result == DType::f64 ? DType::f64 : DType::f32;
}

std::int64_t Contraction::contracted_count() const {
  std::int64_t count = 1;
  for (const ContractedAxis& axis : contracted) count *= axis.extent;
  return count;
}

std::int64_t Contraction::result_count() const { return element_count(writer.type(result).shape); }

GroupRole role_of(const Contraction& problem, const AxisGroup& group) {
  const bool in_lhs = depends_on(problem.lhs.place, group);
  const bool in_rhs = depends_on(problem.rhs.place, group);
  if (in_lhs == in_rhs) return GroupRole::batch;
  return in_lhs ? GroupRole::rows : GroupRole::lanes;
}

// lhs and rhs change places; products commute, so the bits are the same.
void swap_operands(Contraction& problem) {
  std::swap(problem.lhs, problem.rhs);
  for (ContractedAxis& axis : problem.contracted) std::swap(axis.lhs, axis.rhs);
}

namespace {

void survey_epilogue(Emitter& emitter, const Contraction& problem) {
  const Affine flat = row_major(emitter.space());
  emitter.set_known(problem.result, emitter.constant(problem.writer.type(problem.result).dtype, 0),
                    flat);
  for (const Destination& to : problem.writer.outputs()) emitter.value_at(to.value, flat);
}

// Contracted axes of extent 1 go; neighbours that step as one in both operands become one.
std::vector<ContractedAxis> merged(const std::vector<ContractedAxis>& axes) {
  std::vector<ContractedAxis> result;
  for (const ContractedAxis& axis : axes) {
    if (axis.extent == 1) continue;
    if (!result.empty() && result.back().lhs == axis.lhs * axis.extent &&
        result.back().rhs == axis.rhs * axis.extent) {
      result.back() = {result.back().extent * axis.extent, axis.lhs, axis.rhs};
    } else {
      result.push_back(axis);
    }
  }
  if (result.empty()) result.push_back({1, 0, 0});
  return result;
}

// Axes in another order step as one in both operands if the operands were transposed alike. Then
// the sums are taken in that order: memory is read as it lies.
void order_contracted(Contraction& problem) {
  if (!problem.writer.options().sum_as_memory_lies) return;
  std::vector<ContractedAxis> sorted = problem.contracted;
  std::ranges::stable_sort(sorted, std::greater(), &ContractedAxis::lhs);
  if (merged(sorted).size() < merged(problem.contracted).size()) problem.contracted = sorted;
}

std::int64_t lhs_step(const Contraction& problem, const AxisGroup& group) {
  return *step_of(problem.lhs.place, group, problem.space);
}
std::int64_t rhs_step(const Contraction& problem, const AxisGroup& group) {
  return *step_of(problem.rhs.place, group, problem.space);
}

// The group of a role to tile: contiguous if there is one, else the last, unless it is short.
const AxisGroup* find_group(const Contraction& problem, GroupRole role, bool wants_contiguous) {
  const AxisGroup* best = nullptr;
  for (const AxisGroup& group : problem.groups) {
    if (role_of(problem, group) != role) continue;
    const auto is_contiguous = [&](const AxisGroup& g) {
      return wants_contiguous && rhs_step(problem, g) == 1;
    };
    if (best == nullptr || is_contiguous(group) ||
        (!is_contiguous(*best) && (group.extent >= 4 || group.extent >= best->extent)))
      best = &group;
  }
  return best;
}

bool is_contracted_contiguous(const Contraction& problem) {
  return problem.contracted.back().lhs == 1 && problem.contracted.back().rhs == 1;
}

void lower_from_memory(Contraction& problem, const AxisGroup* lanes, const AxisGroup* rows) {
  const kernel::KernelOptions& options = problem.writer.options();
  const AxisGroup* batch = problem.groups.empty() ? nullptr : &problem.groups.back();
  if (batch != nullptr && role_of(problem, *batch) != GroupRole::batch) batch = nullptr;
  if (lanes == nullptr || rows == nullptr) {
    // Each element of one operand is used once: a depthwise convolution, or a matrix and a vector.
    const bool is_elementwise = batch != nullptr && batch->extent >= 4 &&
                                lhs_step(problem, *batch) == 1 && rhs_step(problem, *batch) == 1;
    if (is_elementwise && options.multiply_lanes) return lower_multiplied(problem, *batch);
    if (lanes == nullptr && rows != nullptr) {
      swap_operands(problem);
      std::swap(lanes, rows);
    }
    if (lanes == nullptr || (options.fold_products && rhs_step(problem, *lanes) != 1 &&
                             is_contracted_contiguous(problem)))
      return lower_folded(problem);
  }
  const bool is_large = lanes->extent >= 16 && rows != nullptr && rows->extent >= 16 &&
                        problem.contracted.back().extent >= 16;
  if (problem.writer.target().kind == Target::Kind::cuda && is_large)
    return lower_shared(problem, *lanes, *rows);
  if (rows != nullptr)
    if (const auto plan = plan_blocks(problem, *lanes, *rows))
      return lower_in_blocks(problem, *plan);
  lower_tiled(problem, *lanes, rows);
}

}  // namespace

bool Contraction::lower() {
  if (contracted_count() == 0) {
    lower_elements(writer, writer.context(), writer.outputs(), "", [&](Emitter& emitter) {
      emitter.set_known(result, emitter.constant(writer.type(result).dtype, 0),
                        row_major(emitter.space()));
    });
    return true;
  }
  const Survey found =
      survey(writer.context(), space, [&](Emitter& emitter) { survey_epilogue(emitter, *this); });
  space = found.space;
  for (const Split& at : found.splits) {
    lhs.place = split(lhs.place, at);
    rhs.place = split(rhs.place, at);
  }
  std::vector<Affine> forms = affines(found.forms);
  forms.push_back(lhs.place);
  forms.push_back(rhs.place);
  forms.push_back(row_major(space));
  if (!found.splits.empty() && padded) padded->strip_axis.reset();
  // Strips are cut along an axis of its own.
  if (padded && padded->strip_axis) forms.push_back(axis_affine(space, *padded->strip_axis));
  groups = merge_axes(space, forms);
  const bool is_phased = padded && !padded->phased.empty();
  if (!padded) order_contracted(*this);
  if (!is_phased) contracted = merged(contracted);

  if (can_sum_in_strips(*this)) {
    sum_in_strips(*this);
    return true;
  }
  const AxisGroup* lanes = find_group(*this, GroupRole::lanes, true);
  const AxisGroup* rows = find_group(*this, GroupRole::rows, false);
  if (lanes != nullptr && rows != nullptr && can_lower_in_strips(*this, *rows)) {
    lower_in_strips(*this, *lanes, *rows);
    return true;
  }
  if (is_phased) return false;
  if (padded) lhs.memory = write_padded(writer, *padded).memory;
  lower_from_memory(*this, lanes, rows);
  return true;
}

void write_epilogue(Emitter& emitter, const Contraction& problem, ValueId accumulators) {
  const RegionWriter& writer = problem.writer;
  const Affine flat = row_major(emitter.space());
  const DType dtype = writer.type(problem.result).dtype;
  emitter.set_known(problem.result, emitter.builder().cast(accumulators, dtype), flat);
  std::vector<ValueId> tiles;
  for (const Destination& to : writer.outputs()) tiles.push_back(emitter.value_at(to.value, flat));
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Destination& to = writer.outputs()[i];
    emitter.store(emitter.buffer(to.argument, writer.type(to.value), true), flat, tiles[i]);
  }
}

Tiling outer_groups(const Contraction& problem, const AxisGroup* lanes, const AxisGroup* rows) {
  Tiling tiling;
  for (const AxisGroup& group : problem.groups)
    if (&group != lanes && &group != rows) tiling.push_back({group, 1, Along::none, false});
  return tiling;
}

ValueId stepped(Emitter& emitter, ValueId offset, ValueId index, std::int64_t stride) {
  const ValueId distance =
      emitter.call(ScalarFunction::multiply, {index, emitter.index_constant(DType::i64, stride)});
  return emitter.call(ScalarFunction::add, {offset, distance});
}

}  // namespace tenon::lower
