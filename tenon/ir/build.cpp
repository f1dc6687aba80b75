#include "tenon/ir/build.h"

#include <numeric>

namespace tenon::ir {

Value elementwise(Builder& b, ScalarFunction f, std::initializer_list<Value> operands) {
  return b.add(Elementwise{f}, operands);
}

Value select(Builder& b, Value predicate, Value on_true, Value on_false) {
  return b.add(Select{}, {predicate, on_true, on_false});
}

Value cast(Builder& b, Value x, DType dtype) {
  return b.type(x).dtype == dtype ? x : b.add(Cast{dtype}, {x});
}

Value stop_gradient(Builder& b, Value x) {
  const TensorType type = b.type(x);
  Builder forward;
  const Value same = forward.input({"x", type, Role::data, Sharding{}});
  Builder backward;
  for (const char* name : {"x", "y", "upstream"})
    backward.input({name, type, Role::data, Sharding{}});
  const Value zeros = splat(backward, 0, type);
  return b.add(CustomGradient{GraphRef(std::move(forward).finish({same})),
                              GraphRef(std::move(backward).finish({zeros}))},
               {x});
}

Value constant(Builder& b, HostTensor value) {
  return b.add(Constant{ConstantRef(std::move(value))}, {});
}

Value splat(Builder& b, double value, const TensorType& type) {
  const Value scalar = constant(b, filled({type.dtype, {}}, value));
  return broadcast(b, scalar, type.shape, {});
}

Value zeros_like(Builder& b, Value x) { return splat(b, 0, b.type(x)); }

namespace {
template <class Program>
std::optional<double> find_splat(const Program& program, Value x) {
  const Node* node = &program.node(x.node);
  if (std::holds_alternative<Broadcast>(node->op)) node = &program.node(node->operands[0].node);
  const auto* constant = std::get_if<Constant>(&node->op);
  if (constant == nullptr || constant->value->size() != 1) return std::nullopt;
  return element_as_double(*constant->value, 0);
}
}  // namespace

std::optional<double> splat_value(const Builder& b, Value x) { return find_splat(b, x); }
std::optional<double> splat_value(const Graph& graph, Value x) { return find_splat(graph, x); }

Value reshape(Builder& b, Value x, Shape shape) {
  return b.type(x).shape == shape ? x : b.add(Reshape{std::move(shape)}, {x});
}

Value transpose(Builder& b, Value x, Axes permutation) {
  if (std::ranges::is_sorted(permutation) &&
      static_cast<std::int64_t>(permutation.size()) == b.type(x).rank())
    return x;
  return b.add(Transpose{std::move(permutation)}, {x});
}

Value broadcast(Builder& b, Value x, Shape shape, Axes axes) {
  return b.type(x).shape == shape ? x : b.add(Broadcast{std::move(shape), std::move(axes)}, {x});
}

Value broadcast_along(Builder& b, Value x, const Shape& shape, const Axes& axes) {
  Axes kept;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(shape.size()); ++i)
    if (!std::ranges::count(axes, i)) kept.push_back(i);
  return broadcast(b, x, shape, std::move(kept));
}

DType accumulation_type(DType dtype) { return is_narrow_float(dtype) ? DType::f32 : dtype; }

Value reduce(Builder& b, ReduceKind kind, Value x, Axes axes) {
  const DType dtype = b.type(x).dtype;
  const bool wide = kind == ReduceKind::sum || kind == ReduceKind::product;
  return b.add(Reduce{kind, std::move(axes), wide ? accumulation_type(dtype) : dtype}, {x});
}

Value reduce_sum(Builder& b, Value x, Axes axes) {
  return axes.empty() ? x : reduce(b, ReduceKind::sum, x, std::move(axes));
}

Value matmul(Builder& b, Value x, Value y) {
  Dot dot;
  dot.lhs_contracting = {1};
  dot.rhs_contracting = {0};
  dot.result = b.type(x).dtype;
  return b.add(std::move(dot), {x, y});
}

}  // namespace tenon::ir
