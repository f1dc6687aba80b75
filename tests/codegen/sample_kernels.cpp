#include "tests/codegen/sample_kernels.h"

namespace tenon::codegen::samples {

using namespace kernel;
using enum ScalarFunction;

namespace {

Access row_of(BufferId buffer, ValueId offset, std::int64_t lanes) {
  return {.buffer = buffer, .offset = offset, .row_stride = 0, .active_lanes = lanes};
}
Access one_of(BufferId buffer, ValueId offset) { return {.buffer = buffer, .offset = offset}; }

}  // namespace

Kernel elementwise(std::int64_t rows, std::int64_t lanes, std::int64_t team) {
  KernelBuilder b("scale_bias_relu", rows, team);
  b.comment("max(x * scale + bias, 0), and where it is positive");
  const BufferId x = b.argument("x", DType::f32, rows * lanes, false);
  const BufferId scale = b.argument("scale", DType::f32, 1, false);
  const BufferId bias = b.argument("bias", DType::f32, lanes, false);
  const BufferId y = b.argument("y", DType::f32, rows * lanes, true);
  const BufferId mask = b.argument("mask", DType::boolean, rows * lanes, true);
  const ValueId start = b.multiply(b.instance(), b.index(lanes));
  const ValueId factor = b.load(one_of(scale, b.index(0)), 1, 1);
  const ValueId tile = b.load(row_of(x, start, lanes), 1, lanes);
  const ValueId shift = b.load(row_of(bias, b.index(0), lanes), 1, lanes);
  const ValueId sum = b.add(b.multiply(tile, factor), shift);
  const ValueId zero = b.number(DType::f32, 0);
  b.store(row_of(y, start, lanes), b.call(maximum, {sum, zero}));
  b.store(row_of(mask, start, lanes), b.call(greater, {sum, zero}));
  return std::move(b).finish(1);
}

Kernel row_softmax(std::int64_t rows, std::int64_t lanes, std::int64_t team) {
  KernelBuilder b("row_softmax", rows, team);
  b.comment("softmax over the last axis");
  const BufferId x = b.argument("x", DType::f32, rows * lanes, false);
  const BufferId y = b.argument("y", DType::f32, rows * lanes, true);
  const ValueId start = b.multiply(b.instance(), b.index(lanes));
  const ValueId tile = b.load(row_of(x, start, lanes), 1, lanes);
  const ValueId most = b.fold(maximum, FoldAxis::lanes, tile, lanes);
  const ValueId powers = b.call(exp, {b.call(subtract, {tile, most})});
  const ValueId total = b.fold(add, FoldAxis::lanes, powers, lanes);
  b.store(row_of(y, start, lanes), b.call(divide, {powers, total}));
  return std::move(b).finish(1);
}

Kernel layer_norm(std::int64_t rows, std::int64_t lanes, std::int64_t team) {
  KernelBuilder b("layer_norm", rows, team);
  b.comment("layer norm over the last axis");
  const BufferId x = b.argument("x", DType::f32, rows * lanes, false);
  const BufferId gain = b.argument("gain", DType::f32, lanes, false);
  const BufferId shift = b.argument("shift", DType::f32, lanes, false);
  const BufferId y = b.argument("y", DType::f32, rows * lanes, true);
  const BufferId mean = b.argument("mean", DType::f32, rows, true);
  const BufferId scale = b.argument("scale", DType::f32, rows, true);
  const ValueId start = b.multiply(b.instance(), b.index(lanes));
  const ValueId tile = b.load(row_of(x, start, lanes), 1, lanes);
  const ValueId share = b.number(DType::f32, 1.0 / static_cast<double>(lanes));
  const ValueId average = b.multiply(b.fold(add, FoldAxis::lanes, tile, lanes), share);
  const ValueId centred = b.call(subtract, {tile, average});
  const ValueId squares = b.multiply(centred, centred);
  const ValueId variance = b.multiply(b.fold(add, FoldAxis::lanes, squares, lanes), share);
  const ValueId factor = b.call(rsqrt, {b.add(variance, b.number(DType::f32, 1e-5))});
  const ValueId gains = b.load(row_of(gain, b.index(0), lanes), 1, lanes);
  const ValueId scaled = b.multiply(b.multiply(centred, factor), gains);
  b.store(row_of(y, start, lanes),
          b.add(scaled, b.load(row_of(shift, b.index(0), lanes), 1, lanes)));
  b.store(one_of(mean, b.instance()), average);
  b.store(one_of(scale, b.instance()), factor);
  return std::move(b).finish(1);
}

Kernel layer_norm_backward(std::int64_t rows, std::int64_t lanes, std::int64_t team) {
  KernelBuilder b("layer_norm_backward", rows, team);
  b.comment("gradient of layer norm with respect to its input");
  const BufferId dy = b.argument("dy", DType::f32, rows * lanes, false);
  const BufferId x = b.argument("x", DType::f32, rows * lanes, false);
  const BufferId gain = b.argument("gain", DType::f32, lanes, false);
  const BufferId mean = b.argument("mean", DType::f32, rows, false);
  const BufferId scale = b.argument("scale", DType::f32, rows, false);
  const BufferId dx = b.argument("dx", DType::f32, rows * lanes, true);
  const ValueId start = b.multiply(b.instance(), b.index(lanes));
  const ValueId average = b.load(one_of(mean, b.instance()), 1, 1);
  const ValueId factor = b.load(one_of(scale, b.instance()), 1, 1);
  const ValueId gains = b.load(row_of(gain, b.index(0), lanes), 1, lanes);
  const ValueId upstream = b.multiply(b.load(row_of(dy, start, lanes), 1, lanes), gains);
  const ValueId normal =
      b.multiply(b.call(subtract, {b.load(row_of(x, start, lanes), 1, lanes), average}), factor);
  const ValueId share = b.number(DType::f32, 1.0 / static_cast<double>(lanes));
  const ValueId sum = b.multiply(b.fold(add, FoldAxis::lanes, upstream, lanes), share);
  const ValueId product =
      b.multiply(b.fold(add, FoldAxis::lanes, b.multiply(upstream, normal), lanes), share);
  const ValueId rest =
      b.call(subtract, {b.call(subtract, {upstream, sum}), b.multiply(normal, product)});
  b.store(row_of(dx, start, lanes), b.multiply(rest, factor));
  return std::move(b).finish(1);
}

Kernel staged_dense(std::int64_t rows, std::int64_t lanes, std::int64_t depth, std::int64_t team) {
  constexpr std::int64_t kTile = 64, kStep = 16;
  KernelBuilder b("dense_relu", rows / kTile * (lanes / kTile), team);
  b.comment("max(x w + bias, 0)");
  const BufferId x = b.argument("x", DType::f32, rows * depth, false);
  const BufferId w = b.argument("w", DType::f32, depth * lanes, false);
  const BufferId bias = b.argument("bias", DType::f32, lanes, false);
  const BufferId out = b.argument("out", DType::f32, rows * lanes, true);
  const BufferId left = b.shared("x_panel", DType::f32, kTile * kStep);
  const BufferId right = b.shared("w_panel", DType::f32, kStep * kTile);
  const ValueId tiles = b.index(lanes / kTile);
  const ValueId tile = b.index(kTile);
  const ValueId row = b.multiply(b.call(divide, {b.instance(), tiles}), tile);
  const ValueId lane = b.multiply(b.call(remainder, {b.instance(), tiles}), tile);
  const ValueId start = b.splat(b.number(DType::f32, 0), kTile, kTile);
  const ValueId product = b.loop(
      depth / kStep, {{start}},
      [&](ValueId step, std::span<const ValueId> carried) -> std::vector<ValueId> {
        const ValueId k = b.multiply(step, b.index(kStep));
        const ValueId zero = b.index(0);
        const auto copy = [&](BufferId from, ValueId offset, std::int64_t stride, BufferId to,
                              std::int64_t height, std::int64_t width) {
          const ValueId panel = b.load({from, offset, stride, 1, height, width}, height, width);
          b.store({to, zero, width, 1, height, width}, panel);
        };
        b.barrier();
        copy(x, b.add(b.multiply(row, b.index(depth)), k), depth, left, kTile, kStep);
        copy(w, b.add(b.multiply(k, b.index(lanes)), lane), lanes, right, kStep, kTile);
        b.barrier();
        return {b.contract({.lhs = left,
                            .rhs = right,
                            .lhs_offset = zero,
                            .rhs_offset = zero,
                            .lhs_row_stride = kStep,
                            .rhs_depth_stride = kTile,
                            .depth = kStep,
                            .active_rows = kTile,
                            .active_lanes = kTile,
                            .accumulator = carried[0]})};
      })[0];
  const ValueId shift = b.load({bias, lane, 0, 1, kTile, kTile}, kTile, kTile);
  const ValueId result = b.call(maximum, {b.add(product, shift), b.number(DType::f32, 0)});
  b.store({out, b.add(b.multiply(row, b.index(lanes)), lane), lanes, 1, kTile, kTile}, result);
  return std::move(b).finish(1);
}

}  // namespace tenon::codegen::samples
