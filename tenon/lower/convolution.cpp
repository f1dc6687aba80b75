#include "tenon/lower/contraction.h"

#include <algorithm>

namespace tenon::lower {

namespace {

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

ir::Pad padding_of(const ir::Convolution& op, std::size_t rank) {
  ir::Pad pad{Shape(rank), Shape(rank), Shape(rank)};
  for (std::size_t i = 0; i < op.input_spatial.size(); ++i) {
    const std::size_t axis = at(op.input_spatial[i]);
    pad.low[axis] = op.low[i];
    pad.high[axis] = op.high[i];
    pad.interior[axis] = op.base_dilation[i] - 1;
  }
  return pad;
}

bool is_padded(const ir::Convolution& op) {
  const auto is_zero = [](std::int64_t n) { return n == 0; };
  const auto is_one = [](std::int64_t n) { return n == 1; };
  return !std::ranges::all_of(op.low, is_zero) || !std::ranges::all_of(op.high, is_zero) ||
         !std::ranges::all_of(op.base_dilation, is_one);
}

bool has_gaps(const ir::Convolution& op) {
  return std::ranges::any_of(op.base_dilation, [](std::int64_t n) { return n != 1; });
}

// What is padded with less than nothing is only read in part.
bool only_cuts(const ir::Convolution& op) {
  const auto is_cut = [](std::int64_t n) { return n <= 0; };
  return std::ranges::all_of(op.low, is_cut) && std::ranges::all_of(op.high, is_cut) &&
         !has_gaps(op);
}

// The little graph that pads.
struct PaddingGraph {
  ir::Graph graph;
  ir::Value x, padded;
};
PaddingGraph padding_graph(const ir::Convolution& op, const TensorType& type) {
  ir::Builder b;
  const ir::Value x = b.input({"x", type, ir::Role::data, {}});
  const ir::Value zero = b.add(ir::Constant{ir::ConstantRef(filled({type.dtype, {}}, 0))}, {});
  const ir::Value padded = b.add(padding_of(op, type.shape.size()), {x, zero});
  return {std::move(b).finish({padded}), x, padded};
}

}  // namespace

ContractionOperand write_padded(RegionWriter& writer, const PaddedInput& input) {
  const PaddingGraph made = padding_graph(*input.op, writer.type(input.input));
  const Context context{
      made.graph,
      writer.target(),
      {{made.x, writer.input_argument(input.input)}},
      choose_index_type(writer.target(), made.graph, std::array{made.padded.node})};
  const TensorType& type = made.graph.type(made.padded);
  const Argument scratch = writer.new_scratch(byte_size(type));
  lower_pointwise(writer, context, {{made.padded, scratch}}, "pad");
  return {scratch, type, {}};
}

namespace {

// False, with nothing added, if the input's gaps should be skipped and cannot be.
bool lower_convolution(RegionWriter& writer, std::uint32_t node, bool skips_gaps) {
  const ir::Node& source = writer.graph().node(node);
  const auto& op = std::get<ir::Convolution>(source.op);
  const TensorType& result = writer.type({node, 0});
  const TensorType& kernel = writer.type(source.operands[1]);
  Contraction problem{
      writer,
      {node, 0},
      contraction_accumulator(kernel.dtype, op.result),
      {},
      {writer.input_argument(source.operands[0]), writer.type(source.operands[0]), {}},
      {writer.input_argument(source.operands[1]), kernel, {}},
      {},
      {},
      {}};
  if (skips_gaps && !has_gaps(op)) return false;
  std::int64_t first = 0;
  if (only_cuts(op)) {
    const Shape strides = row_major_strides(problem.lhs.type.shape);
    for (std::size_t i = 0; i < op.low.size(); ++i)
      first -= op.low[i] * strides[at(op.input_spatial[i])];
  } else if (is_padded(op)) {
    problem.padded = PaddedInput{&op, source.operands[0], {}, {}};
    if (skips_gaps) {
      problem.padded->phased = phased_axes(op, problem.lhs.type.shape, kernel.shape);
      if (problem.padded->phased.empty()) return false;
      for (std::size_t i = 0; i < op.input_spatial.size(); ++i) {
        const PhasedAxis& phased = problem.padded->phased[i];
        problem.lhs.type.shape[at(op.input_spatial[i])] += phased.low + phased.high;
      }
    } else {
      const PaddingGraph made = padding_graph(op, problem.lhs.type);
      problem.lhs.type = made.graph.type(made.padded);
    }
  }
  const Shape input_strides = row_major_strides(problem.lhs.type.shape);
  const Shape kernel_strides = row_major_strides(kernel.shape);
  const auto result_axis = [&](std::int64_t extent, std::int64_t left, std::int64_t right) {
    if (extent == 1) return;
    problem.space.push_back({extent, 0});
    problem.lhs.place.coefficients.push_back(left);
    problem.rhs.place.coefficients.push_back(right);
  };
  problem.lhs.place.constant = first;
  const std::int64_t groups = op.feature_groups * op.batch_groups;
  const std::int64_t group_features = kernel.shape[at(op.kernel_input)];
  for (std::size_t axis = 0; axis < result.shape.size(); ++axis) {
    const auto number = static_cast<std::int64_t>(axis);
    if (number == op.output_batch) {
      result_axis(result.shape[axis], input_strides[at(op.input_batch)], 0);
    } else if (number == op.output_feature) {
      // Output feature = group * features of a group + feature. A group reads its own input
      // features (feature groups) or its own part of the batch (batch groups).
      const std::int64_t stride = kernel_strides[at(op.kernel_output)];
      const std::int64_t per_group = result.shape[axis] / groups;
      const std::int64_t group_stride =
          op.feature_groups > 1
              ? group_features * input_strides[at(op.input_feature)]
              : result.shape[at(op.output_batch)] * input_strides[at(op.input_batch)];
      result_axis(groups, group_stride, per_group * stride);
      result_axis(per_group, 0, stride);
    } else {
      const auto i = static_cast<std::size_t>(std::ranges::find(op.output_spatial, number) -
                                              op.output_spatial.begin());
      const std::int64_t phases = skips_gaps ? problem.padded->phased[i].dilation : 1;
      if (i == 0 && problem.padded && result.shape[axis] > phases)
        problem.padded->strip_axis = problem.space.size();
      const std::int64_t step = op.strides[i] * input_strides[at(op.input_spatial[i])];
      if (!skips_gaps) {
        result_axis(result.shape[axis], step, 0);
        continue;
      }
      PhasedAxis& phased = problem.padded->phased[i];
      result_axis(result.shape[axis] / phased.dilation, step, 0);
      if (phased.dilation > 1) phased.axis = problem.space.size();
      result_axis(phased.dilation, 0, 0);
    }
  }
  for (std::size_t i = 0; i < op.kernel_spatial.size(); ++i)
    problem.contracted.push_back({kernel.shape[at(op.kernel_spatial[i])],
                                  op.window_dilation[i] * input_strides[at(op.input_spatial[i])],
                                  kernel_strides[at(op.kernel_spatial[i])]});
  problem.contracted.push_back(
      {group_features, input_strides[at(op.input_feature)], kernel_strides[at(op.kernel_input)]});
  // Walking the input in the order of its memory lets neighbouring axes merge.
  if (!skips_gaps && writer.options().sum_as_memory_lies)
    std::ranges::stable_sort(problem.contracted, std::greater<>{}, &ContractedAxis::lhs);
  return problem.lower();
}

}  // namespace

void lower_convolution(RegionWriter& writer, std::uint32_t node) {
  const bool is_done = writer.options().skip_gaps && lower_convolution(writer, node, true);
  if (!is_done) lower_convolution(writer, node, false);
}

}  // namespace tenon::lower
