// Names of losses and metrics with numbers in them: see tenon/base/part_name.h.
#pragma once
#include "tenon/base/part_name.h"

namespace tenon::nn {

using tenon::PartName;

}  // namespace tenon::nn
