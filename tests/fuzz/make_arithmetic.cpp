// Makers of elementwise nodes, casts and annotations.
#include "graph_maker.h"

namespace tenon::fuzz {
using namespace ir;
namespace {

void make_unary(GraphMaker& g) {
  const Value x = g.any();
  if (g.chance(40) && !is_boolean(g.type(x).dtype))
    return g.add(Elementwise{g.chance(50) ? ScalarFunction::negate : ScalarFunction::abs}, {x});
  g.add(Elementwise{g.function(1, g.type(x).dtype)}, {x});
}

void make_binary(GraphMaker& g) {
  const Value x = g.any();
  const TensorType type = g.type(x);
  Value y = g.chance(10) ? x : g.like(type);
  if (g.chance(30)) {
    static const std::vector<double> kNeutral = {0.0, -0.0, 1, -1, 2, 0.5};
    y = splat(g.builder, g.one_of(kNeutral), type);
  }
  const Elementwise op{g.function(2, type.dtype)};
  if (g.chance(30))
    g.add(op, {y, x});
  else
    g.add(op, {x, y});
}

// Arithmetic on values that came by the same movement.
void make_moved_pair(GraphMaker& g) {
  const Value x = g.any();
  const TensorType type = g.type(x);
  const Value y = g.like(type);
  Op movement = Reverse{g.some_axes(type.rank())};
  if (g.chance(60)) movement = Transpose{g.permutation(type.rank())};
  if (g.chance(30)) movement = Reshape{{element_count(type.shape)}};
  const Value moved_x = g.builder.add(movement, {x});
  const Value moved_y = g.builder.add(movement, {y});
  g.add(Elementwise{g.function(2, type.dtype)}, {moved_x, moved_y});
}

// A movement before and after an elementwise op.
void make_moved_chain(GraphMaker& g) {
  const Value x = g.any();
  const TensorType type = g.type(x);
  const Shape flat = {element_count(type.shape)};
  const Value moved = reshape(g.builder, x, flat);
  const Value y = g.chance(50) ? minimum(g.builder, moved, splat(g.builder, 2, g.type(moved)))
                               : cast(g.builder, moved, g.dtype());
  g.add(Reshape{g.chance(50) ? type.shape : Shape{flat[0], 1}}, {y});
}

// Negations that meet.
void make_negated_pair(GraphMaker& g) {
  const auto x = g.where([](DType dtype) { return !is_boolean(dtype); });
  if (!x) return;
  const Value y = negate(g.builder, g.like(g.type(*x)));
  static const std::vector<ScalarFunction> kFunctions = {
      ScalarFunction::add, ScalarFunction::subtract, ScalarFunction::multiply,
      ScalarFunction::divide};
  const Value first = g.chance(60) ? negate(g.builder, *x) : *x;
  g.add(Elementwise{g.one_of(kFunctions)}, {first, y});
}

void make_select(GraphMaker& g) {
  const Value x = g.any();
  const TensorType type = g.type(x);
  const Value y = g.chance(20) ? x : g.like(type);
  Value p = g.like({DType::boolean, type.shape});
  if (g.chance(20)) p = elementwise(g.builder, ScalarFunction::logical_not, {p});
  g.add(Select{}, {p, x, y});
}

void make_cast(GraphMaker& g) { g.add(Cast{g.dtype()}, {g.any()}); }

void make_bitcast(GraphMaker& g) {
  const Value x = g.any();
  const DType from = g.type(x).dtype, to = g.dtype();
  if (g.only_exact(from)) return;
  if (!is_boolean(from) && !is_boolean(to) && size_of(from) == size_of(to)) g.add(Bitcast{to}, {x});
}

void make_barrier(GraphMaker& g) {
  std::vector<Value> operands;
  for (std::int64_t i = 1 + g.below(3); i > 0; --i) operands.push_back(g.any());
  g.add(Barrier{g.below(5)}, operands);
}

void make_sharding(GraphMaker& g) {
  const Value x = g.any();
  ShardingConstraint op{{{{{"data", 2}, {"model", 4}}}, {}}};
  op.sharding.axes.resize(g.type(x).shape.size());
  if (!op.sharding.axes.empty()) op.sharding.axes[0] = {"data"};
  g.add(op, {x});
}

}  // namespace

std::vector<Maker> arithmetic_makers() {
  return {make_unary,      make_unary,        make_binary,      make_binary, make_binary,
          make_moved_pair, make_negated_pair, make_moved_chain, make_select, make_cast,
          make_bitcast,    make_barrier,      make_sharding};
}

}  // namespace tenon::fuzz
