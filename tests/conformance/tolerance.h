// How far a backend may be from the reference: one table, a row per op.
#pragma once
#include <string>

#include "case.h"

namespace tenon::conformance {

// An element passes if it is within `ulps` units in the last place of the expected one plus
// `absolute`. Both zero means the same bits, any NaN for NaN. Integers and bool are always exact.
struct Tolerance {
  double ulps = 0;
  double absolute = 0;
  std::string reason;  // the row of the table; empty for exact
};

// The sum of the rows of all nodes of the case, with the magnitudes its inputs give.
Tolerance tolerance_of(const Case& c);

// Adds a test failure that shows the first and the worst difference, if there is any.
void compare(const HostTensor& expected, const HostTensor& actual, const Tolerance& tolerance);

}  // namespace tenon::conformance
