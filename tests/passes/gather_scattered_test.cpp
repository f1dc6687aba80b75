#include "same_after.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/print.h"

namespace tenon::testing {
namespace {
using namespace ir;

struct Scattered {
  ScatterKind kind = ScatterKind::add;
  DType dtype = DType::f32, index = DType::i32;
  Shape base = {2048, 32}, indices = {3, 5, 1}, updates = {3, 5, 32};
  Axes axes = {0};
  std::optional<double> fill = 0;  // or an input
};

Graph graph_of(const Scattered& c) {
  Program p;
  const Value at = p.input(c.index, c.indices), updates = p.input(c.dtype, c.updates);
  const TensorType type{c.dtype, c.base};
  const Value base = c.fill ? splat(p.b, *c.fill, type) : p.input(c.dtype, c.base);
  return p.done({p.b.add(Scatter{c.kind, c.axes, 0}, {base, at, updates})});
}

TEST(GatherScattered, ReadsRowsWhereTheyAreCombined) {
  Scattered wide_index, of_zeros, narrow, of_matrices, product, whole;
  wide_index.index = DType::i64;
  of_zeros.fill = -0.0;
  narrow.dtype = DType::bf16;
  of_matrices.base = {1024, 8, 8};
  of_matrices.indices = {7, 1};
  of_matrices.updates = {7, 8, 8};
  product.kind = ScatterKind::multiply;
  product.fill = 3;
  whole.kind = ScatterKind::set;
  whole.dtype = DType::u8;
  for (const Scattered& c :
       {Scattered{}, wide_index, of_zeros, narrow, of_matrices, product, whole}) {
    const Graph before = graph_of(c);
    const Graph after = passes::gather_scattered(before);
    EXPECT_TRUE(std::holds_alternative<Gather>(after.node(after.outputs()[0].value.node).op))
        << print(after);
    expect_same_values(before, after, "gather_scattered");
    EXPECT_EQ(print(passes::gather_scattered(after)), print(after));
  }
}

// Two updates of a row, an untouched row, and updates before the first row and behind the last.
TEST(GatherScattered, DropsWhatIsOutOfRange) {
  const Graph before = graph_of({});
  HostTensor at({DType::i32, {3, 5, 1}}), updates({DType::f32, {3, 5, 32}});
  std::ranges::copy(
      std::vector<std::int32_t>{0, 7, 2047, 7, -1, 2048, 0, 1, std::numeric_limits<int>::min(),
                                std::numeric_limits<int>::max(), 7, 5, 6, 2046, -2048},
      at.as<std::int32_t>().begin());
  float number = 0;
  for (float& element : updates.as<float>()) element = 0.1f * ++number;
  const std::vector<HostTensor> inputs{at, updates};
  const HostTensor expected = interpret(before, inputs)[0];
  EXPECT_TRUE(interpret(passes::gather_scattered(before), inputs)[0] == expected);
  EXPECT_EQ(expected.as<float>()[7 * 32], 0.1f * 33 + 0.1f * 97 + 0.1f * 321);
}

TEST(GatherScattered, LeavesAlone) {
  Scattered many, small, elements, inner, onto, narrow_index, none;
  many.base = {59, 2000};
  many.updates = {3, 5, 2000};
  small.base = {1024, 32};
  elements.base = {65536};
  elements.updates = {3, 5};
  inner.base = {32, 2048};
  inner.axes = {1};
  onto.fill = std::nullopt;
  narrow_index.index = DType::u8;
  none.indices = {0, 1};
  none.updates = {0, 32};
  for (const Scattered& c : {many, small, elements, inner, onto, narrow_index, none}) {
    const Graph before = graph_of(c);
    EXPECT_EQ(print(passes::gather_scattered(before)), print(before));
  }
}

}  // namespace
}  // namespace tenon::testing
