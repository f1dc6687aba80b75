// One reduction of a kernel: what it carries from tile to tile, and its result.
#pragma once
#include "tenon/lower/combine.h"
#include "tenon/lower/region_writer.h"

namespace tenon::lower {

class Reduction {
 public:
  Reduction(const ir::Graph& graph, const Region& region, std::uint32_t node);

  std::uint32_t node() const { return node_; }
  ir::Value operand() const { return operand_; }
  bool finds_position() const { return ir::is_arg_reduce(op_.kind); }
  // Of what is carried: the accumulator, or the extreme and its position. (Where only the position
  // is needed, the extreme may be a zero of the other sign.)
  std::vector<TensorType> carried_types(const Shape& shape) const;

  // rows x lanes tiles of neutral elements.
  std::vector<kernel::ValueId> start(Emitter& emitter, std::int64_t rows, std::int64_t lanes) const;
  // The operand's tile combined along an axis of the frame. Positions start at `first` (i64).
  std::vector<kernel::ValueId> fold(Emitter& emitter, kernel::FoldAxis axis, kernel::ValueId tile,
                                    kernel::ValueId first) const;
  // What is carried combined along rows.
  std::vector<kernel::ValueId> fold_carried(Emitter& emitter,
                                            std::span<const kernel::ValueId> carried) const;
  // Element by element; `later` holds later positions.
  std::vector<kernel::ValueId> combine(Emitter& emitter, std::span<const kernel::ValueId> earlier,
                                       std::span<const kernel::ValueId> later) const;
  // The operand's tile as what is carried, at one position (an i64 scalar).
  std::vector<kernel::ValueId> lift(Emitter& emitter, kernel::ValueId tile,
                                    kernel::ValueId position) const;
  // Makes the node's results known at a place.
  void set_known(Emitter& emitter, std::span<const kernel::ValueId> carried,
                 const Affine& at) const;

 private:
  const ir::Reduce& op_;
  std::uint32_t node_ = 0;
  ir::Value operand_;
  TensorType operand_type_;
  bool needs_extreme_ = true;  // of what finds a position: not the position alone
};

// Kept axes are labelled 0 and reduced ones 1.
inline constexpr int kKept = 0;
inline constexpr int kReduced = 1;
// Position in row-major order of the kept axes.
Affine kept_major(const Space& space);

// Everything the kernels of a region with reductions over the same axes of one shape share.
struct ReductionProblem {
  RegionWriter& writer;
  Shape shape;  // of the operands
  Axes axes;
  std::vector<Reduction> reductions;  // in order of their nodes
  std::vector<Destination> full;      // outputs with one element for each of the operands'
  std::vector<Destination> kept;      // outputs with one element for each of the results'
  bool is_chain = false;              // something of the full shape depends on a reduction
  Survey found;
  std::vector<AxisGroup> groups;  // merged

  std::int64_t reduced_count() const;
  std::int64_t kept_count() const;
};

// Reduced axes include the last group: lanes run along them and each tile is folded.
void lower_row_reduction(ReductionProblem& problem);
// The last group is kept: lanes run along it, and rows accumulate side by side.
void lower_column_reduction(ReductionProblem& problem);

// What both write at the end of a tile: outputs of the kept shape.
void write_kept_outputs(Emitter& emitter, const ReductionProblem& problem,
                        const std::vector<std::vector<kernel::ValueId>>& carried);
// Outputs of the full shape at the positions of the current frame.
void write_full_outputs(Emitter& emitter, const ReductionProblem& problem);

// A large reduction is cut into blocks whose partial results a second kernel combines.
struct Partials {
  std::int64_t blocks = 1;
  std::vector<std::vector<Argument>> scratch;  // for each reduction, what it carries
};
Partials choose_partials(const ReductionProblem& problem, std::int64_t outer_extent);
void write_partials(Emitter& emitter, const ReductionProblem& problem, const Partials& partials,
                    const std::vector<std::vector<kernel::ValueId>>& carried,
                    kernel::ValueId block);
void combine_partials(ReductionProblem& problem, const Partials& partials);

}  // namespace tenon::lower
