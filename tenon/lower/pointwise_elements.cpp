#include "tenon/base/error.h"
#include "tenon/lower/combine.h"
#include "tenon/lower/elements.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

template <class Op, class... Ops>
concept OneOf = (std::same_as<Op, Ops> || ...);

// Ops that are never computed at one position: kernels of their own, the plan, or passes do them.
template <OneOf<ir::Parameter, ir::DynamicUpdateSlice, ir::CumulativeReduce, ir::WindowReduce,
                ir::WindowSelect, ir::Dot, ir::Convolution, ir::Scatter, ir::Sort, ir::Scan,
                ir::While, ir::Cond, ir::CustomGradient, ir::Barrier, ir::Softmax, ir::LogSoftmax,
                ir::SparseCrossEntropy, ir::LayerNorm, ir::LayerNormGradient, ir::RmsNorm,
                ir::Attention, ir::AdamUpdate, ir::MomentumUpdate>
              Op>
ValueId element_of(const Site& site, const Op& op) {
  check(false, "%{} ({}) cannot be computed element by element", site.value.node, op.kName);
  return {};
}

}  // namespace

ValueId element(const Site& site) {
  return std::visit([&](const auto& op) { return element_of(site, op); }, site.node.op);
}

ValueId element_of(const Site& site, const ir::Constant& op) {
  check(op.value->size() == 1, "a constant {} inside a kernel", op.value->type());
  kernel::Literal literal{op.value->dtype(), 0};
  std::memcpy(&literal.bits, op.value->bytes().data(), size_of(literal.dtype));
  return site.emitter.builder().literal(literal);
}

ValueId element_of(const Site& site, const ir::Iota& op) {
  const ValueId index = site.emitter.materialise(site.axis(static_cast<std::size_t>(op.axis)));
  return site.emitter.builder().cast(index, op.type.dtype);
}

ValueId element_of(const Site& site, const ir::Elementwise& op) {
  const ValueId first = site.operand(0, site.position);
  if (site.node.operands.size() == 1) return site.emitter.call(op.function, {first});
  return site.emitter.call(op.function, {first, site.operand(1, site.position)});
}

ValueId element_of(const Site& site, const ir::Select&) {
  const ValueId predicate = site.operand(0, site.position);
  const ValueId on_true = site.operand(1, site.position);
  const ValueId on_false = site.operand(2, site.position);
  return site.emitter.builder().select(predicate, on_true, on_false);
}

ValueId element_of(const Site& site, const ir::Cast& op) {
  return site.emitter.builder().cast(site.operand(0, site.position), op.dtype);
}

ValueId element_of(const Site& site, const ir::Bitcast& op) {
  return site.emitter.builder().bitcast(site.operand(0, site.position), op.dtype);
}

ValueId element_of(const Site& site, const ir::ShardingConstraint&) {
  return site.operand(0, site.position);
}

ValueId element_of(const Site& site, const ir::RandomBits&) {
  Emitter& e = site.emitter;
  const Position first = flat_position({2}, constant_affine(e.space(), 0));
  const Position second = flat_position({2}, constant_affine(e.space(), 1));
  const ValueId key0 = site.operand(0, first);
  const ValueId key1 = site.operand(0, second);
  const ValueId index = e.builder().cast(e.materialise(site.flat()), DType::i64);
  return e.builder().random_word(key0, key1, index);
}

std::int64_t reduced_count(const ir::Reduce& op, const TensorType& operand) {
  std::int64_t count = 1;
  for (const std::int64_t axis : op.axes) count *= operand.shape[static_cast<std::size_t>(axis)];
  return count;
}

ValueId element_of(const Site& site, const ir::Reduce& op) {
  Emitter& e = site.emitter;
  const TensorType& x = site.operand_type(0);
  const std::int64_t count = reduced_count(op, x);
  check(count <= 1, "a reduction of {} elements is needed where it has not been computed", count);
  if (count == 0) return neutral_element(e, op.kind, x.dtype);
  if (site.value.result == 1) return e.constant(DType::i32, 0);
  Position at = axes_position(x.shape);
  at.flat = site.flat();
  return site.operand(0, at);
}

}  // namespace tenon::lower
