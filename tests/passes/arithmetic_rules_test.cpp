#include "same_after.h"

namespace tenon::testing {
namespace {
using namespace ir;
using F = ScalarFunction;

// y = f(x, c) for a splat c; with `left`, f(c, x).
Graph with_splat(F f, DType dtype, double c, bool left = false) {
  Program p;
  const Value x = p.input(dtype, {3, 5});
  const Value s = splat(p.b, c, {dtype, {3, 5}});
  return p.done({left ? elementwise(p.b, f, {s, x}) : elementwise(p.b, f, {x, s})});
}

void expect_identity(std::string_view rule, const Graph& graph) {
  const Graph after = after_rule(rule, graph);
  EXPECT_TRUE(std::holds_alternative<Parameter>(after.node(after.outputs()[0].value.node).op));
}

TEST(ArithmeticRules, NeutralElements) {
  for (const DType dtype : {DType::f16, DType::bf16, DType::f32, DType::f64}) {
    expect_identity("add_zero", with_splat(F::add, dtype, -0.0));
    expect_identity("add_zero", with_splat(F::add, dtype, -0.0, true));
    expect_no_rule("add_zero", with_splat(F::add, dtype, 0.0));  // -0 + 0 is 0
    expect_identity("subtract_zero", with_splat(F::subtract, dtype, 0.0));
    expect_no_rule("subtract_zero", with_splat(F::subtract, dtype, -0.0));
    expect_no_rule("subtract_zero", with_splat(F::subtract, dtype, 0.0, true));
    expect_no_rule("integer_zero", with_splat(F::multiply, dtype, 0.0));
    expect_identity("multiply_one", with_splat(F::multiply, dtype, 1, true));
    expect_identity("divide_one", with_splat(F::divide, dtype, 1));
    expect_no_rule("divide_one", with_splat(F::divide, dtype, 1, true));
  }
  for (const DType dtype : {DType::i8, DType::u32, DType::i64, DType::u64}) {
    expect_identity("add_zero", with_splat(F::add, dtype, 0));
    expect_identity("subtract_zero", with_splat(F::subtract, dtype, 0));
    expect_identity("multiply_one", with_splat(F::multiply, dtype, 1));
    expect_identity("divide_one", with_splat(F::divide, dtype, 1));
    expect_identity("shift_zero", with_splat(F::shift_left, dtype, 0));
    expect_identity("shift_zero", with_splat(F::shift_right_arithmetic, dtype, 0));
    after_rule("integer_zero", with_splat(F::multiply, dtype, 0));
  }
}

TEST(ArithmeticRules, MultiplyByMinusOneNegates) {
  for (const DType dtype : {DType::f16, DType::f64, DType::i8, DType::i32})
    EXPECT_EQ(
        count_ops(after_rule("multiply_minus_one", with_splat(F::multiply, dtype, -1)), "negate"),
        1);
}

TEST(ArithmeticRules, DivisionByPowersOfTwoMultiplies) {
  for (const DType dtype : {DType::f16, DType::bf16, DType::f32, DType::f64})
    for (const double divisor : {2.0, 0.25, -4.0, 4096.0})
      EXPECT_EQ(count_ops(after_rule("divide_power_of_two", with_splat(F::divide, dtype, divisor)),
                          "divide"),
                0);
  expect_no_rule("divide_power_of_two", with_splat(F::divide, DType::f32, 3));
  expect_no_rule("divide_power_of_two", with_splat(F::divide, DType::f32, 0));
  expect_no_rule("divide_power_of_two", with_splat(F::divide, DType::i32, 2));  // rounds to zero
  expect_no_rule("divide_power_of_two", with_splat(F::divide, DType::f16, 32768));  // subnormal
}

// One graph per element type with an expression of two inputs.
template <class Expression>
void for_types(std::initializer_list<DType> dtypes, std::string_view rule,
               const Expression& expression, int negates_left = 0) {
  for (const DType dtype : dtypes) {
    Program p;
    const Value x = p.input(dtype, {17}), y = p.input(dtype, {17});
    const Value result = expression(p.b, x, y);
    EXPECT_EQ(count_ops(after_rule(rule, p.done({result})), "negate"), negates_left);
  }
}

TEST(ArithmeticRules, Negations) {
  const auto numbers = {DType::f16, DType::f32, DType::i8, DType::u8, DType::i64};
  for_types(numbers, "twice_undone",
            [](Builder& b, Value x, Value) { return negate(b, negate(b, x)); });
  for_types(numbers, "add_negated",
            [](Builder& b, Value x, Value y) { return add(b, x, negate(b, y)); });
  for_types(numbers, "add_negated",
            [](Builder& b, Value x, Value y) { return add(b, negate(b, x), y); });
  for_types(numbers, "add_negated",
            [](Builder& b, Value x, Value y) { return subtract(b, x, negate(b, y)); });
  for_types(numbers, "negations_cancel",
            [](Builder& b, Value x, Value y) { return multiply(b, negate(b, x), negate(b, y)); });
  for_types({DType::bf16, DType::f64}, "negations_cancel",
            [](Builder& b, Value x, Value y) { return divide(b, negate(b, x), negate(b, y)); });
  for_types({DType::f32, DType::i8}, "abs_of_sign",
            [](Builder& b, Value x, Value) { return elementwise(b, F::abs, {negate(b, x)}); });
  // |-x| is -x where x is unsigned: the negation wraps and stays.
  for_types(
      {DType::u8}, "abs_of_sign",
      [](Builder& b, Value x, Value) { return elementwise(b, F::abs, {negate(b, x)}); }, 1);
}

TEST(ArithmeticRules, SameOperandTwice) {
  for (const F f : {F::minimum, F::maximum}) {
    Program p;
    const Value x = p.input(DType::f32, {17});
    expect_identity("idempotent", p.done({elementwise(p.b, f, {x, x})}));
  }
  for (const F f : {F::subtract, F::logical_xor}) {
    Program p;
    const Value x = p.input(DType::i32, {17});
    after_rule("integer_zero", p.done({elementwise(p.b, f, {x, x})}));
  }
  for (const F f : {F::equal, F::not_equal, F::less, F::less_equal, F::greater, F::greater_equal}) {
    Program p, floats;
    const Value x = p.input(DType::u8, {17});
    after_rule("compare_same", p.done({elementwise(p.b, f, {x, x})}));
    const Value y = floats.input(DType::f32, {17});  // NaN is not equal to itself
    expect_no_rule("compare_same", floats.done({elementwise(floats.b, f, {y, y})}));
  }
  Program p;
  const Value x = p.input(DType::f32, {17});
  expect_no_rule("integer_zero", p.done({subtract(p.b, x, x)}));  // inf - inf is NaN
}

TEST(ArithmeticRules, LogicalConstants) {
  struct Row {
    DType dtype;
    double ones;
  };
  for (const Row row : {Row{DType::boolean, 1}, Row{DType::u8, 255}, Row{DType::i32, -1},
                        Row{DType::u32, 4294967295.0}})
    for (const F f : {F::logical_and, F::logical_or, F::logical_xor})
      for (const double c : {0.0, row.ones})
        after_rule("logical_constant", with_splat(f, row.dtype, c));
  expect_no_rule("logical_constant", with_splat(F::logical_and, DType::u8, 1));
}

TEST(ArithmeticRules, Select) {
  for (const bool constant : {false, true}) {
    Program p;
    const Value x = p.input(DType::f32, {4}), y = p.input(DType::f32, {4});
    const Value choice = splat(p.b, constant, {DType::boolean, {4}});
    expect_identity("simplify_select", p.done({select(p.b, choice, x, y)}));
  }
  Program p;
  const Value q = p.input(DType::boolean, {4}), x = p.input(DType::i8, {4});
  expect_identity("simplify_select", p.done({select(p.b, q, x, x)}));
  Program n;
  const Value choice = n.input(DType::boolean, {4});
  const Value a = n.input(DType::i8, {4}), c = n.input(DType::i8, {4});
  const Graph after = after_rule(
      "simplify_select", n.done({select(n.b, elementwise(n.b, F::logical_not, {choice}), a, c)}));
  EXPECT_EQ(count_ops(after, "logical_not"), 0);
}

TEST(ArithmeticRules, EveryPairOfCastsKeepsItsValue) {
  int merged = 0;
  for (const DType from : kAllDTypes)
    for (const DType through : kAllDTypes)
      for (const DType to : kAllDTypes) {
        Program p;
        const Value x = p.input(from, {40});
        const Value y = p.b.add(Cast{to}, {p.b.add(Cast{through}, {x})});
        const Graph before = p.done({y});
        passes::RewriteReport report;
        const Graph after = passes::rewrite(before, passes::arithmetic_rules(), &report);
        merged += report.applied["merge_casts"];
        expect_same_values(before, after, "merge_casts");
      }
  EXPECT_GT(merged, 300);
}

}  // namespace
}  // namespace tenon::testing
