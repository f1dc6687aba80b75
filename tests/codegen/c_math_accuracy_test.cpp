#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "tenon/base/scalar_evaluate.h"
#include "tenon/base/threefry.h"
#include "tests/codegen/c_math_library.h"

namespace tenon::codegen {
namespace {

using enum ScalarFunction;

// |got - want| in units in the last place of T at want; huge if one is NaN, or the infinity or
// the sign of zero is wrong; 0.5 for any correctly rounded result. Wide holds want to at least 10
// bits more than T.
template <class T, class Wide>
double error_in_ulps(T got, Wide want) {
  if (got != 0 && static_cast<T>(want) == got) return 0.5;  // rounded correctly
  constexpr double kWrong = 1e30;
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0 : kWrong;
  using Limits = std::numeric_limits<T>;
  // What overflows counts as the first number above the finite ones.
  const Wide above = std::ldexp(Wide{1}, Limits::max_exponent);
  if (std::isinf(want)) return got == want ? 0 : kWrong;
  if (std::abs(want) > above) want = std::copysign(above, want);
  if (want == 0) return got == 0 && std::signbit(got) == std::signbit(want) ? 0 : kWrong;
  if (std::signbit(got) != std::signbit(want)) return kWrong;
  int exponent = 0;
  std::frexp(want, &exponent);
  exponent = std::max(exponent, Limits::min_exponent) - Limits::digits;
  const Wide value = std::isinf(got) ? std::copysign(above, static_cast<Wide>(got)) : got;
  return static_cast<double>(std::ldexp(std::abs(value - want), -exponent));
}

// Points where a function changes its method or its kind of result; their neighbours are tested.
constexpr double kPlaces[] = {0.0,
                              0.5,
                              0.921875,
                              1.0,
                              1.5,
                              2.0,
                              4.0,
                              6.0,
                              0.3465735,
                              0.693147,
                              88.7228,
                              103.9721,
                              709.7827,
                              745.1332,
                              10.0,
                              22.0,
                              1.570796326794896558,
                              3.141592653589793,
                              1048576.0,
                              16777216.0,
                              1e22};

std::vector<float> f32_inputs(std::uint32_t stride) {
  std::vector<float> inputs;
  for (std::uint64_t bits = 0; bits <= 0xffffffffu; bits += stride)
    inputs.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  const auto add_around = [&](std::uint32_t middle) {
    for (std::uint32_t bits = middle - 300; bits != middle + 300; ++bits)
      inputs.push_back(std::bit_cast<float>(bits));
  };
  for (const double place : kPlaces) {
    add_around(std::bit_cast<std::uint32_t>(static_cast<float>(place)));
    add_around(std::bit_cast<std::uint32_t>(static_cast<float>(-place)));
  }
  for (const std::uint32_t bits : {0x00800000u, 0x80800000u, 0x7f800000u, 0xff800000u})
    add_around(bits);
  return inputs;
}

double uniform(ThreefrySequence& sequence) {
  return static_cast<double>(sequence.next() >> 11) * 0x1p-53;
}

// Random bits, random magnitudes, and the ranges where most functions change.
std::vector<double> f64_inputs(int count) {
  ThreefrySequence sequence{7};
  std::vector<double> inputs;
  for (int i = 0; i < count / 4; ++i) {
    inputs.push_back(std::bit_cast<double>(sequence.next()));
    const int exponent = static_cast<int>(sequence.below(24)) - 12;
    inputs.push_back(std::ldexp(2 * uniform(sequence) - 1, exponent));
    inputs.push_back(16 * uniform(sequence) - 8);
    inputs.push_back(1500 * uniform(sequence) - 750);
  }
  const auto add_around = [&](double place) {
    const auto middle = std::bit_cast<std::uint64_t>(place);
    for (std::uint64_t bits = middle - 300; bits != middle + 300; ++bits)
      inputs.push_back(std::bit_cast<double>(bits));
  };
  for (const double place : kPlaces) {
    add_around(place);
    add_around(-place);
  }
  for (const double place : {0x1p-1022, -0x1p-1022, HUGE_VAL, -HUGE_VAL}) add_around(place);
  inputs.push_back(6381956970095103.0 * 0x1p797);  // 2^-60 from a multiple of pi / 2
  return inputs;
}

template <class Wide>
struct Reference {
  ScalarFunction function;
  Wide (*value)(Wide);
};

template <class Wide>
const std::vector<Reference<Wide>>& references() {
  static const std::vector<Reference<Wide>> list = {
      {exp, [](Wide x) { return std::exp(x); }},
      {expm1, [](Wide x) { return std::expm1(x); }},
      {log, [](Wide x) { return std::log(x); }},
      {log1p, [](Wide x) { return std::log1p(x); }},
      {sqrt, [](Wide x) { return std::sqrt(x); }},
      {rsqrt, [](Wide x) { return 1 / std::sqrt(x); }},
      {cbrt, [](Wide x) { return std::cbrt(x); }},
      {sin, [](Wide x) { return std::sin(x); }},
      {cos, [](Wide x) { return std::cos(x); }},
      {tan, [](Wide x) { return std::tan(x); }},
      {tanh, [](Wide x) { return std::tanh(x); }},
      {logistic,
       [](Wide x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }},
      {erf, [](Wide x) { return std::erf(x); }},
  };
  return list;
}

// Largest error of a function of one number over the inputs, with the input where it occurs.
template <class T, class Wide>
void expect_two_ulps(const Reference<Wide>& reference, const std::vector<T>& inputs) {
  std::vector<T> results(inputs.size());
  float_libraries().front()->call({reference.function, *kDTypeOf<T>}, inputs.data(), nullptr,
                                  results.data(), static_cast<std::int64_t>(inputs.size()));
  double largest = 0;
  T at = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const double error = error_in_ulps(results[i], reference.value(inputs[i]));
    if (error <= largest) continue;
    largest = error;
    at = inputs[i];
  }
  const std::string name = fmt::format("{}_{}", info(reference.function).name, *kDTypeOf<T>);
  ::testing::Test::RecordProperty(name, fmt::format("{:.3f}", largest));
  EXPECT_LE(largest, 2) << name << " at " << fmt::format("{:a}", at);
}

TEST(CMathAccuracy, F32FunctionsOfOneNumber) {
  const std::vector<float> inputs = f32_inputs(1999);
  for (const Reference<double>& reference : references<double>())
    expect_two_ulps(reference, inputs);
}

TEST(CMathAccuracy, F64FunctionsOfOneNumber) {
  const std::vector<double> inputs = f64_inputs(400'000);
  for (const Reference<long double>& reference : references<long double>())
    expect_two_ulps(reference, inputs);
}

// Pairs of random bits, of moderate numbers, of whole exponents and of bases close to 1.
template <class T>
std::pair<std::vector<T>, std::vector<T>> pair_inputs(int count) {
  ThreefrySequence sequence{11};
  std::pair<std::vector<T>, std::vector<T>> pairs;
  const auto add = [&](double x, double y) {
    pairs.first.push_back(static_cast<T>(x));
    pairs.second.push_back(static_cast<T>(y));
  };
  const auto moderate = [&] {
    return std::ldexp(2 * uniform(sequence) - 1, static_cast<int>(sequence.below(24)) - 12);
  };
  const auto any = [&] {
    const std::uint64_t bits = sequence.next();
    using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    return std::bit_cast<T>(static_cast<Word>(bits));
  };
  const double range = sizeof(T) == 4 ? 80 : 700;
  for (int i = 0; i < count / 6; ++i) {
    add(any(), any());
    add(moderate(), moderate());
    add(moderate(), std::rint(moderate()));
    add(std::exp(uniform(sequence) - 0.5), range * 4 * (uniform(sequence) - 0.5));
    add(1 + 1e-6 * (uniform(sequence) - 0.5), 1e8 * (uniform(sequence) - 0.5));
    add(std::exp(range * (2 * uniform(sequence) - 1)), 2 * uniform(sequence) - 1);
  }
  return pairs;
}

template <class T, class Wide>
void expect_pair_errors(ScalarFunction function, double allowed, Wide (*value)(Wide, Wide)) {
  const auto [x, y] = pair_inputs<T>(sizeof(T) == 4 ? 300'000 : 150'000);
  std::vector<T> results(x.size());
  float_libraries().front()->call({function, *kDTypeOf<T>}, x.data(), y.data(), results.data(),
                                  static_cast<std::int64_t>(x.size()));
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = error_in_ulps(results[i], value(x[i], y[i]));
    if (error <= largest) continue;
    largest = error;
    EXPECT_LE(error, allowed) << info(function).name << fmt::format(" of {:a}, {:a}", x[i], y[i]);
  }
  ::testing::Test::RecordProperty(fmt::format("{}_{}", info(function).name, *kDTypeOf<T>),
                                  fmt::format("{:.3f}", largest));
}

TEST(CMathAccuracy, FunctionsOfTwoNumbers) {
  expect_pair_errors<float, double>(power, 2, [](double x, double y) { return std::pow(x, y); });
  expect_pair_errors<float, double>(atan2, 2, [](double x, double y) { return std::atan2(x, y); });
  expect_pair_errors<float, double>(remainder, 0.5,
                                    [](double x, double y) { return std::fmod(x, y); });
  using Wide = long double;
  expect_pair_errors<double, Wide>(power, 2, [](Wide x, Wide y) { return std::pow(x, y); });
  expect_pair_errors<double, Wide>(atan2, 2, [](Wide x, Wide y) { return std::atan2(x, y); });
  expect_pair_errors<double, Wide>(remainder, 0.5, [](Wide x, Wide y) { return std::fmod(x, y); });
}

template <class T>
void expect_bounded(const std::vector<T>& inputs) {
  std::vector<T> results(inputs.size());
  for (const ScalarFunction function : {tanh, erf, logistic, sin, cos}) {
    const T least = function == logistic ? 0 : -1;
    float_libraries().front()->call({function, *kDTypeOf<T>}, inputs.data(), nullptr,
                                    results.data(), static_cast<std::int64_t>(inputs.size()));
    for (std::size_t i = 0; i < inputs.size(); ++i)
      ASSERT_FALSE(results[i] < least || results[i] > 1)
          << info(function).name << " of " << inputs[i];
  }
}

TEST(CMathAccuracy, BoundedFunctionsStayInTheirBounds) {
  expect_bounded(f32_inputs(9973));
  expect_bounded(f64_inputs(200'000));
}

// Equal bytes, any NaN for NaN.
template <class T>
bool equal_bits(const std::vector<T>& a, const std::vector<T>& b) {
  if (std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0) return true;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(T)) != 0 && !(a[i] != a[i] && b[i] != b[i])) return false;
  return true;
}

template <class T>
void expect_same_results(const std::vector<T>& x, const std::vector<T>& y) {
  const auto count = static_cast<std::int64_t>(x.size());
  for (const ScalarPair& pair : every_function(true)) {
    if (pair.second != *kDTypeOf<T> || info(pair.first).result == ScalarResult::boolean) continue;
    std::vector<T> expected(x.size());
    float_libraries().front()->call(pair, x.data(), y.data(), expected.data(), count);
    for (const auto& library : float_libraries()) {
      std::vector<T> found(x.size());
      library->call(pair, x.data(), y.data(), found.data(), count);
      EXPECT_TRUE(equal_bits(expected, found))
          << info(pair.first).name << " by " << library->choice().program << " for "
          << library->choice().processor;
    }
  }
}

TEST(CMathAccuracy, EveryCompilerAndProcessorGivesTheSameBits) {
  std::vector<float> f32 = f32_inputs(10007);
  std::vector<float> f32_other(f32.rbegin(), f32.rend());
  expect_same_results(f32, f32_other);
  std::vector<double> f64 = f64_inputs(100'000);
  std::vector<double> f64_other(f64.rbegin(), f64.rend());
  expect_same_results(f64, f64_other);
}

TEST(CMathAccuracy, NothingComesFromAMathLibrary) {
  const std::vector<std::string> allowed = {"memcpy",
                                            "memset",
                                            "memmove",
                                            "__cxa_finalize",
                                            "__gmon_start__",
                                            "_ITM_deregisterTMCloneTable",
                                            "_ITM_registerTMCloneTable"};
  for (const auto& library : float_libraries())
    for (const std::string& symbol : library->undefined_symbols())
      EXPECT_NE(std::find(allowed.begin(), allowed.end(), symbol), allowed.end())
          << symbol << " is called by the code of " << library->choice().program;
}

TEST(CMathAccuracy, LoopsOverF32FunctionsBecomeVectorCode) {
  for (const auto& library : float_libraries()) {
    if (!library->reports_loops()) continue;
    for (const ScalarPair& pair : every_function(true)) {
      if (pair.second != DType::f32 || pair.first == remainder) continue;
      EXPECT_TRUE(library->is_vectorized(pair))
          << info(pair.first).name << " for " << library->choice().processor;
    }
    for (const ScalarFunction function : {exp, log, tanh, logistic, erf, expm1, log1p})
      EXPECT_TRUE(library->is_vectorized({function, DType::f64})) << info(function).name;
  }
}

}  // namespace
}  // namespace tenon::codegen
