#include "tenon/tensor/promotion.h"

#include "tenon/tensor/build.h"

namespace tenon {
namespace {

int kind_rank(DType dtype) { return is_boolean(dtype) ? 0 : is_integer(dtype) ? 1 : 2; }

// A weak scalar yields to a tensor of its own kind or a higher one.
DType promote_weak(DType strong, DType weak) {
  if (kind_rank(weak) <= kind_rank(strong)) return strong;
  return is_float(weak) ? DType::f32 : DType::i32;
}

}  // namespace

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (kind_rank(a) != kind_rank(b)) return kind_rank(a) > kind_rank(b) ? a : b;
  if (is_float(a)) return size_of(a) == size_of(b) ? DType::f32 : size_of(a) > size_of(b) ? a : b;
  if (is_signed(a) == is_signed(b)) return size_of(a) > size_of(b) ? a : b;
  const DType whole = is_signed(a) ? a : b, natural = is_signed(a) ? b : a;
  require(natural != DType::u64, "no integer type holds both u64 and {}; cast one of them", whole);
  if (size_of(whole) > size_of(natural)) return whole;
  return natural == DType::u32 ? DType::i64 : DType::i32;
}

Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view what) {
  Shape result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {  // i counts from the last axis
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    require(x == y || x == 1 || y == 1,
            "{}: shapes {} and {} do not broadcast: {} and {} (axis -{}) differ and neither is 1",
            what, to_string(a), to_string(b), x, y, i + 1);
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  require(x.rank() <= static_cast<std::int64_t>(shape.size()) &&
              broadcast_shapes(x.shape(), shape, "broadcast_to") == shape,
          "broadcast_to: {} does not broadcast to {}", to_string(x.shape()), to_string(shape));
  Shape squeezed;
  Axes axes;
  const std::size_t lead = shape.size() - x.shape().size();
  for (std::size_t i = 0; i < x.shape().size(); ++i)
    if (x.shape()[i] == shape[lead + i]) {
      squeezed.push_back(x.shape()[i]);
      axes.push_back(static_cast<std::int64_t>(lead + i));
    }
  const Tensor core = squeezed == x.shape() ? x : apply_op(ir::Reshape{squeezed}, {x});
  return core.shape() == shape ? core : apply_op(ir::Broadcast{shape, axes}, {core});
}

std::vector<Tensor> promote_types(std::span<const Tensor> operands, std::string_view what) {
  require(!operands.empty(), "{}: no operands", what);
  common_trace(operands);
  std::optional<DType> dtype;
  for (const Tensor& x : operands)
    if (!x.is_weak()) dtype = dtype ? promote(*dtype, x.dtype()) : x.dtype();
  const bool all_weak = !dtype;
  for (const Tensor& x : operands)
    if (x.is_weak())
      dtype = !dtype     ? x.dtype()
              : all_weak ? promote(*dtype, x.dtype())
                         : promote_weak(*dtype, x.dtype());
  std::vector<Tensor> result;
  for (const Tensor& x : operands) {
    const Tensor converted = x.dtype() == *dtype ? x : apply_op(ir::Cast{*dtype}, {x});
    result.emplace_back(converted.trace(), converted.ir_value(), all_weak);
  }
  return result;
}

std::vector<Tensor> promote_and_broadcast(std::span<const Tensor> operands, std::string_view what) {
  std::vector<Tensor> result = promote_types(operands, what);
  Shape shape;
  try {
    for (const Tensor& x : result) shape = broadcast_shapes(shape, x.shape(), what);
  } catch (const UserError& error) {
    std::string message = error.what();
    for (const Tensor& x : operands) message += "\n    " + x.description();
    throw UserError(message);
  }
  for (Tensor& x : result) x = broadcast_to(x, shape);
  return result;
}

}  // namespace tenon
