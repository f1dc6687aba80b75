// Arithmetic of a graph's contractions, counted from their types.
#pragma once
#include <cstdint>

#include "tenon/ir/graph.h"

namespace tenon::cli {

// Multiplications and additions of every dot and convolution, two for each pair of factors that the
// op's definition names (zeros of padding and dilation included); bodies of loops count once per
// turn where the number of turns is known.
double count_flops(const ir::Graph& graph);

}  // namespace tenon::cli
