#include "run_cases.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>

#include "tenon/base/text.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/print.h"
#include "tests/backends/backends_testing.h"
#include "tests/fuzz/same_value.h"
#include "tolerance.h"

namespace tenon::conformance {
namespace {

// Outputs of a program that may fail.
struct Outcome {
  std::vector<HostTensor> outputs;
  std::string error;
};

// The cases side by side in one graph; inputs and outputs one case after the other.
struct Merged {
  ir::Graph graph;
  std::vector<const HostTensor*> inputs;  // state too
};

Merged merge(const std::vector<const Case*>& cases) {
  Merged merged;
  ir::Builder builder;
  std::vector<ir::Output> outputs;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const ir::Graph& graph = cases[i]->graph;
    const auto first = static_cast<std::uint32_t>(merged.inputs.size());
    std::vector<ir::Value> inputs;
    for (std::size_t k = 0; k < cases[i]->inputs.size(); ++k) {
      merged.inputs.push_back(&cases[i]->inputs[k]);
      ir::Input input = graph.inputs()[k];
      input.name = fmt::format("case_{}_{}", i, k);
      inputs.push_back(builder.input(std::move(input)));
    }
    const std::vector<ir::Value> values = inline_graph(builder, graph, inputs);
    for (std::size_t k = 0; k < values.size(); ++k) {
      std::optional<std::uint32_t> updated = graph.outputs()[k].updates_input;
      if (updated) *updated += first;
      outputs.push_back({"", values[k], updated, ir::Merge::carry});
    }
  }
  merged.graph = std::move(builder).finish(std::move(outputs));
  return merged;
}

std::vector<HostTensor> run_with(backends::Backend& backend, const Merged& program,
                                 const Batch& batch, int threads) {
  backends::CompileOptions options;
  options.threads = threads;
  options.skip = batch.skip;
  const auto executable = backend.compile(program.graph, options);
  std::vector<backends::Buffer> buffers, results;
  for (const HostTensor* input : program.inputs)
    buffers.push_back(backends::upload(backend, *input));
  std::vector<backends::Buffer*> data, state;
  for (std::size_t i = 0; i < buffers.size(); ++i)
    (program.graph.inputs()[i].role == ir::Role::data ? data : state).push_back(&buffers[i]);
  for (const ir::Output& output : program.graph.outputs())
    if (!output.updates_input) results.emplace_back();
  executable->bind(state)->run(data, results).wait();
  std::vector<HostTensor> outputs;
  std::size_t result = 0;
  for (const ir::Output& output : program.graph.outputs())
    outputs.push_back(backends::download(
        backend, output.updates_input ? buffers[*output.updates_input] : results[result++]));
  return outputs;
}

Outcome run_on(backends::Backend& backend, const Batch& batch) {
  Outcome run;
  try {
    const Merged program = merge(batch.cases);
    for (const int threads : batch.threads) {
      std::vector<HostTensor> outputs = run_with(backend, program, batch, threads);
      if (threads == batch.threads.front()) {
        run.outputs = std::move(outputs);
      } else if (const std::string text = testing::difference(run.outputs, outputs);
                 !text.empty()) {
        run.error = fmt::format("{} threads and {}: {}", batch.threads.front(), threads, text);
      }
    }
  } catch (const Error& error) {
    run.error = error.what();
  }
  return run;
}

void compare_case(const Case& c, std::span<const HostTensor> outputs) {
  // Of a random graph the name says nothing.
  SCOPED_TRACE(c.is_exact ? c.name + "\n" + ir::print(c.graph) : c.name);
  const ir::HostTensors expected = ir::interpret(c.graph, c.inputs);
  const Tolerance tolerance = c.is_exact ? Tolerance{} : tolerance_of(c);
  ASSERT_EQ(expected.size(), outputs.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    SCOPED_TRACE(fmt::format("output {}", i));
    compare(expected[i], outputs[i], tolerance);
  }
}

void run_alone(backends::Backend& backend, const Batch& batch, const Case& c) {
  const Outcome run = run_on(backend, {{&c}, batch.skip, batch.threads});
  if (run.error.empty()) {
    compare_case(c, run.outputs);
  } else {
    ADD_FAILURE() << c.name << ": " << run.error;
  }
}

void compare_batch(backends::Backend& backend, const Batch& batch, const Outcome& run) {
  SCOPED_TRACE("without " + join(batch.skip, ", "));
  if (!run.error.empty()) {
    ADD_FAILURE() << "program with " << batch.cases.front()->name << " ... "
                  << batch.cases.back()->name << ": " << run.error << "\nEach case alone:";
    for (const Case* c : batch.cases) run_alone(backend, batch, *c);
    return;
  }
  std::size_t first = 0;
  for (const Case* c : batch.cases) {
    const std::size_t count = c->graph.outputs().size();
    compare_case(*c, std::span(run.outputs).subspan(first, count));
    first += count;
  }
}

}  // namespace

std::vector<Batch> batches_of(std::span<const Case> cases) {
  std::vector<Batch> batches;
  for (const Case& c : cases) {
    if (batches.empty() || batches.back().cases.size() == kCasesPerProgram) batches.emplace_back();
    batches.back().cases.push_back(&c);
  }
  return batches;
}

void run_batches(const std::string& device, std::span<const Batch> batches) {
  const backends::TemporaryFolder folder;
  backends::BackendOptions options;
  options.cache_folder = folder.path();
  const std::unique_ptr<backends::Backend> backend = backends::open(device, options);
  if (const char* wanted = std::getenv("TENON_TEST_CASES")) {
    for (const Batch& batch : batches)
      for (const Case* c : batch.cases)
        if (c->name.find(wanted) != std::string::npos) run_alone(*backend, batch, *c);
    return;
  }
  // Two programs at a time: compiling is most of the work, and most of it is another process.
  std::future<Outcome> next;
  for (std::size_t i = 0; i <= batches.size(); ++i) {
    std::future<Outcome> started;
    if (i < batches.size())
      started = std::async(std::launch::async,
                           [&backend, &batch = batches[i]] { return run_on(*backend, batch); });
    if (next.valid()) compare_batch(*backend, batches[i - 1], next.get());
    next = std::move(started);
  }
}

}  // namespace tenon::conformance
