// The scalar functions, conversions and random words that kernels call, as C text without libm.
#pragma once
#include <span>
#include <string>
#include <utility>

#include "tenon/base/dtype.h"
#include "tenon/base/scalar_function.h"

namespace tenon::codegen {

// The same text is C (gcc, clang) and CUDA C. It needs uint8_t ... int64_t, and before it the
// matching macros below. A bool is a uint8_t that holds 0 or 1; f16 and bf16 are uint16_t words.
// Equal bits from every compiler need -ffp-contract=off (-fmad=false for CUDA) and no fast-math;
// gcc turns the selects into vector code with -fno-math-errno -fno-trapping-math, which keep bits.
// x86 processors need x86-64-v3 (FMA, rounding instructions).

// tenon_<function>_<dtype> of each pair, with the helpers they call, each once and in order of use.
// f16 and bf16 have no functions: kernels compute them in f32 and convert. InternalError for a pair
// that the table of scalar functions does not have.
std::string c_math(std::span<const std::pair<ScalarFunction, DType>> used);

// tenon_cast_<from>_<to> of each pair: the meaning of tenon/base/scalar_convert.h. A pair of f32
// and f16 or bf16 brings tenon_f16_to_f32, tenon_f32_to_f16, tenon_bf16_to_f32, tenon_f32_to_bf16.
std::string c_conversions(std::span<const std::pair<DType, DType>> used);

// uint32_t tenon_random_word(uint32_t key0, uint32_t key1, int64_t index): random_word of
// tenon/base/threefry.h.
std::string c_random();

// TENON_INLINE, tenon_fma_f32, tenon_bits_f32, TENON_FLOORF, ...: what the text above is written
// in.
std::string c_math_macros();
std::string cuda_math_macros();

}  // namespace tenon::codegen
