// Random graphs: all backends agree with the reference, whatever the number of threads. Many graphs
// are merged into one program, which compiles much faster than as many programs.
#include <gtest/gtest.h>

#include <filesystem>

#include "random_graph.h"
#include "random_inputs.h"
#include "same_value.h"
#include "tenon/backends/backend.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/print.h"

namespace tenon::fuzz {
namespace {

struct Program {
  ir::Graph graph;
  std::vector<HostTensor> inputs;  // state too
};

// Small whole numbers: sums and products of few of them are exact in every float type, so that the
// order in which a backend adds does not matter and equality can be demanded.
std::vector<HostTensor> whole_inputs(const ir::Graph& graph, std::uint64_t seed) {
  ThreefrySequence random{seed};
  std::vector<HostTensor> tensors;
  for (const ir::Input& input : graph.inputs()) {
    HostTensor tensor({DType::f64, input.type.shape});
    for (double& element : tensor.as<double>()) element = static_cast<double>(random.below(4));
    tensors.push_back(converted(tensor, input.type.dtype));
  }
  return tensors;
}

Program merge(std::span<const Program> programs) {
  Program merged;
  ir::Builder b;
  std::vector<ir::Output> outputs;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const auto first = static_cast<std::uint32_t>(merged.inputs.size());
    std::vector<ir::Value> inputs;
    for (ir::Input input : programs[i].graph.inputs()) {
      input.name = fmt::format("case_{}_{}", i, input.name);
      inputs.push_back(b.input(std::move(input)));
    }
    merged.inputs.insert(merged.inputs.end(), programs[i].inputs.begin(), programs[i].inputs.end());
    const std::vector<ir::Value> values = inline_graph(b, programs[i].graph, inputs);
    for (std::size_t k = 0; k < values.size(); ++k) {
      std::optional<std::uint32_t> updated = programs[i].graph.outputs()[k].updates_input;
      if (updated) *updated += first;
      outputs.push_back({"", values[k], updated, ir::Merge::carry});
    }
  }
  merged.graph = std::move(b).finish(std::move(outputs));
  return merged;
}

// The outputs of each of `times` runs in signature order: those that update a state, as read back
// from the state's Buffer after the run.
std::vector<std::vector<HostTensor>> run_on(backends::Backend& backend, const Program& program,
                                            int times) {
  const ir::Graph& graph = program.graph;
  const auto executable = backend.compile(graph, {});
  std::vector<backends::Buffer> buffers, results;
  for (const HostTensor& input : program.inputs) {
    buffers.push_back(backend.allocate({input.type(), {}}));
    backend.write(buffers.back(), input).wait();
  }
  std::vector<backends::Buffer*> data, state;
  for (std::size_t i = 0; i < buffers.size(); ++i)
    (graph.inputs()[i].role == ir::Role::data ? data : state).push_back(&buffers[i]);
  for (const ir::Output& output : graph.outputs())
    if (!output.updates_input) results.emplace_back();
  const auto step = executable->bind(state);
  std::vector<std::vector<HostTensor>> runs;
  for (int i = 0; i < times; ++i) {
    step->run(data, results).wait();
    std::size_t result = 0;
    runs.emplace_back();
    for (const ir::Output& output : graph.outputs()) {
      const backends::Buffer& from =
          output.updates_input ? buffers[*output.updates_input] : results[result++];
      runs.back().emplace_back(from.type());
      backend.read(from, runs.back().back()).wait();
    }
  }
  return runs;
}

// What the same runs give on the reference.
std::vector<std::vector<HostTensor>> run_on_reference(Program program, int times) {
  std::vector<std::vector<HostTensor>> runs;
  for (int i = 0; i < times; ++i) {
    runs.push_back(ir::interpret(program.graph, program.inputs));
    for (std::size_t k = 0; k < runs.back().size(); ++k)
      if (const auto updated = program.graph.outputs()[k].updates_input)
        program.inputs[*updated] = runs.back()[k];
  }
  return runs;
}

// Near enough for two ways of adding in f64; what turns a tiny difference into a large one (a
// comparison of nearly equal numbers) does not happen with these seeds.
std::string large_difference(const std::vector<HostTensor>& expected,
                             const std::vector<HostTensor>& actual) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!is_float(expected[i].dtype())) {
      if (const std::string text = testing::difference(expected[i], actual[i]); !text.empty())
        return fmt::format("output {}: {}", i, text);
      continue;
    }
    const DType dtype = expected[i].dtype();
    const double bound = dtype == DType::f64   ? 1e-6
                         : dtype == DType::f32 ? 1e-3
                         : dtype == DType::f16 ? 3e-2
                                               : 0.2;
    for (std::int64_t k = 0; k < expected[i].size(); ++k) {
      const double a = element_as_double(expected[i], k), b = element_as_double(actual[i], k);
      const bool is_near = a == b || (std::isnan(a) && std::isnan(b)) ||
                           std::abs(a - b) <= bound * std::max({1.0, std::abs(a), std::abs(b)});
      if (!is_near)
        return fmt::format("output {}, {} at element {}: {} and {}", i, expected[i].type(), k, a,
                           b);
    }
  }
  return {};
}

