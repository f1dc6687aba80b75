// Random products and what follows them as one kernel, with each choice of lowering left out.
#include <chrono>
#include <set>

#include "evaluate_regions.h"
#include "tenon/ir/interpret.h"
#include "tenon/kernel/builder.h"
#include "tests/fuzz/random_product.h"

namespace tenon::lower {
namespace {

Region whole_region(const ir::Graph& graph) {
  Region region;
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i)
    if (std::holds_alternative<ir::Parameter>(graph.node(i).op))
      region.inputs.push_back({i, 0});
    else
      region.nodes.push_back(i);
  region.outputs = {graph.outputs()[0].value};
  return region;
}

std::string text_of(const ir::Graph& graph, const Region& region, const Target& target) {
  std::string text;
  for (const LoweredRegion& lowered : lower(graph, region, target, "k"))
    text += kernel::print(lowered.kernel);
  return text;
}

// Kernels that the target makes of the product, one for each text: the names of what is left out.
std::map<std::string, std::string> variants(const ir::Graph& graph, const Region& region,
                                            const Target& target) {
  std::map<std::string, std::string> names{{text_of(graph, region, target), "nothing"}};
  for (const auto& part : kernel::kernel_switches()) {
    Target without = target;
    without.options.*part.member = false;
    names.emplace(text_of(graph, region, without), part.name);
  }
  return names;
}

Target without(Target target, std::string_view name) {
  for (const auto& part : kernel::kernel_switches())
    if (part.name == name) target.options.*part.member = false;
  return target;
}

// Without these, sums are taken in another order.
bool decides_order(std::string_view name) {
  constexpr std::string_view kNames[] = {"multiply_lanes", "fold_products", "sum_as_memory_lies",
                                         "cut_long_sums"};
  return std::ranges::count(kNames, name) > 0;
}

// All variants give the right whole numbers, and fractions with the same bits as one another, on
// all targets.
void expect_equal(const fuzz::RandomProduct& product, std::set<std::string>& seen) {
  SCOPED_TRACE(product.name);
  const Region region = whole_region(product.graph);
  ASSERT_TRUE(is_one_kernel(product.graph, region));
  const HostTensor expected = ir::interpret(product.graph, product.inputs)[0];
  const auto evaluate = [&](const Target& target, const std::vector<HostTensor>& inputs) {
    return evaluate_regions(product.graph, std::array{region}, target, inputs)[0];
  };
  const HostTensor fractions = evaluate(test_targets()[0], product.fractions);
  for (const Target& target : test_targets())
    for (const auto& [text, name] : variants(product.graph, region, target)) {
      SCOPED_TRACE(fmt::format("target {} without {}", &target - test_targets().data(), name));
      const Target other = without(target, name);
      EXPECT_EQ(compare(evaluate(other, product.inputs), expected, 0), "");
      if (!decides_order(name)) {
        EXPECT_EQ(compare(evaluate(other, product.fractions), fractions, 0), "");
      }
      seen.insert(name);
    }
}

// TENON_FUZZ_SECONDS: how long it goes on (by default for a few products).
TEST(RandomProducts, AgreeWithTheReferenceWithoutEachChoice) {
  constexpr std::uint64_t kSeeds = 8;
  constexpr DType kTypes[] = {DType::f32, DType::f64, DType::bf16};
  const char* seconds = std::getenv("TENON_FUZZ_SECONDS");
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::seconds(seconds == nullptr ? 0 : std::atoi(seconds));
  std::set<std::string> seen;
  for (std::uint64_t seed = 0;
       (seed < kSeeds || std::chrono::steady_clock::now() < end) && !testing::Test::HasFailure();
       ++seed)
    for (const bool transposes_lhs : {false, true})
      for (const bool transposes_rhs : {false, true})
        expect_equal(fuzz::random_product(seed, transposes_lhs, transposes_rhs, kTypes[seed % 3]),
                     seen);
  // What is never left out is not tested.
  for (const char* name :
       {"nothing", "fill_registers", "pack_operands", "block_products", "fold_products"})
    EXPECT_TRUE(seen.contains(name)) << name;
}

}  // namespace
}  // namespace tenon::lower
