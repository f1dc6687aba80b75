// Index expressions: affine functions of the axes that a kernel iterates over.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tenon/base/tensor_type.h"
#include "tenon/kernel/kernel.h"

namespace tenon::lower {

// The positions a kernel visits: axes of extent above 1, outermost first. Axes of different labels
// (kept and reduced ones, say) never merge.
struct SpaceAxis {
  std::int64_t extent = 1;
  int label = 0;
  bool operator==(const SpaceAxis&) const = default;
};
using Space = std::vector<SpaceAxis>;

struct Range {  // both ends included
  std::int64_t low = 0, high = 0;
  bool operator==(const Range&) const = default;
};

// A scalar that a kernel computes (a clamped start, an index read from memory), times a number.
struct RuntimeTerm {
  kernel::ValueId value;
  std::int64_t coefficient = 0;
  Range range;  // of the value
  bool operator==(const RuntimeTerm&) const = default;
};

// constant + sum of coefficients[i] * axis i + sum of the runtime terms.
struct Affine {
  std::int64_t constant = 0;
  std::vector<std::int64_t> coefficients;  // one per axis of the space
  std::vector<RuntimeTerm> runtime;
  bool operator==(const Affine&) const = default;
  bool is_constant() const;
};
Affine constant_affine(const Space& space, std::int64_t value);
Affine axis_affine(const Space& space, std::size_t axis, std::int64_t coefficient = 1);
Affine sum(Affine a, const Affine& b);
Affine scaled(Affine a, std::int64_t factor);
Affine shifted(Affine a, std::int64_t distance);
Range range_of(const Affine& affine, const Space& space);

// Position in row-major order of the whole space: its axes as digits.
Affine row_major(const Space& space);

struct Division {
  Affine quotient, remainder;
};
// floor(affine / n) and what remains, if both are affine wherever the space reaches.
std::optional<Division> divide(const Affine& affine, std::int64_t n, const Space& space);

// Axis `axis` becomes two: an outer one and an inner one of extent `inner`.
struct Split {
  std::size_t axis = 0;
  std::int64_t inner = 1;
  bool operator==(const Split&) const = default;
};
// The split that would let divide() succeed, if there is one.
std::optional<Split> find_split(const Affine& affine, std::int64_t n, const Space& space);
Space split(const Space& space, const Split& at);
Affine split(const Affine& affine, const Split& at);

// Neighbouring axes (outermost first) that are stepped through as one.
struct AxisGroup {
  std::vector<std::size_t> axes;
  std::int64_t extent = 1;
  int label = 0;
};
// How far the affine moves when the group steps by one; none if its axes do not step alike.
std::optional<std::int64_t> step_of(const Affine& affine, const AxisGroup& group,
                                    const Space& space);
// Whether any axis of the group matters.
bool depends_on(const Affine& affine, const AxisGroup& group);
// The fewest groups of equally labelled neighbours for which every form has a step.
std::vector<AxisGroup> merge_axes(const Space& space, std::span<const Affine> forms);
// All axes with the label as one group, whether or not forms have a step for it.
AxisGroup group_of(const Space& space, int label);

// Axes of a shape that matter, as a space: extents of 1 are left out.
Space space_of(const Shape& shape, int label = 0);

}  // namespace tenon::lower
