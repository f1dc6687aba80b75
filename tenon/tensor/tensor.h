// Tensor: the symbolic handle a program computes with while a graph is being built.
#pragma once
#include <concepts>
#include <initializer_list>
#include <memory>

#include <span>
#include <string>
#include <utility>

#include "tenon/base/host_tensor.h"
#include "tenon/base/source_location.h"
#include "tenon/tensor/variable.h"

namespace tenon {

namespace ir {
struct Value;
}
class Trace;

// A cheap handle to one value of a graph. Operations (functions.h) make new nodes; nothing is
// computed until a Session runs the graph. C++ numbers convert to scalar Tensors whose type gives
// way to that of the other operand ("weak": x * 2 keeps the type of x).
class Tensor {
 public:
  Tensor() = default;  // empty: any use is a UserError
  Tensor(float value);
  Tensor(double value);
  Tensor(int value);
  Tensor(bool value);
  template <std::integral T>  // other integers count as i64; UserError beyond its range
  Tensor(T value) : Tensor(weak_integer(static_cast<std::int64_t>(value))) {
    require(value <= T{0} || static_cast<std::uint64_t>(value) <= INT64_MAX,
            "the number {} does not fit i64", value);
  }
  Tensor(const Variable& variable);  // reads the variable at the start of the step
  explicit Tensor(const HostTensor& value);

  bool is_empty() const { return trace_ == nullptr; }
  // References live as long as this Tensor.
  const TensorType& type() const;
  const Shape& shape() const { return type().shape; }
  DType dtype() const { return type().dtype; }
  std::int64_t rank() const { return type().rank(); }
  std::int64_t size() const { return element_count(shape()); }
  // Extent of an axis; -1 is the last. UserError if out of range.
  std::int64_t extent(std::int64_t axis) const;

  // Names the node (and where it was named) for messages, profiles and fetching by name.
  const Tensor& named(std::string name, SourceLocation where = SourceLocation::current()) const;
  std::string name() const;
  // For messages: the type, and the name with the place it was given at, if there is one:
  // f32[8,10] from "dense_1" (train.cpp:12).
  std::string description() const;

  // The concrete value, if this tensor depends on no variable and no placeholder; else a text
  // that says its type. Prints as NumPy does.
  std::string to_string() const;
  // UserError if the tensor depends on a variable or a placeholder.
  HostTensor value() const;

  // For code that builds graphs: the trace and value, following merges.
  Tensor(std::shared_ptr<Trace> trace, ir::Value value, bool is_weak = false);
  std::shared_ptr<Trace> trace() const;
  ir::Value ir_value() const;
  bool is_weak() const { return is_weak_; }

 private:
  static Tensor weak_integer(std::int64_t value);
  void resolve() const;
  mutable std::shared_ptr<Trace> trace_;
  mutable std::uint32_t node_ = 0;
  mutable std::uint32_t result_ = 0;
  mutable std::shared_ptr<const TensorType> type_;  // outlives merges of the trace
  bool is_weak_ = false;
};

// An input that a Session feeds at each run.
Tensor placeholder(std::string name, TensorType type);

// Returns x, and every step that computes x prints "label = " and its value when it has run, by
// SessionOptions::print. Not inside functions given to scan, cond, while_loop, custom_gradient.
Tensor print(const Tensor& x, std::string label);

// The tensor called `name` (by Tensor::named, a layer's path, a placeholder's or a Variable's name)
// among those that `any` depends on, else among all that were built together with it. UserError
// with the nearest name if there is none.
Tensor find(const Tensor& any, std::string_view name);

// [[1, 2], [3, 4]] as nested braces: f32, whatever is written; other types by
// constant(make_tensor<std::int32_t>({2, 2}, {1, 2, 3, 4})). UserError if rows differ in length.
Tensor constant(std::initializer_list<float> values);
Tensor constant(std::initializer_list<std::initializer_list<float>> rows);
Tensor constant(const HostTensor& value);

// The next value of a variable, applied when the step that fetches or lists it ends.
struct Update {
  Variable variable;
  Tensor value;
};
// UserError if the types differ.
Update assign(const Variable& variable, const Tensor& value);

// Gradients of a float scalar with respect to each of `wrt` (Tensors or Variables on its path;
// zeros for those that are not). UserError for a loss that is no float scalar.
std::vector<Tensor> grad(const Tensor& loss, std::span<const Tensor> wrt);
std::vector<Tensor> grad(const Tensor& loss, std::span<const Variable> wrt);
Tensor grad(const Tensor& loss, const Tensor& wrt);

// Every variable that the tensors depend on, in the order of first use.
std::vector<Variable> variables_of(std::span<const Tensor> tensors);

}  // namespace tenon
