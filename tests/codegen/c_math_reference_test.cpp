#include <bit>

#include "tenon/base/scalar_convert.h"
#include "tenon/base/scalar_evaluate.h"
#include "tenon/base/threefry.h"
#include "tests/codegen/c_math_library.h"
#include "tests/codegen/c_math_values.h"

namespace tenon::codegen {
namespace {

using enum ScalarFunction;

// All pairs of the elements.
template <class T>
std::pair<HostTensor, HostTensor> every_pair(const HostTensor& values) {
  const std::int64_t n = values.size();
  std::pair<HostTensor, HostTensor> pairs{HostTensor({values.dtype(), {n * n}}),
                                          HostTensor({values.dtype(), {n * n}})};
  const auto first = pairs.first.as<T>();
  const auto second = pairs.second.as<T>();
  const auto value = values.as<T>();
  for (std::int64_t i = 0; i < n * n; ++i) {
    first[i] = value[i / n];
    second[i] = value[i % n];
  }
  return pairs;
}

HostTensor call(const MathLibrary& library, ScalarFunction function, const HostTensor& x,
                const HostTensor& y) {
  HostTensor result({result_type(function, x.dtype()), x.shape()});
  library.call({function, x.dtype()}, x.bytes().data(), y.bytes().data(), result.bytes().data(),
               x.size());
  return result;
}

// Inexact results may differ by a few units: the reference rounds f64 functions itself.
bool is_exact(ScalarFunction function) {
  const std::set<ScalarFunction> inexact = {exp, expm1, log,  log1p,    rsqrt, cbrt,  sin,
                                            cos, tan,   tanh, logistic, erf,   power, atan2};
  return !inexact.contains(function);
}

template <class R, class T>
void expect_agreement(ScalarFunction function, const HostTensor& x, const HostTensor& y,
                      const HostTensor& found, const HostTensor& expected) {
  const auto found_values = found.as<R>();
  const auto expected_values = expected.as<R>();
  const bool exact = is_exact(function);
  int failures = 0;
  for (std::size_t i = 0; i < found_values.size() && failures < 5; ++i) {
    if (agree<R>(found_values[i], expected_values[i], exact)) continue;
    ++failures;
    ADD_FAILURE() << fmt::format("{} of {} {}, {}: {} instead of {}", info(function).name,
                                 x.dtype(), x.as<T>()[i], y.as<T>()[i], found_values[i],
                                 expected_values[i]);
  }
}

template <class T>
void expect_reference_meaning(const MathLibrary& library, const std::vector<ScalarPair>& pairs) {
  const HostTensor values = interesting_tensor<T>();
  const auto [x, y] = every_pair<T>(values);
  for (const auto& [function, dtype] : pairs) {
    if (dtype != *kDTypeOf<T>) continue;
    std::vector<const HostTensor*> operands = {&x, &y};
    operands.resize(static_cast<std::size_t>(info(function).arity));
    const HostTensor expected = evaluate_scalar_function(function, operands);
    const HostTensor found = call(library, function, x, y);
    if (info(function).result == ScalarResult::boolean)
      expect_agreement<bool, T>(function, x, y, found, expected);
    else
      expect_agreement<T, T>(function, x, y, found, expected);
  }
}

TEST(CMathReference, IntegersAndBoolsMeanWhatTheReferenceMeans) {
  const std::vector<ScalarPair> pairs = every_function(false);
  expect_reference_meaning<bool>(exact_library(), pairs);
  expect_reference_meaning<std::int8_t>(exact_library(), pairs);
  expect_reference_meaning<std::uint8_t>(exact_library(), pairs);
  expect_reference_meaning<std::int32_t>(exact_library(), pairs);
  expect_reference_meaning<std::uint32_t>(exact_library(), pairs);
  expect_reference_meaning<std::int64_t>(exact_library(), pairs);
  expect_reference_meaning<std::uint64_t>(exact_library(), pairs);
}

TEST(CMathReference, SpecialFloatsMeanWhatTheReferenceMeans) {
  for (const auto& library : float_libraries()) {
    expect_reference_meaning<float>(*library, every_function(true));
    expect_reference_meaning<double>(*library, every_function(true));
  }
}

template <class From>
void expect_conversions(const HostTensor& values) {
  for (const DType to : kAllDTypes) {
    HostTensor found({to, values.shape()});
    exact_library().convert({values.dtype(), to}, values.bytes().data(), found.bytes().data(),
                            values.size());
    with_element_type(to, [&](auto tag) {
      using To = typename decltype(tag)::type;
      const auto found_values = found.as<To>();
      const auto from_values = values.as<From>();
      int failures = 0;
      for (std::size_t i = 0; i < found_values.size() && failures < 5; ++i) {
        if (agree(found_values[i], convert_element<To>(from_values[i]), true)) continue;
        ++failures;
        ADD_FAILURE() << fmt::format("{} to {}: element {}", values.dtype(), to, i);
      }
    });
  }
}

TEST(CMathReference, ConversionsMeanWhatTheReferenceMeans) {
  for (const DType from : kAllDTypes)
    with_element_type(from, [&](auto tag) {
      using From = typename decltype(tag)::type;
      if constexpr (sizeof(From) == 2) {  // all of them
        HostTensor values({from, {65536}});
        for (int i = 0; i < 65536; ++i)
          values.as<From>()[i] = std::bit_cast<From>(static_cast<std::uint16_t>(i));
        expect_conversions<From>(values);
      } else {
        expect_conversions<From>(interesting_tensor<From>());
      }
    });
}

TEST(CMathReference, F32RoundsToNarrowFloatsEverywhere) {
  HostTensor values({DType::f32, {4'307'846}});
  const auto value = values.as<float>();
  for (std::size_t i = 0; i < value.size(); ++i)
    value[i] = std::bit_cast<float>(static_cast<std::uint32_t>(i * 997));
  for (const DType to : {DType::f16, DType::bf16}) {
    std::vector<std::uint16_t> found(static_cast<std::size_t>(values.size()));
    exact_library().convert({DType::f32, to}, values.bytes().data(), found.data(), values.size());
    std::int64_t wrong = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
      wrong += found[i] != (to == DType::f16 ? f16_bits(value[i]) : bf16_bits(value[i]));
    EXPECT_EQ(wrong, 0) << name(to);
  }
}

TEST(CMathReference, RandomWordsAreThreefry) {
  std::vector<std::uint32_t> found(1000);
  for (const std::uint64_t key : {std::uint64_t{0}, std::uint64_t{0x123456789abcdef0}}) {
    const auto key0 = static_cast<std::uint32_t>(key);
    const auto key1 = static_cast<std::uint32_t>(key >> 32);
    exact_library().random(key0, key1, found.data(), 1000);
    for (std::size_t i = 0; i < found.size(); ++i)
      ASSERT_EQ(found[i], random_word(key0, key1, i)) << i;
  }
}

}  // namespace
}  // namespace tenon::codegen