class BackendsFuzz : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = (std::filesystem::temp_directory_path() / "tenon_test_XXXXXX").string();
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    backend_ = backends::open("cpu", backends::BackendOptions{2, folder_});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  using Difference = std::string (*)(const std::vector<HostTensor>&,
                                     const std::vector<HostTensor>&);
  using Inputs = std::vector<HostTensor> (*)(const ir::Graph&, std::uint64_t);
  static constexpr std::uint64_t kCasesPerProgram = 100;
  static constexpr int kRuns = 3;  // later ones start with the arena and state of earlier ones

  // A hundred graphs in one program. If that fails, each alone, so that the message shows the one.
  void expect_agreement(const RandomGraphOptions& options, std::uint64_t count, Inputs inputs,
                        Difference difference) {
    for (std::uint64_t first = 0; first < count; first += kCasesPerProgram) {
      std::vector<Program> programs;
      for (std::uint64_t seed = first; seed < std::min(first + kCasesPerProgram, count); ++seed) {
        programs.push_back({with_random_state(random_graph(seed, options), seed), {}});
        programs.back().inputs = inputs(programs.back().graph, seed);
      }
      const std::string text = disagreement(merge(programs), difference);
      if (text.empty()) continue;
      ADD_FAILURE() << "graphs from seed " << first << " in one program: " << text;
      for (std::size_t i = 0; i < programs.size(); ++i)
        EXPECT_EQ(disagreement(programs[i], difference), "") << "seed " << first + i << "\n"
                                                             << ir::print(programs[i].graph);
    }
  }

  std::string disagreement(const Program& program, Difference difference) {
    try {
      const auto expected = run_on_reference(program, kRuns);
      const auto found = run_on(*backend_, program, kRuns);
      for (int i = 0; i < kRuns; ++i) {
        const auto run = static_cast<std::size_t>(i);
        if (const std::string text = difference(expected[run], found[run]); !text.empty())
          return fmt::format("run {}: {}", i, text);
      }
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  std::string folder_;
  std::unique_ptr<backends::Backend> backend_;
};

// Integers and bool only: every op is exact, so the bits must be equal.
TEST_F(BackendsFuzz, IntegerGraphsAgreeBitForBit) {
  RandomGraphOptions options;
  options.nodes = 40;
  options.composites = false;
  options.control = true;
  options.dtypes = {DType::boolean, DType::i8,  DType::u8, DType::i32,
                    DType::u32,     DType::i64, DType::u64};
  expect_agreement(options, 100, random_inputs, testing::difference);
}

// Every float type, with zeros of both signs, infinities and NaN, through ops that have one right
// result.
TEST_F(BackendsFuzz, ExactFloatGraphsAgreeBitForBit) {
  RandomGraphOptions options;
  options.nodes = 30;
  options.composites = false;
  options.control = true;
  options.exact_floats = true;
  options.dtypes = {DType::f16, DType::bf16, DType::f32, DType::f64, DType::boolean, DType::i32};
  expect_agreement(options, 200, random_inputs, testing::difference);
}

TEST_F(BackendsFuzz, FloatGraphsAgreeNearly) {
  RandomGraphOptions options;
  options.nodes = 40;
  options.control = true;
  options.dtypes = {DType::boolean, DType::i32, DType::f64};
  expect_agreement(options, 100, whole_inputs, large_difference);
  expect_agreement(options, 100, random_inputs, large_difference);
}

TEST_F(BackendsFuzz, NarrowFloatGraphsAgreeNearly) {
  RandomGraphOptions options;
  options.nodes = 14;
  options.control = true;
  options.dtypes = {DType::f16, DType::bf16, DType::f32};
  expect_agreement(options, 100, random_inputs, large_difference);
}

}  // namespace
}  // namespace tenon::fuzz
