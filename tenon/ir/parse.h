// Reads back the text that print.h writes.
#pragma once
#include <string_view>

#include "tenon/ir/graph.h"

namespace tenon::ir {

// parse(print(g)) == g, names and locations included, for every graph a Builder made. Nodes go
// through Builder::add, so types are checked and equal nodes merge. Any text is safe: UserError
// "graph text LINE:COLUMN: ..." for what does not parse, for graphs nested more than 32 deep, lists
// and ranks above 64, and constants longer than the text that should hold their elements.
Graph parse(std::string_view text);

}  // namespace tenon::ir
