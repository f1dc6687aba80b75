// Dots and convolutions alike: two strided operands, multiplied and summed over contracted axes.
#pragma once
#include "tenon/lower/region_writer.h"

namespace tenon::lower {

// A strided operand in memory.
struct ContractionOperand {
  Argument memory;
  TensorType type;
  Affine place;  // where the operand's element for a result position lies, contracted axes at 0
};

// An axis that is summed over: its extent, and how far one step moves in each operand.
struct ContractedAxis {
  std::int64_t extent = 1;
  std::int64_t lhs = 0;
  std::int64_t rhs = 0;
};

// result[space] = sum over the contracted axes of lhs * rhs, one fma chain in the order of the
// axes (outermost first) for each element.
struct Contraction {
  RegionWriter& writer;
  ir::Value result;
  DType accumulate = DType::f32;
  Space space;  // axes of the result of extent above 1
  ContractionOperand lhs, rhs;
  std::vector<ContractedAxis> contracted;
  std::vector<AxisGroup> groups;  // of the space: whole steps in both operands and the epilogue

  std::int64_t contracted_count() const;
  std::int64_t result_count() const;
  // Adds the kernels: the contraction, its epilogue and what they need first.
  void lower();
};

// The type that sums of products accumulate in: at least f32, at least the result.
DType contraction_accumulator(DType operand, DType result);

// How the result's groups meet the operands.
enum class GroupRole : std::uint8_t { rows, lanes, batch };  // of lhs, of rhs, of both
GroupRole role_of(const Contraction& problem, const AxisGroup& group);

// Copies rhs into panels [outer groups..., lane tile, contracted axes..., lanes], the lanes after
// the last one zero. The problem's rhs stays as it is; where a panel starts:
struct Panels {
  ContractionOperand operand;  // memory and type
  std::vector<ContractedAxis> contracted;
  Affine outer;                 // without the lane group
  std::int64_t lanes = 1;       // of one panel
  std::int64_t panel_size = 0;  // elements
};
Panels pack_rhs(const Contraction& problem, const AxisGroup& lane_group, std::int64_t lanes);

// Three ways to compute tiles; all give an element the same bits on every target.
void lower_tiled(Contraction& problem, const AxisGroup& lanes, const AxisGroup* rows);
void lower_folded(Contraction& problem);
void lower_multiplied(Contraction& problem, const AxisGroup& lanes);
void lower_shared(Contraction& problem, const AxisGroup& lanes, const AxisGroup& rows);  // a GPU

// What all of them share.
// The accumulators as the result, then the epilogue and its stores.
void write_epilogue(Emitter& emitter, const Contraction& problem, kernel::ValueId accumulators);
// All groups but the named ones as outer loops of the grid.
Tiling outer_groups(const Contraction& problem, const AxisGroup* lanes, const AxisGroup* rows);
// offset + index * stride, as i64 scalars.
kernel::ValueId stepped(Emitter& emitter, kernel::ValueId offset, kernel::ValueId index,
                        std::int64_t stride);

}  // namespace tenon::lower
