#include <fmt/format.h>

#include "tenon/codegen/c_math_text.h"

// The same meaning as tenon/base/scalar_convert.h and narrow_float.h, without branches.
namespace tenon::codegen {
namespace {

constexpr std::string_view kNarrowFloats = R"c(
TENON_INLINE float tenon_f16_to_f32(uint16_t x) {
  const uint32_t sign = ((uint32_t)x & 0x8000u) << 16;
  const int32_t magnitude = x & 0x7fff;
  const uint32_t shifted = (uint32_t)magnitude << 13;
  const uint32_t normal = shifted + 0x38000000u;
  const uint32_t subnormal = tenon_bits_f32((float)magnitude * 0x1p-24f);
  const uint32_t finite = magnitude < 0x400 ? subnormal : normal;
  const uint32_t bits = magnitude >= 0x7c00 ? shifted | 0x7f800000u : finite;
  return tenon_float_f32(sign | bits);
}

/* To nearest, ties to even. Adding 0.5 to a subnormal result aligns and rounds it. */
TENON_INLINE uint16_t tenon_f32_to_f16(float x) {
  const uint32_t bits = tenon_bits_f32(x);
  const int32_t magnitude = (int32_t)(bits & 0x7fffffffu);
  const uint32_t subnormal = tenon_bits_f32(TENON_FABSF(x) + 0.5f) - 0x3f000000u;
  const uint32_t odd = ((uint32_t)magnitude >> 13) & 1u;
  const uint32_t normal = ((uint32_t)magnitude - 0x38000000u + 0xfffu + odd) >> 13;
  const uint32_t finite = magnitude < 0x38800000 ? subnormal : normal;
  const uint32_t number = magnitude >= 0x477ff000 ? 0x7c00u : finite;
  const uint32_t word = magnitude > 0x7f800000 ? 0x7e00u : number;
  return (uint16_t)(((bits >> 16) & 0x8000u) | word);
}

TENON_INLINE float tenon_bf16_to_f32(uint16_t x) { return tenon_float_f32((uint32_t)x << 16); }

TENON_INLINE uint16_t tenon_f32_to_bf16(float x) {
  const uint32_t bits = tenon_bits_f32(x);
  const int32_t magnitude = (int32_t)(bits & 0x7fffffffu);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return (uint16_t)(magnitude > 0x7f800000 ? (bits >> 16) | 0x40u : rounded);
}

)c";

struct Bounds {
  std::string_view low;    // the lowest value, exact in every float type
  std::string_view high;   // the highest float not above the highest value
  std::string_view above;  // the highest value + 1 if `high` is below the highest value
  std::string_view highest;
};

Bounds bounds_of(DType from, DType to) {
  const bool f32 = from == DType::f32;
  switch (to) {
    case DType::i8: return {"-128", "127", "", ""};
    case DType::u8: return {"0", "255", "", ""};
    case DType::i32:
      if (f32) return {"-2147483648", "2147483520", "2147483648", "2147483647"};
      return {"-2147483648", "2147483647", "", ""};
    case DType::u32:
      if (f32) return {"0", "4294967040", "4294967296", "4294967295u"};
      return {"0", "4294967295", "", ""};
    case DType::i64:
      return {"-9223372036854775808", f32 ? "9223371487098961920" : "9223372036854774784",
              "9223372036854775808", "9223372036854775807ll"};
    case DType::u64:
      return {"0", f32 ? "18446742974197923840" : "18446744073709549568", "18446744073709551616",
              "18446744073709551615ull"};
    case DType::boolean:
    case DType::f16:
    case DType::bf16:
    case DType::f32:
    case DType::f64: break;
  }
  return {};
}

// Truncates, saturates at the ends and maps NaN to 0.
std::string float_to_integer(DType from, DType to) {
  const Bounds bounds = bounds_of(from, to);
  const std::string_view point = from == DType::f32 ? ".0f" : ".0";
  const std::string_view c_from = c_element_type(from);
  const std::string_view c_to = c_element_type(to);
  std::string text = fmt::format(
      "TENON_INLINE {0} tenon_cast_{1}_{2}({3} x) {{\n"
      "  const {3} low = {4}{6};\n"
      "  const {3} high = {5}{6};\n"
      "  const {3} number = x == x ? x : 0;\n"
      "  const {3} not_below = number > low ? number : low;\n"
      "  const {3} bounded = not_below < high ? not_below : high;\n",
      c_to, from, to, c_from, bounds.low, bounds.high, point);
  if (size_of(to) == 1) {
    text += fmt::format("  return ({})(int32_t)bounded;\n", c_to);
  } else if (from == DType::f32 && to == DType::u32) {
    // Only conversions to signed integers exist as vector instructions of AVX2.
    text +=
        "  const float upper = bounded >= 2147483648.0f ? 2147483648.0f : 0.0f;\n"
        "  const uint32_t upper_bits = bounded >= 2147483648.0f ? 2147483648u : 0u;\n"
        "  const uint32_t truncated = (uint32_t)(int32_t)(bounded - upper) + upper_bits;\n";
  } else {
    text += fmt::format("  const {0} truncated = ({0})bounded;\n", c_to);
  }
  if (size_of(to) > 1) {
    text += bounds.above.empty() ? "  return truncated;\n"
                                 : fmt::format("  return number >= {}{} ? {} : truncated;\n",
                                               bounds.above, point, bounds.highest);
  }
  return text + "}\n\n";
}

std::string conversion(DType from, DType to) {
  const auto returning = [&](std::string_view expression) {
    return fmt::format("TENON_INLINE {} tenon_cast_{}_{}({} x) {{ return {}; }}\n\n",
                       c_element_type(to), from, to, c_element_type(from), expression);
  };
  if (from == to) return returning("x");
  if (is_boolean(to)) return returning(is_narrow_float(from) ? "(x & 0x7fffu) != 0" : "x != 0");
  if (is_narrow_float(from)) {
    const std::string wide = fmt::format("tenon_{}_to_f32(x)", from);
    if (to == DType::f32) return returning(wide);
    return returning(fmt::format("tenon_cast_f32_{}({})", to, wide));
  }
  if (is_narrow_float(to)) return returning(fmt::format("tenon_f32_to_{}((float)x)", to));
  if (is_float(from) && is_integer(to)) return float_to_integer(from, to);
  // gcc 12 turns no loop into vectors that converts comparisons to floats.
  if (is_boolean(from) && is_float(to)) return returning("x ? 1 : 0");
  return returning(fmt::format("({})x", c_element_type(to)));
}

}  // namespace

std::string conversion_text() {
  std::string text(kNarrowFloats);
  // What narrow floats convert through comes first.
  for (const DType to : kAllDTypes) text += conversion(DType::f32, to);
  for (const DType from : kAllDTypes)
    for (const DType to : kAllDTypes)
      if (from != DType::f32) text += conversion(from, to);
  return text;
}

}  // namespace tenon::codegen
