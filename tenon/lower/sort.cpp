#include "tenon/base/error.h"
#include "tenon/lower/reduce.h"

namespace tenon::lower {

using kernel::BufferId;
using kernel::ValueId;

namespace {

constexpr std::int64_t kCopyLanes = 256;

// Sorts one line by merging ever longer runs of positions, from one half of scratch to the other.
struct LineSorter {
  Emitter& emitter;
  bool descending = false;
  BufferId keys, order;
  std::int64_t extent = 0;  // of the line
  std::int64_t stride = 0;  // between its elements
  ValueId first;            // element of the line
  ValueId halves[2];        // where the line's positions lie in scratch

  ValueId number(std::int64_t value) const { return emitter.index_constant(DType::i64, value); }
  ValueId call(ScalarFunction f, ValueId a, ValueId b) const { return emitter.call(f, {a, b}); }

  ValueId load(BufferId from, ValueId at) const {
    return emitter.builder().load({from, at, 0, 0, 1, 1}, 1, 1);
  }
  ValueId key(ValueId position) const {
    return load(keys, stepped_to(emitter.builder().cast(position, DType::i64)));
  }
  ValueId stepped_to(ValueId position) const {
    return call(ScalarFunction::add, first,
                call(ScalarFunction::multiply, position, number(stride)));
  }

  // NaN comes after everything, in both directions.
  ValueId comes_before(ValueId a, ValueId b) const {
    const ValueId better = call(descending ? ScalarFunction::greater : ScalarFunction::less, a, b);
    if (!is_float(emitter.type(a).dtype)) return better;
    const ValueId is_number = call(ScalarFunction::equal, a, a);
    return call(ScalarFunction::logical_or, better,
                call(ScalarFunction::logical_and, is_number, is_nan(emitter, b)));
  }

  // Calls body(first lane, lanes) for stretches of the line.
  void for_stretches(const std::function<void(ValueId, std::int64_t)>& body) const {
    const std::int64_t lanes = tile_extent(extent, kCopyLanes);
    emitter.loop(extent / lanes, {}, [&](ValueId i, std::span<const ValueId>) {
      body(call(ScalarFunction::multiply, i, number(lanes)), lanes);
      return std::vector<ValueId>{};
    });
    if (extent % lanes != 0)
      emitter.scoped([&] { body(number(extent - extent % lanes), extent % lanes); });
  }

  void write_identity() const {
    for_stretches([&](ValueId start, std::int64_t lanes) {
      kernel::KernelBuilder& b = emitter.builder();
      const ValueId positions =
          b.add(b.lane_index(DType::i32, 1, lanes), b.cast(start, DType::i32));
      b.store({order, call(ScalarFunction::add, halves[0], start), 0, 1, 1, lanes}, positions);
    });
  }

  // Merges neighbouring runs of `width` positions: element t of the result comes from the left run
  // (next at i) or the right one (next at j).
  void merge_runs(std::int64_t width, ValueId from, ValueId to) const {
    kernel::KernelBuilder& b = emitter.builder();
    const auto body = [&](ValueId t, std::span<const ValueId> next) {
      const ValueId within = call(ScalarFunction::remainder, t, number(2 * width));
      const ValueId start = call(ScalarFunction::subtract, t, within);
      const auto limit = [&](std::int64_t distance) {
        return call(ScalarFunction::minimum, call(ScalarFunction::add, start, number(distance)),
                    number(extent));
      };
      const ValueId middle = limit(width), end = limit(2 * width);
      const ValueId is_new = call(ScalarFunction::equal, within, number(0));
      const ValueId i = b.select(is_new, start, next[0]);
      const ValueId j = b.select(is_new, middle, next[1]);
      const auto position_at = [&](ValueId place) {
        const ValueId valid = call(ScalarFunction::minimum, place, number(extent - 1));
        return load(order, call(ScalarFunction::add, from, valid));
      };
      const ValueId left = position_at(i), right = position_at(j);
      const ValueId left_done = call(ScalarFunction::greater_equal, i, middle);
      const ValueId right_left = call(ScalarFunction::less, j, end);
      const ValueId takes_right =
          call(ScalarFunction::logical_and, right_left,
               call(ScalarFunction::logical_or, left_done, comes_before(key(right), key(left))));
      b.store({order, call(ScalarFunction::add, to, t), 0, 0, 1, 1},
              b.select(takes_right, right, left));
      const ValueId step = b.cast(takes_right, DType::i64);
      const ValueId other = call(ScalarFunction::subtract, number(1), step);
      return std::vector{call(ScalarFunction::add, i, other), call(ScalarFunction::add, j, step)};
    };
    const ValueId zero = number(0);
    emitter.loop(extent, std::array{zero, zero}, body);
  }

