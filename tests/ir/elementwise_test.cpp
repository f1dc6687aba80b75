#include "tenon/ir/ops/elementwise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "op_testing.h"

namespace tenon::ir {
namespace {

using F = ScalarFunction;

struct FloatRow {
  F function;
  double x, y, expected;  // y is ignored by functions of one number
};

// The function applied to scalars of the type, as a double.
double apply(F f, DType dtype, double x, double y) {
  HostTensors inputs{filled({dtype, {}}, x)};
  if (info(f).arity == 2) inputs.push_back(filled({dtype, {}}, y));
  return element_as_double(run_op(Elementwise{f}, inputs), 0);
}

// Equal numbers with equal signs of zero, or both NaN.
bool same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

void expect_row(const FloatRow& row, DType dtype) {
  const double found = apply(row.function, dtype, row.x, row.y);
  EXPECT_TRUE(same(found, row.expected))
      << info(row.function).name << "(" << row.x << ", " << row.y << ") in " << name(dtype)
      << " is " << found << ", expected " << row.expected;
}

// Every value here is exact in f16, bf16, f32 and f64.
TEST(Elementwise, SpecialValuesOfFloats) {
  const std::vector<FloatRow> rows = {
      {F::negate, 0.0, 0, -0.0},
      {F::negate, -kInfinity, 0, kInfinity},
      {F::abs, -0.0, 0, 0.0},
      {F::abs, -kInfinity, 0, kInfinity},
      {F::sign, -3, 0, -1},
      {F::sign, -0.0, 0, -0.0},
      {F::sign, 0.0, 0, 0.0},
      {F::sign, kNan, 0, kNan},
      {F::sign, kInfinity, 0, 1},
      {F::floor, -0.5, 0, -1},
      {F::floor, -0.0, 0, -0.0},
      {F::ceil, -0.5, 0, -0.0},
      {F::ceil, 0.25, 0, 1},
      {F::round_nearest_even, 0.5, 0, 0.0},
      {F::round_nearest_even, 1.5, 0, 2},
      {F::round_nearest_even, 2.5, 0, 2},
      {F::round_nearest_even, -0.5, 0, -0.0},
      {F::exp, -kInfinity, 0, 0.0},
      {F::exp, kInfinity, 0, kInfinity},
      {F::exp, -0.0, 0, 1},
      {F::expm1, -0.0, 0, -0.0},
      {F::expm1, -kInfinity, 0, -1},
      {F::log, 0.0, 0, -kInfinity},
      {F::log, -0.0, 0, -kInfinity},
      {F::log, -1, 0, kNan},
      {F::log, 1, 0, 0.0},
      {F::log1p, -1, 0, -kInfinity},
      {F::log1p, -0.0, 0, -0.0},
      {F::log1p, -2, 0, kNan},
      {F::sqrt, -0.0, 0, -0.0},
      {F::sqrt, -1, 0, kNan},
      {F::sqrt, 6.25, 0, 2.5},
      {F::rsqrt, 0.0, 0, kInfinity},
      {F::rsqrt, -0.0, 0, -kInfinity},
      {F::rsqrt, kInfinity, 0, 0.0},
      {F::rsqrt, -1, 0, kNan},
      {F::rsqrt, 4, 0, 0.5},
      {F::cbrt, -8, 0, -2},
      {F::cbrt, -0.0, 0, -0.0},
      {F::sin, -0.0, 0, -0.0},
      {F::sin, kInfinity, 0, kNan},
      {F::cos, kInfinity, 0, kNan},
      {F::cos, 0.0, 0, 1},
      {F::tan, -0.0, 0, -0.0},
      {F::tanh, kInfinity, 0, 1},
      {F::tanh, -kInfinity, 0, -1},
      {F::logistic, 0.0, 0, 0.5},
      {F::logistic, -kInfinity, 0, 0.0},
      {F::logistic, kInfinity, 0, 1},
      {F::erf, -kInfinity, 0, -1},
      {F::erf, -0.0, 0, -0.0},
      {F::is_finite, kNan, 0, 0.0},
      {F::is_finite, -kInfinity, 0, 0.0},
      {F::is_finite, 2, 0, 1},
      {F::add, kInfinity, -kInfinity, kNan},
      {F::add, -0.0, -0.0, -0.0},
      {F::subtract, 1, 1, 0.0},
      {F::multiply, 0.0, kInfinity, kNan},
      {F::multiply, -0.0, 3, -0.0},
      {F::divide, 1, -0.0, -kInfinity},
      {F::divide, 0.0, 0.0, kNan},
      {F::remainder, 5.5, 2, 1.5},
      {F::remainder, -5.5, 2, -1.5},
      {F::remainder, 5.5, -2, 1.5},
      {F::remainder, -4, 2, -0.0},
      {F::remainder, 3, kInfinity, 3},
      {F::remainder, 3, 0.0, kNan},
      {F::remainder, kInfinity, 3, kNan},
      {F::power, 1, kNan, 1},
      {F::power, kNan, 0.0, 1},
      {F::power, 0.0, 0.0, 1},
      {F::power, -2, 3, -8},
      {F::power, -2, 0.5, kNan},
      {F::power, -0.0, -1, -kInfinity},
      {F::power, 0.5, -kInfinity, kInfinity},
      {F::atan2, 0.0, 1, 0.0},
      {F::atan2, -0.0, 1, -0.0},
      {F::minimum, 1, kNan, kNan},
      {F::minimum, kNan, -kInfinity, kNan},
      {F::minimum, 0.0, -0.0, -0.0},
      {F::minimum, -0.0, 0.0, -0.0},
      {F::maximum, kNan, kInfinity, kNan},
      {F::maximum, 1, kNan, kNan},
      {F::maximum, -0.0, 0.0, 0.0},
      {F::maximum, 0.0, -0.0, 0.0},
      {F::maximum, -3, 2, 2},
      {F::equal, kNan, kNan, 0.0},
      {F::equal, 0.0, -0.0, 1},
      {F::not_equal, kNan, kNan, 1},
      {F::less, -0.0, 0.0, 0.0},
      {F::less, kNan, 1, 0.0},
      {F::less_equal, kNan, kNan, 0.0},
      {F::less_equal, 2, 2, 1},
      {F::greater, kInfinity, 2, 1},
      {F::greater_equal, 1, kNan, 0.0},
  };
  for (const DType dtype : {DType::f16, DType::bf16, DType::f32, DType::f64})
    for (const FloatRow& row : rows) expect_row(row, dtype);
}

// Correctly rounded values, computed with another library.
TEST(Elementwise, TranscendentalFunctionsOfF32RoundOnce) {
  const std::vector<FloatRow> rows = {
      {F::exp, 1, 0, 0x1.5bf0a8p+1},
      {F::exp, -2.5, 0, 0x1.50385cp-4},
      {F::exp, 88.5, 0, 0x1.99b988p+127},
      {F::expm1, 1, 0, 0x1.b7e152p+0},
      {F::log, 2, 0, 0x1.62e43p-1},
      {F::log, 10, 0, 0x1.26bb1cp+1},
      {F::log1p, 1, 0, 0x1.62e43p-1},
      {F::sin, 1, 0, 0x1.aed548p-1},
      {F::sin, 100, 0, -0x1.03425cp-1},
      {F::cos, 1, 0, 0x1.14a28p-1},
      {F::cos, 100, 0, 0x1.b981dcp-1},
      {F::tan, 1, 0, 0x1.8eb246p+0},
      {F::tanh, 0.5, 0, 0x1.d9353ep-2},
      {F::logistic, 1, 0, 0x1.764d5p-1},
      {F::logistic, -4, 0, 0x1.26afa2p-6},
      {F::erf, 0.5, 0, 0x1.0a7ef6p-1},
      {F::rsqrt, 2, 0, 0x1.6a09e6p-1},
      {F::cbrt, 2, 0, 0x1.428a3p+0},
      {F::sqrt, 2, 0, 0x1.6a09e6p+0},
      {F::power, 2, 0.5, 0x1.6a09e6p+0},
      {F::atan2, 1, -2, 0x1.56c6e8p+1},
      {F::exp, 89, 0, kInfinity},
      {F::exp, -104, 0, 0.0},
      {F::exp, -87, 0, 0x1.666d0ep-126},
  };
  for (const FloatRow& row : rows) expect_row(row, DType::f32);
}

TEST(Elementwise, FlushesSubnormalResultsAndKeepsOperands) {
  constexpr double tiny32 = 0x1p-149, tiny64 = 0x1p-1074, tiny16 = 0x1p-24;
  expect_row({F::add, tiny32, tiny32, 0.0}, DType::f32);
  expect_row({F::multiply, 0x1p-100, 0x1p-49, 0.0}, DType::f32);
  expect_row({F::multiply, 0x1p-100, -0x1p-49, -0.0}, DType::f32);
  expect_row({F::add, tiny64, tiny64, 0.0}, DType::f64);
  expect_row({F::subtract, 0x1.8p-126, 0x1p-126, 0.0}, DType::f32);
  expect_row({F::multiply, tiny32, 0x1p100, 0x1p-49}, DType::f32);
  expect_row({F::divide, 2 * tiny16, 2, tiny16}, DType::f16);  // normal in f32, which computes it
  expect_row({F::maximum, tiny32, 0.0, tiny32}, DType::f32);
}

TEST(Elementwise, NarrowFloatsRoundAfterEachFunction) {
  expect_row({F::add, 2048, 1, 2048}, DType::f16);  // tie to even
  expect_row({F::add, 2048, 3, 2052}, DType::f16);  // tie to even
  expect_row({F::multiply, 300, 300, kInfinity}, DType::f16);
  expect_row({F::add, 256, 1, 256}, DType::bf16);
  expect_row({F::divide, 1, 3, 0x1.56p-2}, DType::bf16);
  expect_row({F::exp, 1, 0, 0x1.5cp+1}, DType::f16);
}

struct IntegerRow {
  F function;
  std::int64_t x, y, expected;
};

template <class T>
void expect_integer_rows(const std::vector<IntegerRow>& rows) {
  for (const IntegerRow& row : rows) {
    HostTensors inputs{make_scalar(static_cast<T>(row.x))};
    if (info(row.function).arity == 2) inputs.push_back(make_scalar(static_cast<T>(row.y)));
    const HostTensor result = run_op(Elementwise{row.function}, inputs);
    if (info(row.function).result == ScalarResult::boolean)
      EXPECT_EQ(result, make_scalar(row.expected != 0)) << info(row.function).name;
    else
      EXPECT_EQ(result, make_scalar(static_cast<T>(row.expected)))
          << info(row.function).name << "(" << row.x << ", " << row.y << ")";
  }
}

template <class T>
class SignedElementwise : public testing::Test {};
using SignedTypes = testing::Types<std::int8_t, std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(SignedElementwise, SignedTypes);

TYPED_TEST(SignedElementwise, EdgeCases) {
  constexpr std::int64_t low = std::numeric_limits<TypeParam>::min();
  constexpr std::int64_t high = std::numeric_limits<TypeParam>::max();
  constexpr std::int64_t bits = std::numeric_limits<TypeParam>::digits + 1;
  expect_integer_rows<TypeParam>({
      {F::negate, low, 0, low},
      {F::negate, 5, 0, -5},
      {F::abs, low, 0, low},
      {F::abs, -7, 0, 7},
      {F::sign, low, 0, -1},
      {F::sign, 0, 0, 0},
      {F::sign, high, 0, 1},
      {F::add, high, 1, low},
      {F::subtract, low, 1, high},
      {F::multiply, low, -1, low},
      {F::multiply, high, 2, -2},
      {F::divide, 7, -2, -3},
      {F::divide, -7, 2, -3},
      {F::divide, 7, 0, -1},
      {F::divide, 0, 0, -1},
      {F::divide, low, -1, low},
      {F::remainder, 7, -2, 1},
      {F::remainder, -7, 2, -1},
      {F::remainder, -7, 0, -7},
      {F::remainder, low, -1, 0},
      {F::minimum, low, high, low},
      {F::maximum, low, high, high},
      {F::logical_not, 0, 0, -1},
      {F::logical_and, -1, 6, 6},
      {F::logical_or, low, 1, low + 1},
      {F::logical_xor, -1, 5, -6},
      {F::population_count, -1, 0, bits},
      {F::population_count, low, 0, 1},
      {F::shift_left, 1, bits - 1, low},
      {F::shift_left, 1, bits, 0},
      {F::shift_left, 1, -1, 0},
      {F::shift_right_logical, -1, bits - 1, 1},
      {F::shift_right_logical, -1, bits, 0},
      {F::shift_right_arithmetic, low, bits - 1, -1},
      {F::shift_right_arithmetic, low, bits, -1},
      {F::shift_right_arithmetic, high, bits, 0},
      {F::shift_right_arithmetic, -8, -1, -1},
      {F::shift_right_arithmetic, -8, 1, -4},
      {F::less, low, high, 1},
      {F::greater, -1, 0, 0},
      {F::equal, low, low, 1},
      {F::not_equal, low, high, 1},
      {F::less_equal, 1, 0, 0},
      {F::greater_equal, 0, 0, 1},
  });
}

template <class T>
class UnsignedElementwise : public testing::Test {};
using UnsignedTypes = testing::Types<std::uint8_t, std::uint32_t, std::uint64_t>;
TYPED_TEST_SUITE(UnsignedElementwise, UnsignedTypes);

TYPED_TEST(UnsignedElementwise, EdgeCases) {
  constexpr std::int64_t bits = std::numeric_limits<TypeParam>::digits;
  constexpr std::int64_t high = -1;  // wraps to the largest value
  expect_integer_rows<TypeParam>({
      {F::negate, 1, 0, high},
      {F::abs, high, 0, high},
      {F::sign, high, 0, 1},
      {F::sign, 0, 0, 0},
      {F::add, high, 2, 1},
      {F::subtract, 0, 1, high},
      {F::multiply, high, high, 1},
      {F::divide, 7, 2, 3},
      {F::divide, 7, 0, high},
      {F::remainder, 7, 0, 7},
      {F::remainder, 7, 4, 3},
      {F::minimum, high, 1, 1},
      {F::maximum, high, 1, high},
      {F::population_count, high, 0, bits},
      {F::shift_left, 3, bits - 1, static_cast<std::int64_t>(TypeParam{1} << (bits - 1))},
      {F::shift_left, 1, bits, 0},
      {F::shift_right_logical, high, bits - 1, 1},
      {F::shift_right_arithmetic, high, 3, high},
      {F::shift_right_arithmetic, 8, bits, 0},
      {F::less, high, 0, 0},
      {F::greater, high, 0, 1},
  });
}

TEST(Elementwise, BoolIsOrderedFalseBeforeTrue) {
  const HostTensor x = make_tensor<bool>({4}, {false, false, true, true});
  const HostTensor y = make_tensor<bool>({4}, {false, true, false, true});
  const auto expect = [&](F f, std::initializer_list<bool> values) {
    EXPECT_EQ(run_op(Elementwise{f}, {x, y}), make_tensor<bool>({4}, values)) << info(f).name;
  };
  expect(F::logical_and, {false, false, false, true});
  expect(F::minimum, {false, false, false, true});
  expect(F::logical_or, {false, true, true, true});
  expect(F::maximum, {false, true, true, true});
  expect(F::logical_xor, {false, true, true, false});
  expect(F::equal, {true, false, false, true});
  expect(F::not_equal, {false, true, true, false});
  expect(F::less, {false, true, false, false});
  expect(F::less_equal, {true, true, false, true});
  expect(F::greater, {false, false, true, false});
  expect(F::greater_equal, {true, false, true, true});
  EXPECT_EQ(run_op(Elementwise{F::logical_not}, {x}),
            make_tensor<bool>({4}, {true, true, false, false}));
}

TEST(Elementwise, EveryFunctionTakesExactlyItsDomain) {
  for (const ScalarFunctionInfo& row : kScalarFunctions) {
    for (const DType dtype : kAllDTypes) {
      const TensorType type{dtype, {3}};
      const TensorTypes types(static_cast<std::size_t>(row.arity), type);
      const std::string found = type_rule(Elementwise{row.function}, types);
      if (accepts(row.function, dtype)) {
        EXPECT_EQ(found,
                  fmt::format("accepted: {}", TensorType{result_type(row.function, dtype), {3}}));
        const HostTensors inputs(types.size(), filled(type, 1));
        EXPECT_EQ(run_op(Elementwise{row.function}, inputs).size(), 3);
      } else {
        EXPECT_TRUE(found.starts_with(std::string(row.name) + ": expected ")) << found;
      }
    }
  }
}

TEST(Elementwise, TypeRule) {
  const TensorType f{DType::f32, {2, 3}}, g{DType::f32, {3}}, i{DType::i32, {2, 3}},
      p{DType::boolean, {2, 3}};
  EXPECT_EQ(type_rule(Elementwise{F::add}, {f}), "add: expected 2 operands, got 1 (f32[2,3])");
  EXPECT_EQ(type_rule(Elementwise{F::exp}, {}), "exp: expected 1 operand, got none");
  EXPECT_EQ(type_rule(Elementwise{F::add}, {f, g}),
            "add: operands have different shapes: f32[2,3], f32[3]");
  EXPECT_EQ(type_rule(Elementwise{F::add}, {f, i}),
            "add: operands have different element types: f32[2,3], i32[2,3]");
  EXPECT_EQ(type_rule(Elementwise{F::add}, {p, p}),
            "add: expected a number element type (not bool), got bool[2,3], bool[2,3]");
  EXPECT_EQ(type_rule(Elementwise{F::sqrt}, {i}),
            "sqrt: expected a float element type, got i32[2,3]");
  EXPECT_EQ(type_rule(Elementwise{F::population_count}, {f}),
            "population_count: expected an integer element type, got f32[2,3]");
  EXPECT_EQ(type_rule(Elementwise{F::logical_not}, {f}),
            "logical_not: expected bool or an integer element type, got f32[2,3]");
  const TensorType wide{DType::u8, {std::int64_t{1} << 62}};
  EXPECT_EQ(type_rule(Elementwise{F::less}, {wide, wide}), "accepted: bool[4611686018427387904]");
}

TEST(Select, ChoosesAndKeepsBits) {
  const HostTensor p = make_tensor<bool>({3}, {true, false, true});
  EXPECT_EQ(run_op(Select{}, {p, numbers({3}, {1, 2, -0.0}), numbers({3}, {4, 5, kNan})}),
            numbers({3}, {1, 5, -0.0}));
  const HostTensor none = make_tensor<bool>({0}, {});
  EXPECT_EQ(run_op(Select{}, {none, numbers({0}, {}), numbers({0}, {})}), numbers({0}, {}));
}

TEST(Select, TypeRule) {
  const TensorType p{DType::boolean, {2}}, f{DType::f32, {2}}, g{DType::f32, {3}},
      i{DType::i32, {2}};
  EXPECT_EQ(type_rule(Select{}, {p, f, f}), "accepted: f32[2]");
  EXPECT_EQ(type_rule(Select{}, {p, f}), "select: expected 3 operands, got 2 (bool[2], f32[2])");
  EXPECT_EQ(type_rule(Select{}, {i, f, f}),
            "select: expected a bool predicate, got i32[2], f32[2], f32[2]");
  EXPECT_EQ(type_rule(Select{}, {p, f, i}),
            "select: the two values have different element types: bool[2], f32[2], i32[2]");
  EXPECT_EQ(type_rule(Select{}, {p, f, g}),
            "select: operands have different shapes: bool[2], f32[2], f32[3]");
  EXPECT_EQ(type_rule(Select{}, {p, g, g}),
            "select: operands have different shapes: bool[2], f32[3], f32[3]");
}

TEST(Cast, SaturatesWrapsAndRounds) {
  const HostTensor x = numbers({7}, {kNan, kInfinity, -kInfinity, 300, -1.9, 2.5, -0.0});
  EXPECT_EQ(run_op(Cast{DType::i8}, {x}),
            make_tensor<std::int8_t>({7}, {0, 127, -128, 127, -1, 2, 0}));
  EXPECT_EQ(run_op(Cast{DType::u8}, {x}),
            make_tensor<std::uint8_t>({7}, {0, 255, 0, 255, 0, 2, 0}));
  EXPECT_EQ(run_op(Cast{DType::boolean}, {x}),
            make_tensor<bool>({7}, {true, true, true, true, true, true, false}));
  EXPECT_EQ(run_op(Cast{DType::u64}, {numbers({2}, {0x1p64, 0x1p63})}),
            make_tensor<std::uint64_t>({2}, {~0ull, 1ull << 63}));
  const HostTensor i = make_tensor<std::int32_t>({3}, {-1, 300, 1 << 24});
  EXPECT_EQ(run_op(Cast{DType::u8}, {i}), make_tensor<std::uint8_t>({3}, {255, 44, 0}));
  EXPECT_EQ(run_op(Cast{DType::u64}, {i}), make_tensor<std::uint64_t>({3}, {~0ull, 300, 1 << 24}));
  EXPECT_EQ(run_op(Cast{DType::f32}, {make_scalar<std::int32_t>((1 << 24) + 1)}),
            make_scalar(16777216.0f));
  EXPECT_EQ(run_op(Cast{DType::f32}, {make_scalar(true)}), make_scalar(1.0f));
  EXPECT_EQ(run_op(Cast{DType::f16}, {make_scalar(65520.0f)}),
            make_scalar(Float16(std::numeric_limits<float>::infinity())));
}

TEST(Cast, TypeRule) {
  EXPECT_EQ(type_rule(Cast{DType::f64}, {{DType::u8, {std::int64_t{1} << 61}}}),
            "cast: result f64[2305843009213693952] is too large: its bytes do not fit in 63 bits");
  EXPECT_EQ(type_rule(Cast{DType::i8}, {}), "cast: expected 1 operand, got none");
  for (const DType from : kAllDTypes)
    for (const DType to : kAllDTypes)
      EXPECT_EQ(type_rule(Cast{to}, {{from, {2}}}), fmt::format("accepted: {}[2]", to));
}

TEST(Bitcast, KeepsBits) {
  EXPECT_EQ(run_op(Bitcast{DType::u32}, {make_tensor<float>({2}, {1.0f, -0.0f})}),
            make_tensor<std::uint32_t>({2}, {0x3f800000u, 0x80000000u}));
  EXPECT_EQ(run_op(Bitcast{DType::f64}, {make_scalar<std::int64_t>(0x4000000000000000)}),
            make_scalar(2.0));
  EXPECT_EQ(run_op(Bitcast{DType::i8}, {make_scalar<std::uint8_t>(255)}),
            make_scalar<std::int8_t>(-1));
}

TEST(Bitcast, TypeRule) {
  EXPECT_EQ(type_rule(Bitcast{DType::f64}, {{DType::u32, {2}}}),
            "bitcast: expected element types of one size, got u32[2] (4 bytes) to f64 (8 bytes)");
  EXPECT_EQ(type_rule(Bitcast{DType::u8}, {{DType::boolean, {2}}}),
            "bitcast: bool has no bits to reinterpret, got bool[2] to u8; use cast");
  EXPECT_EQ(type_rule(Bitcast{DType::boolean}, {{DType::u8, {2}}}),
            "bitcast: bool has no bits to reinterpret, got u8[2] to bool; use cast");
}

}  // namespace
}  // namespace tenon::ir
