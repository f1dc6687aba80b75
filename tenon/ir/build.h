// Short names for building nodes, used by gradients, definitions, passes and tests.
// Strict, like the IR: operand types must match exactly; nothing broadcasts or promotes.
#pragma once
#include "tenon/ir/graph.h"

namespace tenon::ir {

Value elementwise(Builder& b, ScalarFunction f, std::initializer_list<Value> operands);
inline Value negate(Builder& b, Value x) { return elementwise(b, ScalarFunction::negate, {x}); }
inline Value exp(Builder& b, Value x) { return elementwise(b, ScalarFunction::exp, {x}); }
inline Value log(Builder& b, Value x) { return elementwise(b, ScalarFunction::log, {x}); }
inline Value rsqrt(Builder& b, Value x) { return elementwise(b, ScalarFunction::rsqrt, {x}); }
inline Value sqrt(Builder& b, Value x) { return elementwise(b, ScalarFunction::sqrt, {x}); }
inline Value add(Builder& b, Value x, Value y) {
  return elementwise(b, ScalarFunction::add, {x, y});
}
inline Value subtract(Builder& b, Value x, Value y) {
  return elementwise(b, ScalarFunction::subtract, {x, y});
}
inline Value multiply(Builder& b, Value x, Value y) {
  return elementwise(b, ScalarFunction::multiply, {x, y});
}
inline Value divide(Builder& b, Value x, Value y) {
  return elementwise(b, ScalarFunction::divide, {x, y});
}
inline Value maximum(Builder& b, Value x, Value y) {
  return elementwise(b, ScalarFunction::maximum, {x, y});
}
inline Value minimum(Builder& b, Value x, Value y) {
  return elementwise(b, ScalarFunction::minimum, {x, y});
}
inline Value compare(Builder& b, ScalarFunction f, Value x, Value y) {
  return elementwise(b, f, {x, y});
}
Value select(Builder& b, Value predicate, Value on_true, Value on_false);
Value cast(Builder& b, Value x, DType dtype);  // x itself if it has that type

// x, with no gradient flowing back: a CustomGradient whose backward returns zeros.
Value stop_gradient(Builder& b, Value x);

Value constant(Builder& b, HostTensor value);
// Every element equal to `value` (rounded to the element type): Broadcast of a scalar Constant.
Value splat(Builder& b, double value, const TensorType& type);
Value zeros_like(Builder& b, Value x);
// The value of a splat made as above (or of a scalar Constant), as a double; none otherwise.
std::optional<double> splat_value(const Builder& b, Value x);
std::optional<double> splat_value(const Graph& graph, Value x);

Value reshape(Builder& b, Value x, Shape shape);               // x itself if it has that shape
Value transpose(Builder& b, Value x, Axes permutation);        // x itself for the identity
Value broadcast(Builder& b, Value x, Shape shape, Axes axes);  // x itself for the identity
// Inserts the given (sorted) axes of a larger shape: what undoes Reduce{axes} in shape.
Value broadcast_along(Builder& b, Value x, const Shape& shape, const Axes& axes);
// Accumulates floats in at least f32: f32 for f16 and bf16.
DType accumulation_type(DType dtype);
Value reduce(Builder& b, ReduceKind kind, Value x, Axes axes);
Value reduce_sum(Builder& b, Value x, Axes axes);  // x itself for no axes
// [m, k] x [k, n] -> [m, n], highest precision, result type of x.
Value matmul(Builder& b, Value x, Value y);

}  // namespace tenon::ir
