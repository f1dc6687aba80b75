#include "tenon/lower/access.h"

#include "tenon/base/error.h"

namespace tenon::lower {

namespace {

std::int64_t floor_divide(std::int64_t a, std::int64_t n) { return a / n - (a % n < 0 ? 1 : 0); }

}  // namespace

bool Affine::is_constant() const {
  return runtime.empty() && std::ranges::all_of(coefficients, [](auto c) { return c == 0; });
}

Affine constant_affine(const Space& space, std::int64_t value) {
  return {value, std::vector<std::int64_t>(space.size()), {}};
}

Affine axis_affine(const Space& space, std::size_t axis, std::int64_t coefficient) {
  Affine affine = constant_affine(space, 0);
  affine.coefficients[axis] = coefficient;
  return affine;
}

Affine sum(Affine a, const Affine& b) {
  a.constant += b.constant;
  for (std::size_t i = 0; i < a.coefficients.size(); ++i) a.coefficients[i] += b.coefficients[i];
  for (const RuntimeTerm& term : b.runtime) {
    const auto same = std::ranges::find(a.runtime, term.value, &RuntimeTerm::value);
    if (same == a.runtime.end())
      a.runtime.push_back(term);
    else
      same->coefficient += term.coefficient;
  }
  std::erase_if(a.runtime, [](const RuntimeTerm& term) { return term.coefficient == 0; });
  return a;
}

Affine scaled(Affine a, std::int64_t factor) {
  a.constant *= factor;
  for (std::int64_t& coefficient : a.coefficients) coefficient *= factor;
  for (RuntimeTerm& term : a.runtime) term.coefficient *= factor;
  std::erase_if(a.runtime, [](const RuntimeTerm& term) { return term.coefficient == 0; });
  return a;
}

Affine shifted(Affine a, std::int64_t distance) {
  a.constant += distance;
  return a;
}

Range range_of(const Affine& affine, const Space& space) {
  Range range{affine.constant, affine.constant};
  for (std::size_t i = 0; i < space.size(); ++i) {
    const std::int64_t reach = affine.coefficients[i] * (space[i].extent - 1);
    (reach < 0 ? range.low : range.high) += reach;
  }
  for (const RuntimeTerm& term : affine.runtime) {
    const std::int64_t first = term.coefficient * term.range.low;
    const std::int64_t last = term.coefficient * term.range.high;
    range.low += std::min(first, last);
    range.high += std::max(first, last);
  }
  return range;
}

Affine row_major(const Space& space) {
  Affine affine = constant_affine(space, 0);
  std::int64_t stride = 1;
  for (std::size_t i = space.size(); i-- > 0;) {
    affine.coefficients[i] = stride;
    stride *= space[i].extent;
  }
  return affine;
}

std::optional<Division> divide(const Affine& affine, std::int64_t n, const Space& space) {
  Division result{constant_affine(space, 0), constant_affine(space, affine.constant)};
  for (std::size_t i = 0; i < space.size(); ++i) {
    const std::int64_t coefficient = affine.coefficients[i];
    if (coefficient % n == 0)
      result.quotient.coefficients[i] = coefficient / n;
    else
      result.remainder.coefficients[i] = coefficient;
  }
  for (RuntimeTerm term : affine.runtime) {
    Affine& part = term.coefficient % n == 0 ? result.quotient : result.remainder;
    if (term.coefficient % n == 0) term.coefficient /= n;
    part.runtime.push_back(term);
  }
  const Range rest = range_of(result.remainder, space);
  const std::int64_t whole = floor_divide(rest.low, n);
  if (floor_divide(rest.high, n) != whole) return std::nullopt;
  result.quotient.constant = whole;
  result.remainder.constant -= whole * n;
  return result;
}

std::optional<Split> find_split(const Affine& affine, std::int64_t n, const Space& space) {
  for (std::size_t i = 0; i < space.size(); ++i) {
    const std::int64_t coefficient = affine.coefficients[i];
    if (coefficient <= 0 || n % coefficient != 0) continue;
    const std::int64_t inner = n / coefficient;
    if (inner > 1 && inner < space[i].extent && space[i].extent % inner == 0)
      return Split{i, inner};
  }
  return std::nullopt;
}

Space split(const Space& space, const Split& at) {
  Space result = space;
  result[at.axis].extent = space[at.axis].extent / at.inner;
  result.insert(result.begin() + static_cast<std::ptrdiff_t>(at.axis) + 1,
                SpaceAxis{at.inner, space[at.axis].label});
  return result;
}

Affine split(const Affine& affine, const Split& at) {
  Affine result = affine;
  const std::int64_t inner = affine.coefficients[at.axis];
  result.coefficients[at.axis] = inner * at.inner;
  result.coefficients.insert(result.coefficients.begin() + static_cast<std::ptrdiff_t>(at.axis) + 1,
                             inner);
  return result;
}

std::optional<std::int64_t> step_of(const Affine& affine, const AxisGroup& group,
                                    const Space& space) {
  if (group.axes.empty()) return 0;
  const std::int64_t step = affine.coefficients[group.axes.back()];
  std::int64_t expected = step;
  for (std::size_t i = group.axes.size(); i-- > 0;) {
    if (affine.coefficients[group.axes[i]] != expected) return std::nullopt;
    expected *= space[group.axes[i]].extent;
  }
  return step;
}

bool depends_on(const Affine& affine, const AxisGroup& group) {
  return std::ranges::any_of(group.axes,
                             [&](std::size_t axis) { return affine.coefficients[axis] != 0; });
}

std::vector<AxisGroup> merge_axes(const Space& space, std::span<const Affine> forms) {
  std::vector<AxisGroup> groups;
  for (std::size_t axis = 0; axis < space.size(); ++axis) {
    const std::int64_t extent = space[axis].extent;
    const auto continues = [&](const Affine& form) {
      return form.coefficients[axis - 1] == form.coefficients[axis] * extent;
    };
    if (!groups.empty() && groups.back().label == space[axis].label &&
        std::ranges::all_of(forms, continues)) {
      groups.back().axes.push_back(axis);
      groups.back().extent *= extent;
    } else {
      groups.push_back({{axis}, extent, space[axis].label});
    }
  }
  return groups;
}

AxisGroup group_of(const Space& space, int label) {
  AxisGroup group{{}, 1, label};
  for (std::size_t axis = 0; axis < space.size(); ++axis) {
    if (space[axis].label != label) continue;
    group.axes.push_back(axis);
    group.extent *= space[axis].extent;
  }
  return group;
}

Space space_of(const Shape& shape, int label) {
  Space space;
  for (const std::int64_t extent : shape)
    if (extent != 1) space.push_back({extent, label});
  return space;
}

}  // namespace tenon::lower
