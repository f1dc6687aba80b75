// Every backend agrees with the reference on every case. Many cases are merged into one program,
// which compiles much faster than as many programs. To run some cases alone, each as a program:
//   TENON_TEST_CASES=reduce/sum build/tests/test_conformance --gtest_filter='*Backends*'
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>

#include "case.h"
#include "tenon/backends/backend.h"
#include "tenon/ir/interpret.h"
#include "tests/backends/backends_testing.h"
#include "tolerance.h"

namespace tenon::conformance {
namespace {

constexpr std::size_t kCasesPerProgram = 100;

// Outputs of a program that may fail.
struct Outcome {
  std::vector<HostTensor> outputs;
  std::string error;
};

Outcome run_on(backends::Backend& backend, const ir::Graph& graph,
               const std::vector<const HostTensor*>& inputs) {
  Outcome run;
  try {
    const auto executable = backend.compile(graph, {});
    std::vector<backends::Buffer> buffers, results(graph.outputs().size());
    for (const HostTensor* input : inputs) {
      buffers.push_back(backend.allocate({input->type(), {}}));
      backend.write(buffers.back(), *input).wait();
    }
    std::vector<backends::Buffer*> pointers;
    for (backends::Buffer& buffer : buffers) pointers.push_back(&buffer);
    executable->bind({})->run(pointers, results).wait();
    for (const backends::Buffer& result : results) {
      run.outputs.emplace_back(result.type());
      backend.read(result, run.outputs.back()).wait();
    }
  } catch (const Error& error) {
    run.error = error.what();
  }
  return run;
}

// The cases side by side in one graph; inputs and outputs one case after the other.
struct Merged {
  ir::Graph graph;
  std::vector<const HostTensor*> inputs;
};

Merged merge(std::span<const Case> batch) {
  Merged merged;
  ir::Builder builder;
  std::vector<ir::Value> outputs;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    std::vector<ir::Value> inputs;
    for (std::size_t k = 0; k < batch[i].inputs.size(); ++k) {
      merged.inputs.push_back(&batch[i].inputs[k]);
      inputs.push_back(builder.input(
          {fmt::format("case_{}_{}", i, k), batch[i].inputs[k].type(), ir::Role::data, {}}));
    }
    for (const ir::Value output : inline_graph(builder, batch[i].graph, inputs))
      outputs.push_back(output);
  }
  merged.graph = std::move(builder).finish(outputs);
  return merged;
}

void compare_case(const Case& c, std::span<const HostTensor> outputs) {
  SCOPED_TRACE(c.name);
  const ir::HostTensors expected = ir::interpret(c.graph, c.inputs);
  const Tolerance tolerance = tolerance_of(c);
  ASSERT_EQ(expected.size(), outputs.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    SCOPED_TRACE(fmt::format("output {}", i));
    compare(expected[i], outputs[i], tolerance);
  }
}

void run_alone(backends::Backend& backend, const Case& c) {
  const Merged merged = merge({&c, 1});
  const Outcome run = run_on(backend, merged.graph, merged.inputs);
  if (run.error.empty()) {
    compare_case(c, run.outputs);
  } else {
    ADD_FAILURE() << c.name << ": " << run.error;
  }
}

void compare_batch(backends::Backend& backend, std::span<const Case> batch, const Outcome& run) {
  if (!run.error.empty()) {
    ADD_FAILURE() << "programs with " << batch.front().name << " ... " << batch.back().name << ": "
                  << run.error << "\nEach case alone:";
    for (const Case& c : batch) run_alone(backend, c);
    return;
  }
  std::size_t first = 0;
  for (const Case& c : batch) {
    const std::size_t count = c.graph.outputs().size();
    compare_case(c, std::span(run.outputs).subspan(first, count));
    first += count;
  }
}

void run_cases(const std::string& device, std::span<const Case> cases) {
  const backends::TemporaryFolder folder;
  backends::BackendOptions options;
  options.threads = 2;
  options.cache_folder = folder.path();
  const std::unique_ptr<backends::Backend> backend = backends::open(device, options);
  if (const char* wanted = std::getenv("TENON_TEST_CASES")) {
    for (const Case& c : cases)
      if (c.name.find(wanted) != std::string::npos) run_alone(*backend, c);
    return;
  }
  // Two programs at a time: compiling is most of the work, and most of it is another process.
  std::future<Outcome> next;
  std::span<const Case> batch, rest = cases;
  do {
    std::span<const Case> following = rest.first(std::min(kCasesPerProgram, rest.size()));
    rest = rest.subspan(following.size());
    std::future<Outcome> started;
    if (!following.empty())
      started = std::async(std::launch::async, [&backend, following] {
        const Merged merged = merge(following);
        return run_on(*backend, merged.graph, merged.inputs);
      });
    if (next.valid()) compare_batch(*backend, batch, next.get());
    next = std::move(started);
    batch = following;
  } while (next.valid());
}

class Backends : public testing::TestWithParam<std::string> {};

TEST_P(Backends, AgreeWithTheReference) { run_cases(GetParam(), all_cases()); }

// What processors without AVX-512 run: vectors of half the size, other intrinsics.
TEST(Cpu, ProductsInNarrowVectorsAgreeWithTheReference) {
  std::vector<Case> cases;
  for (const Case& c : all_cases())
    if (c.name.starts_with("dot/") || c.name.starts_with("convolution/")) cases.push_back(c);
  ASSERT_FALSE(cases.empty());
  const backends::ScopedVariable narrow("TENON_VECTOR_BYTES", "32");
  run_cases("cpu", cases);
}

std::vector<std::string> devices_to_test() {
  std::vector<std::string> names = backends::device_names();
  std::erase(names, "reference");
  return names;
}

INSTANTIATE_TEST_SUITE_P(Device, Backends, testing::ValuesIn(devices_to_test()),
                         [](const auto& device) { return device.param; });

}  // namespace
}  // namespace tenon::conformance
