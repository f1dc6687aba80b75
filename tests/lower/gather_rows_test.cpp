// A kernel that reads whole rows at places found in another array.
#include "evaluate_regions.h"
#include "tenon/ir/build.h"
#include "tenon/ir/interpret.h"

namespace tenon::lower {
namespace {

using ir::Value;

struct Found {
  int runs = 0, others = 0;  // loads by indices of addresses, or of their own type
};

void count_loads(const kernel::Kernel& kernel, const kernel::Block& block, Found& found) {
  for (const kernel::Statement& statement : block.statements)
    std::visit(cases{
                   [&](const kernel::LoadIndexed& load) {
                     ++(kernel.type(load.index).dtype == DType::i64 ? found.runs : found.others);
                   },
                   [&](const kernel::Loop& loop) { count_loads(kernel, loop.body, found); },
                   [&](const kernel::If& branch) { count_loads(kernel, branch.body, found); },
                   [](const auto&) {},
               },
               statement.instruction);
}

// x y + what is gathered from `table`: rows of it, or single elements.
struct Case {
  Shape table, indices;
  Axes axes;
  bool reads_runs = false;
};

TEST(GatherRows, AreRunsInTheEpilogueOfAProduct) {
  for (const Case& c : {Case{{9, 48}, {300, 1}, {0}, true}, Case{{9, 5}, {300, 48, 2}, {0, 1}}}) {
    ir::Builder b;
    const auto input = [&](Shape shape, DType dtype = DType::f32) {
      return b.input({fmt::format("x{}", b.inputs().size()), {dtype, shape}, ir::Role::data, {}});
    };
    const Value x = input({300, 20}), y = input({20, 48}), table = input(c.table);
    const Value indices = input(c.indices, DType::i32);
    const Value product = ir::matmul(b, x, y);
    const Value gathered = b.add(ir::Gather{c.axes, 0}, {table, indices});
    const Value sum = ir::add(b, product, gathered);
    const ir::Graph graph = std::move(b).finish({sum});
    const Region region{{product.node, gathered.node, sum.node}, {x, y, table, indices}, {sum}};
    std::vector<HostTensor> inputs;
    for (const ir::Input& declared : graph.inputs()) {
      HostTensor numbers({DType::f64, declared.type.shape});
      double number = 0;  // indices out of range, too
      for (double& element : numbers.as<double>()) element = std::fmod(number += 7, 13) - 2;
      inputs.push_back(converted(numbers, declared.type.dtype));
    }
    const HostTensor expected = ir::interpret(graph, inputs)[0];
    for (const Target& target : test_targets()) {
      const HostTensor found = evaluate_regions(graph, std::array{region}, target, inputs)[0];
      EXPECT_EQ(compare(found, expected, 1e-6), "");
      if (target.kind != Target::Kind::cpu) continue;
      Found loads;
      for (const LoweredRegion& lowered : lower(graph, region, target, "k"))
        count_loads(lowered.kernel, lowered.kernel.body, loads);
      EXPECT_EQ(loads.runs > 0, c.reads_runs);
      EXPECT_EQ(loads.others > 0, !c.reads_runs);
    }
  }
}

}  // namespace
}  // namespace tenon::lower
