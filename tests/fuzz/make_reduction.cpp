// Makers of reductions, windows, contractions, indexing and sorting.
#include <numeric>

#include "graph_maker.h"

namespace tenon::fuzz {
using namespace ir;
namespace {

bool is_number(DType dtype) { return !is_boolean(dtype); }

ReduceKind number_kind(GraphMaker& g, DType dtype) {
  if (g.only_exact(dtype)) return g.chance(50) ? ReduceKind::min : ReduceKind::max;
  return static_cast<ReduceKind>(g.below(4));
}

DType accumulate_for(ReduceKind kind, DType dtype) {
  const bool wide = kind == ReduceKind::sum || kind == ReduceKind::product;
  return wide ? accumulation_type(dtype) : dtype;
}

void make_reduce(GraphMaker& g) {
  const Value x = g.any();
  const TensorType type = g.type(x);
  if (is_boolean(type.dtype)) {
    const ReduceKind kind = g.chance(50) ? ReduceKind::all : ReduceKind::any;
    return g.add(Reduce{kind, g.some_axes(type.rank()), type.dtype}, {x});
  }
  if (type.rank() > 0 && g.chance(25)) {
    const std::int64_t axis = g.below(type.rank());
    if (type.shape[static_cast<std::size_t>(axis)] == 0) return;
    const ReduceKind kind = g.chance(50) ? ReduceKind::argmin : ReduceKind::argmax;
    return g.add(Reduce{kind, {axis}, type.dtype}, {x});
  }
  const ReduceKind kind = number_kind(g, type.dtype);
  g.add(Reduce{kind, g.some_axes(type.rank()), accumulate_for(kind, type.dtype)}, {x});
}

void make_cumulative(GraphMaker& g) {
  const auto x = g.where(is_number);
  if (!x || g.type(*x).rank() == 0) return;
  const ReduceKind kind = number_kind(g, g.type(*x).dtype);
  g.add(CumulativeReduce{kind, g.below(g.type(*x).rank()), g.chance(30),
                         accumulate_for(kind, g.type(*x).dtype)},
        {*x});
}

// A window that fits, or none.
std::optional<Window> random_window(GraphMaker& g, const Shape& shape) {
  Window window;
  for (const std::int64_t extent : shape) {
    if (extent == 0) return std::nullopt;
    window.size.push_back(1 + g.below(std::min<std::int64_t>(extent, 3)));
    window.strides.push_back(1 + g.below(2));
    window.low.push_back(g.below(2));
    window.high.push_back(g.below(2));
    window.dilation.push_back(1);
  }
  return window;
}

void make_window(GraphMaker& g) {
  const auto x = g.where(is_float);
  if (!x) return;
  const TensorType type = g.type(*x);
  const auto window = random_window(g, type.shape);
  if (!window) return;
  static const std::vector<ReduceKind> kKinds = {ReduceKind::sum, ReduceKind::min, ReduceKind::max};
  const ReduceKind kind = g.one_of(kKinds);
  const bool exact = g.only_exact(type.dtype);
  if (exact && kind == ReduceKind::sum) return;
  if (kind == ReduceKind::sum || g.chance(50))
    return g.add(WindowReduce{kind, *window, accumulate_for(kind, type.dtype)}, {*x});
  const Shape windows = window_result_shape(*window, type.shape, "window_select");
  if (exact || g.chance(50))
    g.add(WindowSelect{kind, WindowDirection::gather, *window}, {*x, g.like(type)});
  else
    g.add(WindowSelect{kind, WindowDirection::scatter, *window},
          {*x, g.like({type.dtype, windows})});
}

void make_dot(GraphMaker& g) {
  const auto x = g.where(is_number);
  if (!x || g.type(*x).rank() == 0 || g.only_exact(g.type(*x).dtype)) return;
  const TensorType lhs = g.type(*x);
  // One contracted axis, perhaps one batch axis; the other operand's axes in random order.
  const Axes order = g.permutation(lhs.rank());
  Dot op;
  op.result = lhs.dtype;
  op.lhs_contracting = {order[0]};
  if (order.size() > 1 && g.chance(30)) op.lhs_batch = {order[1]};
  const auto extent = [&](std::int64_t axis) { return lhs.shape[static_cast<std::size_t>(axis)]; };
  Shape rhs = {extent(order[0])};
  if (!op.lhs_batch.empty()) rhs.push_back(extent(order[1]));
  for (std::int64_t i = g.below(2); i > 0; --i) rhs.push_back(1 + g.below(3));
  const Axes moved = g.permutation(static_cast<std::int64_t>(rhs.size()));
  Shape shape(rhs.size());
  for (std::size_t i = 0; i < rhs.size(); ++i) shape[i] = rhs[static_cast<std::size_t>(moved[i])];
  const auto place = [&](std::int64_t axis) {
    return std::ranges::find(moved, axis) - moved.begin();
  };
  op.rhs_contracting = {place(0)};
  if (!op.lhs_batch.empty()) op.rhs_batch = {place(1)};
  Value y = g.like({lhs.dtype, shape});
  Value left = *x;
  if (g.chance(40)) {  // through a transpose, which can fold into the dot
    const Axes p = g.permutation(lhs.rank());
    left = g.builder.add(Transpose{p}, {left});
    for (Axes* axes : {&op.lhs_contracting, &op.lhs_batch})
      for (std::int64_t& axis : *axes) axis = std::ranges::find(p, axis) - p.begin();
  }
  if (g.chance(80)) return g.add(op, {left, y});
  // Transposed, perhaps so that the free axes of the operands swap.
  const Value product = g.builder.add(op, {left, y});
  const std::int64_t rank = g.type(product).rank();
  const auto batch = static_cast<std::int64_t>(op.lhs_batch.size());
  Axes swapped(static_cast<std::size_t>(rank));
  std::iota(swapped.begin(), swapped.end(), 0);
  std::rotate(swapped.begin() + batch, swapped.begin() + (lhs.rank() - 1), swapped.end());
  g.add(Transpose{g.chance(70) ? swapped : g.permutation(rank)}, {product});
}

void make_convolution(GraphMaker& g) {
  const auto x = g.where(is_float);
  if (!x || g.type(*x).rank() != 3 || g.only_exact(g.type(*x).dtype)) return;
  const TensorType type = g.type(*x);
  if (std::ranges::count(type.shape, 0)) return;
  Convolution op;  // [batch, width, features] with [width, in, out]
  op.input_feature = op.output_feature = 2;
  op.input_spatial = op.output_spatial = {1};
  op.kernel_spatial = {0};
  op.kernel_input = 1;
  op.kernel_output = 2;
  op.strides = {1 + g.below(2)};
  op.low = {g.below(2)};
  op.high = {g.below(2)};
  op.base_dilation = {1};
  op.window_dilation = {1};
  op.result = type.dtype;
  const std::int64_t width = 1 + g.below(std::min<std::int64_t>(type.shape[1], 3));
  const Value kernel = g.like({type.dtype, {width, type.shape[2], 1 + g.below(3)}});
  if (g.chance(60)) return g.add(op, {*x, kernel});
  // Cut; what is cut has no other user.
  const Value whole = g.builder.add(op, {*x, kernel});
  const Shape shape = g.type(whole).shape;
  if (shape[1] > 1) g.add(Slice{{0, 1, 0}, shape, {1, 1, 1}}, {whole});
}

void make_gather(GraphMaker& g) {
  const Value x = g.any();
  const TensorType type = g.type(x);
  if (type.rank() == 0 || element_count(type.shape) == 0) return;
  const std::int64_t axis = g.below(type.rank());
  const Value indices = g.like({DType::i32, {1 + g.below(4), 1}});
  if (g.chance(50) || is_boolean(type.dtype)) return g.add(Gather{{axis}, 0}, {x, indices});
  Shape updates = {g.type(indices).shape[0]};
  for (std::int64_t i = 0; i < type.rank(); ++i)
    if (i != axis) updates.push_back(type.shape[static_cast<std::size_t>(i)]);
  g.add(Scatter{static_cast<ScatterKind>(g.below(5)), {axis}, 0},
        {x, indices, g.like({type.dtype, updates})});
}

void make_sort(GraphMaker& g) {
  const auto x = g.where(is_number);
  if (!x || g.type(*x).rank() == 0) return;
  std::vector<Value> operands = {*x};
  if (g.chance(50)) operands.push_back(g.like({g.dtype(), g.type(*x).shape}));
  g.add(Sort{g.below(g.type(*x).rank()), g.chance(50)}, operands);
}

}  // namespace

std::vector<Maker> reduction_makers() {
  return {make_reduce, make_reduce,      make_cumulative, make_window, make_dot,
          make_dot,    make_convolution, make_gather,     make_sort};
}

}  // namespace tenon::fuzz
