// Identities of scalar functions that hold bit for bit: NaN stays NaN, -0 stays -0, integers wrap.
#include <bit>

#include "tenon/passes/passes.h"

namespace tenon::passes {
using namespace ir;
namespace {

using F = ScalarFunction;

bool is_function(const Match& m, F function) {
  const auto* op = std::get_if<Elementwise>(&m.op);
  return op != nullptr && op->function == function;
}

// The operands of x if it is this function of something.
std::optional<std::vector<Value>> arguments_of(const Match& m, Value x, F function) {
  const auto made = producer<Elementwise>(m.builder, x);
  if (!made || made->op.function != function) return std::nullopt;
  return made->operands;
}

// Whether every element is this value; 0 and -0 differ.
bool is_splat(const Match& m, std::size_t operand, double value) {
  const auto splat = splat_value(m.builder, m.operands[operand]);
  return splat && std::bit_cast<std::uint64_t>(*splat) == std::bit_cast<std::uint64_t>(value);
}

// The other operand, if one of the two is the splat.
std::optional<Value> beside(const Match& m, double value) {
  if (is_splat(m, 1, value)) return m.operands[0];
  if (is_splat(m, 0, value)) return m.operands[1];
  return std::nullopt;
}

Replacement maybe(std::optional<Value> value) {
  return value ? replace_with(*value) : std::nullopt;
}

bool has_integers(const Match& m) { return is_integer(m.type(0).dtype); }

// x + -0 -> x; -0 + 0 is 0, so +0 is neutral for integers only.
Replacement add_zero(const Match& m) {
  if (!is_function(m, F::add)) return std::nullopt;
  return maybe(beside(m, has_integers(m) ? 0.0 : -0.0));
}

// x - 0 -> x
Replacement subtract_zero(const Match& m) {
  if (!is_function(m, F::subtract) || !is_splat(m, 1, 0.0)) return std::nullopt;
  return replace_with(m.operands[0]);
}

// x * 1 -> x
Replacement multiply_one(const Match& m) {
  if (!is_function(m, F::multiply)) return std::nullopt;
  return maybe(beside(m, 1));
}

// x * -1 -> -x
Replacement multiply_minus_one(const Match& m) {
  if (!is_function(m, F::multiply)) return std::nullopt;
  const auto x = beside(m, -1);
  return x ? replace_with(negate(m.builder, *x)) : std::nullopt;
}

// x / 1 -> x
Replacement divide_one(const Match& m) {
  if (!is_function(m, F::divide) || !is_splat(m, 1, 1)) return std::nullopt;
  return replace_with(m.operands[0]);
}

// x / 2^k -> x * 2^-k where the element type holds 2^-k as a normal number: both round the same
// real number.
Replacement divide_power_of_two(const Match& m) {
  if (!is_function(m, F::divide)) return std::nullopt;
  const TensorType type = m.type(1);
  const auto divisor = splat_value(m.builder, m.operands[1]);
  if (!is_float(type.dtype) || !divisor || !std::isfinite(*divisor)) return std::nullopt;
  int exponent = 0;
  if (std::abs(std::frexp(*divisor, &exponent)) != 0.5) return std::nullopt;
  const int limit = type.dtype == DType::f16 ? 13 : 100;  // 2^-14 is the smallest normal f16
  if (std::abs(exponent) > limit) return std::nullopt;
  return replace_with(multiply(m.builder, m.operands[0], splat(m.builder, 1 / *divisor, type)));
}

// --x -> x, not not x -> x
Replacement twice_undone(const Match& m) {
  for (const F function : {F::negate, F::logical_not})
    if (is_function(m, function))
      if (const auto x = arguments_of(m, m.operands[0], function)) return replace_with((*x)[0]);
  return std::nullopt;
}

// |-x| -> |x|, ||x|| -> |x|, |x| -> x for unsigned x (where -x wraps)
Replacement abs_of_sign(const Match& m) {
  if (!is_function(m, F::abs)) return std::nullopt;
  if (is_unsigned(m.type(0).dtype)) return replace_with(m.operands[0]);
  if (arguments_of(m, m.operands[0], F::abs)) return replace_with(m.operands[0]);
  if (const auto x = arguments_of(m, m.operands[0], F::negate))
    return replace_with(elementwise(m.builder, F::abs, {(*x)[0]}));
  return std::nullopt;
}

// x + -y -> x - y, -x + y -> y - x, x - -y -> x + y
Replacement add_negated(const Match& m) {
  if (!is_function(m, F::add) && !is_function(m, F::subtract)) return std::nullopt;
  const bool sum = is_function(m, F::add);
  if (const auto y = arguments_of(m, m.operands[1], F::negate))
    return replace_with(sum ? subtract(m.builder, m.operands[0], (*y)[0])
                            : add(m.builder, m.operands[0], (*y)[0]));
  if (!sum) return std::nullopt;
  if (const auto x = arguments_of(m, m.operands[0], F::negate))
    return replace_with(subtract(m.builder, m.operands[1], (*x)[0]));
  return std::nullopt;
}

// -x * -y -> x * y, -x / -y -> x / y
Replacement negations_cancel(const Match& m) {
  if (!is_function(m, F::multiply) && !is_function(m, F::divide)) return std::nullopt;
  if (is_function(m, F::divide) && has_integers(m)) return std::nullopt;
  const auto x = arguments_of(m, m.operands[0], F::negate);
  const auto y = arguments_of(m, m.operands[1], F::negate);
  if (!x || !y) return std::nullopt;
  return replace_with(m.builder.add(m.op, {(*x)[0], (*y)[0]}));
}

// x * 0 -> 0, x - x -> 0, x xor x -> 0: integers only, since inf * 0 is NaN.
Replacement integer_zero(const Match& m) {
  if (m.operands.size() != 2 || is_float(m.type(0).dtype)) return std::nullopt;
  const bool same = m.operands[0] == m.operands[1];
  const bool zero = (is_function(m, F::multiply) && beside(m, 0)) ||
                    (is_function(m, F::subtract) && same) ||
                    (is_function(m, F::logical_xor) && same);
  return zero ? replace_with(zeros_like(m.builder, m.operands[0])) : std::nullopt;
}

// min(x, x) -> x and the like
Replacement idempotent(const Match& m) {
  for (const F function : {F::minimum, F::maximum, F::logical_and, F::logical_or})
    if (is_function(m, function) && m.operands[0] == m.operands[1])
      return replace_with(m.operands[0]);
  return std::nullopt;
}

// and, or, xor with all bits clear or all bits set
Replacement logical_constant(const Match& m) {
  const bool is_and = is_function(m, F::logical_and), is_or = is_function(m, F::logical_or);
  const bool is_xor = is_function(m, F::logical_xor);
  if (!is_and && !is_or && !is_xor) return std::nullopt;
  const TensorType type = m.type(0);
  if (const auto x = beside(m, 0)) {
    if (is_and) return replace_with(zeros_like(m.builder, *x));
    return replace_with(*x);
  }
  if (type.dtype == DType::u64) return std::nullopt;  // 2^64 - 1 is no double
  const double ones = is_boolean(type.dtype)    ? 1
                      : is_unsigned(type.dtype) ? std::exp2(8 * size_of(type.dtype)) - 1
                                                : -1;
  const auto x = beside(m, ones);
  if (!x) return std::nullopt;
  if (is_and) return replace_with(*x);
  if (is_or) return replace_with(splat(m.builder, ones, type));
  return replace_with(elementwise(m.builder, F::logical_not, {*x}));
}

// x shifted by 0 -> x
Replacement shift_zero(const Match& m) {
  const bool shift = is_function(m, F::shift_left) || is_function(m, F::shift_right_logical) ||
                     is_function(m, F::shift_right_arithmetic);
  if (!shift || !is_splat(m, 1, 0)) return std::nullopt;
  return replace_with(m.operands[0]);
}

// x == x and the like, for types without NaN
Replacement compare_same(const Match& m) {
  const auto* op = std::get_if<Elementwise>(&m.op);
  if (op == nullptr || m.operands.size() != 2 || m.operands[0] != m.operands[1] ||
      info(op->function).result != ScalarResult::boolean || is_float(m.type(0).dtype))
    return std::nullopt;
  const bool holds =
      op->function == F::equal || op->function == F::less_equal || op->function == F::greater_equal;
  return replace_with(splat(m.builder, holds, {DType::boolean, m.type(0).shape}));
}

// select(true, x, y) -> x, select(p, x, x) -> x, select(not p, x, y) -> select(p, y, x)
Replacement simplify_select(const Match& m) {
  if (!std::holds_alternative<Select>(m.op)) return std::nullopt;
  if (m.operands[1] == m.operands[2]) return replace_with(m.operands[1]);
  if (const auto choice = splat_value(m.builder, m.operands[0]))
    return replace_with(m.operands[*choice != 0 ? 1 : 2]);
  if (const auto p = arguments_of(m, m.operands[0], F::logical_not))
    return replace_with(select(m.builder, (*p)[0], m.operands[2], m.operands[1]));
  return std::nullopt;
}

// Whether every value of one type is a value of the other.
bool is_lossless(DType from, DType to) {
  if (from == to || is_boolean(from)) return true;
  if (is_boolean(to)) return false;
  const std::size_t bits = 8 * size_of(from);
  const auto significand = [](DType dtype) -> std::size_t {
    if (dtype == DType::f64) return 53;
    if (dtype == DType::f32) return 24;
    return dtype == DType::f16 ? 11 : 8;
  };
  if (is_float(from)) return is_float(to) && size_of(to) > size_of(from);
  if (is_float(to)) return bits <= significand(to);  // f16 reaches 65504, beyond 11 bits
  if (is_signed(from)) return is_signed(to) && size_of(to) > size_of(from);
  return size_of(to) > size_of(from);
}

// cast to the same type; cast of a lossless cast -> one cast. An integer that goes through a float
// would saturate where the direct cast wraps.
Replacement merge_casts(const Match& m) {
  const auto* op = std::get_if<Cast>(&m.op);
  if (op == nullptr) return std::nullopt;
  if (m.type(0).dtype == op->dtype) return replace_with(m.operands[0]);
  const auto inner = producer<Cast>(m.builder, m.operands[0]);
  if (!inner) return std::nullopt;
  const DType from = m.builder.type(inner->operands[0]).dtype;
  const DType through = inner->op.dtype;
  const bool saturates = is_integer(from) && is_float(through) && is_integer(op->dtype) &&
                         !is_lossless(from, op->dtype);
  if (!is_lossless(from, through) || saturates) return std::nullopt;
  return replace_with(cast(m.builder, inner->operands[0], op->dtype));
}

}  // namespace

std::span<const Rule> arithmetic_rules() {
  static constexpr Rule kRules[] = {
      {"add_zero", add_zero},
      {"subtract_zero", subtract_zero},
      {"multiply_one", multiply_one},
      {"multiply_minus_one", multiply_minus_one},
      {"divide_one", divide_one},
      {"divide_power_of_two", divide_power_of_two},
      {"twice_undone", twice_undone},
      {"abs_of_sign", abs_of_sign},
      {"add_negated", add_negated},
      {"negations_cancel", negations_cancel},
      {"integer_zero", integer_zero},
      {"idempotent", idempotent},
      {"logical_constant", logical_constant},
      {"shift_zero", shift_zero},
      {"compare_same", compare_same},
      {"simplify_select", simplify_select},
      {"merge_casts", merge_casts},
  };
  return kRules;
}

}  // namespace tenon::passes
