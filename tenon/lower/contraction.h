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

// The taps of a window that meet elements of the input, not the gaps between them.
struct Taps {
  std::int64_t first = 0, count = 0;  // of the window, every `dilation`-th
  std::int64_t start = 0;             // element of the padded input that the first one meets
};
// A spatial axis of a convolution whose input has gaps: places of the result that lie `dilation`
// apart meet equal taps.
struct PhasedAxis {
  std::int64_t dilation = 1;
  std::int64_t low = 0, high = 0;   // padding of the input without gaps
  std::vector<Taps> taps;           // one for each phase
  std::optional<std::size_t> axis;  // of the space: the phase, if there are several
};
std::vector<PhasedAxis> phased_axes(const ir::Convolution& op, const Shape& input,
                                    const Shape& kernel);

// The left operand of a convolution that is padded: it exists only where lowering writes it.
struct PaddedInput {
  const ir::Convolution* op = nullptr;
  ir::Value input;
  std::optional<std::size_t> strip_axis;  // of the space: the first spatial axis of the result
  // One per spatial axis if the input has gaps: see contraction_phases.cpp. The axes of the result
  // are then two each, and the gaps are not part of the operand.
  std::vector<PhasedAxis> phased;
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
  std::optional<PaddedInput> padded;  // lhs, whose memory does not exist yet
  std::vector<AxisGroup> groups;      // of the space: whole steps in both operands and the epilogue

  std::int64_t contracted_count() const;
  std::int64_t result_count() const;
  // Adds the kernels: the contraction, its epilogue and what they need first. False, with nothing
  // added, if the input has gaps and strips cannot be.
  bool lower();
};

// The type that sums of products accumulate in: at least f32, at least the result.
DType contraction_accumulator(DType operand, DType result);

// How the result's groups meet the operands.
enum class GroupRole : std::uint8_t { rows, lanes, batch };  // of lhs, of rhs, of both
GroupRole role_of(const Contraction& problem, const AxisGroup& group);

// lhs and rhs change places; products commute, so the bits are the same.
void swap_operands(Contraction& problem);

// Copies rhs into panels [outer groups..., lane tile, contracted axes..., lanes], the lanes after
// the last one zero. The problem's rhs stays as it is; where a panel starts:
struct Panels {
  ContractionOperand operand;  // memory and type
  std::vector<ContractedAxis> contracted;
  Affine outer;                 // without the lane group
  std::int64_t lanes = 1;       // of one panel
  std::int64_t panel_size = 0;  // elements
};
// `purpose` names the kernel.
Panels pack_rhs(const Contraction& problem, const AxisGroup& lane_group, std::int64_t lanes,
                std::string_view purpose = "pack");

// Whether rhs is the same in all rounds of a loop, before which a copy of it is made.
bool is_rhs_lasting(const Contraction& problem);
// Whether tiles read rhs in panels, not as it lies.
bool should_pack(const Contraction& problem, const AxisGroup& lanes, const AxisGroup* rows,
                 std::int64_t tile_lanes);

// The tiles of rows and lanes that accumulators fill.
struct TileSize {
  std::int64_t rows = 1, lanes = 1;
};
TileSize choose_tile(const Target& target, DType accumulate, std::int64_t rows, std::int64_t lanes);

// The right operand as tiles read it: as it lies, or in panels (adds the kernel that copies it).
struct TiledRhs {
  std::optional<Panels> panels;
  ContractionOperand operand;
  std::vector<ContractedAxis> axes;
  std::int64_t lane_step = 1;
};
TiledRhs prepare_rhs(const Contraction& problem, const AxisGroup& lanes, const AxisGroup* rows,
                     std::int64_t tile_lanes);

// Products of one tile, rows and lanes bound, summed over the contracted axes. Sets the frame.
struct TileProduct {
  kernel::BufferId lhs, rhs;
  kernel::ValueId lhs_offset;
  std::optional<kernel::ValueId> rhs_offset;  // where the place of rhs says if it is not there
  std::int64_t lhs_row_step = 0;
  std::int64_t rows = 1;
  TilePlace lanes;
  std::vector<ContractedAxis> axes;  // none: nothing is added up
  std::int64_t rhs_shift = 0;
  // The part of the outermost contracted axis, if that is cut.
  std::optional<kernel::ValueId> block;
  std::optional<kernel::ValueId> start;  // of the sums; zero if it is not there
};
// The width of the tile's frame; then the products. Panels are whole vectors wide: what lies after
// the last lane is computed and not stored.
void set_product_frame(Emitter& emitter, const Contraction& problem, bool has_panels,
                       const TileProduct& tile);
kernel::ValueId multiply_tile(Emitter& emitter, const Contraction& problem, const TiledRhs& rhs,
                              const TileProduct& tile);

// `contract` over all axes (outermost first, at least one), the outer ones as loops: its offsets
// are those of the first element, its depth and strides along it those of the last axis.
kernel::ValueId contract_axes(Emitter& emitter, std::span<const ContractedAxis> axes,
                              const kernel::Contract& contract, kernel::ValueId accumulator);

// Contracted axes from this length on may be cut into blocks for several threads.
inline constexpr std::int64_t kLongDepth = 4096;
// But more results than this leave the second cache while they wait for the next block.
inline constexpr std::int64_t kMostBlockedResults = 131072;

// Ways to compute tiles; all give an element the same bits on every target.
void lower_tiled(Contraction& problem, const AxisGroup& lanes, const AxisGroup* rows);
// As lower_tiled, with the padded input written into memory of the instance, a strip at a time.
bool can_lower_in_strips(const Contraction& problem, const AxisGroup& rows);
void lower_in_strips(Contraction& problem, const AxisGroup& lanes, const AxisGroup& rows);
// Sums over the places of a padded input: the gradient of a convolution's kernel.
bool can_sum_in_strips(const Contraction& problem);
void sum_in_strips(Contraction& problem);
// The padded input in scratch memory.
ContractionOperand write_padded(RegionWriter& writer, const PaddedInput& padded);
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
