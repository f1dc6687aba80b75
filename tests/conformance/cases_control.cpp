// Cases of control flow: scan, while, cond and custom gradients.
#include "case.h"

namespace tenon::conformance {
using namespace ir;
namespace {

Value input(Builder& b, const char* name, TensorType type) {
  return b.input({name, std::move(type), Role::data, Sharding{}});
}
Value tanh(Builder& b, Value x) { return elementwise(b, ScalarFunction::tanh, {x}); }

// h' = tanh(x W + h U + bias), h' stacked too: a recurrent layer.
Scan recurrent(std::int64_t length, bool reverse) {
  Builder b;
  const Value h = input(b, "h", {DType::f64, {2, 3}});
  const Value x = input(b, "x", {DType::f64, {2, 4}});
  const Value w = input(b, "w", {DType::f64, {4, 3}});
  const Value u = input(b, "u", {DType::f64, {3, 3}});
  const Value bias = input(b, "bias", {DType::f64, {3}});
  const Value sum = add(b, matmul(b, x, w), matmul(b, h, u));
  const Value next = tanh(b, add(b, sum, broadcast(b, bias, {2, 3}, {1})));
  return {GraphRef(std::move(b).finish({next, next})), length, 1, 1, reverse};
}

std::vector<HostTensor> recurrent_inputs(std::int64_t length) {
  return {random_tensor({DType::f64, {2, 3}}, 1, -1, 1),
          random_tensor({DType::f64, {length, 2, 4}}, 2, -1, 1),
          random_tensor({DType::f64, {4, 3}}, 3, -1, 1),
          random_tensor({DType::f64, {3, 3}}, 4, -1, 1),
          random_tensor({DType::f64, {3}}, 5, -1, 1)};
}

// Carries (position i32, sum T): sum += x[position] scaled by position; the scanned value is T.
Scan counted_sum(DType dtype, std::int64_t length) {
  Builder b;
  const Value position = input(b, "position", {DType::i32, {}});
  const Value sum = input(b, "sum", {dtype, {3}});
  const Value x = input(b, "x", {dtype, {3}});
  const Value weight = broadcast(b, b.add(Cast{dtype}, {position}), {3}, {});
  const Value next = add(b, sum, multiply(b, x, weight));
  const Value one = splat(b, 1, {DType::i32, {}});
  return {GraphRef(std::move(b).finish({add(b, position, one), next, position})), length, 2, 1,
          false};
}

// No carried values: each step alone.
Scan each_row(bool reverse) {
  Builder b;
  const Value x = input(b, "x", {DType::f64, {5}});
  const Value y = input(b, "y", {DType::f64, {5}});
  return {GraphRef(std::move(b).finish({multiply(b, exp(b, x), y)})), 3, 0, 2, reverse};
}

// x / 2 while it is above the limit.
While halving(DType dtype) {
  Builder condition, body;
  const Value x = input(condition, "x", {dtype, {}});
  const Value limit = input(condition, "limit", {dtype, {}});
  const Value more = compare(condition, ScalarFunction::greater, x, limit);
  const Value y = input(body, "x", {dtype, {}});
  const Value same = input(body, "limit", {dtype, {}});
  const Value half = divide(body, y, splat(body, 2, {dtype, {}}));
  return {GraphRef(std::move(condition).finish({more})),
          GraphRef(std::move(body).finish({half, same}))};
}

// p ? (-x * y, y) : (x, x * y)
Cond products(DType dtype, const Shape& shape) {
  const TensorType type{dtype, shape};
  Builder on_true, on_false;
  Value x = input(on_true, "x", type), y = input(on_true, "y", type);
  Graph first = [&] {
    const Value product = multiply(on_true, negate(on_true, x), y);
    return std::move(on_true).finish({product, y});
  }();
  x = input(on_false, "x", type), y = input(on_false, "y", type);
  const Value product = multiply(on_false, x, y);
  return {GraphRef(std::move(first)), GraphRef(std::move(on_false).finish({x, product}))};
}

// sqrt with its derivative given through the result: g / (2 y).
CustomGradient square_root(DType dtype, const Shape& shape) {
  const TensorType type{dtype, shape};
  Builder forward, backward;
  const Value root = sqrt(forward, input(forward, "x", type));
  input(backward, "x", type);
  const Value y = input(backward, "y", type), g = input(backward, "g", type);
  const Value dx = divide(backward, g, add(backward, y, y));
  return {GraphRef(std::move(forward).finish({root})), GraphRef(std::move(backward).finish({dx}))};
}

}  // namespace

TENON_OP_CASES(Scan) {
  std::vector<Case> all;
  for (const bool reverse : {false, true})
    for (const std::int64_t length : {0, 1, 4})
      all.push_back(single_op_case(
          fmt::format("scan/recurrent/length {}{}", length, reverse ? "/reverse" : ""),
          recurrent(length, reverse), recurrent_inputs(length), true));
  for (const bool reverse : {false, true})
    all.push_back(single_op_case(
        reverse ? "scan/each row/reverse" : "scan/each row", each_row(reverse),
        {random_tensor({DType::f64, {3, 5}}, 1), random_tensor({DType::f64, {3, 5}}, 2)}, true));
  for (const DType dtype : kAllDTypes) {
    if (is_boolean(dtype)) continue;
    all.push_back(single_op_case(fmt::format("scan/counted sum/{}", name(dtype)),
                                 counted_sum(dtype, 17),
                                 {make_scalar<std::int32_t>(1), random_tensor({dtype, {3}}, 1),
                                  random_tensor({dtype, {17, 3}}, 2)},
                                 dtype == DType::f64));
  }
  return all;
}

TENON_OP_CASES(While) {
  std::vector<Case> all;
  for (const DType dtype : kAllDTypes)
    if (!is_boolean(dtype))
      all.push_back(single_op_case(fmt::format("while/halving/{}", name(dtype)), halving(dtype),
                                   {filled({dtype, {}}, 100), filled({dtype, {}}, 3)}));
  all.push_back(single_op_case("while/not once", halving(DType::f32),
                               {filled({DType::f32, {}}, 1), filled({DType::f32, {}}, 3)}));
  return all;
}

TENON_OP_CASES(Cond) {
  std::vector<Case> all;
  for (const bool choice : {false, true}) {
    for (const DType dtype : {DType::i8, DType::u64, DType::bf16, DType::f32, DType::f64})
      for (const Shape& shape : {Shape{}, Shape{3, 17}, Shape{0, 2}})
        all.push_back(single_op_case(fmt::format("cond/{}/{}", choice, TensorType{dtype, shape}),
                                     products(dtype, shape),
                                     {make_scalar(choice), random_tensor({dtype, shape}, 1),
                                      random_tensor({dtype, shape}, 2)},
                                     dtype == DType::f64));
  }
  return all;
}

TENON_OP_CASES(CustomGradient) {
  std::vector<Case> all;
  for (const DType dtype : {DType::f16, DType::f32, DType::f64})
    for (const Shape& shape : {Shape{}, Shape{3, 17}, Shape{0}})
      all.push_back(
          single_op_case(fmt::format("custom_gradient/square root/{}", TensorType{dtype, shape}),
                         square_root(dtype, shape), {random_tensor({dtype, shape}, 1, 0.5, 4)},
                         dtype == DType::f64));
  return all;
}

}  // namespace tenon::conformance
