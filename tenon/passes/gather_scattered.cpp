#include <limits>

#include "tenon/passes/passes.h"

namespace tenon::passes {
using namespace ir;
namespace {

constexpr std::int64_t kFewestElements = std::int64_t{1} << 16;  // that are worth three more nodes
constexpr std::int64_t kRowsOfOneUpdate = 4;  // so many rows for each update, or most are written
constexpr std::int64_t kShortestRow = 8;      // else the row of an element is as long as the row

// Rows of updates scattered over many equal rows.
struct FewRows {
  Scatter op;
  TensorType base, indices, updates;
  std::int64_t rows, count;  // of the base; of the updates
};

std::optional<FewRows> few_rows(const Match& m) {
  const auto* op = std::get_if<Scatter>(&m.op);
  if (op == nullptr || op->batch_axes != 0 || op->axes != Axes{0}) return std::nullopt;
  if (!splat_value(m.builder, m.operands[0])) return std::nullopt;
  FewRows found{*op, m.type(0), m.type(1), m.type(2), 0, 1};
  found.rows = found.base.shape[0];
  for (std::size_t i = 0; i + 1 < found.indices.shape.size(); ++i)
    found.count *= found.indices.shape[i];
  const std::int64_t elements = element_count(found.base.shape);
  const DType dtype = found.indices.dtype;
  if (elements < kFewestElements || elements / found.rows < kShortestRow) return std::nullopt;
  if (found.count == 0 || found.rows / kRowsOfOneUpdate < found.count) return std::nullopt;
  if (dtype != DType::i32 && dtype != DType::i64) return std::nullopt;
  if (found.rows > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return found;
}

// Each row of the base belongs to the last update at it, or to none. The updates are combined in a
// small array, in the row that has the number of the owner: the same steps in the same order. Row
// `count`, which belongs to no update, is what the other rows of the base are. Then every element
// is read from its place, where it is needed, which may be in another kernel: nobody writes and
// reads an array of many equal rows.
Replacement gather_owned(const Match& m) {
  const auto few = few_rows(m);
  if (!few) return std::nullopt;
  Builder& b = m.builder;
  const std::int64_t count = few->count;
  const double fill = *splat_value(b, m.operands[0]);
  const auto as_column = [&](Value x) {
    return reshape(b, x, {element_count(b.type(x).shape), 1});
  };
  const TensorType numbers{DType::i32, {count}};
  const Value indices = as_column(m.operands[1]);
  const Value owners = b.add(Scatter{ScatterKind::set, {0}, 0},
                             {splat(b, static_cast<double>(count), {DType::i32, {few->rows}}),
                              indices, b.add(Iota{numbers, 0}, {})});
  // An update that is out of range is dropped; a gather would clamp it into another one's row.
  const Value low = splat(b, 0, b.type(indices));
  const Value high = splat(b, static_cast<double>(few->rows - 1), b.type(indices));
  const Value is_inside = elementwise(b, ScalarFunction::logical_and,
                                      {compare(b, ScalarFunction::greater_equal, indices, low),
                                       compare(b, ScalarFunction::less_equal, indices, high)});
  const Value owner = b.add(Gather{{0}, 0}, {owners, indices});
  const Value row = select(b, reshape(b, is_inside, {count}), owner,
                           splat(b, static_cast<double>(count + 1), numbers));
  Shape small = few->base.shape, updates = few->base.shape;
  small[0] = count + 1;
  updates[0] = count;
  const Value sums = b.add(few->op, {splat(b, fill, {few->base.dtype, small}), as_column(row),
                                     reshape(b, m.operands[2], updates)});
  return replace_with(b.add(Gather{{0}, 0}, {sums, as_column(owners)}));
}

}  // namespace

Graph gather_scattered(const Graph& graph, const PassContext&) {
  static constexpr Rule kRules[] = {{"gather_owned", gather_owned}};
  return rewrite(graph, kRules);
}

}  // namespace tenon::passes
