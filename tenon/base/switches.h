// Flags of a struct of options under names, so that each can be turned off by its name.
#pragma once
#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace tenon {

template <class Options>
struct Switch {
  std::string_view name;
  bool Options::*member;
};

// All on but the named ones; names of other switches are ignored.
template <class Options>
Options options_without(std::span<const Switch<Options>> switches,
                        std::span<const std::string> names) {
  Options options;
  for (const Switch<Options>& part : switches)
    if (std::ranges::count(names, part.name) > 0) options.*part.member = false;
  return options;
}

}  // namespace tenon
