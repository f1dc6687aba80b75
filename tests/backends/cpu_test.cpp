#include "tenon/backends/cpu/cpu.h"

#include <thread>

#include "tenon/backends/cpu/compiler.h"
#include "tenon/backends/host_buffer.h"
#include "tenon/backends/reference/reference.h"
#include "tenon/base/scalar_convert.h"
#include "tenon/base/threefry.h"
#include "tenon/ir/build.h"
#include "tests/allocations/count_allocations.h"
#include "tests/backends/backends_testing.h"

namespace tenon::backends {
namespace {

using ir::Builder;
using ir::Merge;
using ir::Role;
using ir::Value;

HostTensor whole_numbers(const TensorType& type, std::uint64_t seed) {
  ThreefrySequence random{seed};
  HostTensor tensor({DType::f64, type.shape});
  for (double& element : tensor.as<double>()) element = static_cast<double>(random.below(7)) - 3;
  return converted(tensor, type.dtype);
}

std::vector<HostTensor> inputs_of(const ir::Graph& graph) {
  std::vector<HostTensor> tensors;
  for (const ir::Input& input : graph.inputs())
    tensors.push_back(whole_numbers(input.type, tensors.size() + 1));
  return tensors;
}

ir::Output update(Value value, std::uint32_t input) { return {"", value, input, Merge::carry}; }
ir::Output result(Value value) { return {"", value, std::nullopt, Merge::carry}; }

class Cpu : public testing::Test {
 protected:
  std::unique_ptr<Backend> open_with(int threads) {
    return open_cpu(BackendOptions{threads, folder_.path().string()});
  }
  void expect_as_reference(const ir::Graph& graph, int steps = 3) {
    const std::vector<HostTensor> inputs = inputs_of(graph);
    const auto expected = run_graph(*open_reference(), graph, inputs, steps);
    const auto actual = run_graph(*open_with(2), graph, inputs, steps);
    ASSERT_EQ(expected.size(), actual.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(expected[i], actual[i]) << "value " << i << "\nexpected " << to_string(expected[i])
                                        << "\ngot " << to_string(actual[i]);
  }

  TemporaryFolder folder_;
};

const TensorType kVector{DType::f32, {100}};

// One step of least squares: gradient, momentum, counter, and a loss.
ir::Graph regression_step(std::int64_t rows, std::int64_t width) {
  Builder b;
  const TensorType weights{DType::f32, {width, 8}};
  const Value x = b.input({"x", {DType::f32, {rows, width}}, Role::data, {}});
  const Value y = b.input({"y", {DType::f32, {rows, 8}}, Role::data, {}});
  const Value w = b.input({"w", weights, Role::state, {}});
  const Value v = b.input({"v", weights, Role::state, {}});
  const Value n = b.input({"n", {DType::i64, {}}, Role::state, {}});
  const Value error = ir::subtract(b, ir::matmul(b, x, w), y);
  const Value gradient = ir::matmul(b, ir::transpose(b, x, {1, 0}), error);
  const Value half = ir::splat(b, 0.5, weights), rate = ir::splat(b, 0x1p-10, weights);
  const Value velocity = ir::add(b, ir::multiply(b, v, half), gradient);
  const Value next = ir::subtract(b, w, ir::multiply(b, velocity, rate));
  const Value loss = ir::reduce_sum(b, ir::multiply(b, error, error), {0, 1});
  const Value count = ir::add(b, n, ir::constant(b, make_scalar<std::int64_t>(1)));
  return std::move(b).finish(
      {result(loss), update(next, 2), update(velocity, 3), update(count, 4), result(error)});
}

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

TEST_F(Cpu, EqualBitsForAnyNumberOfThreads) {
  const ir::Graph graph = regression_step(700, 301);
  std::vector<HostTensor> inputs;
  for (const ir::Input& input : graph.inputs()) {
    ThreefrySequence random{inputs.size()};
    HostTensor tensor({DType::f64, input.type.shape});
    for (double& element : tensor.as<double>())
      element = static_cast<double>(random.below(1000)) / 999 - 0.5;
    inputs.push_back(converted(tensor, input.type.dtype));
  }
  const auto expected = run_graph(*open_with(1), graph, inputs, 3);
  for (const int threads : {2, 3, 7, 16}) {
    const auto actual = run_graph(*open_with(threads), graph, inputs, 3);
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(expected[i], actual[i]) << threads << " threads, value " << i;
  }
}

// Activations, norms, attention, cross entropy and Adam, on shapes that fill no vector.
ir::Graph network_step() {
  Builder b;
  const TensorType type{DType::f32, {37, 45}};
  const auto vector = [&](const char* name, std::int64_t size) {
    return b.input({name, {DType::f32, {size}}, Role::data, {}});
  };
  const Value x = b.input({"x", type, Role::data, {}});
  const Value w = b.input({"w", {DType::f32, {45, 45}}, Role::state, {}});
  const Value m = b.input({"m", {DType::f32, {45, 45}}, Role::state, {}});
  const Value v = b.input({"v", {DType::f32, {45, 45}}, Role::state, {}});
  const Value labels = b.input({"labels", {DType::i32, {37}}, Role::data, {}});
  const Value key = b.input({"key", {DType::u32, {2}}, Role::key, {}});
  const Value rate = ir::constant(b, make_scalar<float>(0.01f));
  const Value half = ir::constant(b, make_scalar<float>(0.5f));
  Value y = ir::matmul(b, x, w);
  y = ir::elementwise(b, ScalarFunction::tanh, {y});
  y = b.add(ir::LayerNorm{}, {y, vector("scale", 45), vector("offset", 45)});
  y = ir::elementwise(b, ScalarFunction::erf, {y});
  y = b.add(ir::Attention{0.3, true}, {y, x, y});
  const Value bits = b.add(ir::RandomBits{{37, 45}}, {key});
  const Value noise = ir::cast(b, bits, DType::f32);
  y = ir::add(b, y, ir::multiply(b, noise, ir::splat(b, 0x1p-32, type)));
  const Value loss = b.add(ir::SparseCrossEntropy{}, {y, labels});
  const Value softmax = b.add(ir::Softmax{1}, {y});
  const Value gradient = ir::matmul(b, ir::transpose(b, x, {1, 0}), softmax);
  const Value next =
      b.add(ir::AdamUpdate{}, {w, gradient, m, v, rate, half, half, rate, rate, half});
  return std::move(b).finish({result(loss), update(next, 1), update({next.node, 1}, 2),
                              update({next.node, 2}, 3), result(ir::reduce_sum(b, y, {0, 1})),
                              result(ir::reduce_sum(b, softmax, {0}))});
}

TEST_F(Cpu, EqualBitsFromEveryCompilerAndVectorWidth) {
  const ir::Graph graph = network_step();
  std::vector<HostTensor> inputs;
  for (const ir::Input& input : graph.inputs()) {
    ThreefrySequence random{inputs.size()};
    HostTensor tensor({DType::f64, input.type.shape});
    for (double& element : tensor.as<double>())
      element = is_float(input.type.dtype) ? static_cast<double>(random.below(1000)) / 999 - 0.5
                                           : static_cast<double>(random.below(45));
    inputs.push_back(converted(tensor, input.type.dtype));
  }
  std::vector<HostTensor> expected;
  for (const char* name : {"gcc", "clang", "clang-14"})
    for (const char* width : {"64", "32"}) {
      ScopedVariable compiler("TENON_CC", name), vectors("TENON_VECTOR_BYTES", width);
      try {
        find_compiler();
      } catch (const BackendError&) {
        continue;  // not installed
      }
      const auto actual = run_graph(*open_with(2), graph, inputs, 3);
      if (expected.empty()) expected = actual;
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(expected[i], actual[i]) << name << ", " << width << " bytes, value " << i;
    }
  ASSERT_FALSE(expected.empty());
}

#ifdef TENON_COUNTS_ALLOCATIONS
TEST_F(Cpu, RunDoesNotAllocate) {
  const ir::Graph graph = regression_step(700, 301);
  const auto backend = open_with(2);
  const auto executable = backend->compile(graph, {});
  std::vector<Buffer> state, inputs, results(2);
  for (const ir::Input& input : graph.inputs())
    (input.role == Role::data ? inputs : state)
        .push_back(upload(*backend, whole_numbers(input.type, 3)));
  std::vector<Buffer*> state_pointers, input_pointers;
  for (Buffer& buffer : state) state_pointers.push_back(&buffer);
  for (Buffer& buffer : inputs) input_pointers.push_back(&buffer);
  const auto step = executable->bind(state_pointers);
  for (int i = 0; i < 3; ++i) step->run(input_pointers, results);
  const long before = allocation_count;
  for (int i = 0; i < 10; ++i) step->run(input_pointers, results);
  EXPECT_EQ(allocation_count - before, 0);
  delete new int(1);
  EXPECT_GT(allocation_count - before, 0) << "the counter does not count";
}
#endif

TEST_F(Cpu, StepsOfOneExecutableRunSideBySide) {
  const ir::Graph graph = regression_step(200, 64);
  const std::vector<HostTensor> inputs = inputs_of(graph);
  const auto backend = open_with(2);
  const auto expected = run_graph(*backend, graph, inputs, 20);
  std::vector<std::vector<HostTensor>> found(4);
  std::vector<std::thread> threads;
  for (auto& values : found)
    threads.emplace_back([&] { values = run_graph(*backend, graph, inputs, 20); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& values : found) EXPECT_EQ(values, expected);
}

// A step with buffers of its own, to be run again and again.
struct BoundStep {
  BoundStep(Backend& backend, const ir::Graph& graph) {
    for (const ir::Input& input : graph.inputs())
      (input.role == ir::Role::data ? inputs : state)
          .push_back(upload(backend, whole_numbers(input.type, 3)));
    for (Buffer& buffer : state) state_pointers.push_back(&buffer);
    for (Buffer& buffer : inputs) input_pointers.push_back(&buffer);
    for (const ir::Output& output : graph.outputs())
      if (!output.updates_input) results.emplace_back();
    step = backend.compile(graph, {})->bind(state_pointers);
  }
  std::vector<Buffer> state, inputs, results;
  std::vector<Buffer*> state_pointers, input_pointers;
  std::unique_ptr<Step> step;
};

TEST_F(Cpu, StepsWhoseRunsDoNotOverlapShareWorkspace) {
  const ir::Graph small = regression_step(16, 8), large = regression_step(200, 64);
  const auto values_after = [&](bool has_overlapping_runs) {
    const auto backend = open_cpu(BackendOptions{2, folder_.path().string(), has_overlapping_runs});
    BoundStep first(*backend, small);
    first.step->run(first.input_pointers, first.results);
    BoundStep second(*backend, large);  // needs more than there is
    for (int i = 0; i < 3; ++i) {
      second.step->run(second.input_pointers, second.results);
      first.step->run(first.input_pointers, first.results);
    }
    std::vector<HostTensor> values;
    for (const BoundStep* each : {&first, &second}) {
      for (const Buffer& buffer : each->state) values.push_back(download(*backend, buffer));
      for (const Buffer& buffer : each->results) values.push_back(download(*backend, buffer));
    }
    return values;
  };
  EXPECT_EQ(values_after(false), values_after(true));
}

TEST_F(Cpu, TellsTheMemoryOfAStepBeforeItIsCompiled) {
  const ir::Graph graph = regression_step(200, 64);
  const auto backend = open_with(1);
  const StepMemory planned = backend->plan(graph);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));  // no code was made
  const MemoryReport compiled = backend->compile(graph, {})->memory();
  EXPECT_EQ(planned.report.state, compiled.state);
  EXPECT_EQ(planned.report.inputs, compiled.inputs);
  EXPECT_EQ(planned.report.results, compiled.results);
  EXPECT_EQ(planned.report.constants, compiled.constants);
  EXPECT_EQ(planned.report.arena, compiled.arena);
  EXPECT_EQ(planned.map.arena_bytes, compiled.arena);
  EXPECT_GT(compiled.arena, 0);
}

TEST_F(Cpu, EqualGraphsCompileOnce) {
  const auto backend = open_with(1);
  const auto first = backend->compile(regression_step(4, 3), {});
  EXPECT_FALSE(first->report().was_cached);
  EXPECT_GT(first->report().kernels, 0);
  const auto second = backend->compile(regression_step(4, 3), {});
  EXPECT_TRUE(second->report().was_cached);
  EXPECT_EQ(second->report().compiler_seconds, 0);
  EXPECT_TRUE(open_with(2)->compile(regression_step(4, 3), {})->report().was_cached);
}

TEST_F(Cpu, OutlivesItsBackend) {
  auto backend = open_with(2);
  const ir::Graph graph = regression_step(700, 301);
  const auto executable = backend->compile(graph, {});
  std::vector<Buffer> state;
  for (const ir::Input& input : graph.inputs())
    state.push_back(backend->allocate({input.type, {}}));
  const std::vector<Buffer*> bound = {&state[2], &state[3], &state[4]};
  const std::vector<Buffer*> inputs = {&state[0], &state[1]};
  const auto step = executable->bind(bound);
  backend.reset();
  std::vector<Buffer> results(2);
  step->run(inputs, results).wait();
  HostTensor loss({DType::f32, {}});
  read_host_buffer(results[0], loss);
  EXPECT_EQ(loss, make_scalar<float>(0));
}

TEST_F(Cpu, ReportsMemoryAndTexts) {
  const auto backend = open_with(1);
  CompileOptions options;
  options.keep_texts = true;
  const ir::Graph graph = regression_step(4, 3);
  const auto executable = backend->compile(graph, options);
  const MemoryReport& memory = executable->memory();
  EXPECT_EQ(memory.state, 2 * 3 * 8 * 4 + 8);
  EXPECT_EQ(memory.inputs, 4 * 3 * 4 + 4 * 8 * 4);
  EXPECT_EQ(memory.results, 4 + 4 * 8 * 4);
  EXPECT_EQ(memory.constants, 0);
  EXPECT_EQ(memory.total(), memory.state + memory.inputs + memory.results + memory.arena);
  EXPECT_TRUE(executable->text("graph").starts_with("graph("));
  EXPECT_TRUE(executable->text("plan").starts_with("plan: "));
  EXPECT_NE(executable->text("source").find("int tenon_step("), std::string::npos);
  EXPECT_EQ(executable->text("nothing"), "");
  EXPECT_EQ(backend->compile(regression_step(5, 3), {})->text("graph"), "");
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

TEST_F(Cpu, RefusesOneBufferForTwoStates) {
  const auto backend = open_with(1);
  const auto executable = backend->compile(regression_step(4, 3), {});
  Buffer w = backend->allocate({{DType::f32, {3, 8}}, {}});
  Buffer n = backend->allocate({{DType::i64, {}}, {}});
  const std::vector<Buffer*> state = {&w, &w, &n};
  EXPECT_EQ(error_of([&] { executable->bind(state); }),
            "state 0 (\"w\") and state 1 (\"v\") are the same buffer");
}

TEST_F(Cpu, MissingCompiler) {
  ScopedVariable compiler("TENON_CC", "/nonexistent");
  const auto backend = open_with(1);
  EXPECT_EQ(error_of<BackendError>([&] { backend->compile(regression_step(4, 3), {}); }),
            "TENON_CC is \"/nonexistent\", which is not a program that can be run\n"
            "  help: install one (on Debian: apt-get install gcc), or set TENON_CC to its path");
}

}  // namespace
}  // namespace tenon::backends
