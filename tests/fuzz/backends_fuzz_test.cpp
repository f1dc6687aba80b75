// Random graphs: all backends agree with the reference, whatever the number of threads.
#include <gtest/gtest.h>

#include <filesystem>

#include "random_graph.h"
#include "same_value.h"
#include "tenon/backends/backend.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/print.h"

namespace tenon::fuzz {
namespace {

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

std::vector<HostTensor> run_on(backends::Backend& backend, const ir::Graph& graph,
                               const std::vector<HostTensor>& inputs) {
  const auto executable = backend.compile(graph, {});
  std::vector<backends::Buffer> buffers, results(graph.outputs().size());
  for (const HostTensor& input : inputs) {
    buffers.push_back(backend.allocate({input.type(), {}}));
    backend.write(buffers.back(), input).wait();
  }
  std::vector<backends::Buffer*> pointers;
  for (backends::Buffer& buffer : buffers) pointers.push_back(&buffer);
  const auto step = executable->bind({});
  // Twice: the second run starts with the arena that the first one left.
  for (int i = 0; i < 2; ++i) step->run(pointers, results).wait();
  std::vector<HostTensor> outputs;
  for (const backends::Buffer& result : results) {
    outputs.emplace_back(result.type());
    backend.read(result, outputs.back()).wait();
  }
  return outputs;
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
    for (std::int64_t k = 0; k < expected[i].size(); ++k) {
      const double a = element_as_double(expected[i], k), b = element_as_double(actual[i], k);
      const bool is_near = a == b || (std::isnan(a) && std::isnan(b)) ||
                           std::abs(a - b) <= 1e-6 * std::max({1.0, std::abs(a), std::abs(b)});
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
  void expect_agreement(const RandomGraphOptions& options, std::uint64_t first, std::uint64_t last,
                        Difference difference) {
    for (std::uint64_t seed = first; seed < last; ++seed) {
      const ir::Graph graph = random_graph(seed, options);
      const std::vector<HostTensor> inputs = whole_inputs(graph, seed);
      std::string text;
      try {
        text = difference(ir::interpret(graph, inputs), run_on(*backend_, graph, inputs));
      } catch (const Error& error) {
        text = error.what();
      }
      EXPECT_EQ(text, "") << "seed " << seed << "\n" << ir::print(graph);
    }
  }

  std::string folder_;
  std::unique_ptr<backends::Backend> backend_;
};

// Integers and bool only: every op is exact, so the bits must be equal.
TEST_F(BackendsFuzz, IntegerGraphsAgreeBitForBit) {
  RandomGraphOptions options;
  options.nodes = 60;
  options.composites = false;
  options.dtypes = {DType::boolean, DType::i8,  DType::u8, DType::i32,
                    DType::u32,     DType::i64, DType::u64};
  expect_agreement(options, 0, 25, testing::difference);
}

TEST_F(BackendsFuzz, FloatGraphsAgreeNearly) {
  RandomGraphOptions options;
  options.nodes = 40;
  options.dtypes = {DType::boolean, DType::i32, DType::f64};
  expect_agreement(options, 0, 25, large_difference);
}

}  // namespace
}  // namespace tenon::fuzz
