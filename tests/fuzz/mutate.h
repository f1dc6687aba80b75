// Changes valid files into nearly valid ones, the same for the same random numbers.
#pragma once
#include <string>
#include <vector>

#include "tenon/base/threefry.h"

namespace tenon::fuzz {

// One to four changes of one of the files: bits, bytes and numbers set to extremes, pieces left
// out, doubled, moved or taken from another file, the end cut off; or, now and then, bytes of no
// file.
std::string mutated(const std::vector<std::string>& files, ThreefrySequence& random);

}  // namespace tenon::fuzz
