// The type rule of kernel instructions: what each gives, and what it accepts.
#pragma once
#include <vector>

#include "tenon/kernel/kernel.h"

namespace tenon::kernel {

// Types of the instruction's results (none for stores, barrier and if). InternalError, naming the
// kernel, if an operand, a buffer or an extent does not fit. A loop's body must be complete.
std::vector<TileType> infer_types(const Kernel& kernel, const Instruction& instruction);

// "f32[12x32]", or "i64" for a scalar.
std::string to_string(const TileType& type);

}  // namespace tenon::kernel
