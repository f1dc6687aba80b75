#include "tenon/codegen/c_syntax.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/codegen/c_math_text.h"

namespace tenon::codegen {

namespace {

template <class T>
std::string float_text(T value, std::string_view suffix) {
  std::string text = fmt::format("{}", value);  // shortest that reads back the same
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + std::string(suffix);
}

template <class T>
T from_bits(std::uint64_t bits) {
  T value{};
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Words that a buffer may not be called: C and CUDA keywords, and what the printers use.
constexpr std::string_view kReservedWords[] = {
    "auto",      "break",  "case",     "char",     "const",    "continue", "default",   "do",
    "double",    "else",   "enum",     "extern",   "float",    "for",      "goto",      "if",
    "inline",    "int",    "long",     "register", "restrict", "return",   "short",     "signed",
    "sizeof",    "static", "struct",   "switch",   "typedef",  "union",    "unsigned",  "void",
    "volatile",  "while",  "asm",      "typeof",   "bool",     "true",     "false",     "new",
    "delete",    "class",  "template", "this",     "operator", "private",  "public",    "namespace",
    "using",     "try",    "catch",    "throw",    "linux",    "unix",     "i",         "j",
    "k",         "l",      "r",        "p",        "instance", "first",    "last",      "factor",
    "row",       "b",      "c",        "other",    "panel",    "thread",   "arguments", "team_row",
    "team_lane", "scratch"};

bool is_reserved(std::string_view name) {
  if (std::ranges::find(kReservedWords, name) != std::end(kReservedWords) ||
      name.starts_with("tenon_") || name.starts_with("TENON_") || name.starts_with("_"))
    return true;
  // v12, t12: values.
  return name.size() > 1 && std::string_view("vtcn").find(name[0]) != std::string_view::npos &&
         name.find_first_not_of("0123456789_", 1) == std::string_view::npos;
}

}  // namespace

std::string literal_text(const kernel::Literal& literal) {
  const auto integer = static_cast<std::int64_t>(literal.bits);
  switch (literal.dtype) {
    case DType::boolean: return literal.bits != 0 ? "1" : "0";
    case DType::i8: return fmt::format("{}", from_bits<std::int8_t>(literal.bits));
    case DType::u8: return fmt::format("{}", from_bits<std::uint8_t>(literal.bits));
    case DType::i32: {
      const auto value = from_bits<std::int32_t>(literal.bits);
      if (value == std::numeric_limits<std::int32_t>::min()) return "(-2147483647 - 1)";
      return fmt::format("{}", value);
    }
    case DType::u32: return fmt::format("{}u", from_bits<std::uint32_t>(literal.bits));
    case DType::i64:
      if (integer == std::numeric_limits<std::int64_t>::min())
        return "(-9223372036854775807ll - 1)";
      if (std::abs(integer) <= std::numeric_limits<std::int32_t>::max())
        return fmt::format("{}", integer);
      return fmt::format("{}ll", integer);
    case DType::u64: return fmt::format("{}ull", literal.bits);
    case DType::f16:
    case DType::bf16: return fmt::format("{:#06x}u", literal.bits & 0xffffu);
    case DType::f32: {
      const auto value = from_bits<float>(literal.bits);
      if (std::isfinite(value)) return float_text(value, "f");
      return fmt::format("tenon_float_f32({:#x}u)", literal.bits);
    }
    case DType::f64: break;
  }
  const auto value = from_bits<double>(literal.bits);
  if (std::isfinite(value)) return float_text(value, "");
  return fmt::format("tenon_float_f64({:#x}ull)", literal.bits);
}

std::string call_text(ScalarFunction function, DType dtype,
                      const std::vector<std::string>& operands) {
  const std::string_view name = info(function).name;
  if (!is_narrow_float(dtype))
    return fmt::format("tenon_{}_{}({})", name, dtype, join(operands, ", "));
  std::vector<std::string> wide;
  for (const std::string& operand : operands)
    wide.push_back(fmt::format("tenon_{}_to_f32({})", dtype, operand));
  const std::string result = fmt::format("tenon_{}_f32({})", name, join(wide, ", "));
  if (result_type(function, dtype) == DType::boolean) return result;
  return fmt::format("tenon_f32_to_{}({})", dtype, result);
}

// The full functions also order zeros of two unknown signs and two unknown NaN.
std::string bounded_text(ScalarFunction function, const kernel::Literal& bound,
                         const std::string& operand) {
  if (bound.dtype != DType::f32 && bound.dtype != DType::f64) return "";
  const double value =
      bound.dtype == DType::f32 ? from_bits<float>(bound.bits) : from_bits<double>(bound.bits);
  const bool is_maximum = function == ScalarFunction::maximum;
  if ((!is_maximum && function != ScalarFunction::minimum) || std::isnan(value)) return "";
  // +0 is above -0, which compares as equal: the larger of +0 and x, and the smaller of -0 and x,
  // is the bound.
  const bool takes_equal = value == 0 && std::signbit(value) != is_maximum;
  return fmt::format("({0} {1}{2} {3} ? {0} : {3})", literal_text(bound), is_maximum ? ">" : "<",
                     takes_equal ? "=" : "", operand);
}

std::string cast_text(DType from, DType to, const std::string& operand) {
  if (from == to) return operand;
  return fmt::format("tenon_cast_{}_{}({})", from, to, operand);
}

std::string bitcast_text(DType from, DType to, const std::string& operand) {
  if (from == to || (is_narrow_float(from) && is_narrow_float(to))) return operand;
  if (is_float(from))
    return fmt::format("({})tenon_bits_{}({})", c_element_type(to), from, operand);
  if (is_float(to))
    return fmt::format("tenon_float_{}((uint{}_t){})", to, 8 * size_of(to), operand);
  return fmt::format("({}){}", c_element_type(to), operand);
}

std::string multiply_add_text(DType dtype, std::string_view a, std::string_view b,
                              std::string_view c) {
  if (is_float(dtype)) return fmt::format("tenon_fma_{}({}, {}, {})", dtype, a, b, c);
  // Unsigned of at least 32 bits, so that nothing overflows as int.
  const std::string wide = fmt::format("(uint{}_t)", size_of(dtype) == 8 ? 64 : 32);
  return fmt::format("({0})({1}{2} + {1}{3} * {1}{4})", c_element_type(dtype), wide, c, a, b);
}

std::vector<std::string> buffer_names(const kernel::Kernel& kernel) {
  std::vector<std::string> names;
  std::set<std::string, std::less<>> taken = {kernel.name, kernel.name + "_instance"};
  for (const kernel::Buffer& buffer : kernel.buffers) {
    std::string name = buffer.name;
    while (is_reserved(name) || taken.contains(name))
      name = fmt::format(
          "{}{}_",
          name.starts_with('_') || name.starts_with("tenon_") || name.starts_with("TENON_")
              ? "buffer"
              : "",
          name);
    taken.insert(name);
    names.push_back(std::move(name));
  }
  return names;
}

std::string comment_lines(const kernel::Kernel& kernel) {
  std::string text;
  for (std::string line : kernel.comments) {
    for (char& c : line)
      if (static_cast<unsigned char>(c) < 0x20 || c == '\\') c = ' ';
    while (line.ends_with(' ')) line.pop_back();
    text += "// " + line + "\n";
  }
  return text;
}

}  // namespace tenon::codegen
