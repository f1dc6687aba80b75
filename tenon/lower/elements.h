// What each kind of op gives at a position; element() of emitter.h visits these.
#pragma once
#include <concepts>

#include "tenon/ir/op.h"
#include "tenon/lower/emitter.h"

namespace tenon::lower {

// Defined in pointwise_elements.cpp.
kernel::ValueId element_of(const Site& site, const ir::Constant& op);
kernel::ValueId element_of(const Site& site, const ir::Iota& op);
kernel::ValueId element_of(const Site& site, const ir::Elementwise& op);
kernel::ValueId element_of(const Site& site, const ir::Select& op);
kernel::ValueId element_of(const Site& site, const ir::Cast& op);
kernel::ValueId element_of(const Site& site, const ir::Bitcast& op);
kernel::ValueId element_of(const Site& site, const ir::ShardingConstraint& op);
kernel::ValueId element_of(const Site& site, const ir::RandomBits& op);
// A reduction of no or one element.
kernel::ValueId element_of(const Site& site, const ir::Reduce& op);
// Defined in movement_elements.cpp.
kernel::ValueId element_of(const Site& site, const ir::Broadcast& op);
kernel::ValueId element_of(const Site& site, const ir::Reshape& op);
kernel::ValueId element_of(const Site& site, const ir::Transpose& op);
kernel::ValueId element_of(const Site& site, const ir::Reverse& op);
kernel::ValueId element_of(const Site& site, const ir::Slice& op);
kernel::ValueId element_of(const Site& site, const ir::Pad& op);
kernel::ValueId element_of(const Site& site, const ir::Concatenate& op);
// Defined in indexing_elements.cpp.
kernel::ValueId element_of(const Site& site, const ir::DynamicSlice& op);
kernel::ValueId element_of(const Site& site, const ir::Gather& op);

// A position given along each axis.
Position axes_position(const Shape& shape);
// An integer that a kernel computed as an index, clamped to [low, high].
Index clamped_index(Emitter& emitter, kernel::ValueId value, std::int64_t low, std::int64_t high);

// Number of elements that one element of the result combines.
std::int64_t reduced_count(const ir::Reduce& op, const TensorType& operand);

}  // namespace tenon::lower
