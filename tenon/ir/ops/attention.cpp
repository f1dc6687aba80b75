#include <limits>
#include <numeric>

#include "tenon/ir/ops/composite_build.h"

namespace tenon::ir {
namespace {

void check_attention(const Attention& op, OperandTypes types) {
  require_operands(op.kName, types, 3);
  const TensorType &q = types[0], &k = types[1], &v = types[2];
  require_float(op.kName, "q", q);
  const auto rank = static_cast<std::size_t>(q.rank());
  bool fits = rank >= 2 && k.shape.size() == rank && v.shape.size() == rank && k.dtype == q.dtype &&
              v.dtype == q.dtype;
  for (std::size_t i = 0; fits && i + 2 < rank; ++i)
    fits = k.shape[i] == q.shape[i] && v.shape[i] == q.shape[i];
  fits = fits && k.shape[rank - 1] == q.shape[rank - 1] && v.shape[rank - 2] == k.shape[rank - 2];
  require(fits,
          "{}: q [..., T, D], k [..., S, D] and v [..., S, E] of one float type expected, got {}, "
          "{} and {}",
          op.kName, q, k, v);
  require(!op.causal || q.shape[rank - 2] <= k.shape[rank - 2],
          "{}: causal needs at least as many keys as queries, got q {} and k {}", op.kName, q, k);
}

}  // namespace

Graph definition(const Attention& op, OperandTypes types) {
  check_attention(op, types);
  const std::int64_t rank = types[0].rank();
  Axes batch(static_cast<std::size_t>(rank - 2));
  std::iota(batch.begin(), batch.end(), 0);

  Builder b;
  const Value q = data_input(b, "q", types[0]);
  const Value k = data_input(b, "k", types[1]);
  const Value v = widened(b, data_input(b, "v", types[2]));
  const DType wide = b.type(v).dtype;
  Dot products{batch, batch, {rank - 1}, {rank - 1}, wide, Precision::highest};
  Value scores = scale(b, b.add(products, {q, k}), op.scale);
  if (op.causal) {
    const TensorType type = b.type(scores);
    const TensorType positions{DType::i64, type.shape};
    const std::int64_t keys = type.shape[static_cast<std::size_t>(rank - 1)];
    const std::int64_t queries = type.shape[static_cast<std::size_t>(rank - 2)];
    const Value query = b.add(Iota{positions, rank - 2});
    const Value last = add(b, query, splat(b, static_cast<double>(keys - queries), positions));
    const Value visible =
        compare(b, ScalarFunction::less_equal, b.add(Iota{positions, rank - 1}), last);
    scores = select(b, visible, scores, splat(b, -std::numeric_limits<double>::infinity(), type));
  }
  const Value weights = b.add(Softmax{rank - 1}, {scores});
  Dot mix{batch, batch, {rank - 1}, {rank - 2}, wide, Precision::highest};
  const Value result = cast(b, b.add(mix, {weights, v}), types[0].dtype);
  return std::move(b).finish({result});
}

}  // namespace tenon::ir
