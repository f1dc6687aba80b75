// A picture of a step's memory: what lies where in its workspace, launch by launch.
#pragma once
#include <string>
#include <string_view>

#include "tenon/backends/backend.h"

namespace tenon::cli {

// An SVG document. Across: the launches of the step, in order. Up: the workspace; one rectangle for
// each value, named when the pointer rests on it, and the line of what is alive.
std::string memory_svg(const backends::StepMemory& memory, std::string_view title);

}  // namespace tenon::cli
