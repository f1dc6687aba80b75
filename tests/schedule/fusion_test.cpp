#include "tenon/schedule/fusion.h"

#include "tenon/autodiff/grad.h"
#include "tenon/base/threefry.h"
#include "tenon/ir/build.h"
#include "tenon/ir/inline_composites.h"
#include "tenon/ir/interpret.h"
#include "tests/fuzz/random_graph.h"
#include "tests/fuzz/random_inputs.h"
#include "tests/lower/evaluate_regions.h"

namespace tenon::schedule {
namespace {

using ir::Builder;
using ir::Value;
using lower::Region;

ir::Graph inlined(const ir::Graph& graph) {
  return ir::inline_composites(
      graph, [](const ir::Op& op) { return std::holds_alternative<ir::RandomBits>(op); });
}

Value input(Builder& b, Shape shape, DType dtype = DType::f32) {
  return b.input(
      {fmt::format("x{}", b.inputs().size()), {dtype, std::move(shape)}, ir::Role::data, {}});
}

// Uniform in [-1, 1), or in [0, 10) for integers.
HostTensor random_tensor(const TensorType& type, std::uint64_t seed) {
  ThreefrySequence random{seed};
  HostTensor tensor({DType::f64, type.shape});
  for (double& element : tensor.as<double>())
    element = is_float(type.dtype) ? static_cast<double>(random.below(2000)) / 1000 - 1
                                   : static_cast<double>(random.below(10));
  return converted(tensor, type.dtype);
}

// Names of the ops of each region, one line per region.
std::vector<std::string> summary(const ir::Graph& graph) {
  std::vector<std::string> lines;
  for (const Region& region : form_regions(graph)) {
    std::string line;
    for (const std::uint32_t node : region.nodes)
      line += fmt::format("{}{}", line.empty() ? "" : " ", ir::name(graph.node(node).op));
    lines.push_back(fmt::format("{} -> {}", line, region.outputs.size()));
  }
  return lines;
}
using Lines = std::vector<std::string>;

TEST(Fusion, PointwiseChainsBecomeOneKernel) {
  Builder b;
  const Value x = input(b, {64, 33}), y = input(b, {64, 33});
  const Value z = ir::exp(b, ir::multiply(b, x, y));
  const ir::Graph graph = std::move(b).finish({ir::add(b, z, x)});
  EXPECT_EQ(summary(graph), Lines({"multiply exp add -> 1"}));
}

TEST(Fusion, ValuesOfOneUpdateAreOutputsOfOneKernel) {
  Builder b;
  const Value w = input(b, {300, 10}), g = input(b, {300, 10}), v = input(b, {300, 10});
  const Value next_v = ir::add(b, ir::multiply(b, v, ir::splat(b, 0.9, b.type(v))), g);
  const Value next_w = ir::subtract(b, w, ir::multiply(b, next_v, ir::splat(b, 0.1, b.type(v))));
  const ir::Graph graph = std::move(b).finish({next_w, next_v});
  EXPECT_EQ(form_regions(graph).size(), 1u);
  EXPECT_EQ(form_regions(graph)[0].outputs.size(), 2u);
}

// Compilers write every function of a kernel out: one of a hundred would take them seconds.
TEST(Fusion, LongChainsOfExpensiveFunctionsAreCut) {
  Builder b;
  const Value x = input(b, {64, 33});
  Value y = x;
  for (int i = 0; i < 100; ++i) y = ir::add(b, ir::elementwise(b, ScalarFunction::sin, {y}), x);
  const ir::Graph graph = std::move(b).finish({y});
  const std::vector<Region> regions = form_regions(graph);
  std::size_t nodes = 0;
  for (const Region& region : regions) {
    const auto sines = std::ranges::count_if(region.nodes, [&](std::uint32_t node) {
      const auto* op = std::get_if<ir::Elementwise>(&graph.node(node).op);
      return op != nullptr && op->function == ScalarFunction::sin;
    });
    EXPECT_LE(sines, 25);
    nodes += region.nodes.size();
  }
  EXPECT_EQ(nodes, 200u);
  EXPECT_LE(regions.size(), 8u);
}

TEST(Fusion, BiasAndActivationJoinTheContraction) {
  Builder b;
  const Value x = input(b, {32, 20}), w = input(b, {20, 48}), bias = input(b, {48});
  const Value spread = ir::broadcast(b, bias, {32, 48}, {1});
  const Value sum = ir::add(b, ir::matmul(b, x, w), spread);
  const Value y = ir::maximum(b, sum, ir::zeros_like(b, sum));
  const ir::Graph graph = std::move(b).finish({y});
  EXPECT_EQ(summary(graph), Lines({"broadcast dot add constant broadcast maximum -> 1"}));
}

// The gradient of a table that is also a layer's weights, after the pass gather_scattered.
TEST(Fusion, RowsThatAreGatheredJoinTheContraction) {
  Builder b;
  const Value x = input(b, {300, 20}), y = input(b, {20, 48}), rows = input(b, {9, 48});
  const Value owners = input(b, {300, 1}, DType::i32);
  const Value gathered = b.add(ir::Gather{{0}, 0}, {rows, owners});
  const ir::Graph graph = std::move(b).finish({ir::add(b, ir::matmul(b, x, y), gathered)});
  EXPECT_EQ(summary(graph), Lines({"gather dot add -> 1"}));
}

TEST(Fusion, AContractionReadsItsOperandsFromMemory) {
  Builder b;
  const Value x = input(b, {32, 20}), w = input(b, {20, 48});
  const ir::Graph graph = std::move(b).finish({ir::matmul(b, ir::exp(b, x), w)});
  EXPECT_EQ(summary(graph), Lines({"exp -> 1", "dot -> 1"}));
}

TEST(Fusion, SoftmaxIsOneKernel) {
  Builder b;
  const Value x = input(b, {64, 100});
  const ir::Graph graph = inlined(std::move(b).finish({b.add(ir::Softmax{1}, {x})}));
  const auto regions = form_regions(graph);
  ASSERT_EQ(regions.size(), 1u) << fmt::format("{}", fmt::join(summary(graph), "\n"));
  EXPECT_EQ(regions[0].inputs.size(), 1u);
  EXPECT_EQ(regions[0].outputs.size(), 1u);
}

TEST(Fusion, LayerNormIsOneKernelWithItsResiduals) {
  Builder b;
  const Value x = input(b, {64, 100}), scale = input(b, {100}), offset = input(b, {100});
  const Value y = b.add(ir::LayerNorm{}, {x, scale, offset});
  const ir::Graph graph = inlined(std::move(b).finish(b.results(y)));
  EXPECT_EQ(form_regions(graph).size(), 1u) << fmt::format("{}", fmt::join(summary(graph), "\n"));
}

TEST(Fusion, ReductionsOfColumnsAreNotSpreadInTheSameKernel) {
  Builder b;
  const Value x = input(b, {512, 64});
  const Value total = ir::reduce_sum(b, x, {0});
  const ir::Graph graph =
      std::move(b).finish({ir::subtract(b, x, ir::broadcast(b, total, {512, 64}, {1}))});
  EXPECT_EQ(summary(graph), Lines({"reduce -> 1", "broadcast subtract -> 1"}));
}

// first and fourth share a kernel; second and third must not then, though the way from one to the
// other leads through a node behind both.
TEST(Fusion, AKernelIsEnteredAndLeftAtAnyOfItsNodes) {
  Builder b;
  const Value x = input(b, {512, 64}), y = input(b, {512, 64});
  const auto spread = [&](Value row) { return ir::broadcast(b, row, {512, 64}, {1}); };
  const Value first = ir::reduce_sum(b, y, {0});
  const Value second = ir::reduce_sum(b, x, {0});
  const Value third = ir::reduce_sum(b, ir::multiply(b, x, spread(first)), {0});
  const Value fourth = ir::reduce_sum(b, ir::multiply(b, y, spread(second)), {0});
  const ir::Graph graph = std::move(b).finish({first, second, third, fourth});
  EXPECT_EQ(form_regions(graph).size(), 3u) << fmt::format("{}", fmt::join(summary(graph), "\n"));
}

TEST(Fusion, ReductionsOverTheSameElementsShareAKernel) {
  Builder b;
  const Value x = input(b, {512, 64}), y = input(b, {512, 64});
  const Value first = ir::reduce_sum(b, y, {0});
  const Value second = ir::reduce_sum(b, ir::multiply(b, x, y), {0});
  const ir::Graph graph = std::move(b).finish({first, second});
  EXPECT_EQ(summary(graph), Lines({"reduce multiply reduce -> 2"}));
}

TEST(Fusion, NothingIsFusedAcrossABarrier) {
  Builder b;
  const Value x = input(b, {64});
  const Value behind = b.add(ir::Barrier{1}, {ir::exp(b, x)});
  const ir::Graph graph = std::move(b).finish({ir::negate(b, behind)});
  EXPECT_EQ(summary(graph), Lines({"exp -> 1", "negate -> 1"}));
}

TEST(Fusion, RandomBitsAreMadeOnce) {
  Builder b;
  const Value key = input(b, {2}, DType::u32);
  const Value bits = b.add(ir::RandomBits{{64, 8}}, {key});
  const Value sum = ir::reduce(b, ir::ReduceKind::sum, ir::cast(b, bits, DType::f32), {0});
  const Value turned = ir::transpose(b, bits, {1, 0});
  const ir::Graph graph = std::move(b).finish({sum, turned});
  int count = 0;
  for (const Region& region : form_regions(graph))
    for (const std::uint32_t node : region.nodes)
      count += std::holds_alternative<ir::RandomBits>(graph.node(node).op) ? 1 : 0;
  EXPECT_EQ(count, 1);
}

TEST(Fusion, ReshapesCostNoKernelOfTheirOwn) {
  Builder b;
  const Value x = input(b, {6, 4, 10}), w = input(b, {10, 16});
  const Value flat = ir::reshape(b, ir::exp(b, x), {24, 10});
  const Value y = ir::reshape(b, ir::matmul(b, flat, w), {6, 4, 16});
  const ir::Graph graph = std::move(b).finish({ir::exp(b, y)});
  EXPECT_EQ(summary(graph), Lines({"exp -> 1", "reshape -> 1", "dot reshape exp -> 1"}));
}

TEST(Fusion, RegionsStandAfterThoseTheyRead) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const ir::Graph graph = inlined(fuzz::random_graph(seed));
    std::set<Value> made;
    for (const Region& region : form_regions(graph)) {
      for (const Value value : region.inputs) {
        const ir::Op& op = graph.node(value.node).op;
        if (lower::fusability(op) == lower::Fusability::structural) continue;
        if (std::holds_alternative<ir::Constant>(op)) continue;
        EXPECT_TRUE(made.contains(value)) << "seed " << seed << ", %" << value.node;
      }
      made.insert(region.outputs.begin(), region.outputs.end());
    }
  }
}

