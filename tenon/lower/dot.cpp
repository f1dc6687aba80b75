#include "tenon/lower/contraction.h"

namespace tenon::lower {

namespace {

bool contains(const Axes& axes, std::size_t axis) {
  return std::ranges::count(axes, static_cast<std::int64_t>(axis)) > 0;
}

}  // namespace

void lower_dot(RegionWriter& writer, std::uint32_t node) {
  const ir::Node& source = writer.graph().node(node);
  const auto& op = std::get<ir::Dot>(source.op);
  const TensorType& lhs = writer.type(source.operands[0]);
  const TensorType& rhs = writer.type(source.operands[1]);
  const Shape lhs_strides = row_major_strides(lhs.shape);
  const Shape rhs_strides = row_major_strides(rhs.shape);
  Contraction problem{writer,
                      {node, 0},
                      contraction_accumulator(lhs.dtype, op.result),
                      {},
                      {writer.input_argument(source.operands[0]), lhs, {}},
                      {writer.input_argument(source.operands[1]), rhs, {}},
                      {},
                      {},
                      {}};
  const auto result_axis = [&](std::int64_t extent, std::int64_t left, std::int64_t right) {
    if (extent == 1) return;
    problem.space.push_back({extent, 0});
    problem.lhs.place.coefficients.push_back(left);
    problem.rhs.place.coefficients.push_back(right);
  };
  const auto at = [](std::int64_t axis) { return static_cast<std::size_t>(axis); };
  for (std::size_t i = 0; i < op.lhs_batch.size(); ++i)
    result_axis(lhs.shape[at(op.lhs_batch[i])], lhs_strides[at(op.lhs_batch[i])],
                rhs_strides[at(op.rhs_batch[i])]);
  for (std::size_t i = 0; i < lhs.shape.size(); ++i)
    if (!contains(op.lhs_batch, i) && !contains(op.lhs_contracting, i))
      result_axis(lhs.shape[i], lhs_strides[i], 0);
  for (std::size_t i = 0; i < rhs.shape.size(); ++i)
    if (!contains(op.rhs_batch, i) && !contains(op.rhs_contracting, i))
      result_axis(rhs.shape[i], 0, rhs_strides[i]);
  for (std::size_t i = 0; i < op.lhs_contracting.size(); ++i)
    problem.contracted.push_back({lhs.shape[at(op.lhs_contracting[i])],
                                  lhs_strides[at(op.lhs_contracting[i])],
                                  rhs_strides[at(op.rhs_contracting[i])]});
  problem.lower();
}

}  // namespace tenon::lower
