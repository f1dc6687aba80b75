// Loop-level programs: what one kernel computes. Knows nothing of graphs and names no target.
//
// A kernel is a grid of independent instances. Each instance works on tiles: two-dimensional
// values of static size (rows x lanes; 1 x 1 is a scalar). On a CPU an instance is a call on one
// thread and a tile is a loop over lanes that the compiler turns into vectors; on a GPU an
// instance is a team of threads that share memory and hold the lanes of a tile between them.
// Programs are ordered lists, like graphs: every value is defined once, before its uses.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tenon/base/dtype.h"
#include "tenon/base/scalar_function.h"
#include "tenon/base/variant.h"

namespace tenon::kernel {

struct TileType {
  DType dtype = DType::f32;
  std::int64_t rows = 1;
  std::int64_t lanes = 1;
  bool is_scalar() const { return rows == 1 && lanes == 1; }
  bool operator==(const TileType&) const = default;
};

struct ValueId {
  std::uint32_t index = 0;
  auto operator<=>(const ValueId&) const = default;
};
struct BufferId {
  std::uint32_t index = 0;
  auto operator<=>(const BufferId&) const = default;
};

// argument: memory given by the caller (weights, batches, arena). shared: scratch of one instance,
// visible to its whole team, undefined at the start.
// Two arguments may be one memory only if they have equal sizes in bytes, one is written and the
// other is not (in place); a kernel reads what it needs of an element no later than it writes it.
enum class Space : std::uint8_t { argument, shared };
struct Buffer {
  std::string name;  // an identifier, for readers of the generated code
  DType dtype = DType::f32;
  std::int64_t elements = 0;
  Space space = Space::argument;
  bool is_written = false;
  bool operator==(const Buffer&) const = default;
};

// A number of the given type: its bits in the low bytes (f32 as f32 bits, bool as 0 or 1).
struct Literal {
  DType dtype = DType::f32;
  std::uint64_t bits = 0;
  bool operator==(const Literal&) const = default;
};
// Tile whose element (r, l) is l (or r): i64 or i32.
struct LaneIndex {
  TileType type;
  bool operator==(const LaneIndex&) const = default;
};
struct RowIndex {
  TileType type;
  bool operator==(const RowIndex&) const = default;
};
// A scalar function mapped over tiles of one type; scalar operands repeat.
struct Call {
  ScalarFunction function = ScalarFunction::add;
  std::vector<ValueId> operands;
  bool operator==(const Call&) const = default;
};
// a * b + c rounded once (f32 and f64); scalar operands repeat.
struct FusedMultiplyAdd {
  ValueId a, b, c;
  bool operator==(const FusedMultiplyAdd&) const = default;
};
struct Select {
  ValueId predicate, on_true, on_false;  // scalars repeat
  bool operator==(const Select&) const = default;
};
struct Cast {
  ValueId operand;
  DType dtype = DType::f32;
  bool operator==(const Cast&) const = default;
};
struct Bitcast {
  ValueId operand;
  DType dtype = DType::f32;
  bool operator==(const Bitcast&) const = default;
};
// random_word(key0, key1, index) of base/threefry.h: u32 from two u32 scalars and an i64 tile.
struct RandomWord {
  ValueId key0, key1, index;
  bool operator==(const RandomWord&) const = default;
};
// Scalar, row or column repeated to a tile.
struct Splat {
  ValueId operand;
  std::int64_t rows = 1;
  std::int64_t lanes = 1;
  bool operator==(const Splat&) const = default;
};

// A rectangle of memory: element (r, l) lies at offset + r * row_stride + l * lane_stride, in
// elements. Only rows below active_rows and lanes below active_lanes are touched.
struct Access {
  BufferId buffer;
  ValueId offset;  // i64 scalar
  std::int64_t row_stride = 0;
  std::int64_t lane_stride = 1;
  std::int64_t active_rows = 1;
  std::int64_t active_lanes = 1;
  bool operator==(const Access&) const = default;
};
struct Load {
  Access access;
  std::int64_t rows = 1;
  std::int64_t lanes = 1;
  Literal fill;  // what inactive elements hold
  bool operator==(const Load&) const = default;
};
struct Store {
  Access access;
  ValueId value;  // a tile, or a scalar that repeats over the active elements
  bool operator==(const Store&) const = default;
};
// Memory at computed element indices (i64 or i32 tile); where the mask (bool tile) is false,
// nothing is touched and a load gives `fill`.
struct LoadIndexed {
  BufferId buffer;
  ValueId index;
  std::optional<ValueId> mask;
  Literal fill;
  bool operator==(const LoadIndexed&) const = default;
};
struct StoreIndexed {
  BufferId buffer;
  ValueId index;
  std::optional<ValueId> mask;
  ValueId value;
  bool operator==(const StoreIndexed&) const = default;
};

// Combines a tile along rows or lanes with add, multiply, minimum, maximum, logical_and or
// logical_or, in an order that depends on the extent n alone: partial j (of 16) combines elements
// j, j + 16, j + 32, ... in order; then partials j and j + 8, j and j + 4, ... combine while both
// exist. Elements at and after `active` do not take part. (A team of several threads combines what
// each thread holds, then the threads: that order depends on n and the team alone.)
enum class FoldAxis : std::uint8_t { rows, lanes };
struct Fold {
  ScalarFunction function = ScalarFunction::add;
  FoldAxis axis = FoldAxis::lanes;
  ValueId tile;
  std::int64_t active = 1;  // elements along the axis that take part
  bool operator==(const Fold&) const = default;
};

// accumulator[r, l] = fma(lhs[r, k], rhs[k, l], accumulator[r, l]) for k = 0 ... depth - 1 in
// order, per element (floats; integers wrap). Operands convert to the accumulator's type first:
// f32, f64 or an integer, not narrower than theirs and of their kind.
// lhs(r, k) lies at lhs_offset + r * lhs_row_stride + k * lhs_depth_stride; rhs(k, l) at
// rhs_offset + k * rhs_depth_stride + l * rhs_lane_stride. Inactive rows and lanes are not read
// and keep the accumulator.
struct Contract {
  BufferId lhs, rhs;
  ValueId lhs_offset, rhs_offset;
  std::int64_t lhs_row_stride = 0, lhs_depth_stride = 1;
  std::int64_t rhs_depth_stride = 0, rhs_lane_stride = 1;
  std::int64_t depth = 0;
  std::int64_t active_rows = 1, active_lanes = 1;
  ValueId accumulator;
  bool operator==(const Contract&) const = default;
};

// A hint: the elements will be read soon.
struct Prefetch {
  Access access;
  bool operator==(const Prefetch&) const = default;
};

// Every member of the team has finished what stands before, and sees its shared memory.
struct Barrier {
  bool operator==(const Barrier&) const = default;
};

struct Statement;
struct Block {
  std::vector<ValueId> arguments;
  std::vector<Statement> statements;
  std::vector<ValueId> yields;
  bool operator==(const Block&) const;
};
// Serial: body(index, carried...) yields the next carried values; results are the last ones.
struct Loop {
  std::int64_t extent = 0;
  std::vector<ValueId> initial;
  Block body;
  bool operator==(const Loop&) const = default;
};
// Runs the body if the bool scalar is true; gives no values.
struct If {
  ValueId condition;
  Block body;
  bool operator==(const If&) const = default;
};

using Instruction = std::variant<Literal, LaneIndex, RowIndex, Call, FusedMultiplyAdd, Select, Cast,
                                 Bitcast, RandomWord, Splat, Load, Store, LoadIndexed, StoreIndexed,
                                 Fold, Contract, Prefetch, Barrier, Loop, If>;

struct Statement {
  Instruction instruction;
  // None for stores, prefetch, barrier and if; one per carried value for loop.
  std::vector<ValueId> results;
  bool operator==(const Statement&) const = default;
};
inline bool Block::operator==(const Block& other) const {
  return arguments == other.arguments && statements == other.statements && yields == other.yields;
}

struct Kernel {
  std::string name;                   // an identifier, unique in its plan
  std::vector<std::string> comments;  // which nodes it computes, for readers of the code
  std::vector<Buffer> buffers;        // arguments first, in call order; then shared ones
  std::vector<TileType> values;       // type of each ValueId
  std::int64_t grid = 1;              // number of instances
  std::int64_t team = 1;              // threads per instance; 1 on a CPU
  Block body;                         // one argument: the instance's index (i64 scalar)
  double cost = 0;                    // estimated nanoseconds of the whole grid on one thread

  const TileType& type(ValueId value) const { return values[value.index]; }
  // Equal programs, whatever their names and comments: such kernels are compiled once.
  bool same_program(const Kernel& other) const {
    return buffers == other.buffers && values == other.values && grid == other.grid &&
           team == other.team && body == other.body;
  }
};

}  // namespace tenon::kernel