bool has_barrier(const ir::Graph& graph) {
  return std::ranges::any_of(graph.nodes(), [](const ir::Node& node) {
    return std::holds_alternative<ir::Barrier>(node.op);
  });
}

void expect_fused_equals_reference(const ir::Graph& graph, std::span<const HostTensor> inputs,
                                   double tolerance) {
  const ir::HostTensors expected = ir::interpret(graph, inputs);
  for (const lower::Target& target : lower::test_targets()) {
    const ir::HostTensors found =
        lower::evaluate_regions(graph, form_regions(graph), target, inputs);
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(lower::compare(found[i], expected[i], tolerance), "") << "output " << i;
  }
}

// Integers are exact, so any graph of them may be compared however it is fused.
TEST(Fusion, RandomIntegerGraphsKeepTheirValues) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    fuzz::RandomGraphOptions options;
    options.composites = false;
    options.dtypes = {DType::boolean, DType::i32, DType::u8, DType::i64, DType::u32};
    const ir::Graph graph = inlined(fuzz::random_graph(seed, options));
    if (has_barrier(graph)) continue;
    SCOPED_TRACE(fmt::format("seed {}", seed));
    expect_fused_equals_reference(graph, fuzz::random_inputs(graph, seed), 0);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Fusion, TrainingStepOfAPerceptronKeepsItsValues) {
  Builder b;
  const Value x = input(b, {12, 21}), labels = input(b, {12}, DType::i32);
  const Value w1 = input(b, {21, 34}), b1 = input(b, {34});
  const Value w2 = input(b, {34, 10}), b2 = input(b, {10});
  const Value hidden = ir::add(b, ir::matmul(b, x, w1), ir::broadcast(b, b1, {12, 34}, {1}));
  const Value active = ir::maximum(b, hidden, ir::zeros_like(b, hidden));
  const Value logits = ir::add(b, ir::matmul(b, active, w2), ir::broadcast(b, b2, {12, 10}, {1}));
  const Value losses = b.add(ir::SparseCrossEntropy{}, {logits, labels});
  const Value loss = ir::reduce_sum(b, losses, {0});
  std::vector<Value> outputs{loss};
  for (const Value gradient : autodiff::append_gradients(b, loss, std::array{w1, b1, w2, b2}))
    outputs.push_back(gradient);
  const ir::Graph graph = inlined(std::move(b).finish(outputs));
  std::vector<HostTensor> inputs;
  for (const ir::Input& in : graph.inputs())
    inputs.push_back(random_tensor(in.type, 7 + inputs.size()));
  expect_fused_equals_reference(graph, inputs, 1e-5);
  EXPECT_LE(form_regions(graph).size(), 9u) << fmt::format("{}", fmt::join(summary(graph), "\n"));
}

}  // namespace
}  // namespace tenon::schedule
