#include "tenon/optim/constraint.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "tenon/base/text.h"
#include "tenon/base/unknown_name.h"
#include "tenon/optim/groups.h"
#include "tenon/tensor/functions.h"

namespace tenon::optim {
namespace {

constexpr std::array<std::string_view, 3> kConstraintNames = {"max_norm", "unit_norm",
                                                              "non_negative"};
constexpr std::string_view kAxesOption = "axes=";

Axes norm_axes(const Tensor& next, const Constraint& constraint, std::string_view weight) {
  const std::int64_t rank = next.rank();
  Axes axes;
  for (const std::int64_t axis : constraint.axes) {
    require(axis >= -rank && axis < rank,
            "constraint \"{}\": axis {} is none of \"{}\", which is {}", text_of(constraint), axis,
            weight, next.type());
    axes.push_back(axis);
  }
  if (!axes.empty() || rank == 0) return axes;
  for (std::int64_t axis = 0; axis < std::max<std::int64_t>(1, rank - 1); ++axis)
    axes.push_back(axis);
  return axes;
}

std::vector<std::int64_t> parse_axes(std::string_view list, std::string_view text) {
  std::vector<std::int64_t> axes;
  for (const std::string_view piece : split(list, '/')) {
    std::int32_t axis = 0;
    const auto [end, error] = std::from_chars(piece.data(), piece.data() + piece.size(), axis);
    require(error == std::errc() && end == piece.data() + piece.size(),
            "{}: axes must be whole numbers with / between them, got {}", in_quotes(text),
            in_quotes(piece));
    axes.push_back(axis);
  }
  return axes;
}

}  // namespace

Tensor constrained(const Tensor& next, const Constraint& constraint, std::string_view weight) {
  if (constraint.kind == ConstraintKind::non_negative) return maximum(next, 0.0);
  const Tensor length = sqrt(sum(square(next), norm_axes(next, constraint, weight), true));
  if (constraint.kind == ConstraintKind::unit_norm) return where(length > 0.0, next / length, next);
  return where(length > constraint.limit, next * (constraint.limit / length), next);
}

Constraint parse_constraint(std::string_view text) {
  constexpr std::string_view kForm = "\"*kernel:max_norm=3\" or \"*kernel:unit_norm\"";
  Constraint constraint;
  std::string_view rest = text;
  const auto take_last = [&] {
    const std::size_t colon = rest.rfind(':');
    require(colon != std::string_view::npos && colon > 0,
            "expected PATTERN:CONSTRAINT, as in {}, got {}", kForm, in_quotes(text));
    const std::string_view last = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    return last;
  };
  std::string_view option = take_last();
  if (option.starts_with(kAxesOption)) {
    constraint.axes = parse_axes(option.substr(kAxesOption.size()), text);
    option = take_last();
  }
  const std::size_t sign = option.find('=');
  const std::string_view kind = option.substr(0, sign);
  const auto known = std::ranges::find(kConstraintNames, kind);
  if (known == kConstraintNames.end()) throw_unknown("constraint", kind, kConstraintNames);
  constraint.kind = static_cast<ConstraintKind>(known - kConstraintNames.begin());
  constraint.pattern = rest;
  const bool has_number = sign != std::string_view::npos;
  const bool takes_number = constraint.kind == ConstraintKind::max_norm;
  require(has_number == takes_number, "{}: {} {}", in_quotes(text), kind,
          takes_number ? "needs the largest norm, as in max_norm=3" : "takes no number");
  if (has_number) constraint.limit = parse_finite(option.substr(sign + 1), in_quotes(text));
  require(constraint.limit > 0, "{}: the largest norm must be above 0, got {}", in_quotes(text),
          constraint.limit);
  return constraint;
}

std::string text_of(const Constraint& constraint) {
  std::string text = fmt::format("{}:{}", constraint.pattern,
                                 kConstraintNames[static_cast<std::size_t>(constraint.kind)]);
  if (constraint.kind == ConstraintKind::max_norm) text += fmt::format("={}", constraint.limit);
  if (!constraint.axes.empty())
    text += fmt::format(":{}{}", kAxesOption, join(constraint.axes, "/"));
  return text;
}

}  // namespace tenon::optim
