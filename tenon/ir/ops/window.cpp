#include "tenon/ir/ops/window.h"

#include "tenon/ir/build.h"
#include "tenon/ir/ops/combine.h"

namespace tenon::ir {

Shape window_result_shape(const Window& window, const Shape& operand, std::string_view what) {
  const auto entries = [&](std::string_view field, const Shape& values, std::int64_t least) {
    require(values.size() == operand.size(),
            "{}: window {} {} has {} entr{}, the shape {} needs {}", what, field,
            tenon::to_string(values), values.size(), values.size() == 1 ? "y" : "ies",
            tenon::to_string(operand), operand.size());
    for (const std::int64_t value : values)
      require(value >= least, "{}: window {} {} has an entry below {}", what, field,
              tenon::to_string(values), least);
  };
  entries("size", window.size, 1);
  entries("strides", window.strides, 1);
  entries("low", window.low, 0);
  entries("high", window.high, 0);
  entries("dilation", window.dilation, 1);

  Shape result;
  for (std::size_t i = 0; i < operand.size(); ++i) {
    const std::int64_t padded =
        checked_add(checked_add(operand[i], window.low[i], what), window.high[i], what);
    const std::int64_t reach =
        checked_add(checked_multiply(window.size[i] - 1, window.dilation[i], what), 1, what);
    require(reach <= padded || reach == 1,
            "{}: a window that reaches over {} elements does not fit axis {} of {}: {} elements "
            "with padding",
            what, reach, i, tenon::to_string(operand), padded);
    result.push_back(padded < reach ? 0 : (padded - reach) / window.strides[i] + 1);
  }
  return result;
}

namespace {

void require_window_kind(std::string_view op, ReduceKind kind, bool with_sum,
                         const TensorType& type) {
  require(
      (with_sum && kind == ReduceKind::sum) || kind == ReduceKind::min || kind == ReduceKind::max,
      "{}: kind {} is not one of {} (operand {})", op, name(kind),
      with_sum ? "sum, min, max" : "min, max", type);
  require_reducible(op, kind, type);
}

// Calls visit(window number, position in the operand) for each element of each window, in
// row-major order of both; positions in the padding are left out.
template <class Visit>
void for_each_window_element(const Window& window, const Shape& operand, const Shape& result,
                             Visit&& visit) {
  const Shape strides = row_major_strides(operand);
  std::size_t number = 0;
  Shape at(operand.size());
  for_each_index(result, [&](const Shape& output) {
    for_each_index(window.size, [&](const Shape& offset) {
      for (std::size_t i = 0; i < at.size(); ++i)
        at[i] = output[i] * window.strides[i] + offset[i] * window.dilation[i] - window.low[i];
      if (in_bounds(at, operand)) visit(number, static_cast<std::size_t>(flat_offset(at, strides)));
    });
    ++number;
  });
}

constexpr std::size_t kNoElement = static_cast<std::size_t>(-1);

// For each window the position of its first extreme element, or kNoElement.
template <Element T>
std::vector<std::size_t> extremes_of_windows(ReduceKind kind, const Window& window,
                                             const HostTensor& x, const Shape& result) {
  std::vector<std::size_t> chosen(static_cast<std::size_t>(element_count(result)), kNoElement);
  const auto elements = x.as<T>();
  for_each_window_element(window, x.shape(), result, [&](std::size_t number, std::size_t at) {
    if (chosen[number] == kNoElement ||
        replaces(kind == ReduceKind::min, elements[at], elements[chosen[number]]))
      chosen[number] = at;
  });
  return chosen;
}

}  // namespace

TensorTypes infer_types(const WindowReduce& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  require_window_kind(op.kName, op.kind, true, types[0]);
  require_accumulation(op.kName, op.kind, op.accumulate, types[0]);
  return {checked_result(
      op.kName, {types[0].dtype, window_result_shape(op.window, types[0].shape, op.kName)})};
}

HostTensors evaluate(const WindowReduce& op, OperandValues values) {
  const HostTensor& x = *values[0];
  const TensorType type = infer_types(op, std::array{x.type()})[0];
  return with_element_type(x.dtype(), [&]<class T>(TypeTag<T>) {
    const auto elements = x.as<T>();
    if (op.kind == ReduceKind::sum) {
      std::vector<Accumulator<T>> totals(static_cast<std::size_t>(element_count(type.shape)));
      for_each_window_element(
          op.window, x.shape(), type.shape,
          [&](std::size_t number, std::size_t at) { totals[number] += widen(elements[at]); });
      return one_result(narrowed(totals, type));
    }
    const bool smallest = op.kind == ReduceKind::min;
    HostTensor result(type);
    const auto to = result.as<T>();
    std::ranges::fill(to, neutral_extreme<T>(smallest));
    for_each_window_element(op.window, x.shape(), type.shape,
                            [&](std::size_t number, std::size_t at) {
                              to[number] = extreme_of(smallest, to[number], elements[at]);
                            });
    return one_result(std::move(result));
  });
}

namespace {

// dx[i] sums the upstream of every window that holds i: the same window sliding by one over the
// upstream, spread out by the strides and padded to line up.
Value window_sum_gradient(const WindowReduce& op, Builder& b, Value x, Value upstream) {
  const TensorType type = b.type(x);
  const Shape windows = b.type(upstream).shape;
  const std::size_t rank = type.shape.size();
  const Shape zeros(rank, 0), ones(rank, 1);
  Pad pad{zeros, zeros, zeros};
  for (std::size_t i = 0; i < rank; ++i) {
    pad.interior[i] = op.window.strides[i] - 1;
    pad.low[i] = (op.window.size[i] - 1) * op.window.dilation[i] - op.window.low[i];
    const std::int64_t spread = windows[i] == 0 ? 0 : (windows[i] - 1) * op.window.strides[i] + 1;
    pad.high[i] = type.shape[i] + op.window.low[i] - spread;
  }
  const Value padded = b.add(std::move(pad), {upstream, splat(b, 0, {type.dtype, {}})});
  const Window sliding{op.window.size, ones, zeros, zeros, op.window.dilation};
  return b.add(WindowReduce{ReduceKind::sum, sliding, op.accumulate}, {padded});
}

}  // namespace

Gradients gradient(const WindowReduce& op, const GradientInputs& in) {
  Builder& b = in.builder;
  const Value x = in.operands[0];
  const TensorType type = b.type(x);
  if (!in.upstream[0] || !is_float(type.dtype)) return no_gradients(in);
  if (element_count(type.shape) == 0) return {zeros_like(b, x)};
  if (op.kind == ReduceKind::sum) return {window_sum_gradient(op, b, x, *in.upstream[0])};
  return {b.add(WindowSelect{op.kind, WindowDirection::scatter, op.window}, {x, *in.upstream[0]})};
}

TensorTypes infer_types(const WindowSelect& op, OperandTypes types) {
  require_operands(op.kName, types, 2);
  require_window_kind(op.kName, op.kind, false, types[0]);
  require_same_dtype(op.kName, types);
  const TensorType windows = checked_result(
      op.kName, {types[0].dtype, window_result_shape(op.window, types[0].shape, op.kName)});
  const bool scatter = op.direction == WindowDirection::scatter;
  const TensorType& expected = scatter ? windows : types[0];
  require(types[1] == expected, "window_select: {} of {} expects a second operand {}, got {}",
          scatter ? "scatter" : "gather", types[0], expected, types[1]);
  return {scatter ? types[0] : windows};
}

HostTensors evaluate(const WindowSelect& op, OperandValues values) {
  const HostTensor& x = *values[0];
  const TensorType type = infer_types(op, std::array{x.type(), values[1]->type()})[0];
  const Shape windows = window_result_shape(op.window, x.shape(), op.kName);
  return with_element_type(x.dtype(), [&]<class T>(TypeTag<T>) {
    const auto chosen = extremes_of_windows<T>(op.kind, op.window, x, windows);
    const auto from = values[1]->as<T>();
    std::vector<Accumulator<T>> totals(static_cast<std::size_t>(element_count(type.shape)));
    for (std::size_t number = 0; number < chosen.size(); ++number) {
      if (chosen[number] == kNoElement) continue;
      if (op.direction == WindowDirection::scatter)
        totals[chosen[number]] += widen(from[number]);
      else
        totals[number] = widen(from[chosen[number]]);
    }
    return one_result(narrowed(totals, type));
  });
}

Gradients gradient(const WindowSelect& op, const GradientInputs& in) {
  Gradients gradients = no_gradients(in);
  if (!in.upstream[0] || !is_float(in.builder.type(in.operands[1]).dtype)) return gradients;
  WindowSelect back = op;
  back.direction =
      op.direction == WindowDirection::scatter ? WindowDirection::gather : WindowDirection::scatter;
  gradients[1] = in.builder.add(back, {in.operands[0], *in.upstream[0]});
  return gradients;
}

}  // namespace tenon::ir
