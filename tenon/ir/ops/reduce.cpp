#include "tenon/ir/ops/reduce.h"

#include "tenon/ir/build.h"
#include "tenon/ir/ops/combine.h"

namespace tenon::ir {

TensorTypes infer_types(const Reduce& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  const TensorType& x = types[0];
  require_sorted_axes(op.kName, op.axes, x);
  require_reducible(op.kName, op.kind, x);
  require_accumulation(op.kName, op.kind, op.accumulate, x);
  const TensorType result{x.dtype, extents_of(x.shape, other_axes(op.axes, x.rank()))};
  if (!is_arg_reduce(op.kind)) return {result};
  require(op.axes.size() == 1, "reduce: {} takes one axis, got axes {} of {}", name(op.kind),
          tenon::to_string(op.axes), x);
  const std::int64_t extent = x.shape[static_cast<std::size_t>(op.axes[0])];
  require(extent > 0, "reduce: {} along axis {} of {}, which is empty", name(op.kind), op.axes[0],
          x);
  require(extent <= std::numeric_limits<std::int32_t>::max(),
          "reduce: {} along axis {} of {}: positions do not fit in i32", name(op.kind), op.axes[0],
          x);
  return {result, {DType::i32, result.shape}};
}

namespace {

// Calls visit(position in x, position in the result) for each element of x in row-major order.
template <class Visit>
void for_each_reduced(const Shape& shape, const Axes& axes, Visit&& visit) {
  const Axes kept = other_axes(axes, static_cast<std::int64_t>(shape.size()));
  const Shape result_strides = row_major_strides(extents_of(shape, kept));
  Shape strides(shape.size());
  for (std::size_t i = 0; i < kept.size(); ++i)
    strides[static_cast<std::size_t>(kept[i])] = result_strides[i];
  std::size_t position = 0;
  for_each_index(shape, [&](const Shape& index) {
    visit(position++, static_cast<std::size_t>(flat_offset(index, strides)));
  });
}

template <Element T>
HostTensor accumulate_elements(const Reduce& op, const HostTensor& x, const TensorType& type) {
  using Wide = Accumulator<T>;
  const bool sum = op.kind == ReduceKind::sum;
  std::vector<Wide> totals(static_cast<std::size_t>(element_count(type.shape)), sum ? 0 : 1);
  const auto elements = x.as<T>();
  for_each_reduced(x.shape(), op.axes, [&](std::size_t from, std::size_t to) {
    if (sum)
      totals[to] += widen(elements[from]);
    else
      totals[to] *= widen(elements[from]);
  });
  return narrowed(totals, type);
}

template <Element T>
HostTensor find_extremes(const Reduce& op, const HostTensor& x, const TensorType& type) {
  const bool smallest = op.kind == ReduceKind::min;
  HostTensor result(type);
  const auto best = result.as<T>();
  std::ranges::fill(best, neutral_extreme<T>(smallest));
  const auto elements = x.as<T>();
  for_each_reduced(x.shape(), op.axes, [&](std::size_t from, std::size_t to) {
    best[to] = extreme_of(smallest, best[to], elements[from]);
  });
  return result;
}

template <Element T>
HostTensors find_positions(const Reduce& op, const HostTensor& x, const TensorTypes& types) {
  const bool smallest = op.kind == ReduceKind::argmin;
  HostTensor values(types[0]), positions(types[1]);
  const auto best = values.as<T>();
  const auto best_position = positions.as<std::int32_t>();
  std::vector<std::int32_t> seen(best.size());
  const auto elements = x.as<T>();
  for_each_reduced(x.shape(), op.axes, [&](std::size_t from, std::size_t to) {
    const std::int32_t position = seen[to]++;
    if (position > 0 && !replaces(smallest, elements[from], best[to])) return;
    best[to] = elements[from];
    best_position[to] = position;
  });
  HostTensors results = one_result(std::move(values));
  results.push_back(std::move(positions));
  return results;
}

HostTensor combine_truths(const Reduce& op, const HostTensor& x, const TensorType& type) {
  const bool all = op.kind == ReduceKind::all;
  HostTensor result = filled(type, all ? 1 : 0);
  const auto truths = result.as<bool>();
  const auto elements = x.as<bool>();
  for_each_reduced(x.shape(), op.axes, [&](std::size_t from, std::size_t to) {
    truths[to] = all ? truths[to] && elements[from] : truths[to] || elements[from];
  });
  return result;
}

}  // namespace

HostTensors evaluate(const Reduce& op, OperandValues values) {
  const HostTensor& x = *values[0];
  const TensorTypes types = infer_types(op, std::array{x.type()});
  return with_element_type(x.dtype(), [&]<class T>(TypeTag<T>) -> HostTensors {
    switch (op.kind) {
      case ReduceKind::sum:
      case ReduceKind::product: return one_result(accumulate_elements<T>(op, x, types[0]));
      case ReduceKind::min:
      case ReduceKind::max: return one_result(find_extremes<T>(op, x, types[0]));
      case ReduceKind::all:
      case ReduceKind::any: return one_result(combine_truths(op, x, types[0]));
      case ReduceKind::argmin:
      case ReduceKind::argmax: break;
    }
    return find_positions<T>(op, x, types);
  });
}

namespace {

// For each element the product of the others: products from both sides, exact where x holds zeros.
Value product_of_others(const Reduce& op, Builder& b, Value x) {
  const Value rows = to_rows(b, x, op.axes);
  const CumulativeReduce before{ReduceKind::product, 1, false, op.accumulate};
  const CumulativeReduce after{ReduceKind::product, 1, true, op.accumulate};
  const Value left = b.add(before, {shifted(b, rows, 1, 1, 1)});
  const Value right = b.add(after, {shifted(b, rows, 1, -1, 1)});
  return from_rows(b, multiply(b, left, right), b.type(x).shape, op.axes);
}

}  // namespace

Gradients gradient(const Reduce& op, const GradientInputs& in) {
  Gradients gradients = no_gradients(in);
  Builder& b = in.builder;
  const Value x = in.operands[0];
  const TensorType type = b.type(x);
  if (!in.upstream[0] || !is_float(type.dtype)) return gradients;
  if (element_count(type.shape) == 0) return {zeros_like(b, x)};
  const auto spread = [&](Value value) { return broadcast_along(b, value, type.shape, op.axes); };
  const Value upstream = *in.upstream[0];
  switch (op.kind) {
    case ReduceKind::sum: return {spread(upstream)};
    case ReduceKind::product: return {multiply(b, spread(upstream), product_of_others(op, b, x))};
    case ReduceKind::min:
    case ReduceKind::max: {
      // Ties share evenly; where the result is NaN no element equals it and nothing flows.
      const Value chosen = compare(b, ScalarFunction::equal, x, spread(in.results[0]));
      const Value count = reduce_sum(b, cast(b, chosen, type.dtype), op.axes);
      return {select(b, chosen, spread(divide(b, upstream, count)), zeros_like(b, x))};
    }
    case ReduceKind::argmin:
    case ReduceKind::argmax: {
      const Value position = b.add(Iota{{DType::i32, type.shape}, op.axes[0]});
      const Value chosen = compare(b, ScalarFunction::equal, position, spread(in.results[1]));
      return {select(b, chosen, spread(upstream), zeros_like(b, x))};
    }
    case ReduceKind::all:
    case ReduceKind::any: break;
  }
  return gradients;
}

}  // namespace tenon::ir
