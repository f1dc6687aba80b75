#include "tenon/lower/strip_writer.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

std::int64_t elements_behind(const Shape& shape, std::size_t axis) {
  std::int64_t elements = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) elements *= shape[i];
  return elements;
}

}  // namespace

void StripWriter::store_zeros(ValueId offset, std::int64_t count) const {
  if (count == 0) return;
  const ValueId zero = emitter.constant(emitter.builder().buffer(to).dtype, 0);
  emitter.builder().store({to, offset, count, 1, 1, count}, zero);
}

ValueId StripWriter::plus(ValueId offset, std::int64_t distance) const {
  return emitter.call(ScalarFunction::add, {offset, emitter.index_constant(DType::i64, distance)});
}

void StripWriter::write_axis(std::size_t axis, ValueId source, ValueId target) const {
  const std::int64_t before = low[axis - 1], behind = high[axis - 1];
  const std::int64_t step = elements_behind(padded, axis),
                     source_step = elements_behind(input, axis);
  store_zeros(target, before * step);
  const ValueId inner = plus(target, before * step);
  const bool is_contiguous = step == source_step;
  if (is_contiguous) {
    const std::int64_t count = input[axis] * step;
    emitter.builder().store({to, inner, count, 1, 1, count},
                            emitter.builder().load({from, source, count, 1, 1, count}, 1, count));
  } else {
    emitter.loop(input[axis], {}, [&](ValueId i, std::span<const ValueId>) {
      write_axis(axis + 1, stepped(emitter, source, i, source_step),
                 stepped(emitter, inner, i, step));
      return std::vector<ValueId>{};
    });
  }
  store_zeros(plus(inner, input[axis] * step), behind * step);
}

void StripWriter::write_rows(ValueId image, ValueId first, std::int64_t count,
                             ValueId target) const {
  const std::int64_t row = elements_behind(padded, 1), source_row = elements_behind(input, 1);
  emitter.loop(count, {}, [&](ValueId i, std::span<const ValueId>) {
    const ValueId source = plus(emitter.call(ScalarFunction::add, {first, i}), -low[0]);
    const ValueId at = stepped(emitter, target, i, row);
    const auto compare = [&](ScalarFunction f, std::int64_t bound) {
      return emitter.call(f, {source, emitter.index_constant(DType::i64, bound)});
    };
    const ValueId is_inside = emitter.call(
        ScalarFunction::logical_and,
        {compare(ScalarFunction::greater_equal, 0), compare(ScalarFunction::less, input[1])});
    emitter.if_true(is_inside,
                    [&] { write_axis(2, stepped(emitter, image, source, source_row), at); });
    emitter.if_true(emitter.call(ScalarFunction::logical_not, {is_inside}),
                    [&] { store_zeros(at, row); });
    return std::vector<ValueId>{};
  });
}

}  // namespace tenon::lower
