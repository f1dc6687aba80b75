// Element types of tensors: names, sizes, kinds.
#pragma once
#include <fmt/format.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tenon/base/narrow_float.h"

namespace tenon {

enum class DType : std::uint8_t { boolean, i8, u8, i32, u32, i64, u64, f16, bf16, f32, f64 };

inline constexpr std::array kAllDTypes = {DType::boolean, DType::i8,  DType::u8,  DType::i32,
                                          DType::u32,     DType::i64, DType::u64, DType::f16,
                                          DType::bf16,    DType::f32, DType::f64};

enum class DTypeKind : std::uint8_t { boolean, signed_integer, unsigned_integer, floating };

struct DTypeInfo {
  std::string_view name;  // as graphs print it: "f32", "i1"
  std::size_t size;       // bytes of one element
  DTypeKind kind;
};

constexpr DTypeInfo info(DType dtype) {
  using enum DTypeKind;
  switch (dtype) {
    case DType::boolean: return {"bool", 1, boolean};
    case DType::i8: return {"i8", 1, signed_integer};
    case DType::u8: return {"u8", 1, unsigned_integer};
    case DType::i32: return {"i32", 4, signed_integer};
    case DType::u32: return {"u32", 4, unsigned_integer};
    case DType::i64: return {"i64", 8, signed_integer};
    case DType::u64: return {"u64", 8, unsigned_integer};
    case DType::f16: return {"f16", 2, floating};
    case DType::bf16: return {"bf16", 2, floating};
    case DType::f32: return {"f32", 4, floating};
    case DType::f64: return {"f64", 8, floating};
  }
  return {"?", 0, boolean};
}

constexpr std::string_view name(DType dtype) { return info(dtype).name; }
constexpr std::size_t size_of(DType dtype) { return info(dtype).size; }
constexpr bool is_float(DType dtype) { return info(dtype).kind == DTypeKind::floating; }
constexpr bool is_boolean(DType dtype) { return dtype == DType::boolean; }
constexpr bool is_signed(DType dtype) { return info(dtype).kind == DTypeKind::signed_integer; }
constexpr bool is_unsigned(DType dtype) { return info(dtype).kind == DTypeKind::unsigned_integer; }
constexpr bool is_integer(DType dtype) { return is_signed(dtype) || is_unsigned(dtype); }
// f16 and bf16: stored in 16 bits, computed in f32.
constexpr bool is_narrow_float(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }

// The type whose name() is this text, or none.
constexpr std::optional<DType> parse_dtype(std::string_view text) {
  for (DType dtype : kAllDTypes)
    if (name(dtype) == text) return dtype;
  return std::nullopt;
}

// The C++ type that stores an element of each DType; bool is one byte, 0 or 1.
template <class T>
inline constexpr std::optional<DType> kDTypeOf = std::nullopt;
template <>
inline constexpr std::optional<DType> kDTypeOf<bool> = DType::boolean;
template <>
inline constexpr std::optional<DType> kDTypeOf<std::int8_t> = DType::i8;
template <>
inline constexpr std::optional<DType> kDTypeOf<std::uint8_t> = DType::u8;
template <>
inline constexpr std::optional<DType> kDTypeOf<std::int32_t> = DType::i32;
template <>
inline constexpr std::optional<DType> kDTypeOf<std::uint32_t> = DType::u32;
template <>
inline constexpr std::optional<DType> kDTypeOf<std::int64_t> = DType::i64;
template <>
inline constexpr std::optional<DType> kDTypeOf<std::uint64_t> = DType::u64;
template <>
inline constexpr std::optional<DType> kDTypeOf<Float16> = DType::f16;
template <>
inline constexpr std::optional<DType> kDTypeOf<BFloat16> = DType::bf16;
template <>
inline constexpr std::optional<DType> kDTypeOf<float> = DType::f32;
template <>
inline constexpr std::optional<DType> kDTypeOf<double> = DType::f64;

template <class T>
concept Element = kDTypeOf<T>
.has_value();

template <class T>
struct TypeTag {
  using type = T;
};

// Calls visit(TypeTag<T>{}) with the C++ element type of dtype.
template <class Visit>
decltype(auto) with_element_type(DType dtype, Visit&& visit) {
  switch (dtype) {
    case DType::boolean: return visit(TypeTag<bool>{});
    case DType::i8: return visit(TypeTag<std::int8_t>{});
    case DType::u8: return visit(TypeTag<std::uint8_t>{});
    case DType::i32: return visit(TypeTag<std::int32_t>{});
    case DType::u32: return visit(TypeTag<std::uint32_t>{});
    case DType::i64: return visit(TypeTag<std::int64_t>{});
    case DType::u64: return visit(TypeTag<std::uint64_t>{});
    case DType::f16: return visit(TypeTag<Float16>{});
    case DType::bf16: return visit(TypeTag<BFloat16>{});
    case DType::f32: return visit(TypeTag<float>{});
    case DType::f64: break;
  }
  return visit(TypeTag<double>{});
}

}  // namespace tenon

template <>
struct fmt::formatter<tenon::DType> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(tenon::DType dtype, Context& context) const {
    return fmt::formatter<std::string_view>::format(tenon::name(dtype), context);
  }
};
