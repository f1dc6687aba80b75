// Writes kernels: each call appends one instruction to the innermost open block and types it.
#pragma once
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <unordered_map>

#include "tenon/kernel/kernel.h"

namespace tenon::kernel {

// InternalError from any function whose operands do not fit.
class KernelBuilder {
 public:
  KernelBuilder(std::string name, std::int64_t grid, std::int64_t team = 1);

  BufferId argument(std::string name, DType dtype, std::int64_t elements, bool is_written);
  BufferId shared(std::string name, DType dtype, std::int64_t elements);
  ValueId instance() const;  // i64 scalar in [0, grid)

  ValueId literal(Literal value);
  ValueId index(std::int64_t value);          // i64 literal
  ValueId number(DType dtype, double value);  // literal rounded to dtype
  ValueId lane_index(DType dtype, std::int64_t rows, std::int64_t lanes);
  ValueId row_index(DType dtype, std::int64_t rows, std::int64_t lanes);
  ValueId call(ScalarFunction f, std::span<const ValueId> operands);
  ValueId call(ScalarFunction f, std::initializer_list<ValueId> operands) {
    return call(f, std::span<const ValueId>(operands.begin(), operands.size()));
  }
  ValueId add(ValueId a, ValueId b) { return call(ScalarFunction::add, {a, b}); }
  ValueId multiply(ValueId a, ValueId b) { return call(ScalarFunction::multiply, {a, b}); }
  ValueId fused_multiply_add(ValueId a, ValueId b, ValueId c);
  ValueId select(ValueId predicate, ValueId on_true, ValueId on_false);
  ValueId cast(ValueId operand, DType dtype);  // the operand itself if it has that type
  ValueId bitcast(ValueId operand, DType dtype);
  ValueId random_word(ValueId key0, ValueId key1, ValueId index);
  // Scalars, rows and columns: repeated to a tile. Element by element, instructions do that to
  // operands by themselves, as far as the others need it.
  ValueId splat(ValueId operand, std::int64_t rows, std::int64_t lanes);
  ValueId load(Access access, std::int64_t rows, std::int64_t lanes, double fill = 0);
  void store(Access access, ValueId value);
  ValueId load_indexed(BufferId buffer, ValueId index, std::optional<ValueId> mask = {},
                       double fill = 0);
  void store_indexed(BufferId buffer, ValueId index, ValueId value,
                     std::optional<ValueId> mask = {});
  ValueId fold(ScalarFunction f, FoldAxis axis, ValueId tile, std::int64_t active);
  ValueId contract(Contract contract);
  void prefetch(Access access);
  void barrier();
  // body(index, carried) returns the next carried values, of the types of `initial`. A loop of one
  // iteration becomes its body, one of none becomes nothing.
  std::vector<ValueId> loop(
      std::int64_t extent, std::span<const ValueId> initial,
      const std::function<std::vector<ValueId>(ValueId, std::span<const ValueId>)>& body);
  void if_true(ValueId condition, const std::function<void()>& body);

  const TileType& type(ValueId value) const { return kernel_.type(value); }
  const Buffer& buffer(BufferId id) const { return kernel_.buffers[id.index]; }
  void comment(std::string line) { kernel_.comments.push_back(std::move(line)); }
  // Scalar integer arithmetic on literals is folded as it is written, so that constant offsets
  // and multiplications by one do not reach the printers. Statements that nothing uses are removed
  // and values are numbered anew. The result is verified.
  Kernel finish(double cost) &&;

 private:
  // Repeats rows and columns among the values to the extents of the others.
  void make_alike(std::initializer_list<ValueId*> values);
  // Appends a statement and returns its first result, if it has one.
  ValueId append(Instruction instruction);
  std::vector<ValueId> append_all(Instruction instruction);
  ValueId new_value(TileType type);
  BufferId new_buffer(Buffer buffer);
  std::optional<std::int64_t> integer(ValueId value) const;  // of an i64 or bool scalar literal
  std::optional<ValueId> simplify(ScalarFunction f, std::span<const ValueId> operands);
  Block& block() { return open_.empty() ? kernel_.body : *open_.back(); }

  Kernel kernel_;
  std::vector<Block*> open_;                                  // innermost last
  std::unordered_map<std::uint32_t, std::int64_t> integers_;  // values known to be literals
  std::unordered_map<std::uint32_t, std::int64_t> extents_;   // values known to be in [0, extent)
};

// Literal of a number rounded to a type (as `cast` does), and back.
Literal make_literal(DType dtype, double value);
double number_of(const Literal& literal);

// Text of a kernel, for people and golden tests; one statement per line.
std::string print(const Kernel& kernel);
// InternalError, printing the kernel, if a value is used before its definition, a type does not
// fit, or an access with literal offsets leaves its buffer.
void verify(const Kernel& kernel);

}  // namespace tenon::kernel
