// Tiles whose columns lie along memory: read as they lie and transposed in registers.
#pragma once
#include <string>

#include "tenon/kernel/kernel.h"

namespace tenon::codegen {

// Whether each column of the tile is contiguous in memory, and the tile f32, at least 16 x 16 and
// all of it active.
bool is_transposed(const kernel::Kernel& kernel, const kernel::Load& load);

// Defines tenon_transpose_f32(from, from_step, to, to_step, rows, lanes):
// to[r * to_step + l] = from[l * from_step + r].
std::string transpose_text();

}  // namespace tenon::codegen
