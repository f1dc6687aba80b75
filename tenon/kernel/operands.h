// Walking the operands and the nested blocks of kernel instructions, and removing unused ones.
#pragma once
#include <functional>

#include "tenon/kernel/kernel.h"

namespace tenon::kernel {

// Calls visit on every operand, in order; what a loop or an if uses inside its body is not visited.
void for_each_operand(Instruction& instruction, const std::function<void(ValueId&)>& visit);
void for_each_operand(const Instruction& instruction, const std::function<void(ValueId)>& visit);

// The body of a loop or an if, or null.
const Block* body_of(const Instruction& instruction);
Block* body_of(Instruction& instruction);

// Whether the instruction, or something in its body, writes memory or waits.
bool has_effect(const Instruction& instruction);

// Moves scalar arithmetic in front of the first contraction or loop of its block, where its
// operands allow that: what comes behind then knows where it will read and write.
void raise_scalars(Kernel& kernel);

// Removes statements whose results nothing uses, and numbers the values in order of definition.
void remove_unused(Kernel& kernel);

}  // namespace tenon::kernel
