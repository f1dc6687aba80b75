#include "tenon/codegen/c_math_text.h"

// Polynomials: tools/fit_polynomials.py. Accuracy: docs/numbers.md.
namespace tenon::codegen {
namespace {

constexpr std::string_view kText = R"c(
TENON_INLINE float tenon_rsqrt_f32(float x) { return 1.0f / TENON_SQRTF(x); }

)c";

}  // namespace

std::string_view f32_function_text() { return kText; }
std::string_view f32_wide_function_text() { return ""; }
std::string_view f64_function_text() { return ""; }
std::string_view f64_trigonometric_text() { return ""; }
std::string_view f64_power_text() { return ""; }

}  // namespace tenon::codegen
