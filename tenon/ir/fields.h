// Attribute kinds of ops and how they hash; what fields(op, visit) may be called with.
#pragma once
#include <bit>

#include "tenon/base/hash.h"
#include "tenon/base/scalar_function.h"
#include "tenon/ir/graph.h"

namespace tenon::ir {

template <class T>
concept HasEnumNames = requires(T value) {
  enum_names(value);
};
template <class T>
concept HasFields = requires(T value) {
  T::fields(value, [](std::string_view, auto&) {});
};

struct FieldHasher {
  std::uint64_t state = 0;
  void mix(std::uint64_t value) { state = hash_combine(state, value); }
  void operator()(std::string_view, const auto& field) { add(field); }

  void add(std::int64_t value) { mix(static_cast<std::uint64_t>(value)); }
  void add(bool value) { mix(value ? 1 : 2); }
  void add(double value) { mix(std::bit_cast<std::uint64_t>(value)); }
  void add(DType value) { mix(static_cast<std::uint64_t>(value)); }
  void add(ScalarFunction value) { mix(static_cast<std::uint64_t>(value)); }
  void add(HasEnumNames auto value) { mix(static_cast<std::uint64_t>(value)); }
  void add(const std::string& value) { mix(hash_text(value)); }
  void add(const GraphRef& value) { mix(value.hash()); }
  void add(const ConstantRef& value) { mix(value.hash()); }
  void add(const TensorType& type) {
    add(type.dtype);
    add(type.shape);
  }
  template <class T>
  void add(const std::vector<T>& values) {
    mix(values.size());
    for (const auto& value : values) add(value);
  }
  void add(const HasFields auto& value) {
    std::remove_cvref_t<decltype(value)>::fields(value, *this);
  }
};

}  // namespace tenon::ir
