// The C definitions behind c_math.h, and the templates that spell one definition for many types.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tenon/base/dtype.h"

namespace tenon::codegen {

// C definitions separated by blank lines, helpers before the functions that call them; each starts
// with TENON_INLINE or TENON_OUTLINE (after an optional comment) and defines one tenon_... name.
std::string_view f32_function_text();       // f32 arithmetic alone
std::string_view f32_wide_function_text();  // f32 functions computed in f64
std::string_view f64_function_text();
std::string_view f64_trigonometric_text();
std::string_view f64_power_text();
std::string exact_function_text();  // every function of integers and bool; exact ones of floats
std::string conversion_text();

// uint8_t for bool and uint16_t for f16 and bf16.
std::string_view c_element_type(DType dtype);

// The template with $T (C type), $U (unsigned of that size), $S (signed), $N (dtype name), $B
// (bits) and $F ("F" for f32, nothing otherwise) replaced.
std::string spell_for(DType dtype, std::string_view text);

// The named definitions and all that they use, in the order of `library`, where an empty line
// stands between two. InternalError if missing.
std::string select_definitions(std::string_view library, const std::vector<std::string>& names);

}  // namespace tenon::codegen
