// Cases of elementwise ops: the whole table of scalar functions on every element type it takes.
#include <cmath>
#include <limits>

#include "case.h"
#include "tenon/ir/ops/index.h"

namespace tenon::conformance {
using namespace ir;
namespace {

using F = ScalarFunction;

struct Interval {
  double low, high;
};
// Where operands of a function of floats are drawn from: well inside its domain.
struct Intervals {
  Interval x{-8, 8}, y{-8, 8};
};

Intervals intervals_of(F f) {
  switch (f) {
    case F::log:
    case F::sqrt:
    case F::rsqrt: return {{0.4, 6}, {}};
    case F::log1p: return {{-0.7, 6}, {}};
    case F::exp:
    case F::expm1:
    case F::tanh:
    case F::logistic: return {{-4, 4}, {}};
    case F::erf: return {{-3, 3}, {}};
    case F::cbrt: return {{0.3, 8}, {}};
    case F::sin:
    case F::cos: return {{-30, 30}, {}};
    case F::tan: return {{-1.3, 1.3}, {}};
    case F::power: return {{0.4, 3}, {-3, 3}};
    case F::atan2: return {{0.3, 4}, {-4, -0.3}};
    case F::divide: return {{-8, 8}, {0.5, 4}};
    case F::negate:
    case F::abs:
    case F::sign:
    case F::floor:
    case F::ceil:
    case F::round_nearest_even:
    case F::is_finite:
    case F::logical_not:
    case F::population_count:
    case F::add:
    case F::subtract:
    case F::multiply:
    case F::remainder:
    case F::minimum:
    case F::maximum:
    case F::logical_and:
    case F::logical_or:
    case F::logical_xor:
    case F::shift_left:
    case F::shift_right_logical:
    case F::shift_right_arithmetic:
    case F::equal:
    case F::not_equal:
    case F::less:
    case F::less_equal:
    case F::greater:
    case F::greater_equal: break;
  }
  return {};
}

// Zeros, infinities, NaN, the smallest and largest numbers, and ordinary ones between.
HostTensor special_values(DType dtype) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> values;
  if (is_float(dtype)) {
    values = {0.0, -0.0, infinity, -infinity, std::nan(""), 1, -1, 0.5, -0.5, 1.5, -2.5, 3, -7};
    // the smallest subnormal and normal numbers, and the largest one
    double smallest = 0x1p-1074, normal = 0x1p-1022, largest = 0x1.fffffffffffffp+1023;
    if (dtype == DType::f32) smallest = 0x1p-149, normal = 0x1p-126, largest = 0x1.fffffep+127;
    if (dtype == DType::bf16) smallest = 0x1p-133, normal = 0x1p-126, largest = 0x1.fep+127;
    if (dtype == DType::f16) smallest = 0x1p-24, normal = 0x1p-14, largest = 65504;
    for (const double value : {smallest, normal, largest}) {
      values.push_back(value);
      values.push_back(-value);
    }
  } else {
    values = {0, 1};
    if (!is_boolean(dtype)) values.insert(values.end(), {2, 7, 100});
    if (is_signed(dtype)) values.insert(values.end(), {-1, -2, -7, -infinity});
    if (is_integer(dtype)) values.insert(values.end(), {8, 31, 32, 63, 64, infinity});
  }
  return converted(make_tensor<double>({static_cast<std::int64_t>(values.size())}, values), dtype);
}

// Every special value, or for two operands every pair of them.
std::vector<HostTensor> special_inputs(DType dtype, int arity) {
  const HostTensor values = special_values(dtype);
  if (arity == 1) return {values};
  const std::int64_t n = values.size();
  std::vector<HostTensor> pairs(2, HostTensor({dtype, {n * n}}));
  for (std::int64_t i = 0; i < n * n; ++i) {
    copy_element(pairs[0], i, values, i / n);
    copy_element(pairs[1], i, values, i % n);
  }
  return pairs;
}

HostTensor joined(const HostTensor& first, const HostTensor& second) {
  HostTensor both({first.dtype(), {first.size() + second.size()}});
  for (std::int64_t i = 0; i < both.size(); ++i)
    copy_element(both, i, i < first.size() ? first : second,
                 i < first.size() ? i : i - first.size());
  return both;
}

std::vector<HostTensor> ordinary_inputs(F f, const TensorType& type) {
  const Intervals intervals = intervals_of(f);
  std::vector<HostTensor> inputs;
  for (int i = 0; i < info(f).arity; ++i) {
    Interval interval = i == 0 ? intervals.x : intervals.y;
    if (is_integer(type.dtype)) interval = {is_signed(type.dtype) ? -100.0 : 0.0, 100};
    inputs.push_back(
        random_tensor(type, 20 + static_cast<std::uint64_t>(i), interval.low, interval.high));
  }
  return inputs;
}

// Functions with kinks get first operands k + 0.3 and second ones k + 0.6 (remainder: 1.25).
std::vector<HostTensor> smooth_inputs(F f) {
  const TensorType type{DType::f64, {2, 3}};
  std::vector<HostTensor> inputs = ordinary_inputs(f, type);
  const bool kinked = f == F::abs || f == F::sign || f == F::floor || f == F::ceil ||
                      f == F::round_nearest_even || f == F::remainder || f == F::minimum ||
                      f == F::maximum;
  if (!kinked) return inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    for (double& x : inputs[i].as<double>()) x = std::floor(x / 2) + (i == 0 ? 0.3 : 0.6);
  if (f == F::remainder) inputs[1] = filled(type, 1.25);
  return inputs;
}

std::string elementwise_name(const ScalarFunctionInfo& row, const std::string& rest) {
  return fmt::format("elementwise/{}/{}", row.name, rest);
}

}  // namespace

