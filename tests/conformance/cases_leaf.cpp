// Cases of graph inputs, constants and iota.
#include "case.h"

namespace tenon::conformance {
using namespace ir;

// Inputs that are outputs, of every element type, one of them twice.
TENON_OP_CASES(Parameter) {
  Builder b;
  std::vector<Value> values;
  std::vector<HostTensor> inputs;
  for (const DType dtype : kAllDTypes) {
    inputs.push_back(random_tensor({dtype, {3, 5}}, inputs.size(), 0, 9));
    values.push_back(b.input({std::string(name(dtype)), inputs.back().type(), Role::data, {}}));
  }
  values.push_back(values[9]);
  std::vector<Case> all;
  all.push_back({"parameter/every type", std::move(b).finish(values), std::move(inputs)});

  Builder c;
  const Value x = c.input({"x", {DType::f64, {2, 3}}, Role::data, {}});
  c.input({"unused", {DType::f64, {4}}, Role::data, {}});
  all.push_back({"parameter/one unused",
                 std::move(c).finish({x}),
                 {random_tensor({DType::f64, {2, 3}}, 1), random_tensor({DType::f64, {4}}, 2)},
                 true});
  return all;
}

TENON_OP_CASES(Constant) {
  std::vector<Case> all;
  for (const DType dtype : kAllDTypes)
    all.push_back(single_op_case(fmt::format("constant/{}[3,5]", dtype),
                                 Constant{ConstantRef(random_tensor({dtype, {3, 5}}, 7, 0, 9))},
                                 {}));
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1, 17}})
    all.push_back(single_op_case(fmt::format("constant/f32{}", tenon::to_string(shape)),
                                 Constant{ConstantRef(random_tensor({DType::f32, shape}, 8))}, {}));
  return all;
}

TENON_OP_CASES(Iota) {
  std::vector<Case> all;
  const auto append = [&](const TensorType& type, std::int64_t axis) {
    all.push_back(single_op_case(fmt::format("iota/{}/axis {}", type, axis), Iota{type, axis}, {}));
  };
  for (const DType dtype : kAllDTypes)
    if (!is_boolean(dtype)) append({dtype, {2, 300}}, 1);
  append({DType::i32, {1}}, 0);
  append({DType::i32, {0, 3}}, 1);
  append({DType::f32, {17, 3, 2, 1, 5}}, 0);
  append({DType::u32, {3, 5, 2, 4}}, 2);
  return all;
}

}  // namespace tenon::conformance
