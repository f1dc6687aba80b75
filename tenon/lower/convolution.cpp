#include "tenon/lower/contraction.h"

namespace tenon::lower {

namespace {

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

// The input with padding and gaps written out (in scratch), or as it is if there are none.
ContractionOperand padded_input(RegionWriter& writer, const ir::Convolution& op, ir::Value input) {
  const TensorType& type = writer.type(input);
  ir::Pad pad{Shape(type.shape.size()), Shape(type.shape.size()), Shape(type.shape.size())};
  bool is_padded = false;
  for (std::size_t i = 0; i < op.input_spatial.size(); ++i) {
    const std::size_t axis = at(op.input_spatial[i]);
    pad.low[axis] = op.low[i];
    pad.high[axis] = op.high[i];
    pad.interior[axis] = op.base_dilation[i] - 1;
    is_padded |= op.low[i] != 0 || op.high[i] != 0 || op.base_dilation[i] != 1;
  }
  if (!is_padded) return {writer.input_argument(input), type, {}};

  // The copy is a little graph of its own.
  ir::Builder b;
  const ir::Value x = b.input({"x", type, ir::Role::data, {}});
  const ir::Value zero = b.add(ir::Constant{ir::ConstantRef(filled({type.dtype, {}}, 0))}, {});
  const ir::Value padded = b.add(std::move(pad), {x, zero});
  const ir::Graph graph = std::move(b).finish({padded});
  const Context context{graph,
                        writer.target(),
                        {{x, writer.input_argument(input)}},
                        choose_index_type(graph, std::array{padded.node})};
  const TensorType& padded_type = graph.type(padded);
  const Argument scratch = writer.new_scratch(byte_size(padded_type));
  lower_pointwise(writer, context, {{padded, scratch}}, "pad");
  return {scratch, padded_type, {}};
}

}  // namespace

void lower_convolution(RegionWriter& writer, std::uint32_t node) {
  const ir::Node& source = writer.graph().node(node);
  const auto& op = std::get<ir::Convolution>(source.op);
  const TensorType& result = writer.type({node, 0});
  const TensorType& kernel = writer.type(source.operands[1]);
  Contraction problem{writer,
                      {node, 0},
                      contraction_accumulator(kernel.dtype, op.result),
                      {},
                      padded_input(writer, op, source.operands[0]),
                      {writer.input_argument(source.operands[1]), kernel, {}},
                      {},
                      {}};
  const Shape input_strides = row_major_strides(problem.lhs.type.shape);
  const Shape kernel_strides = row_major_strides(kernel.shape);
  const auto result_axis = [&](std::int64_t extent, std::int64_t left, std::int64_t right) {
    if (extent == 1) return;
    problem.space.push_back({extent, 0});
    problem.lhs.place.coefficients.push_back(left);
    problem.rhs.place.coefficients.push_back(right);
  };
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
      result_axis(result.shape[axis], op.strides[i] * input_strides[at(op.input_spatial[i])], 0);
    }
  }
  for (std::size_t i = 0; i < op.kernel_spatial.size(); ++i)
    problem.contracted.push_back({kernel.shape[at(op.kernel_spatial[i])],
                                  op.window_dilation[i] * input_strides[at(op.input_spatial[i])],
                                  kernel_strides[at(op.kernel_spatial[i])]});
  problem.contracted.push_back(
      {group_features, input_strides[at(op.input_feature)], kernel_strides[at(op.kernel_input)]});
  // Walking the input in the order of its memory lets neighbouring axes merge.
  std::ranges::stable_sort(problem.contracted, std::greater<>{}, &ContractedAxis::lhs);
  problem.lower();
}

}  // namespace tenon::lower