TENON_OP_CASES(Elementwise) {
  std::vector<Case> all;
  for (const ScalarFunctionInfo& row : kScalarFunctions) {
    const Elementwise op{row.function};
    for (const DType dtype : kAllDTypes) {
      if (!accepts(row.function, dtype)) continue;
      const std::vector<HostTensor> ordinary = ordinary_inputs(row.function, {dtype, {33}});
      const std::vector<HostTensor> special = special_inputs(dtype, row.arity);
      if (is_float(dtype)) {
        all.push_back(
            single_op_case(elementwise_name(row, fmt::format("{}[33]", dtype)), op, ordinary));
        all.push_back(
            single_op_case(elementwise_name(row, fmt::format("special {}", dtype)), op, special));
        continue;
      }
      std::vector<HostTensor> both;
      for (std::size_t i = 0; i < ordinary.size(); ++i)
        both.push_back(joined(ordinary[i], special[i]));
      all.push_back(
          single_op_case(elementwise_name(row, tenon::to_string(both[0].type())), op, both));
    }
    if (accepts(row.function, DType::f64) && row.result == ScalarResult::same)
      all.push_back(
          single_op_case(elementwise_name(row, "gradient"), op, smooth_inputs(row.function), true));
  }
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{17}, Shape{3, 0, 2},
                             Shape{2, 3, 4, 5}, Shape{1, 7, 1, 3, 2}}) {
    const TensorType type{DType::f32, shape};
    for (const F f : {F::exp, F::add})
      all.push_back(single_op_case(elementwise_name(info(f), tenon::to_string(type)),
                                   Elementwise{f}, ordinary_inputs(f, type)));
  }
  return all;
}

TENON_OP_CASES(Select) {
  std::vector<Case> all;
  const auto append = [&](const TensorType& type, bool has_gradient) {
    all.push_back(single_op_case(fmt::format("select/{}", type), Select{},
                                 {random_tensor({DType::boolean, type.shape}, 1),
                                  random_tensor(type, 2, 0, 9), random_tensor(type, 3, 0, 9)},
                                 has_gradient));
  };
  for (const DType dtype : kAllDTypes) append({dtype, {33}}, dtype == DType::f64);
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{2, 3, 1, 5}})
    append({DType::f32, shape}, false);
  return all;
}

// One graph per operand type, with a result of every type.
TENON_OP_CASES(Cast) {
  std::vector<Case> all;
  for (const DType from : kAllDTypes) {
    for (const bool special : {false, true}) {
      const HostTensor x = special
                               ? special_values(from)
                               : random_tensor({from, {33}}, 4, is_unsigned(from) ? 0 : -120, 120);
      Builder b;
      const Value value = b.input({"x", x.type(), Role::data, {}});
      std::vector<Value> results;
      for (const DType to : kAllDTypes) results.push_back(b.add(Cast{to}, {value}));
      all.push_back({fmt::format("cast/{}{}", special ? "special " : "", x.type()),
                     std::move(b).finish(results),
                     {x}});
    }
  }
  all.push_back(single_op_case("cast/gradient", Cast{DType::f64},
                               {random_tensor({DType::f64, {2, 3}}, 5)}, true));
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{2, 3, 1, 5}})
    all.push_back(single_op_case(fmt::format("cast/f32{}", tenon::to_string(shape)),
                                 Cast{DType::i32}, {random_tensor({DType::f32, shape}, 6)}));
  return all;
}

TENON_OP_CASES(Bitcast) {
  std::vector<Case> all;
  for (const DType from : kAllDTypes) {
    if (is_boolean(from)) continue;
    for (const DType to : kAllDTypes) {
      if (is_boolean(to) || size_of(to) != size_of(from)) continue;
      all.push_back(single_op_case(fmt::format("bitcast/{} to {}", from, to), Bitcast{to},
                                   {special_values(from)}));
    }
  }
  return all;
}

}  // namespace tenon::conformance
