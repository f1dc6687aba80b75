// Cases that some choice of lowering is made for: what is long, large or read across.
#include "case.h"

namespace tenon::conformance {
using namespace ir;
namespace {

Value operand(Builder& b, const char* name, TensorType type) {
  return b.input({name, std::move(type), Role::data, {}});
}

// Sums long enough to be cut into parts: of rows, of columns, and of products.
Graph long_sums() {
  Builder b;
  const Value x = operand(b, "x", {DType::f32, {9, 9001}}),
              y = operand(b, "y", {DType::f32, {9001, 20}});
  const Value long_x = operand(b, "long_x", {DType::f32, {5, 4500}});
  const Value long_y = operand(b, "long_y", {DType::f32, {4500, 7}});
  return std::move(b).finish(
      {reduce_sum(b, x, {1}), reduce_sum(b, y, {0}), matmul(b, long_x, long_y)});
}

// Sums of products that use every element once: the last axis is one of both operands.
Graph products_of_lanes() {
  Builder b;
  const Value x = operand(b, "x", {DType::f32, {4, 9, 20}}),
              y = operand(b, "y", {DType::f32, {4, 9, 20}});
  return std::move(b).finish(
      {b.add(Dot{{0, 2}, {0, 2}, {1}, {1}, DType::f32, Precision::highest}, {x, y})});
}

// A right operand of 2 MiB, copied a block at a time, and what follows the product.
Graph copied_blocks() {
  Builder b;
  const Value x = operand(b, "x", {DType::f32, {65, 600}}),
              y = operand(b, "y", {DType::f32, {600, 900}});
  const Value z = operand(b, "z", {DType::f32, {65, 900}});
  return std::move(b).finish({add(b, matmul(b, x, y), z)});
}

// The same for few rows, and for fewer than a tile has, of an operand that lies across.
Graph copied_blocks_of_few_rows() {
  Builder b;
  const Value x = operand(b, "x", {DType::f32, {29, 1024}}),
              y = operand(b, "y", {DType::f32, {520, 1024}}),
              z = operand(b, "z", {DType::f32, {5, 1024}});
  const auto times_y = [&](Value lhs) {
    return b.add(Dot{{}, {}, {1}, {1}, DType::f32, Precision::highest}, {lhs, y});
  };
  return std::move(b).finish({times_y(x), times_y(z)});
}

// Read along one axis and written along the other.
Graph transposed(DType dtype) {
  Builder b;
  const Value x = operand(b, "x", {dtype, {200, 40}}), y = operand(b, "y", {dtype, {40, 200}});
  return std::move(b).finish({add(b, transpose(b, x, {1, 0}), y)});
}

}  // namespace

std::vector<Case> kernel_cases() {
  std::vector<Case> cases;
  cases.push_back(exact_case("kernel/long sums", long_sums()));
  cases.push_back(exact_case("kernel/products of lanes", products_of_lanes()));
  cases.push_back(exact_case("kernel/copied blocks", copied_blocks()));
  cases.push_back(exact_case("kernel/copied blocks of few rows", copied_blocks_of_few_rows()));
  for (const DType dtype : {DType::f32, DType::f64})
    cases.push_back(exact_case(fmt::format("kernel/transposed/{}", dtype), transposed(dtype)));
  return cases;
}

}  // namespace tenon::conformance
