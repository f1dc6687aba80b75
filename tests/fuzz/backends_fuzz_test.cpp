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

// Integers and bool only: every op is exact, so the bits must be equal.
TEST(BackendsFuzz, IntegerGraphsAgreeBitForBit) {
  std::string folder = (std::filesystem::temp_directory_path() / "tenon_test_XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  RandomGraphOptions options;
  options.nodes = 60;
  options.composites = false;
  options.dtypes = {DType::boolean, DType::i8,  DType::u8, DType::i32,
                    DType::u32,     DType::i64, DType::u64};
  const auto backend = backends::open("cpu", backends::BackendOptions{2, folder});
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    const ir::Graph graph = random_graph(seed, options);
    const std::vector<HostTensor> inputs = whole_inputs(graph, seed);
    std::string text;
    try {
      text = testing::difference(ir::interpret(graph, inputs), run_on(*backend, graph, inputs));
    } catch (const Error& error) {
      text = error.what();
    }
    EXPECT_EQ(text, "") << "seed " << seed << "\n" << ir::print(graph);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tenon::fuzz
