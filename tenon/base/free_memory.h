// Memory that was freed and that malloc keeps for later.
#pragma once

namespace tenon {

// Gives it back to the system, where the system's malloc can: for the end of work that takes much
// memory for a short time.
void return_freed_memory();

}  // namespace tenon
