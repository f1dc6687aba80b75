// Makers of nodes that move elements.
#include "graph_maker.h"

namespace tenon::fuzz {
using namespace ir;
namespace {

void make_broadcast(GraphMaker& g) {
  const Value x = g.any();
  Shape shape;
  Axes axes;
  for (const std::int64_t extent : g.type(x).shape) {
    if (g.chance(30)) shape.push_back(1 + g.below(3));
    axes.push_back(static_cast<std::int64_t>(shape.size()));
    shape.push_back(extent);
  }
  if (g.chance(60)) shape.push_back(1 + g.below(4));
  g.add(Broadcast{shape, axes}, {x});
}

// Splits, merges and adds axes at random.
void make_reshape(GraphMaker& g) {
  const Value x = g.any();
  Shape shape;
  for (const std::int64_t extent : g.type(x).shape) {
    if (g.chance(15)) shape.push_back(1);
    const bool even = extent > 1 && extent % 2 == 0;
    if (even && g.chance(40)) {
      shape.push_back(2);
      shape.push_back(extent / 2);
    } else if (!shape.empty() && g.chance(40)) {
      shape.back() *= extent;
    } else {
      shape.push_back(extent);
    }
  }
  g.add(Reshape{shape}, {x});
}

void make_transpose(GraphMaker& g) {
  const Value x = g.any();
  g.add(Transpose{g.permutation(g.type(x).rank())}, {x});
}

void make_reverse(GraphMaker& g) {
  const Value x = g.any();
  g.add(Reverse{g.some_axes(g.type(x).rank())}, {x});
}

void make_slice(GraphMaker& g) {
  Value x = g.any();
  if (g.type(x).rank() > 0 && g.chance(20))
    x = g.builder.add(Concatenate{0}, {x, g.like(g.type(x)), x});
  Slice op;
  for (const std::int64_t extent : g.type(x).shape) {
    const bool whole = g.chance(50);
    op.starts.push_back(whole ? 0 : g.below(extent + 1));
    op.limits.push_back(whole ? extent : op.starts.back() + g.below(extent - op.starts.back() + 1));
    op.strides.push_back(whole || g.chance(50) ? 1 : 1 + g.below(3));
  }
  g.add(op, {x});
}

void make_pad(GraphMaker& g) {
  const Value x = g.any();
  Pad op;
  for (const std::int64_t extent : g.type(x).shape) {
    const bool none = g.chance(50);
    op.low.push_back(none ? 0 : g.below(3) - (extent > 1 ? 1 : 0));
    op.high.push_back(none ? 0 : g.below(3) - (extent > 1 && op.low.back() >= 0 ? 1 : 0));
    op.interior.push_back(none ? 0 : g.below(2));
  }
  g.add(op, {x, g.like({g.type(x).dtype, {}})});
}

void make_concatenate(GraphMaker& g) {
  const Value x = g.any();
  if (g.type(x).rank() == 0) return;
  const std::int64_t axis = g.below(g.type(x).rank());
  std::vector<Value> parts = {x};
  for (std::int64_t i = g.below(3); i > 0; --i) {
    TensorType type = g.type(x);
    type.shape[static_cast<std::size_t>(axis)] = g.below(3);
    parts.push_back(g.chance(50) ? x : g.like(type));
  }
  g.add(Concatenate{axis}, parts);
}

std::vector<Value> random_starts(GraphMaker& g, std::int64_t rank) {
  std::vector<Value> starts;
  for (std::int64_t i = 0; i < rank; ++i)
    starts.push_back(g.chance(50)
                         ? constant(g.builder, make_scalar<std::int32_t>(
                                                   static_cast<std::int32_t>(g.below(6) - 1)))
                         : g.like({DType::i32, {}}));
  return starts;
}

Shape part_of(GraphMaker& g, Shape shape) {
  for (std::int64_t& extent : shape)
    if (extent > 0 && g.chance(60)) extent = 1 + g.below(extent);
  return shape;
}

void make_dynamic_slice(GraphMaker& g) {
  const Value x = g.any();
  std::vector<Value> operands = random_starts(g, g.type(x).rank());
  operands.insert(operands.begin(), x);
  g.add(DynamicSlice{part_of(g, g.type(x).shape)}, operands);
}

void make_dynamic_update(GraphMaker& g) {
  const Value x = g.any();
  std::vector<Value> operands = random_starts(g, g.type(x).rank());
  operands.insert(operands.begin(), g.like({g.type(x).dtype, part_of(g, g.type(x).shape)}));
  operands.insert(operands.begin(), x);
  g.add(DynamicUpdateSlice{}, operands);
}

}  // namespace

std::vector<Maker> movement_makers() {
  return {make_broadcast,   make_broadcast,     make_reshape,       make_reshape, make_transpose,
          make_transpose,   make_reverse,       make_slice,         make_slice,   make_pad,
          make_concatenate, make_dynamic_slice, make_dynamic_update};
}

}  // namespace tenon::fuzz
