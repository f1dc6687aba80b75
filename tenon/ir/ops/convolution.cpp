#include "tenon/ir/build.h"
#include "tenon/ir/ops/combine.h"

namespace tenon::ir {
namespace {

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

// Extent of n elements with d - 1 gaps between neighbours.
std::int64_t spread_extent(std::int64_t extent, std::int64_t dilation) {
  if (extent == 0) return 0;
  return checked_add(checked_multiply(extent - 1, dilation, "convolution"), 1, "convolution");
}

// The two named axes and the spatial ones are all axes of a tensor of this rank, each once.
void require_layout(std::string_view what, std::int64_t first, std::int64_t second,
                    const Axes& spatial, std::size_t rank, OperandTypes types) {
  Axes all{first, second};
  all.insert(all.end(), spatial.begin(), spatial.end());
  Axes sorted = all;
  std::ranges::sort(sorted);
  bool permutation = sorted.size() == rank;
  for (std::size_t i = 0; permutation && i < rank; ++i)
    permutation = sorted[i] == static_cast<std::int64_t>(i);
  require(permutation,
          "convolution: {} axes {} do not name each of the {} axes once (input {}, kernel {})",
          what, tenon::to_string(all), rank, types[0], types[1]);
}

void require_entries(std::string_view field, const Shape& values, std::size_t count,
                     std::int64_t least) {
  require(values.size() == count, "convolution: {} {} has {} entr{}, there are {} spatial axes",
          field, tenon::to_string(values), values.size(), values.size() == 1 ? "y" : "ies", count);
  for (const std::int64_t value : values)
    require(value >= least, "convolution: {} {} has an entry below {}", field,
            tenon::to_string(values), least);
}

void require_groups(const Convolution& op, OperandTypes types) {
  const TensorType &input = types[0], &kernel = types[1];
  require(op.feature_groups >= 1 && op.batch_groups >= 1 &&
              (op.feature_groups == 1 || op.batch_groups == 1),
          "convolution: feature_groups {} and batch_groups {} must be at least 1 and not both "
          "above 1",
          op.feature_groups, op.batch_groups);
  const std::int64_t features = input.shape[at(op.input_feature)];
  const std::int64_t kernel_features = kernel.shape[at(op.kernel_input)];
  require(features % op.feature_groups == 0 && features / op.feature_groups == kernel_features,
          "convolution: input {} has {} features in {} group{}, kernel {} takes {}", input,
          features, op.feature_groups, op.feature_groups == 1 ? "" : "s", kernel, kernel_features);
  const std::int64_t outputs = kernel.shape[at(op.kernel_output)];
  const std::int64_t groups = op.feature_groups * op.batch_groups;
  require(outputs % groups == 0,
          "convolution: {} output features of kernel {} do not divide into {} groups", outputs,
          kernel, groups);
  require(input.shape[at(op.input_batch)] % op.batch_groups == 0,
          "convolution: batch {} of input {} does not divide into {} groups",
          input.shape[at(op.input_batch)], input, op.batch_groups);
}

}  // namespace

TensorTypes infer_types(const Convolution& op, OperandTypes types) {
  require_product_types(op.kName, types, op.result);
  const TensorType &input = types[0], &kernel = types[1];
  require(input.rank() >= 2 && input.rank() == kernel.rank(),
          "convolution: input {} and kernel {} must have one rank, at least 2", input, kernel);
  const std::size_t rank = input.shape.size(), spatial = rank - 2;
  require_layout("input", op.input_batch, op.input_feature, op.input_spatial, rank, types);
  require_layout("kernel", op.kernel_input, op.kernel_output, op.kernel_spatial, rank, types);
  require_layout("output", op.output_batch, op.output_feature, op.output_spatial, rank, types);
  const std::int64_t any = std::numeric_limits<std::int64_t>::min();
  require_entries("strides", op.strides, spatial, 1);
  require_entries("low", op.low, spatial, any);
  require_entries("high", op.high, spatial, any);
  require_entries("base_dilation", op.base_dilation, spatial, 1);
  require_entries("window_dilation", op.window_dilation, spatial, 1);
  require_groups(op, types);

  Shape shape(rank);
  shape[at(op.output_batch)] = input.shape[at(op.input_batch)] / op.batch_groups;
  shape[at(op.output_feature)] = kernel.shape[at(op.kernel_output)];
  for (std::size_t i = 0; i < spatial; ++i) {
    const std::int64_t window = kernel.shape[at(op.kernel_spatial[i])];
    require(window >= 1, "convolution: spatial axis {} of kernel {} is empty", i, kernel);
    const std::int64_t reach = spread_extent(window, op.window_dilation[i]);
    const std::int64_t base =
        spread_extent(input.shape[at(op.input_spatial[i])], op.base_dilation[i]);
    const std::int64_t padded =
        checked_add(checked_add(base, op.low[i], op.kName), op.high[i], op.kName);
    require(padded >= 0 && (reach <= padded || reach == 1),
            "convolution: on spatial axis {} a kernel that reaches over {} elements does not fit "
            "{} (with dilation and padding): input {}, kernel {}",
            i, reach, padded, input, kernel);
    shape[at(op.output_spatial[i])] = padded < reach ? 0 : (padded - reach) / op.strides[i] + 1;
  }
  return {checked_result(op.kName, {op.result, std::move(shape)})};
}

namespace {

// Where one element of the kernel meets the input for one output position.
struct Tap {
  std::int64_t input;
  std::int64_t kernel;
};

// The taps of the output at spatial index `output`; those in padding or gaps are left out.
std::vector<Tap> taps_at(const Convolution& op, const Shape& output, const Shape& input_shape,
                         const Shape& kernel_shape) {
  const Shape input_extents = extents_of(input_shape, op.input_spatial);
  const Shape input_strides = extents_of(row_major_strides(input_shape), op.input_spatial);
  const Shape kernel_strides = extents_of(row_major_strides(kernel_shape), op.kernel_spatial);
  std::vector<Tap> taps;
  for_each_index(extents_of(kernel_shape, op.kernel_spatial), [&](const Shape& window) {
    Tap tap{0, flat_offset(window, kernel_strides)};
    for (std::size_t i = 0; i < window.size(); ++i) {
      const std::int64_t spread =
          output[i] * op.strides[i] + window[i] * op.window_dilation[i] - op.low[i];
      if (spread < 0 || spread % op.base_dilation[i] != 0) return;
      if (spread / op.base_dilation[i] >= input_extents[i]) return;
      tap.input += spread / op.base_dilation[i] * input_strides[i];
    }
    taps.push_back(tap);
  });
  return taps;
}

template <class Wide>
HostTensor evaluate_convolution(const Convolution& op, const HostTensor& input,
                                const HostTensor& kernel, const TensorType& type) {
  const auto in = widened<Wide>(input), weights = widened<Wide>(kernel);
  const Shape input_strides = row_major_strides(input.shape());
  const Shape kernel_strides = row_major_strides(kernel.shape());
  const Shape strides = row_major_strides(type.shape);
  const std::int64_t batch = type.shape[at(op.output_batch)];
  const std::int64_t outputs = type.shape[at(op.output_feature)];
  const std::int64_t group_features = kernel.shape()[at(op.kernel_input)];
  std::vector<Wide> totals(at(element_count(type.shape)));
  for_each_index(extents_of(type.shape, op.output_spatial), [&](const Shape& position) {
    const auto taps = taps_at(op, position, input.shape(), kernel.shape());
    const std::int64_t where = flat_offset(position, extents_of(strides, op.output_spatial));
    for (std::int64_t n = 0; n < batch; ++n)
      for (std::int64_t o = 0; o < outputs; ++o) {
        const std::int64_t feature_group = o / (outputs / op.feature_groups);
        const std::int64_t batch_group = o / (outputs / op.batch_groups);
        const std::int64_t in_first =
            (batch_group * batch + n) * input_strides[at(op.input_batch)] +
            feature_group * group_features * input_strides[at(op.input_feature)];
        const std::int64_t kernel_first = o * kernel_strides[at(op.kernel_output)];
        Wide total = 0;
        for (const Tap& tap : taps)
          for (std::int64_t c = 0; c < group_features; ++c)
            total +=
                in[at(in_first + tap.input + c * input_strides[at(op.input_feature)])] *
                weights[at(kernel_first + tap.kernel + c * kernel_strides[at(op.kernel_input)])];
        totals[at(where + n * strides[at(op.output_batch)] + o * strides[at(op.output_feature)])] =
            total;
      }
  });
  return narrowed(totals, type);
}

}  // namespace

HostTensors evaluate(const Convolution& op, OperandValues values) {
  const HostTensor &input = *values[0], &kernel = *values[1];
  const TensorType type = infer_types(op, std::array{input.type(), kernel.type()})[0];
  return one_result(is_float(type.dtype)
                        ? evaluate_convolution<double>(op, input, kernel, type)
                        : evaluate_convolution<std::uint64_t>(op, input, kernel, type));
}

namespace {

// Splits axis `from` into [groups, extent / groups] and merges the groups, as the slower index,
// into axis `into`.
Value move_groups(Builder& b, Value x, std::int64_t from, std::int64_t into, std::int64_t groups) {
  if (groups == 1) return x;
  Shape shape = b.type(x).shape;
  Shape split = shape;
  split[at(from)] /= groups;
  split.insert(split.begin() + from, groups);
  Axes permutation;
  for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(shape.size()); ++axis) {
    if (axis == into) permutation.push_back(from);
    permutation.push_back(axis < from ? axis : axis + 1);
  }
  shape[at(from)] /= groups;
  shape[at(into)] *= groups;
  return reshape(b, transpose(b, reshape(b, x, std::move(split)), std::move(permutation)),
                 std::move(shape));
}

struct SpatialExtents {
  std::int64_t base, reach, spread;  // input with base dilation, kernel, output with strides
};
SpatialExtents spatial_extents(const Convolution& op, std::size_t i, const Shape& input,
                               const Shape& kernel, const Shape& output) {
  return {spread_extent(input[at(op.input_spatial[i])], op.base_dilation[i]),
          spread_extent(kernel[at(op.kernel_spatial[i])], op.window_dilation[i]),
          spread_extent(output[at(op.output_spatial[i])], op.strides[i])};
}

// The upstream, spread out by the strides, meets the mirrored kernel, whose features change roles.
Value input_gradient(const Convolution& op, Builder& b, const TensorType& input, Value kernel,
                     Value upstream) {
  const std::int64_t groups = op.feature_groups * op.batch_groups;
  Convolution back = op;
  back.input_batch = op.output_batch;
  back.input_feature = op.output_feature;
  back.input_spatial = op.output_spatial;
  back.kernel_input = op.kernel_output;
  back.kernel_output = op.kernel_input;
  back.output_batch = op.input_batch;
  back.output_feature = op.input_feature;
  back.output_spatial = op.input_spatial;
  back.strides = op.base_dilation;
  back.base_dilation = op.strides;
  back.feature_groups = groups;
  back.batch_groups = 1;
  back.result = input.dtype;
  for (std::size_t i = 0; i < op.low.size(); ++i) {
    const SpatialExtents extents =
        spatial_extents(op, i, input.shape, b.type(kernel).shape, b.type(upstream).shape);
    back.low[i] = extents.reach - 1 - op.low[i];
    back.high[i] = extents.base + extents.reach - 1 - extents.spread - back.low[i];
  }
  Value mirrored = move_groups(b, kernel, op.kernel_output, op.kernel_input, groups);
  Axes axes = op.kernel_spatial;
  std::ranges::sort(axes);
  if (!axes.empty()) mirrored = b.add(Reverse{std::move(axes)}, {mirrored});
  const Value result = b.add(std::move(back), {upstream, mirrored});
  return move_groups(b, result, op.input_feature, op.input_batch, op.batch_groups);
}

// The input meets the upstream as a kernel: batch is summed over, features become batch.
Value kernel_gradient(const Convolution& op, Builder& b, Value input, const TensorType& kernel,
                      Value upstream) {
  Convolution back = op;
  std::swap(back.input_batch, back.input_feature);
  back.kernel_input = op.output_batch;
  back.kernel_output = op.output_feature;
  back.kernel_spatial = op.output_spatial;
  back.output_batch = op.kernel_input;
  back.output_feature = op.kernel_output;
  back.output_spatial = op.kernel_spatial;
  back.strides = op.window_dilation;
  back.window_dilation = op.strides;
  std::swap(back.feature_groups, back.batch_groups);
  back.result = kernel.dtype;
  for (std::size_t i = 0; i < op.low.size(); ++i) {
    const SpatialExtents extents =
        spatial_extents(op, i, b.type(input).shape, kernel.shape, b.type(upstream).shape);
    back.high[i] = extents.spread - extents.base + extents.reach - op.low[i] - 1;
  }
  return b.add(std::move(back), {input, upstream});
}

}  // namespace

// Follows the transpose rules of jax.lax.conv_general_dilated.
Gradients gradient(const Convolution& op, const GradientInputs& in) {
  Builder& b = in.builder;
  const TensorType input = b.type(in.operands[0]), kernel = b.type(in.operands[1]);
  if (!in.upstream[0] || !is_float(input.dtype)) return no_gradients(in);
  if (element_count(b.type(in.results[0]).shape) == 0 || element_count(input.shape) == 0)
    return {zeros_like(b, in.operands[0]), zeros_like(b, in.operands[1])};
  const DType wide = common_float(input.dtype, op.result);
  const Value upstream = cast(b, *in.upstream[0], wide);
  return {input_gradient(op, b, input, cast(b, in.operands[1], wide), upstream),
          kernel_gradient(op, b, cast(b, in.operands[0], wide), kernel, upstream)};
}

}  // namespace tenon::ir
