// How reductions combine elements: the scalar function, the neutral element, the order of extremes.
#pragma once
#include "tenon/ir/ops/reduce.h"
#include "tenon/lower/emitter.h"

namespace tenon::lower {

// sum: add, min and argmin: minimum, ...
ScalarFunction combining_function(ir::ReduceKind kind);

// The neutral element of sum, product, min, max, all or any in this element type.
kernel::ValueId neutral_element(Emitter& emitter, ir::ReduceKind kind, DType dtype);

// bool: `candidate` takes the place of `best` in a running min or max: it is strictly more extreme,
// or the first NaN (ir/ops/combine.h).
kernel::ValueId replaces(Emitter& emitter, bool smallest, kernel::ValueId candidate,
                         kernel::ValueId best);

kernel::ValueId is_nan(Emitter& emitter, kernel::ValueId value);  // of a float

}  // namespace tenon::lower
