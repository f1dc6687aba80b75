// cases{...}: one lambda per alternative; forgetting one does not compile.
#pragma once
#include <variant>

namespace tenon {

template <class... Cases>
struct cases : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
cases(Cases...) -> cases<Cases...>;  // clang < 17 needs the guide

}  // namespace tenon
