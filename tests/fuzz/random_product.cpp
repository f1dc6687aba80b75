#include "random_product.h"

#include "tenon/base/scalar_convert.h"
#include "tenon/base/threefry.h"

namespace tenon::fuzz {

namespace {

using ir::Value;

class ProductMaker {
 public:
  explicit ProductMaker(std::uint64_t seed) : random_{seed} {}

  RandomProduct make(bool transposes_lhs, bool transposes_rhs, DType dtype) {
    const std::int64_t batch = below(3) == 0 ? 2 + below(2) : 0;
    const std::int64_t rows = extent(), lanes = extent();
    const std::int64_t depth = below(2) == 0 ? 188 + below(60) : extent();
    const auto matrix = [&](std::int64_t outer, std::int64_t inner, bool is_transposed) {
      Shape shape = is_transposed ? Shape{inner, outer} : Shape{outer, inner};
      if (batch > 0) shape.insert(shape.begin(), batch);
      return shape;
    };
    const Shape lhs = matrix(rows, depth, transposes_lhs);
    const Shape rhs = matrix(depth, lanes, transposes_rhs);
    const Value x = input(dtype, lhs), y = input(dtype, rhs);
    const std::int64_t first = batch > 0 ? 1 : 0;
    ir::Dot op;
    if (batch > 0) op.lhs_batch = op.rhs_batch = {0};
    op.lhs_contracting = {transposes_lhs ? first : first + 1};
    op.rhs_contracting = {transposes_rhs ? first + 1 : first};
    op.result = dtype == DType::f64 ? DType::f64 : DType::f32;
    Value value = b_.add(op, {x, y});
    const TensorType type = b_.type(value);
    const auto along = [&](std::int64_t axis) {
      const Value row = input(type.dtype, {type.shape[static_cast<std::size_t>(axis)]});
      return ir::broadcast(b_, row, type.shape, {axis});
    };
    if (below(2) == 0) value = ir::add(b_, value, along(first + 1));
    if (below(3) == 0) value = ir::multiply(b_, value, along(first));
    if (below(2) == 0)
      value = ir::elementwise(b_, ScalarFunction::maximum, {value, ir::splat(b_, 0, type)});
    if (below(3) == 0) value = ir::add(b_, value, input(type.dtype, type.shape));
    RandomProduct made;
    made.name = fmt::format("{} {}{} x {}{}, {} nodes", dtype, tenon::to_string(lhs),
                            transposes_lhs ? "^T" : "", tenon::to_string(rhs),
                            transposes_rhs ? "^T" : "", b_.node_count());
    made.graph = std::move(b_).finish({value});
    for (const ir::Input& declared : made.graph.inputs()) {
      made.inputs.push_back(numbers(declared.type, 3, 1));
      made.fractions.push_back(numbers(declared.type, 4096, 4096));
    }
    return made;
  }

 private:
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(bound)));
  }
  // Around whole vectors as often as anywhere else.
  std::int64_t extent() {
    if (below(8) == 0) return 1;
    if (below(2) == 0) return 2 + below(70);
    return 16 * (1 + below(4)) - 1 + below(3);
  }
  Value input(DType dtype, const Shape& shape) {
    return b_.input({fmt::format("x{}", b_.inputs().size()), {dtype, shape}, ir::Role::data, {}});
  }
  // From -most / parts to most / parts.
  HostTensor numbers(const TensorType& type, std::int64_t most, double parts) {
    HostTensor tensor({DType::f64, type.shape});
    for (double& element : tensor.as<double>())
      element = static_cast<double>(below(2 * most + 1) - most) / parts;
    return converted(tensor, type.dtype);
  }

  ir::Builder b_;
  ThreefrySequence random_;
};

}  // namespace

RandomProduct random_product(std::uint64_t seed, bool transposes_lhs, bool transposes_rhs,
                             DType dtype) {
  return ProductMaker(seed).make(transposes_lhs, transposes_rhs, dtype);
}

}  // namespace tenon::fuzz
