// How many accumulators of a contraction the C printer keeps in registers at once.
#pragma once
#include <cstdint>

#include "tenon/base/dtype.h"

namespace tenon::codegen {

// Vectors per block: what 32 registers hold beside the operands. Lowering chooses smaller tiles for
// targets with fewer registers.
inline constexpr std::int64_t kMostVectors = 28;
inline constexpr std::int64_t kMostVectorsPerRow = 4;

// Elements of the widest vectors.
inline std::int64_t full_width(DType dtype) { return dtype == DType::f32 ? 16 : 8; }

}  // namespace tenon::codegen
