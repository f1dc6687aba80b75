// The C spelling of kernel literals, calls, casts and names; the same in CUDA C.
#pragma once
#include <string>
#include <vector>

#include "tenon/kernel/kernel.h"

namespace tenon::codegen {

std::string literal_text(const kernel::Literal& literal);
// tenon_<function>_<dtype>(operands); f16 and bf16 convert to f32, compute, and round.
std::string call_text(ScalarFunction function, DType dtype,
                      const std::vector<std::string>& operands);
// minimum or maximum of a known number and a value: one comparison. Empty for other functions, for
// NaN, and for types without such a form.
std::string bounded_text(ScalarFunction function, const kernel::Literal& bound,
                         const std::string& operand);
std::string cast_text(DType from, DType to, const std::string& operand);
std::string bitcast_text(DType from, DType to, const std::string& operand);
// a * b + c: rounded once for f32 and f64, wrapping for integers.
std::string multiply_add_text(DType dtype, std::string_view a, std::string_view b,
                              std::string_view c);

// The name of each buffer in generated code: its own unless that means something there.
std::vector<std::string> buffer_names(const kernel::Kernel& kernel);

// The kernel's comments as lines that cannot end early or continue.
std::string comment_lines(const kernel::Kernel& kernel);

}  // namespace tenon::codegen
