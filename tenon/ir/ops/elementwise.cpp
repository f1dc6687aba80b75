#include "tenon/ir/ops/elementwise.h"

#include <cstring>

#include "tenon/base/scalar_evaluate.h"
#include "tenon/ir/build.h"
#include "tenon/ir/ops/index.h"

namespace tenon::ir {

namespace {
std::string_view describe_domain(ScalarDomain domain) {
  switch (domain) {
    case ScalarDomain::number: return "a number element type (not bool)";
    case ScalarDomain::floating: return "a float element type";
    case ScalarDomain::integer: return "an integer element type";
    case ScalarDomain::logical: return "bool or an integer element type";
    case ScalarDomain::any: return "any element type";
  }
  return "?";
}
}  // namespace

TensorTypes infer_types(const Elementwise& op, OperandTypes types) {
  const ScalarFunctionInfo& function = info(op.function);
  require_operands(function.name, types, static_cast<std::size_t>(function.arity));
  require_same_type(function.name, types);
  require(accepts(op.function, types[0].dtype), "{}: expected {}, got {}", function.name,
          describe_domain(function.domain), list_of(types));
  return {
      checked_result(function.name, {result_type(op.function, types[0].dtype), types[0].shape})};
}

HostTensors evaluate(const Elementwise& op, OperandValues values) {
  return one_result(evaluate_scalar_function(op.function, values));
}

TensorTypes infer_types(const Select& op, OperandTypes types) {
  require_operands(op.kName, types, 3);
  require(is_boolean(types[0].dtype), "{}: expected a bool predicate, got {}", op.kName,
          list_of(types));
  require(types[1].dtype == types[2].dtype, "{}: the two values have different element types: {}",
          op.kName, list_of(types));
  require(types[1].shape == types[0].shape && types[2].shape == types[0].shape,
          "{}: operands have different shapes: {}", op.kName, list_of(types));
  return {types[1]};
}

HostTensors evaluate(const Select&, OperandValues values) {
  HostTensor result(values[1]->type());
  const auto predicate = values[0]->as<bool>();
  for (std::int64_t i = 0; i < result.size(); ++i)
    copy_element(result, i, predicate[static_cast<std::size_t>(i)] ? *values[1] : *values[2], i);
  return one_result(std::move(result));
}

Gradients gradient(const Select&, const GradientInputs& in) {
  if (!in.upstream[0]) return no_gradients(in);
  Builder& b = in.builder;
  const Value upstream = *in.upstream[0];
  const Value zeros = zeros_like(b, upstream);
  return {std::nullopt, select(b, in.operands[0], upstream, zeros),
          select(b, in.operands[0], zeros, upstream)};
}

TensorTypes infer_types(const Cast& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  return {checked_result(op.kName, {op.dtype, types[0].shape})};
}

HostTensors evaluate(const Cast& op, OperandValues values) {
  return one_result(converted(*values[0], op.dtype));
}

Gradients gradient(const Cast&, const GradientInputs& in) {
  const DType from = in.builder.type(in.operands[0]).dtype;
  if (!in.upstream[0] || !is_float(from)) return no_gradients(in);
  return {cast(in.builder, *in.upstream[0], from)};
}

TensorTypes infer_types(const Bitcast& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  const DType from = types[0].dtype;
  require(!is_boolean(from) && !is_boolean(op.dtype),
          "{}: bool has no bits to reinterpret, got {} to {}; use cast", op.kName, types[0],
          op.dtype);
  require(size_of(from) == size_of(op.dtype),
          "{}: expected element types of one size, got {} ({} bytes) to {} ({} bytes)", op.kName,
          types[0], size_of(from), op.dtype, size_of(op.dtype));
  return {{op.dtype, types[0].shape}};
}

HostTensors evaluate(const Bitcast& op, OperandValues values) {
  HostTensor result({op.dtype, values[0]->shape()});
  std::ranges::copy(values[0]->bytes(), result.bytes().begin());
  return one_result(std::move(result));
}

// Bits carry no gradient, not even between floats.
Gradients gradient(const Bitcast&, const GradientInputs& in) { return no_gradients(in); }

}  // namespace tenon::ir
