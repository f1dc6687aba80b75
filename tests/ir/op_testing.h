// Helpers for tests of single ops: run one, read its error, build its graph, fill tensors.
#pragma once
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "../error_of.h"
#include "tenon/ir/build.h"
#include "tenon/ir/graph.h"
#include "tenon/ir/interpret.h"

namespace tenon::ir {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline const TensorType kMatrix{DType::f32, {2, 3}};

// One node over inputs of these types, all its results as outputs.
inline Graph single_op_graph(Op op, const TensorTypes& types) {
  Builder b;
  std::vector<Value> operands;
  for (std::size_t i = 0; i < types.size(); ++i)
    operands.push_back(b.input({fmt::format("x{}", i), types[i], Role::data, Sharding{}}));
  const std::vector<Value> results = b.results(b.add(std::move(op), operands));
  return std::move(b).finish(results);
}

inline TensorTypes types_of(const HostTensors& tensors) {
  TensorTypes types;
  for (const HostTensor& tensor : tensors) types.push_back(tensor.type());
  return types;
}

// All results of one op.
inline HostTensors run_op_results(Op op, const HostTensors& inputs) {
  return interpret(single_op_graph(std::move(op), types_of(inputs)), inputs);
}

// The first result of one op.
inline HostTensor run_op(Op op, const HostTensors& inputs) {
  return run_op_results(std::move(op), inputs).at(0);
}

// The message of the op's type rule, or the result types where it accepts the operands.
inline std::string type_rule(const Op& op, const TensorTypes& types) {
  std::string results = "accepted:";
  const std::string error = error_of([&] {
    for (const TensorType& type : infer_types(op, types)) results += " " + tenon::to_string(type);
  });
  return error == "no error" ? results : error;
}

// A tensor of f64 (or another type) from numbers in row-major order.
inline HostTensor numbers(Shape shape, std::initializer_list<double> values,
                          DType dtype = DType::f64) {
  return converted(make_tensor<double>(std::move(shape), values), dtype);
}

// 0, 1, 2, ... in row-major order.
inline HostTensor counting(Shape shape, DType dtype = DType::f64) {
  HostTensor tensor({DType::f64, std::move(shape)});
  auto elements = tensor.as<double>();
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<double>(i);
  return converted(tensor, dtype);
}

}  // namespace tenon::ir
