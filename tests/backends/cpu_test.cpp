// Device cpu computes what the reference does.
#include "tests/backends/cpu_testing.h"

namespace tenon::backends {
namespace {

using ir::Builder;
using ir::Role;
using ir::Value;
using Cpu = CpuTest;

const TensorType kVector{DType::f32, {100}};

TEST_F(Cpu, TrainsLikeTheReference) {
  expect_as_reference(regression_step(4, 3), 2);
  expect_as_reference(regression_step(33, 17), 1);
}

TEST_F(Cpu, StateThatMoves) {
  Builder b;
  std::vector<Value> s;
  for (int i = 0; i < 6; ++i)
    s.push_back(b.input({fmt::format("s{}", i), kVector, Role::state, {}}));
  const Value sum = ir::broadcast(b, ir::reduce_sum(b, s[0], {0}), kVector.shape, {});
  // A swap, a rotation with arithmetic, the old value as a result, and a value in two places.
  expect_as_reference(
      std::move(b).finish({update(s[1], 0), update(s[0], 1), update(ir::add(b, s[3], s[4]), 2),
                           update(ir::negate(b, s[4]), 3), update(ir::add(b, s[2], sum), 4),
                           result(s[2]), result(s[5]), update(sum, 5), result(sum)}));
}

// Words that are equal up to one from which on all are zero; gcc 12 took the first for all.
TEST_F(Cpu, ConstantsAsResults) {
  std::vector<ir::Output> outputs;
  Builder b;
  for (std::size_t size = 2; size <= 9; ++size)
    for (std::size_t ones = 1; ones < size; ++ones) {
      std::vector<std::int64_t> values(size);
      std::fill_n(values.begin(), ones, 1);
      outputs.push_back(result(
          ir::constant(b, make_tensor<std::int64_t>({static_cast<std::int64_t>(size)}, values))));
    }
  expect_as_reference(std::move(b).finish(std::move(outputs)), 1);
}

// Runs of which one input moves and the others stay.
TEST_F(Cpu, ManyRunsInOneCall) {
  Builder b;
  const Value total = b.input({"total", kVector, Role::state, {}});
  const Value factor = b.input({"factor", kVector, Role::data, {}});
  const Value row = b.input({"row", kVector, Role::data, {}});
  const Value next = ir::add(b, total, ir::multiply(b, factor, row));
  const ir::Graph graph = std::move(b).finish({update(next, 0), result(ir::negate(b, next))});
  constexpr std::int64_t kRuns = 3;
  const auto count = static_cast<std::size_t>(element_count(kVector.shape));
  std::vector<float> rows(kRuns * count), factors(count);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i % 7);
  for (std::size_t i = 0; i < count; ++i) factors[i] = static_cast<float>(i % 3);
  Shape many = kVector.shape;
  many.insert(many.begin(), kRuns);
  for (const char* device : {"cpu", "reference"}) {
    const std::unique_ptr<Backend> backend = open(device);
    Buffer state = backend->allocate({kVector, {}});
    Buffer fixed = upload(*backend, make_tensor<float>(kVector.shape, factors));
    Buffer moving = upload(*backend, make_tensor<float>(many, rows));
    const auto executable = backend->compile(graph, {});
    const std::unique_ptr<Step> step = executable->bind(std::array{&state});
    std::vector<Buffer> results(1);
    step->run_many(std::array{&fixed, &moving}, 1, kRuns, results).wait();
    const HostTensor sums = download(*backend, state), negated = download(*backend, results[0]);
    for (std::size_t i = 0; i < count; ++i) {
      const float expected = factors[i] * (rows[i] + rows[count + i] + rows[2 * count + i]);
      EXPECT_EQ(sums.as<float>()[i], expected) << device << i;
      EXPECT_EQ(negated.as<float>()[i], -expected) << device << i;
    }
    EXPECT_EQ(error_of([&] {
                step->run_many(std::array{&fixed, &moving}, 1, 0, results);
              }),
              "run_many: expected 1 run or more, got 0");
    EXPECT_EQ(error_of([&] {
                step->run_many(std::array{&fixed, &moving}, 2, 3, results);
              }),
              "run_many: there is no input 2, the step takes 2");
    EXPECT_NE(error_of([&] {
                step->run_many(std::array{&fixed, &moving}, 1, 4, results);
              }).find("input 1 (\"row\"): expected f32[4,"),
              std::string::npos);
  }
}

ir::GraphRef running_sum() {
  Builder b;
  const Value total = b.input({"total", kVector, Role::data, {}});
  const Value previous = b.input({"previous", kVector, Role::data, {}});
  const Value row = b.input({"row", kVector, Role::data, {}});
  const Value next = ir::add(b, total, row);
  return ir::GraphRef(std::move(b).finish({next, total, previous, ir::subtract(b, next, row)}));
}

TEST_F(Cpu, Loops) {
  for (const bool reverse : {false, true}) {
    Builder b;
    const Value w = b.input({"w", kVector, Role::state, {}});
    const Value v = b.input({"v", kVector, Role::state, {}});
    const Value rows = b.input({"rows", {DType::f32, {5, 100}}, Role::data, {}});
    const Value last = b.add(ir::Scan{running_sum(), 5, 2, 1, reverse}, {w, v, rows});
    expect_as_reference(std::move(b).finish({update(last, 0), update({last.node, 1}, 1),
                                             result({last.node, 2}), result({last.node, 3})}));
  }
}

TEST_F(Cpu, NestedLoops) {
  Builder inner;
  const Value a = inner.input({"a", kVector, Role::data, {}});
  const Value row = inner.input({"row", kVector, Role::data, {}});
  const Value next = ir::add(inner, ir::negate(inner, a), row);
  const ir::GraphRef inner_body(std::move(inner).finish({next, next}));
  Builder outer;
  const Value c = outer.input({"c", kVector, Role::data, {}});
  const Value rows = outer.input({"rows", {DType::f32, {3, 100}}, Role::data, {}});
  const Value last = outer.add(ir::Scan{inner_body, 3, 1, 1, false}, {c, rows});
  const ir::GraphRef outer_body(std::move(outer).finish({last, {last.node, 1}, c}));
  Builder b;
  const Value w = b.input({"w", kVector, Role::data, {}});
  const Value all = b.input({"all", {DType::f32, {4, 3, 100}}, Role::data, {}});
  const Value end = b.add(ir::Scan{outer_body, 4, 1, 1, true}, {w, all});
  expect_as_reference(std::move(b).finish({end, Value{end.node, 1}, Value{end.node, 2}}));
}

TEST_F(Cpu, WhileAndCond) {
  Builder condition;
  const Value i = condition.input({"i", {DType::i32, {}}, Role::data, {}});
  condition.input({"x", kVector, Role::data, {}});
  const Value limit = ir::constant(condition, make_scalar<std::int32_t>(5));
  const Value is_less = ir::compare(condition, ScalarFunction::less, i, limit);
  Builder body;
  const Value j = body.input({"i", {DType::i32, {}}, Role::data, {}});
  const Value x = body.input({"x", kVector, Role::data, {}});
  const Value one = ir::constant(body, make_scalar<std::int32_t>(1));
  const ir::While loop{ir::GraphRef(std::move(condition).finish({is_less})),
                       ir::GraphRef(std::move(body).finish(
                           {ir::add(body, j, one), ir::subtract(body, ir::add(body, x, x), x)}))};
  Builder yes;
  const Value p = yes.input({"p", kVector, Role::data, {}});
  const Value q = yes.input({"q", kVector, Role::data, {}});
  const ir::GraphRef on_true(std::move(yes).finish({ir::add(yes, p, q), p}));
  Builder no;
  const Value r = no.input({"p", kVector, Role::data, {}});
  const Value t = no.input({"q", kVector, Role::data, {}});
  const ir::GraphRef on_false(std::move(no).finish({t, ir::negate(no, r)}));

  Builder b;
  const Value start = b.input({"start", {DType::i32, {}}, Role::data, {}});
  const Value w = b.input({"w", kVector, Role::state, {}});
  const Value v = b.input({"v", kVector, Role::state, {}});
  const Value flag = b.input({"flag", {DType::i32, {}}, Role::state, {}});
  const Value end = b.add(loop, {start, w});
  const Value zero = ir::constant(b, make_scalar<std::int32_t>(0));
  const Value chosen = b.add(ir::Cond{on_true, on_false},
                             {ir::compare(b, ScalarFunction::less, flag, zero), {end.node, 1}, v});
  // The flag changes sign, so that both branches run.
  expect_as_reference(
      std::move(b).finish({result(end), update(chosen, 1), update({chosen.node, 1}, 2),
                           update(ir::subtract(b, ir::negate(b, flag), start), 3)}));
}

TEST_F(Cpu, LargeConstantsStayOutOfTheText) {
  Builder b;
  const Value x = b.input({"x", {DType::f32, {100, 300}}, Role::data, {}});
  const Value large = ir::constant(b, whole_numbers({DType::f32, {100, 300}}, 5));
  const Value small = ir::constant(b, whole_numbers({DType::f32, {300}}, 6));
  const Value y = ir::add(b, ir::add(b, x, large), ir::broadcast(b, small, {100, 300}, {1}));
  const ir::Graph graph = std::move(b).finish({y, large});
  expect_as_reference(graph);
  CompileOptions options;
  options.keep_texts = true;
  const auto executable = open_with(1)->compile(graph, options);
  EXPECT_EQ(executable->memory().constants, 100 * 300 * 4 + 300 * 4);
  const std::string text = executable->text("source");
  EXPECT_LT(text.size(), 100000u);
  EXPECT_NE(text.find("runtime->constants[0]"), std::string::npos);
}

TEST_F(Cpu, ManyKernelsBecomeSeveralFiles) {
  Builder b;
  std::vector<ir::Output> outputs;
  for (std::int64_t i = 1; i <= 70; ++i) {
    const Value x = b.input({fmt::format("x{}", i), {DType::f32, {i, 3}}, Role::data, {}});
    outputs.push_back(result(ir::reduce_sum(b, x, {0})));
  }
  expect_as_reference(std::move(b).finish(std::move(outputs)), 1);
}

TEST_F(Cpu, EmptyStepAndEmptyTensors) {
  expect_as_reference(Builder().finish(std::vector<ir::Output>{}));
  Builder b;
  const Value x = b.input({"x", {DType::f32, {0, 3}}, Role::data, {}});
  const Value w = b.input({"w", {DType::f32, {0}}, Role::state, {}});
  expect_as_reference(std::move(b).finish(
      {result(ir::negate(b, x)), update(ir::negate(b, w), 1), result(ir::reduce_sum(b, x, {0}))}));
}

}  // namespace
}  // namespace tenon::backends
