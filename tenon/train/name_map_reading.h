// Name maps from JSON files.
#pragma once
#include "tenon/train/name_map.h"

namespace tenon {

// {"weights": {WEIGHT: TENSOR or {"from": TENSOR, "change": "none" | "output_last" |
// "transposed_kernel", "part": [K, N]}, ...}, "ignore": [PATTERN, ...], "prefix": TEXT}; all but
// "weights" may be left out. Names with {i}, {2*i+1} and the like stand for one name for each i
// from 0 as long as the model has such a weight; {_i} is a number as layers of one kind have it:
// nothing for 0, then _1, _2, ... UserError naming the file and the key.
NameMap read_name_map(const std::string& file, std::span<const std::string> weights);

}  // namespace tenon
