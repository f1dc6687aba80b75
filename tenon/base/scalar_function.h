// The functions of one or two numbers: the only vocabulary that both IRs share.
#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "tenon/base/dtype.h"

namespace tenon {

enum class ScalarFunction : std::uint8_t {
#define SCALAR_FUNCTION(name, ...) name,
#include "tenon/base/scalar_functions.def"
#undef SCALAR_FUNCTION
};

// Which element types a function accepts: `logical` is bool and integers, `any` is all.
enum class ScalarDomain : std::uint8_t { number, floating, integer, logical, any };
enum class ScalarResult : std::uint8_t { same, boolean };

struct ScalarFunctionInfo {
  ScalarFunction function;
  std::string_view name;
  int arity;
  ScalarDomain domain;
  ScalarResult result;
};

inline constexpr std::array kScalarFunctions = {
#define SCALAR_FUNCTION(name, arity, domain, result)                           \
  ScalarFunctionInfo{ScalarFunction::name, #name, arity, ScalarDomain::domain, \
                     ScalarResult::result},
#include "tenon/base/scalar_functions.def"
#undef SCALAR_FUNCTION
};

constexpr const ScalarFunctionInfo& info(ScalarFunction f) {
  return kScalarFunctions[static_cast<std::size_t>(f)];
}

constexpr bool accepts(ScalarFunction f, DType dtype) {
  switch (info(f).domain) {
    case ScalarDomain::number: return !is_boolean(dtype);
    case ScalarDomain::floating: return is_float(dtype);
    case ScalarDomain::integer: return is_integer(dtype);
    case ScalarDomain::logical: return !is_float(dtype);
    case ScalarDomain::any: return true;
  }
  return false;
}

constexpr DType result_type(ScalarFunction f, DType operand) {
  return info(f).result == ScalarResult::boolean ? DType::boolean : operand;
}

constexpr std::optional<ScalarFunction> parse_scalar_function(std::string_view text) {
  for (const auto& row : kScalarFunctions)
    if (row.name == text) return row.function;
  return std::nullopt;
}

}  // namespace tenon
