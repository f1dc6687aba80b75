#include "tenon/ir/build.h"
#include "tenon/ir/ops/combine.h"

namespace tenon::ir {

namespace {

// Batch and contracting axes of one operand: in range, none twice.
void require_dot_axes(std::string_view side, const Axes& batch, const Axes& contracting,
                      const TensorType& type, OperandTypes types) {
  Axes all = batch;
  all.insert(all.end(), contracting.begin(), contracting.end());
  for (const std::int64_t axis : all) {
    require(axis >= 0 && axis < type.rank(), "dot: {} axis {} is out of range for {} (operands {})",
            side, axis, type, list_of(types));
    require(std::ranges::count(all, axis) == 1,
            "dot: {} axis {} is named twice among batch axes {} and contracting axes {} "
            "(operands {})",
            side, axis, tenon::to_string(batch), tenon::to_string(contracting), list_of(types));
  }
}

void require_equal_extents(std::string_view what, const Axes& lhs, const Axes& rhs,
                           OperandTypes types) {
  require(lhs.size() == rhs.size(), "dot: {} axes {} of lhs and {} of rhs differ in number ({})",
          what, tenon::to_string(lhs), tenon::to_string(rhs), list_of(types));
  const Shape left = extents_of(types[0].shape, lhs), right = extents_of(types[1].shape, rhs);
  for (std::size_t i = 0; i < lhs.size(); ++i)
    require(left[i] == right[i],
            "dot: {} extents differ: axis {} of lhs {} has {}, axis {} of rhs {} has {}", what,
            lhs[i], types[0], left[i], rhs[i], types[1], right[i]);
}

// The axes of one operand that are neither batch nor contracting, in order.
Axes free_axes(const Axes& batch, const Axes& contracting, std::int64_t rank) {
  Axes bound = batch;
  bound.insert(bound.end(), contracting.begin(), contracting.end());
  return other_axes(bound, rank);
}

}  // namespace

TensorTypes infer_types(const Dot& op, OperandTypes types) {
  require_product_types(op.kName, types, op.result);
  require_dot_axes("lhs", op.lhs_batch, op.lhs_contracting, types[0], types);
  require_dot_axes("rhs", op.rhs_batch, op.rhs_contracting, types[1], types);
  require_equal_extents("batch", op.lhs_batch, op.rhs_batch, types);
  require_equal_extents("contracting", op.lhs_contracting, op.rhs_contracting, types);
  Shape shape = extents_of(types[0].shape, op.lhs_batch);
  for (const std::int64_t extent :
       extents_of(types[0].shape, free_axes(op.lhs_batch, op.lhs_contracting, types[0].rank())))
    shape.push_back(extent);
  for (const std::int64_t extent :
       extents_of(types[1].shape, free_axes(op.rhs_batch, op.rhs_contracting, types[1].rank())))
    shape.push_back(extent);
  return {checked_result(op.kName, {op.result, std::move(shape)})};
}

namespace {

template <class Wide>
HostTensor evaluate_dot(const Dot& op, const HostTensor& lhs, const HostTensor& rhs,
                        const TensorType& type) {
  const auto left = widened<Wide>(lhs), right = widened<Wide>(rhs);
  const auto left_batch = offsets_along(lhs.shape(), op.lhs_batch);
  const auto right_batch = offsets_along(rhs.shape(), op.rhs_batch);
  const auto left_k = offsets_along(lhs.shape(), op.lhs_contracting);
  const auto right_k = offsets_along(rhs.shape(), op.rhs_contracting);
  const auto rows =
      offsets_along(lhs.shape(), free_axes(op.lhs_batch, op.lhs_contracting, lhs.type().rank()));
  const auto columns =
      offsets_along(rhs.shape(), free_axes(op.rhs_batch, op.rhs_contracting, rhs.type().rank()));
  std::vector<Wide> totals;
  for (std::size_t batch = 0; batch < left_batch.size(); ++batch)
    for (const std::int64_t row : rows)
      for (const std::int64_t column : columns) {
        Wide total = 0;
        for (std::size_t k = 0; k < left_k.size(); ++k)
          total += left[static_cast<std::size_t>(left_batch[batch] + row + left_k[k])] *
                   right[static_cast<std::size_t>(right_batch[batch] + column + right_k[k])];
        totals.push_back(total);
      }
  return narrowed(totals, type);
}

}  // namespace

HostTensors evaluate(const Dot& op, OperandValues values) {
  const HostTensor &lhs = *values[0], &rhs = *values[1];
  const TensorType type = infer_types(op, std::array{lhs.type(), rhs.type()})[0];
  return one_result(is_float(type.dtype) ? evaluate_dot<double>(op, lhs, rhs, type)
                                         : evaluate_dot<std::uint64_t>(op, lhs, rhs, type));
}

namespace {

// first, first + 1, ...
Axes consecutive_axes(std::size_t first, std::size_t count) {
  Axes axes;
  for (std::size_t i = 0; i < count; ++i) axes.push_back(static_cast<std::int64_t>(first + i));
  return axes;
}

// Puts result axis i of a Dot where it belongs in the operand: place[i] is its axis there.
Value placed(Builder& b, Value x, const Axes& place) {
  Axes permutation(place.size());
  for (std::size_t i = 0; i < place.size(); ++i)
    permutation[static_cast<std::size_t>(place[i])] = static_cast<std::int64_t>(i);
  return transpose(b, x, std::move(permutation));
}

// For each contracted axis in increasing order (as it appears in the result) its partner.
void append_partners(Axes& place, Axes contracted, const Axes& of, const Axes& partner) {
  std::ranges::sort(contracted);
  for (const std::int64_t axis : contracted)
    place.push_back(partner[static_cast<std::size_t>(std::ranges::find(of, axis) - of.begin())]);
}

}  // namespace

// With result[batch, i, j]: dlhs contracts the upstream with rhs over j, drhs with lhs over i.
Gradients gradient(const Dot& op, const GradientInputs& in) {
  if (!in.upstream[0]) return no_gradients(in);
  Builder& b = in.builder;
  const TensorType lhs = b.type(in.operands[0]), rhs = b.type(in.operands[1]);
  if (!is_float(lhs.dtype)) return no_gradients(in);
  const Axes lhs_free = free_axes(op.lhs_batch, op.lhs_contracting, lhs.rank());
  const Axes rhs_free = free_axes(op.rhs_batch, op.rhs_contracting, rhs.rank());
  const std::size_t batch = op.lhs_batch.size();
  const DType wide = common_float(lhs.dtype, op.result);
  const Value upstream = cast(b, *in.upstream[0], wide);

  const Dot for_lhs{consecutive_axes(0, batch),
                    op.rhs_batch,
                    consecutive_axes(batch + lhs_free.size(), rhs_free.size()),
                    rhs_free,
                    lhs.dtype,
                    op.precision};
  Axes lhs_place = op.lhs_batch;
  lhs_place.insert(lhs_place.end(), lhs_free.begin(), lhs_free.end());
  append_partners(lhs_place, op.rhs_contracting, op.rhs_contracting, op.lhs_contracting);

  const Dot for_rhs{op.lhs_batch, consecutive_axes(0, batch),
                    lhs_free,     consecutive_axes(batch, lhs_free.size()),
                    rhs.dtype,    op.precision};
  Axes rhs_place = op.rhs_batch;
  append_partners(rhs_place, op.lhs_contracting, op.lhs_contracting, op.rhs_contracting);
  rhs_place.insert(rhs_place.end(), rhs_free.begin(), rhs_free.end());

  return {placed(b, b.add(for_lhs, {upstream, cast(b, in.operands[1], wide)}), lhs_place),
          placed(b, b.add(for_rhs, {cast(b, in.operands[0], wide), upstream}), rhs_place)};
}

}  // namespace tenon::ir
