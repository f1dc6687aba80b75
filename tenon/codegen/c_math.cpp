#include "tenon/codegen/c_math.h"

#include <vector>

#include "tenon/base/error.h"
#include "tenon/codegen/c_math_text.h"

namespace tenon::codegen {
namespace {

constexpr std::string_view kMacrosOfC =
    R"c(#define TENON_INLINE static inline __attribute__((always_inline))
#define TENON_OUTLINE static __attribute__((noinline, unused))
#define tenon_fma_f32(a, b, c) __builtin_fmaf(a, b, c)
#define tenon_fma_f64(a, b, c) __builtin_fma(a, b, c)
#define TENON_FLOORF(x) __builtin_floorf(x)
#define TENON_FLOOR(x) __builtin_floor(x)
#define TENON_CEILF(x) __builtin_ceilf(x)
#define TENON_CEIL(x) __builtin_ceil(x)
#define TENON_RINTF(x) __builtin_rintf(x)
#define TENON_RINT(x) __builtin_rint(x)
#define TENON_SQRTF(x) __builtin_sqrtf(x)
#define TENON_SQRT(x) __builtin_sqrt(x)
#define TENON_FABSF(x) __builtin_fabsf(x)
#define TENON_FABS(x) __builtin_fabs(x)
#define TENON_COPYSIGNF(x, y) __builtin_copysignf(x, y)
#define TENON_COPYSIGN(x, y) __builtin_copysign(x, y)
#define TENON_INFINITYF __builtin_inff()
#define TENON_INFINITY __builtin_inf()
#define TENON_NANF __builtin_nanf("")
#define TENON_NAN __builtin_nan("")
#define TENON_POPULATION_COUNT(x) __builtin_popcountll(x)
#define TENON_LEADING_ZEROS(x) __builtin_clzll(x)
#define TENON_MULTIPLY_HIGH(a, b) ((uint64_t)(((unsigned __int128)(a) * (b)) >> 64))

TENON_INLINE uint32_t tenon_bits_f32(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return bits;
}

TENON_INLINE float tenon_float_f32(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, 4);
  return x;
}

TENON_INLINE uint64_t tenon_bits_f64(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, 8);
  return bits;
}

TENON_INLINE double tenon_float_f64(uint64_t bits) {
  double x;
  __builtin_memcpy(&x, &bits, 8);
  return x;
}

)c";

constexpr std::string_view kMacrosOfCuda =
    R"c(#define TENON_INLINE static __device__ __forceinline__
#define TENON_OUTLINE static __device__ __noinline__
#define tenon_fma_f32(a, b, c) __fmaf_rn(a, b, c)
#define tenon_fma_f64(a, b, c) __fma_rn(a, b, c)
#define TENON_FLOORF(x) floorf(x)
#define TENON_FLOOR(x) floor(x)
#define TENON_CEILF(x) ceilf(x)
#define TENON_CEIL(x) ceil(x)
#define TENON_RINTF(x) rintf(x)
#define TENON_RINT(x) rint(x)
#define TENON_SQRTF(x) __fsqrt_rn(x)
#define TENON_SQRT(x) __dsqrt_rn(x)
#define TENON_FABSF(x) fabsf(x)
#define TENON_FABS(x) fabs(x)
#define TENON_COPYSIGNF(x, y) copysignf(x, y)
#define TENON_COPYSIGN(x, y) copysign(x, y)
#define TENON_INFINITYF __int_as_float(0x7f800000)
#define TENON_INFINITY __longlong_as_double(0x7ff0000000000000ll)
#define TENON_NANF __int_as_float(0x7fc00000)
#define TENON_NAN __longlong_as_double(0x7ff8000000000000ll)
#define TENON_POPULATION_COUNT(x) __popcll(x)
#define TENON_LEADING_ZEROS(x) __clzll((long long)(x))
#define TENON_MULTIPLY_HIGH(a, b) __umul64hi(a, b)
#define tenon_bits_f32(x) ((uint32_t)__float_as_uint(x))
#define tenon_float_f32(bits) __uint_as_float(bits)
#define tenon_bits_f64(x) ((uint64_t)__double_as_longlong(x))
#define tenon_float_f64(bits) __longlong_as_double((long long)(bits))

)c";

constexpr std::string_view kRandom = R"c(/* Four rounds of Threefry-2x32. */
TENON_INLINE void tenon_threefry_rounds(uint32_t* x0, uint32_t* x1, int a, int b, int c, int d) {
  *x0 += *x1;
  *x1 = ((*x1 << a) | (*x1 >> (32 - a))) ^ *x0;
  *x0 += *x1;
  *x1 = ((*x1 << b) | (*x1 >> (32 - b))) ^ *x0;
  *x0 += *x1;
  *x1 = ((*x1 << c) | (*x1 >> (32 - c))) ^ *x0;
  *x0 += *x1;
  *x1 = ((*x1 << d) | (*x1 >> (32 - d))) ^ *x0;
}

/* Word `index` of the stream of this key: Threefry-2x32, 20 rounds, both words combined by XOR. */
TENON_INLINE uint32_t tenon_random_word(uint32_t key0, uint32_t key1, int64_t index) {
  const uint32_t key2 = 0x1bd11bdau ^ key0 ^ key1;
  uint32_t x0 = (uint32_t)((uint64_t)index >> 32) + key0;
  uint32_t x1 = (uint32_t)index + key1;
  tenon_threefry_rounds(&x0, &x1, 13, 15, 26, 6);
  x0 += key1;
  x1 += key2 + 1u;
  tenon_threefry_rounds(&x0, &x1, 17, 29, 16, 24);
  x0 += key2;
  x1 += key0 + 2u;
  tenon_threefry_rounds(&x0, &x1, 13, 15, 26, 6);
  x0 += key0;
  x1 += key1 + 3u;
  tenon_threefry_rounds(&x0, &x1, 17, 29, 16, 24);
  x0 += key1;
  x1 += key2 + 4u;
  tenon_threefry_rounds(&x0, &x1, 13, 15, 26, 6);
  x0 += key2;
  x1 += key0 + 5u;
  return x0 ^ x1;
}

)c";

// Of both libraries together no name occurs twice, so their texts may stand in one file. They are
// put together for each file and not kept: they would stay in the memory of the program for
// nothing.
std::string function_text() {
  return exact_function_text() + std::string(f32_function_text()) + "\n\n" +
         std::string(f32_wide_function_text()) + "\n\n" + std::string(f64_function_text()) +
         "\n\n" + std::string(f64_trigonometric_text()) + "\n\n" + std::string(f64_power_text());
}

}  // namespace

std::string c_math(std::span<const std::pair<ScalarFunction, DType>> used) {
  std::vector<std::string> names;
  for (const auto& [function, dtype] : used) {
    check(accepts(function, dtype) && !is_narrow_float(dtype), "no C function {} of {}",
          info(function).name, dtype);
    names.push_back(fmt::format("tenon_{}_{}", info(function).name, dtype));
  }
  return select_definitions(function_text(), names);
}

std::string c_conversions(std::span<const std::pair<DType, DType>> used) {
  std::vector<std::string> names;
  for (const auto& [from, to] : used) names.push_back(fmt::format("tenon_cast_{}_{}", from, to));
  return select_definitions(conversion_text(), names);
}

std::string c_random() { return std::string(kRandom); }

std::string c_math_macros() { return std::string(kMacrosOfC); }

std::string cuda_math_macros() { return std::string(kMacrosOfCuda); }

}  // namespace tenon::codegen
