// Random graphs under narrow precisions: well typed, of the same signature, near to f32.
#include <gtest/gtest.h>

#include <cmath>

#include "random_graph.h"
#include "random_inputs.h"
#include "same_value.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/print.h"
#include "tenon/passes/precision.h"

namespace tenon::fuzz {
namespace {

ir::Graph under(passes::PrecisionPolicy policy, const ir::Graph& graph) {
  passes::PassOptions options;  // the driver verifies
  options.context.precision = policy;
  return passes::run_passes(graph, options, passes::precision_passes()).graph;
}

bool has_narrow_product(const ir::Graph& graph) {
  for (const ir::Node& node : graph.nodes()) {
    const bool multiplies = std::holds_alternative<ir::Dot>(node.op) ||
                            std::holds_alternative<ir::Convolution>(node.op);
    if (multiplies && is_narrow_float(graph.type(node.operands[0]).dtype)) return true;
  }
  return false;
}

TEST(PrecisionFuzz, KeepsTheSignatureOfAnyGraph) {
  int narrowed = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    RandomGraphOptions options;
    options.control = seed % 2 == 1;
    options.dtypes = {DType::f32, DType::i32, DType::boolean};
    const ir::Graph before = random_graph(seed, options);
    const std::vector<HostTensor> inputs = random_inputs(before, seed);
    for (const auto policy : {passes::PrecisionPolicy::bf16, passes::PrecisionPolicy::fp16}) {
      const ir::Graph after = under(policy, before);
      ASSERT_EQ(ir::input_types(after), ir::input_types(before)) << seed;
      ASSERT_EQ(ir::output_types(after), ir::output_types(before)) << seed;
      narrowed += has_narrow_product(after);
      // Without products nothing changes.
      if (has_narrow_product(after) || options.control) continue;
      const std::string text =
          testing::difference(ir::interpret(before, inputs), ir::interpret(after, inputs));
      ASSERT_EQ(text, "") << "seed " << seed << "\n" << ir::print(before) << ir::print(after);
    }
  }
  EXPECT_GT(narrowed, 100);
}

// Products of sums of products and so on, with what may stand between them in a network. Errors are
// measured beside the largest element, as a sum may cancel.
TEST(PrecisionFuzz, NetworksStayNearToF32) {
  using namespace ir;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    ThreefrySequence random{seed};
    Builder b;
    std::vector<HostTensor> inputs;
    const auto input = [&](Role role) {
      HostTensor value({DType::f32, {6, 6}});
      for (float& element : value.as<float>())
        element = (static_cast<float>(random.below(2001)) - 1000) / 2400;
      inputs.push_back(std::move(value));
      return b.input({fmt::format("x{}", inputs.size()), {DType::f32, {6, 6}}, role, {}});
    };
    Value x = input(Role::data), skip = x;
    for (int i = 0; i < 8; ++i) {
      switch (random.below(9)) {
        case 0: x = maximum(b, x, zeros_like(b, x)); break;
        case 1: x = elementwise(b, ScalarFunction::tanh, {x}); break;
        case 2: x = transpose(b, x, {1, 0}); break;
        case 3: x = b.add(Softmax{1}, {x}); break;
        case 4: x = add(b, x, input(Role::state)); break;
        case 5: x = add(b, x, skip); break;
        case 6: x = multiply(b, x, splat(b, 0.7, b.type(x))); break;
        default: skip = x; x = matmul(b, x, input(Role::state));
      }
    }
    const Graph before = std::move(b).finish({x});
    const HostTensor exact = interpret(before, inputs)[0];
    for (const auto policy : {passes::PrecisionPolicy::bf16, passes::PrecisionPolicy::fp16}) {
      const HostTensor found = interpret(under(policy, before), inputs)[0];
      double largest = 0, farthest = 0;
      for (std::int64_t i = 0; i < exact.size(); ++i) {
        const double value = element_as_double(exact, i);
        largest = std::max(largest, std::abs(value));
        farthest = std::max(farthest, std::abs(element_as_double(found, i) - value));
      }
      EXPECT_LE(farthest, 0.03 * largest) << "seed " << seed << "\n" << print(before);
    }
  }
}

}  // namespace
}  // namespace tenon::fuzz
