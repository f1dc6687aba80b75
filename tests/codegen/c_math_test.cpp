#include "tenon/codegen/c_math.h"

#include <set>
#include <string>
#include <vector>

#include "tests/codegen/c_math_library.h"
#include "tests/codegen/c_math_values.h"

namespace tenon::codegen {
namespace {

using enum ScalarFunction;

// The words of docs/semantics.md, independent of the reference.
struct Special {
  ScalarFunction function;
  double x, y, expected;
};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr Special kSpecials[] = {
    {sign, -0.0, 0, -0.0},
    {sign, kNotANumber, 0, kNotANumber},
    {round_nearest_even, 0.5, 0, 0.0},
    {round_nearest_even, 1.5, 0, 2.0},
    {round_nearest_even, 2.5, 0, 2.0},
    {round_nearest_even, -0.5, 0, -0.0},
    {exp, -kInfinity, 0, 0},
    {exp, 1000, 0, kInfinity},
    {expm1, -kInfinity, 0, -1},
    {expm1, 1000, 0, kInfinity},
    {expm1, -0.0, 0, -0.0},
    {log, -0.0, 0, -kInfinity},
    {log, 0.0, 0, -kInfinity},
    {log, -1, 0, kNotANumber},
    {log, kInfinity, 0, kInfinity},
    {log1p, -0.0, 0, -0.0},
    {log1p, -1, 0, -kInfinity},
    {log1p, -2, 0, kNotANumber},
    {sqrt, -0.0, 0, -0.0},
    {sqrt, -1, 0, kNotANumber},
    {rsqrt, 0.0, 0, kInfinity},
    {rsqrt, -0.0, 0, -kInfinity},
    {rsqrt, kInfinity, 0, 0},
    {cbrt, -0.0, 0, -0.0},
    {cbrt, -27, 0, -3},
    {sin, kInfinity, 0, kNotANumber},
    {cos, -kInfinity, 0, kNotANumber},
    {tan, kInfinity, 0, kNotANumber},
    {sin, -0.0, 0, -0.0},
    {tanh, kInfinity, 0, 1},
    {tanh, -kInfinity, 0, -1},
    {tanh, -0.0, 0, -0.0},
    {erf, kInfinity, 0, 1},
    {erf, -kInfinity, 0, -1},
    {erf, -0.0, 0, -0.0},
    {logistic, kInfinity, 0, 1},
    {logistic, -kInfinity, 0, 0},
    {logistic, -1000, 0, 0},
    {divide, 1, -0.0, -kInfinity},
    {remainder, 1, 0, kNotANumber},
    {remainder, 1, kInfinity, 1},
    {remainder, -4, 2, -0.0},
    {power, 1, kNotANumber, 1},
    {power, kNotANumber, 0, 1},
    {power, -1, kInfinity, 1},
    {power, -2, 0.5, kNotANumber},
    {power, -2, 3, -8},
    {power, -0.0, -3, -kInfinity},
    {power, -kInfinity, 0.5, kInfinity},
    {atan2, 0.0, -0.0, 3.141592653589793},
    {atan2, -0.0, 0.0, -0.0},
    {atan2, -kInfinity, kInfinity, -0.7853981633974483},
    {minimum, 0.0, -0.0, -0.0},
    {minimum, -0.0, 0.0, -0.0},
    {maximum, -0.0, 0.0, 0.0},
    {maximum, 0.0, -0.0, 0.0},
    {minimum, kNotANumber, 1, kNotANumber},
    {minimum, 1, kNotANumber, kNotANumber},
    {maximum, kNotANumber, -kInfinity, kNotANumber},
    {maximum, kInfinity, kNotANumber, kNotANumber},
};

template <class T>
void expect_specials() {
  for (const Special& special : kSpecials)
    for (const auto& library : float_libraries()) {
      const T x = static_cast<T>(special.x);
      const T y = static_cast<T>(special.y);
      const T expected = static_cast<T>(special.expected);
      T found = 0;
      library->call({special.function, *kDTypeOf<T>}, &x, &y, &found, 1);
      EXPECT_TRUE(agree(found, expected, true))
          << info(special.function).name << " of " << x << ", " << y << ": " << found
          << " instead of " << expected;
    }
}

TEST(CMath, SpecialValuesOfTheSemantics) {
  expect_specials<float>();
  expect_specials<double>();
}

std::vector<std::string> defined_names(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; (at = text.find("TENON_INLINE", at)) != std::string::npos; ++at) {
    const std::size_t start = text.find("tenon_", at);
    names.push_back(text.substr(start, text.find('(', start) - start));
  }
  return names;
}

TEST(CMath, EmitsWhatIsUsedWithItsHelpersOnceInOrder) {
  const std::vector<ScalarPair> used = {
      {logistic, DType::f32}, {add, DType::i8}, {exp, DType::f32}, {add, DType::i8}};
  const std::vector<std::string> expected = {"tenon_add_i8",           "tenon_quotient_f32",
                                             "tenon_reduce_exp_f32",   "tenon_exp_polynomial_f32",
                                             "tenon_power_of_two_f32", "tenon_exp_f32",
                                             "tenon_logistic_f32"};
  EXPECT_EQ(defined_names(c_math(used)), expected);
  EXPECT_EQ(c_math({}), "");
}

TEST(CMath, NarrowFloatsConvertThroughF32) {
  const std::vector<CastPair> used = {{DType::bf16, DType::i8}};
  const std::vector<std::string> expected = {"tenon_bf16_to_f32", "tenon_cast_f32_i8",
                                             "tenon_cast_bf16_i8"};
  EXPECT_EQ(defined_names(c_conversions(used)), expected);
}

TEST(CMath, RefusesWhatTheTableDoesNotHave) {
  const auto message_of = [](ScalarPair pair) -> std::string {
    try {
      c_math({&pair, 1});
    } catch (const InternalError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message_of({exp, DType::i32}),
            "internal error (please report it): no C function exp of i32");
  EXPECT_EQ(message_of({exp, DType::f16}),
            "internal error (please report it): no C function exp of f16");
}

// Names that the text may use: of macros, and of functions in place of macros.
std::set<std::string> macro_names(const std::string& text) {
  std::set<std::string> names;
  for (const std::string before : {"#define ", "TENON_INLINE uint32_t ", "TENON_INLINE float ",
                                   "TENON_INLINE uint64_t ", "TENON_INLINE double "})
    for (std::size_t at = 0; (at = text.find(before, at)) != std::string::npos; ++at) {
      const std::size_t start = at + before.size();
      names.insert(text.substr(start, text.find_first_of(" (", start) - start));
    }
  return names;
}

TEST(CMath, BothLanguagesDefineTheSameMacros) {
  EXPECT_EQ(macro_names(c_math_macros()), macro_names(cuda_math_macros()));
  EXPECT_TRUE(macro_names(c_math_macros()).contains("tenon_bits_f64"));
}

}  // namespace
}  // namespace tenon::codegen
