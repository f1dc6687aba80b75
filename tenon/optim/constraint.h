// Constraints: where a weight is brought back to after each update.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/tensor/tensor.h"

namespace tenon::optim {

enum class ConstraintKind : std::uint8_t {
  max_norm,      // vectors longer than `limit` are shortened to it. Srebro et al. 2005
  unit_norm,     // vectors of length 1; one of zeros stays
  non_negative,  // elements below 0 become 0
};

// For the weights of this name (tenon/base/name_pattern.h). Norms are Euclidean over `axes`, which
// may be negative; without any, over all axes but the last, so that each vector is what comes into
// one unit of a Dense layer or one filter of a convolution. Weights of one axis are one vector.
struct Constraint {
  std::string pattern;
  ConstraintKind kind = ConstraintKind::max_norm;
  double limit = 1;                  // of max_norm, above 0
  std::vector<std::int64_t> axes{};  // {1} for the rows of an Embedding's table
  bool operator==(const Constraint&) const = default;
};

// The weight's next value, constrained. UserError naming the weight for axes it does not have.
Tensor constrained(const Tensor& next, const Constraint& constraint, std::string_view weight);

// "*kernel:max_norm=3", "*kernel:unit_norm", "table:max_norm=1:axes=1", "*:non_negative". UserError
// for anything else and for a limit that is not above 0.
Constraint parse_constraint(std::string_view text);
std::string text_of(const Constraint& constraint);

}  // namespace tenon::optim
