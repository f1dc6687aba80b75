// Cases of several ops: what the passes and the plan change about whole steps.
#include "case.h"
#include "tenon/autodiff/grad.h"
#include "tests/fuzz/random_graph.h"
#include "tests/fuzz/random_inputs.h"
#include "tests/fuzz/random_product.h"

namespace tenon::conformance {
using namespace ir;
namespace {

Value data(Builder& b, const char* name, TensorType type) {
  return b.input({name, std::move(type), Role::data, {}});
}
Output result(Value value) { return {"", value, std::nullopt, Merge::carry}; }
Output update(Value value, std::uint32_t input) { return {"", value, input, Merge::carry}; }

// h' = h W + x U, and h' of every step.
GraphRef recurrent_body(DType dtype, std::int64_t batch, std::int64_t width) {
  Builder b;
  const Value h = data(b, "h", {dtype, {batch, width}});
  const Value x = data(b, "x", {dtype, {batch, width}});
  const Value w = data(b, "w", {dtype, {width, width}});
  const Value u = data(b, "u", {dtype, {width, width}});
  const Value next = add(b, matmul(b, h, transpose(b, w, {1, 0})), matmul(b, x, u));
  return GraphRef(std::move(b).finish({next, next}));
}

constexpr std::int64_t kSteps = 3;

// Two equal loops over the same weights, forward.
Graph recurrent(DType dtype, std::int64_t batch, std::int64_t width) {
  Builder b;
  const Value h = data(b, "h", {dtype, {batch, width}});
  const Value x = data(b, "x", {dtype, {kSteps, batch, width}});
  const Value y = data(b, "y", {dtype, {kSteps, batch, width}});
  const Value w = data(b, "w", {dtype, {width, width}});
  const Value u = data(b, "u", {dtype, {width, width}});
  const Scan scan{recurrent_body(dtype, batch, width), kSteps, 1, 1, false};
  const Value first = b.add(scan, {h, x, w, u}), second = b.add(scan, {h, y, w, u});
  return std::move(b).finish({add(b, first, second), Value{first.node, 1}});
}

// Two results of one loop over equal operands, written as two loops.
Graph equal_loops() {
  const TensorType row{DType::f32, {9}};
  const auto body = [&](bool adds_twice) {
    Builder b;
    const Value total = data(b, "total", row), step = data(b, "step", row);
    const Value next = add(b, total, step);
    return GraphRef(std::move(b).finish({next, adds_twice ? add(b, next, step) : next}));
  };
  Builder b;
  const Value start = data(b, "start", row);
  const Value rows = data(b, "rows", {DType::f32, {4, 9}});
  const Value a = b.add(Scan{body(false), 4, 1, 1, false}, {start, rows});
  const Value c = b.add(Scan{body(true), 4, 1, 1, false}, {start, rows});
  return std::move(b).finish({a, Value{a.node, 1}, Value{c.node, 1}});
}

// Values large enough that reading them once matters, sums of which nobody else has use.
Graph statistics() {
  Builder b;
  const TensorType type{DType::f32, {40, 64}};
  const Value x = data(b, "x", type), y = data(b, "y", type);
  const Value sum = reduce_sum(b, x, {1});
  const Value product = reduce_sum(b, multiply(b, x, y), {1});
  const Value columns = reduce_sum(b, x, {0}), others = reduce_sum(b, y, {0});
  return std::move(b).finish({sum, product, columns, others});
}

// Least squares with momentum: products, their epilogues, and updates in place.
Graph training_step(std::int64_t rows, std::int64_t width) {
  Builder b;
  const TensorType weights{DType::f32, {width, 8}};
  const Value x = data(b, "x", {DType::f32, {rows, width}});
  const Value y = data(b, "y", {DType::f32, {rows, 8}});
  const Value w = b.input({"w", weights, Role::state, {}});
  const Value v = b.input({"v", weights, Role::state, {}});
  const Value n = b.input({"n", {DType::i64, {}}, Role::state, {}});
  const Value total = add(b, matmul(b, x, w), y);
  const Value gradient = matmul(b, transpose(b, x, {1, 0}), total);
  const Value half = splat(b, 0.5, weights), rate = splat(b, 0x1p-4, weights);
  const Value velocity = add(b, multiply(b, v, half), gradient);
  const Value next = add(b, w, multiply(b, velocity, rate));
  const Value loss = reduce_sum(b, multiply(b, total, total), {0, 1});
  const Value count = add(b, n, constant(b, make_scalar<std::int64_t>(1)));
  return std::move(b).finish(
      {result(loss), update(next, 2), update(velocity, 3), update(count, 4), result(total)});
}

// What stands on both sides of a movement meets when that has moved.
Graph movement_between() {
  Builder b;
  const Value x = data(b, "x", {DType::f32, {7}});
  const Value y = data(b, "y", {DType::f32, {5, 7}});
  const Value there = broadcast(b, negate(b, x), {5, 7}, {1});
  return std::move(b).finish({multiply(b, negate(b, there), y)});
}

// A rectifier between two products: its derivative reads what the second one reads.
Graph rectified() {
  Builder b;
  const TensorType hidden{DType::f32, {9, 40}};
  const Value x = data(b, "x", {DType::f32, {9, 17}});
  const Value w = data(b, "w", {DType::f32, {17, 40}}), u = data(b, "u", {DType::f32, {40, 3}});
  const Value sum = matmul(b, x, w), zero = splat(b, 0, hidden);
  const Value is_off = elementwise(b, ScalarFunction::less_equal, {sum, zero});
  const Value y = matmul(b, select(b, is_off, zero, sum), u);
  return std::move(b).finish({multiply(b, y, y)});
}

// Zeros around images, by an op of their own.
Graph padded_convolution() {
  Builder b;
  const Value x = data(b, "x", {DType::f32, {2, 9, 3}});
  const Value kernel = data(b, "kernel", {DType::f32, {3, 3, 20}});
  const Value zero = constant(b, make_scalar<float>(0));
  Convolution op;  // [batch, width, features] with [width, in, out]
  op.input_feature = op.output_feature = op.kernel_output = 2;
  op.input_spatial = op.output_spatial = {1};
  op.kernel_spatial = {0};
  op.kernel_input = 1;
  op.strides = op.base_dilation = op.window_dilation = {1};
  op.low = op.high = {0};
  op.result = DType::f32;
  const Value around = b.add(Pad{{0, 1, 0}, {0, 1, 0}, {0, 0, 0}}, {x, zero});
  return std::move(b).finish({b.add(op, {around, kernel})});
}

// What a softmax does with rows, in numbers that stay exact: folds, and elements beside their
// results and beside a number for each row.
Graph rows_about_extremes(std::int64_t rows, std::int64_t width) {
  Builder b;
  const Shape shape{rows, width};
  const Value x = data(b, "x", {DType::f32, shape});
  const Value weight = data(b, "weight", {DType::f32, {rows}});
  const Value offset = data(b, "offset", {DType::f32, {width}});
  const auto along = [&](Value row) { return broadcast(b, row, shape, {0}); };
  const Value shifted = add(b, x, broadcast(b, offset, shape, {1}));
  const Value largest = reduce(b, ReduceKind::max, shifted, {1});
  const Value distance = subtract(b, shifted, along(largest));
  const Value total = reduce_sum(b, distance, {1});
  const Value squared = multiply(b, add(b, total, largest), total);
  const Value scaled = multiply(b, subtract(b, distance, along(squared)), along(weight));
  return std::move(b).finish({scaled, largest, add(b, squared, weight)});
}

// Where the first of the largest elements of each row stands.
Graph positions_of_extremes(std::int64_t rows, std::int64_t width) {
  Builder b;
  const Value x = data(b, "x", {DType::f32, {rows, width}});
  const Value y = data(b, "y", {DType::f32, {rows, width}});
  const Value found = reduce(b, ReduceKind::argmax, subtract(b, x, y), {1});
  return std::move(b).finish({found, Value{found.node, 1}});
}

// A loss reads the largest element, a metric only where it stands. Rows of one tile and of several.
Graph positions(std::int64_t width) {
  Builder b;
  const Value x = data(b, "x", {DType::f32, {5, width}});
  const auto place = [&](ReduceKind kind, Value of) {
    return Value{b.add(Reduce{kind, {1}, DType::f32}, {of}).node, 1};
  };
  const Value largest = reduce(b, ReduceKind::max, x, {1});
  return std::move(b).finish(
      {place(ReduceKind::argmax, x), largest, place(ReduceKind::argmin, negate(b, x))});
}

// An embedding of few tokens, some out of range, and the gradient of its table: alone, or beside
// that of a layer with the same weights.
Graph embedding_step(DType dtype, bool is_tied) {
  Builder b;
  constexpr std::int64_t kRows = 2048, kWidth = 40;
  const TensorType table{dtype, {kRows, kWidth}}, numbers{DType::i32, {3, 4}};
  const Value w = b.input({"w", table, Role::state, {}});
  const Value m = b.input({"m", table, Role::state, {}});
  const Value x = data(b, "x", {dtype, {3, 4, kWidth}}), ids = data(b, "ids", numbers);
  const Value far = multiply(b, ids, splat(b, 1500, numbers));
  const Value near = multiply(b, b.add(Iota{numbers, 0}, {}), splat(b, 300, numbers));
  const Value at = reshape(b, add(b, far, near), {3, 4, 1});
  Value gradient = b.add(Scatter{ScatterKind::add, {0}, 0}, {splat(b, 0, table), at, x});
  if (is_tied) {
    const Value y = data(b, "y", {dtype, {9, kRows}}), z = data(b, "z", {dtype, {9, kWidth}});
    gradient = add(b, matmul(b, transpose(b, y, {1, 0}), z), gradient);
  }
  const Value moment = add(b, multiply(b, m, splat(b, 0.5, table)), gradient);
  const Value next = add(b, w, multiply(b, moment, splat(b, 0x1p-4, table)));
  const Value rows = b.add(Gather{{0}, 0}, {w, at});
  return std::move(b).finish({result(rows), update(next, 0), update(moment, 1)});
}

Case derivative_of(const Case& c) {
  const VectorJacobian derivative = autodiff::differentiate(c.graph);
  return exact_case("derivative of " + c.name, *derivative.graph);
}

}  // namespace

std::vector<Case> composed_cases() {
  std::vector<Case> cases;
  for (const auto& [dtype, width] :
       {std::pair{DType::f32, 9}, std::pair{DType::f32, 48}, std::pair{DType::f64, 17}}) {
    cases.push_back(exact_case(fmt::format("composed/recurrent/{}[{}]", dtype, width),
                               recurrent(dtype, 8, width)));
    cases.push_back(derivative_of(Case(cases.back())));
  }
  cases.push_back(exact_case("composed/equal loops", equal_loops()));
  cases.push_back(exact_case("composed/statistics", statistics()));
  cases.push_back(exact_case("composed/training step of 5", training_step(5, 3)));
  cases.push_back(exact_case("composed/training step of 33", training_step(33, 70)));
  for (const auto& [rows, width] : {std::pair{33, 10}, std::pair{20, 3}, std::pair{50, 64}}) {
    const std::string size = fmt::format("{} x {}", rows, width);
    cases.push_back(exact_case("composed/rows " + size, rows_about_extremes(rows, width)));
    cases.push_back(exact_case("composed/positions " + size, positions_of_extremes(rows, width)));
  }
  cases.push_back(exact_case("composed/movement between", movement_between()));
  cases.push_back(exact_case("composed/padded convolution", padded_convolution()));
  for (const std::int64_t width : {70, 700, 9001})
    cases.push_back(exact_case(fmt::format("composed/positions of {}", width), positions(width)));
  for (const DType dtype : {DType::f32, DType::f64})
    for (const bool is_tied : {false, true})
      cases.push_back(
          exact_case(fmt::format("composed/{} embedding/{}", is_tied ? "tied" : "single", dtype),
                     embedding_step(dtype, is_tied)));
  cases.push_back(derivative_of(exact_case("composed/rectified", rectified())));
  return cases;
}

std::vector<Case> random_cases(std::uint64_t count) {
  std::vector<Case> cases;
  fuzz::RandomGraphOptions integers, floats;
  integers.composites = floats.composites = false;
  integers.control = floats.control = true;
  integers.dtypes = {DType::boolean, DType::i32, DType::u8, DType::i64};
  floats.nodes = 30;
  floats.exact_floats = true;
  floats.dtypes = {DType::f16, DType::bf16, DType::f32, DType::f64, DType::boolean, DType::i32};
  for (const auto& [name, options] : {std::pair{"integers", integers}, std::pair{"floats", floats}})
    for (std::uint64_t seed = 0; seed < count; ++seed) {
      Case c;
      c.name = fmt::format("random/{}/{}", name, seed);
      c.graph = fuzz::with_random_state(fuzz::random_graph(seed, options), seed);
      c.inputs = fuzz::random_inputs(c.graph, seed);
      c.is_exact = true;
      cases.push_back(std::move(c));
    }
  for (std::uint64_t seed = 0; seed < count / 4; ++seed)
    for (const bool transposes_lhs : {false, true})
      for (const bool transposes_rhs : {false, true}) {
        auto [name, graph, inputs, fractions] =
            fuzz::random_product(seed, transposes_lhs, transposes_rhs, DType::f32);
        cases.push_back(
            {"random/product/" + name, std::move(graph), std::move(inputs), false, true});
      }
  return cases;
}

}  // namespace tenon::conformance