  // The half that holds the sorted positions.
  ValueId sort() const {
    write_identity();
    int half = 0;
    for (std::int64_t width = 1; width < extent; width *= 2) {
      emitter.builder().barrier();
      merge_runs(width, halves[half], halves[1 - half]);
      half = 1 - half;
    }
    emitter.builder().barrier();
    return halves[half];
  }

  void permute(ValueId sorted, BufferId from, BufferId to) const {
    for_stretches([&](ValueId start, std::int64_t lanes) {
      kernel::KernelBuilder& b = emitter.builder();
      const ValueId positions = b.cast(
          b.load({order, call(ScalarFunction::add, sorted, start), 0, 1, 1, lanes}, 1, lanes),
          DType::i64);
      const ValueId values = b.load_indexed(from, stepped_to(positions));
      b.store({to, stepped_to(start), 0, stride, 1, lanes}, values);
    });
  }
};

}  // namespace

void lower_sort(RegionWriter& writer, std::uint32_t node) {
  const ir::Node& source = writer.graph().node(node);
  const auto& op = std::get<ir::Sort>(source.op);
  const auto axis = static_cast<std::size_t>(op.axis);
  const Shape& shape = writer.type({node, 0}).shape;
  const std::int64_t extent = shape[axis];
  check(extent <= std::numeric_limits<std::int32_t>::max(), "sorting {} elements", extent);
  Shape lines = shape;
  lines[axis] = 1;
  const Space space = space_of(lines);
  Affine first = constant_affine(space, 0);
  const Shape strides = row_major_strides(shape);
  for (std::size_t i = 0, next = 0; i < shape.size(); ++i)
    if (lines[i] != 1) first.coefficients[next++] = strides[i];
  Tiling tiling;
  for (const AxisGroup& group : merge_axes(space, std::array{first, row_major(space)}))
    tiling.push_back({group, 1, Along::none, false});

  const std::int64_t line_count = element_count(lines);
  const TensorType order_type{DType::i32, {line_count, 2, extent}};
  const Argument order = writer.new_scratch(byte_size(order_type));
  Emitter emitter(writer.context(), writer.kernel_name(""), space, tile_count(tiling));
  const auto buffer_of = [&](std::size_t k) {
    return emitter.buffer(writer.input_argument(source.operands[k]),
                          writer.type(source.operands[k]));
  };
  write_tile(emitter, tiling, emitter.builder().instance(), [&](std::span<const TilePlace>) {
    const ValueId half = emitter.scalar(scaled(row_major(space), 2 * extent));
    const ValueId distance = emitter.index_constant(DType::i64, extent);
    LineSorter sorter{emitter,
                      op.descending,
                      buffer_of(0),
                      emitter.buffer(order, order_type, true),
                      extent,
                      strides[axis],
                      emitter.scalar(first),
                      {half, emitter.call(ScalarFunction::add, {half, distance})}};
    const ValueId sorted = sorter.sort();
    for (std::uint32_t k = 0; k < source.operands.size(); ++k) {
      const ir::Value result{node, k};
      if (std::ranges::count(writer.region().outputs, result) == 0) continue;
      sorter.permute(sorted, buffer_of(k),
                     emitter.buffer(writer.output_argument(result), writer.type(result), true));
    }
  });
  writer.add(std::move(emitter).finish());
}

}  // namespace tenon::lower
