// Writes one kernel: values of a graph at positions of the space that the kernel iterates over.
#pragma once
#include <map>
#include <set>

#include "tenon/kernel/builder.h"
#include "tenon/lower/access.h"
#include "tenon/lower/region.h"

namespace tenon::lower {

using Argument = LoweredRegion::Argument;

// What a kernel may read: which values of the graph lie in memory, and where.
struct Context {
  const ir::Graph& graph;
  const Target& target;
  std::map<ir::Value, Argument> memory;
  DType index_type = DType::i32;  // that holds every element number

  const TensorType& type(ir::Value value) const { return graph.type(value); }
};

// The narrowest of i32 and i64 that holds the element numbers of the nodes and their operands.
DType choose_index_type(const Target& target, const ir::Graph& graph,
                        std::span<const std::uint32_t> nodes);

// An index along one axis, or in row-major order: affine, or computed for each element of a tile.
struct Index {
  Affine affine;                        // unless there is a tile
  std::optional<kernel::ValueId> tile;  // i32 or i64, see Emitter::index_type
  Range range;                          // of the tile's elements
};

// Where in a value of `shape`: given in row-major order, along each axis, or both.
struct Position {
  Shape shape;
  std::optional<Index> flat;
  std::vector<std::optional<Index>> axes;
};

// The size of the tiles being written, and how much of them is valid.
struct Frame {
  std::int64_t rows = 1, lanes = 1;
  std::int64_t active_rows = 1, active_lanes = 1;
};
enum class Along : std::uint8_t { none, rows, lanes };

class Emitter {
 public:
  Emitter(const Context& context, std::string name, Space space, std::int64_t grid);

  // --- the kernel ---
  kernel::KernelBuilder& builder() { return builder_; }
  const Context& context() const { return context_; }
  const kernel::KernelOptions& options() const { return context_.target.options; }
  const Space& space() const { return space_; }
  DType index_type() const { return index_type_; }
  const kernel::TileType& type(kernel::ValueId value) const { return builder_.type(value); }
  // The buffer of an argument, declared at its first use (as written if it ever is).
  kernel::BufferId buffer(const Argument& argument, const TensorType& type,
                          bool is_written = false);
  // Declares the buffer that value() will read.
  kernel::BufferId declare_input(ir::Value value);
  // The kernel with its arguments, cost and in-place pairs.
  LoweredRegion finish() &&;

  // --- scopes: bindings, known values and what is memoised end with the body ---
  void scoped(const std::function<void()>& body);
  std::vector<kernel::ValueId> loop(std::int64_t extent, std::span<const kernel::ValueId> initial,
                                    const std::function<std::vector<kernel::ValueId>(
                                        kernel::ValueId, std::span<const kernel::ValueId>)>& body);
  // A loop that carries nothing.
  void repeat(std::int64_t extent, const std::function<void(kernel::ValueId)>& body);
  void if_true(kernel::ValueId condition, const std::function<void()>& body);
  // The group's position is base (an i64 scalar), plus the row or lane number.
  void bind(AxisGroup group, kernel::ValueId base, Along along = Along::none);
  void set_frame(const Frame& frame) { state_.frame = frame; }
  const Frame& frame() const { return state_.frame; }
  // The value is not computed from its operands: at this place it is a tile already.
  void set_known(ir::Value value, kernel::ValueId tile, Affine at);

  // --- values ---
  // The value at the position: a tile of the frame's size, or a scalar where all elements agree.
  kernel::ValueId value(ir::Value value, const Position& position);
  kernel::ValueId value_at(ir::Value value, const Affine& flat);
  kernel::ValueId call(ScalarFunction f, std::initializer_list<kernel::ValueId> operands);
  kernel::ValueId fold(ScalarFunction f, kernel::FoldAxis axis, kernel::ValueId tile,
                       std::int64_t active);
  kernel::ValueId constant(DType dtype, double value);
  kernel::ValueId index_constant(DType dtype, std::int64_t value);
  // A scalar, row or column repeated to the frame.
  kernel::ValueId full_tile(kernel::ValueId value);
  kernel::ValueId load(kernel::BufferId from, const Index& flat);
  void store(kernel::BufferId to, const Affine& flat, kernel::ValueId value);
  void prefetch(const kernel::Access& access);  // if the target's options say so

