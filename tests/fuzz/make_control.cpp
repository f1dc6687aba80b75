// Makers of scan, while and cond, with small random sub-graphs.
#include "graph_maker.h"

namespace tenon::fuzz {
using namespace ir;
namespace {

// Elementwise ops on the inputs; each output is the newest value of its type (an input at least).
GraphRef random_body(GraphMaker& g, const std::vector<TensorType>& inputs,
                     const std::vector<TensorType>& outputs) {
  Builder b;
  std::vector<Value> pool;
  for (const TensorType& type : inputs)
    pool.push_back(b.input({fmt::format("x{}", pool.size()), type, Role::data, {}}));
  const auto newest = [&](const TensorType& type) {
    Value found{};
    for (const Value v : pool)
      if (b.type(v) == type) found = v;
    return found;
  };
  for (std::int64_t i = 2 + g.below(4); i > 0; --i) {
    const Value x = g.one_of(pool);
    const TensorType type = b.type(x);
    if (g.chance(30)) {
      pool.push_back(elementwise(b, g.function(1, type.dtype), {x}));
      continue;
    }
    const Value y = g.chance(50) ? newest(type) : splat(b, 2, type);
    pool.push_back(elementwise(b, g.function(2, type.dtype), {x, y}));
  }
  std::vector<Value> values;
  for (const TensorType& type : outputs) values.push_back(newest(type));
  return GraphRef(std::move(b).finish(values));
}

void make_scan(GraphMaker& g) {
  const Value xs = g.any();
  const TensorType rows = g.type(xs);
  if (rows.rank() == 0) return;
  const TensorType row{rows.dtype, Shape(rows.shape.begin() + 1, rows.shape.end())};
  // Of the type of a row more often than not, so that the two meet.
  const TensorType carried = g.chance(60) ? row : TensorType{g.dtype(), g.shape(2)};
  const TensorType invariant = g.chance(50) ? row : carried;
  Scan op;
  op.body = random_body(g, {carried, row, invariant}, {carried, row});
  op.length = rows.shape[0];
  op.carried = 1;
  op.scanned = 1;
  op.reverse = g.chance(40);
  g.add(op, {g.like(carried), xs, g.like(invariant)});
}

// At most four times round.
void make_while(GraphMaker& g) {
  const Value x = g.any(), y = g.like(g.type(x));
  const TensorType counter{DType::i32, {}}, type = g.type(x);
  Builder condition, body;
  const Value count = condition.input({"count", counter, Role::data, {}});
  for (const char* name : {"x", "y"}) condition.input({name, type, Role::data, {}});
  const Value more = compare(condition, ScalarFunction::less, count, splat(condition, 4, counter));
  const Value now = body.input({"count", counter, Role::data, {}});
  std::vector<Value> state;
  for (const char* name : {"x", "y"}) state.push_back(body.input({name, type, Role::data, {}}));
  const GraphRef inside = random_body(g, {type, type}, {type});
  const Value next = inline_graph(body, *inside, state)[0];
  const Value after = add(body, now, splat(body, 1, counter));
  // Half of them swap: each value moves to the other's place.
  const bool swaps = g.chance(50);
  g.add(While{GraphRef(std::move(condition).finish({more})),
              GraphRef(std::move(body).finish(
                  {after, swaps ? state[1] : next, swaps ? next : state[1]}))},
        {splat(g.builder, static_cast<double>(g.below(4)), counter), x, y});
}

void make_cond(GraphMaker& g) {
  const Value x = g.any(), y = g.any();
  const std::vector<TensorType> types = {g.type(x), g.type(y)};
  const Value predicate = g.like({DType::boolean, {}});
  g.add(Cond{random_body(g, types, types), random_body(g, types, types)}, {predicate, x, y});
}

}  // namespace

std::vector<Maker> control_makers() { return {make_scan, make_while, make_cond}; }

}  // namespace tenon::fuzz
