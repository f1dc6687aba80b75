// Executables and steps of device cpu: what they hold, share, report and refuse.
#include <thread>

#include "tenon/backends/host_buffer.h"
#include "tests/allocations/count_allocations.h"
#include "tests/backends/cpu_testing.h"

namespace tenon::backends {
namespace {

using ir::Role;
using CpuSteps = CpuTest;

#ifdef TENON_COUNTS_ALLOCATIONS
TEST_F(CpuSteps, RunDoesNotAllocate) {
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

TEST_F(CpuSteps, StepsOfOneExecutableRunSideBySide) {
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

TEST_F(CpuSteps, StepsWhoseRunsDoNotOverlapShareWorkspace) {
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

TEST_F(CpuSteps, TellsTheMemoryOfAStepBeforeItIsCompiled) {
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

TEST_F(CpuSteps, EqualGraphsCompileOnce) {
  const auto backend = open_with(1);
  const auto first = backend->compile(regression_step(4, 3), {});
  EXPECT_FALSE(first->report().was_cached);
  EXPECT_GT(first->report().kernels, 0);
  const auto second = backend->compile(regression_step(4, 3), {});
  EXPECT_TRUE(second->report().was_cached);
  EXPECT_EQ(second->report().compiler_seconds, 0);
  EXPECT_TRUE(open_with(2)->compile(regression_step(4, 3), {})->report().was_cached);
}

TEST_F(CpuSteps, OutlivesItsBackend) {
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

TEST_F(CpuSteps, ReportsMemoryAndTexts) {
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

TEST_F(CpuSteps, RefusesOneBufferForTwoStates) {
  const auto backend = open_with(1);
  const auto executable = backend->compile(regression_step(4, 3), {});
  Buffer w = backend->allocate({{DType::f32, {3, 8}}, {}});
  Buffer n = backend->allocate({{DType::i64, {}}, {}});
  const std::vector<Buffer*> state = {&w, &w, &n};
  EXPECT_EQ(error_of([&] { executable->bind(state); }),
            "state 0 (\"w\") and state 1 (\"v\") are the same buffer");
}

TEST_F(CpuSteps, MissingCompiler) {
  ScopedVariable compiler("TENON_CC", "/nonexistent");
  const auto backend = open_with(1);
  EXPECT_EQ(error_of<BackendError>([&] { backend->compile(regression_step(4, 3), {}); }),
            "TENON_CC is \"/nonexistent\", which is not a program that can be run\n"
            "  help: install one (on Debian: apt-get install gcc), or set TENON_CC to its path");
}

}  // namespace
}  // namespace tenon::backends