  // --- indices ---
  Index flat(const Position& position);
  Index along(const Position& position, std::size_t axis);
  Index add(const Index& a, const Index& b);
  Index scale(const Index& a, std::int64_t factor);
  Index divide(const Index& a, std::int64_t n);  // a >= 0
  Index modulo(const Index& a, std::int64_t n);  // a >= 0
  Index clamp(const Index& a, std::int64_t low, std::int64_t high);
  // Whether low <= a <= high; none if it always is.
  std::optional<kernel::ValueId> inside(const Index& a, std::int64_t low, std::int64_t high);
  Index constant_index(std::int64_t value) const;
  // What a kernel computed as an index: a scalar of type i64, or a tile of any integer type.
  Index computed(kernel::ValueId value, Range range);
  // The index as numbers: an i64 scalar, or a tile of index_type() or i64.
  kernel::ValueId materialise(const Index& index);
  // offset + row * row_step + lane * lane_step; none if the bound rows or lanes do not step alike.
  struct Placed {
    kernel::ValueId offset;
    std::int64_t row_step = 0, lane_step = 0;
  };
  std::optional<Placed> place(const Affine& affine);
  // An affine with no part along rows or lanes, as an i64 scalar.
  kernel::ValueId scalar(const Affine& affine);

  // --- what a first, throwaway writing finds out ---
  struct Form {
    Affine affine;
    bool is_memory = false;  // an address, not a number that is computed with
  };
  const std::vector<Form>& forms() const { return forms_; }
  void note_form(Affine affine, bool is_memory) {
    forms_.push_back({std::move(affine), is_memory});
  }
  const std::vector<Split>& wanted_splits() const { return wanted_splits_; }
  // Positions of an axis at which a condition on it changes.
  struct Cut {
    std::size_t axis = 0;
    std::int64_t position = 0;
  };
  const std::vector<Cut>& cuts() const { return cuts_; }

 private:
  using Key = std::vector<std::int64_t>;
  struct Bound {
    AxisGroup group;
    kernel::ValueId base;
    Along along = Along::none;
  };
  struct Known {
    kernel::ValueId tile;
    Affine at;
  };
  struct State {
    Frame frame;
    std::vector<Bound> bound;
    std::map<ir::Value, Known> known;
  };
  // How the kernel uses an argument, to find out what may share memory.
  struct Use {
    Argument argument;
    TensorType type;
    bool is_written = false;
    bool is_direct = false;        // handed out by buffer(): read in ways not followed here
    std::vector<Affine> accesses;  // by load and store
    bool has_computed_access = false;
  };

  kernel::BufferId declare(const Argument& argument, const TensorType& type, bool is_written);
  std::optional<kernel::ValueId> find(const Key& key) const;
  void remember(Key key, kernel::ValueId value);
  static void append(Key& key, const Affine& affine);
  Key key_of(ir::Value value, const Position& position) const;
  std::optional<Affine> affine_flat(const Position& position) const;
  // A direction in which the frame has one element is none.
  Along direction(const Bound& bound) const;
  kernel::ValueId scalar_part(const Affine& affine);
  kernel::ValueId digit_sum(const Affine& affine, const Bound& bound, kernel::ValueId position);
  kernel::ValueId tile_of(const Affine& affine);
  kernel::ValueId as_index(kernel::ValueId value);  // to index_type()
  kernel::ValueId numbers(Along along);             // of the frame's rows or lanes
  // Their sum, an i64 tile: if the first is the same over the lanes and the second steps by one.
  std::optional<kernel::ValueId> run_from(kernel::ValueId tile, const Affine& affine);
  std::optional<kernel::ValueId> active_mask();
  Range range_of(const Index& index) const;
  void note_cuts(const Index& index, std::int64_t low, std::int64_t high);
  void add_in_place_pairs(LoweredRegion& region) const;

  const Context& context_;
  kernel::KernelBuilder builder_;
  Space space_;
  DType index_type_ = DType::i64;
  State state_;
  std::vector<std::map<Key, kernel::ValueId>> memo_{1};
  std::vector<Use> uses_;  // one per argument buffer
  std::vector<Form> forms_;
  std::vector<Split> wanted_splits_;
  std::vector<Cut> cuts_;
  std::set<kernel::ValueId> same_over_lanes_;  // tiles of which that is known
  int depth_ = 0;
};

// Position with a row-major index.
Position flat_position(Shape shape, Affine flat);

// What an op gives at a position: pointwise_elements.cpp, movement_elements.cpp and
// indexing_elements.cpp.
struct Site {
  Emitter& emitter;
  const ir::Node& node;
  ir::Value value;
  const Position& position;

  const TensorType& operand_type(std::size_t k) const {
    return emitter.context().type(node.operands[k]);
  }
  kernel::ValueId operand(std::size_t k, const Position& at) const {
    return emitter.value(node.operands[k], at);
  }
  Index axis(std::size_t i) const { return emitter.along(position, i); }
  Index flat() const { return emitter.flat(position); }
};
kernel::ValueId element(const Site& site);

// Estimated nanoseconds of the whole grid on one thread.
double estimate_cost(const kernel::Kernel& kernel);

}  // namespace tenon::lower
