// The error for a name that is in none of the lists: losses, layers, optimizers and the like.
#pragma once
#include <span>

#include "tenon/base/error.h"
#include "tenon/base/text.h"

namespace tenon {

// UserError: unknown WHAT "name"; known: ...; did you mean ...?
[[noreturn]] inline void throw_unknown(std::string_view what, std::string_view name,
                                       std::span<const std::string_view> known) {
  const std::vector<std::string> names(known.begin(), known.end());
  throw UserError(fmt::format("unknown {} {}; known: {}{}", what, in_quotes(name),
                              join(names, ", "), did_you_mean(name, names)));
}

}  // namespace tenon
