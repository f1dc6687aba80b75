#include "tenon/ir/ops/leaf.h"

#include "tenon/base/scalar_convert.h"
#include "tenon/ir/graph.h"
#include "tenon/ir/ops/index.h"

namespace tenon::ir {

TensorTypes infer_types(const Parameter& op, OperandTypes types) {
  require_operands(op.kName, types, 0);
  require(op.position >= 0, "{}: position {} is negative", op.kName, op.position);
  return {checked_result(op.kName, op.type)};
}

HostTensors evaluate(const Parameter& op, OperandValues) {
  check(false, "parameter {} has no value of its own", op.position);
  return {};
}

Gradients gradient(const Parameter&, const GradientInputs& in) { return no_gradients(in); }

TensorTypes infer_types(const Constant& op, OperandTypes types) {
  require_operands(op.kName, types, 0);
  check(op.value != ConstantRef(), "{} without data", op.kName);
  return {op.value->type()};
}

HostTensors evaluate(const Constant& op, OperandValues) { return one_result(*op.value); }

Gradients gradient(const Constant&, const GradientInputs& in) { return no_gradients(in); }

TensorTypes infer_types(const Iota& op, OperandTypes types) {
  require_operands(op.kName, types, 0);
  require(!is_boolean(op.type.dtype), "{}: expected a number element type (not bool), got {}",
          op.kName, op.type);
  const TensorType result = checked_result(op.kName, op.type);
  require(op.axis >= 0 && op.axis < result.rank(), "{}: axis {} is out of range for {} of rank {}",
          op.kName, op.axis, result, result.rank());
  return {result};
}

HostTensors evaluate(const Iota& op, OperandValues) {
  HostTensor result(op.type);
  with_element_type(op.type.dtype, [&]<class T>(TypeTag<T>) {
    std::size_t position = 0;
    for_each_index(op.type.shape, [&](const Shape& index) {
      result.as<T>()[position++] = convert_element<T>(index[static_cast<std::size_t>(op.axis)]);
    });
  });
  return one_result(std::move(result));
}

Gradients gradient(const Iota&, const GradientInputs& in) { return no_gradients(in); }

}  // namespace tenon::ir
