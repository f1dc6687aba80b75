#include "tenon/ir/subgraphs.h"

namespace tenon::ir {
namespace {

template <class T>
constexpr bool kIsGraphRef = std::is_same_v<std::remove_cvref_t<T>, GraphRef>;

}  // namespace

void for_each_subgraph(const Op& op, const std::function<void(const Graph&)>& visit) {
  const auto visit_field = [&](std::string_view, auto& field) {
    if constexpr (kIsGraphRef<decltype(field)>) {
      if (field) visit(*field);
    }
  };
  std::visit([&]<class T>(const T& o) { T::fields(o, visit_field); }, op);
}

bool has_subgraphs(const Op& op) {
  bool found = false;
  for_each_subgraph(op, [&](const Graph&) { found = true; });
  return found;
}

Op map_subgraphs(const Op& op, const std::function<Graph(const Graph&)>& change) {
  Op changed = op;
  const auto visit_field = [&](std::string_view, auto& field) {
    if constexpr (kIsGraphRef<decltype(field)>) {
      if (field) field = GraphRef(change(*field));
    }
  };
  std::visit([&]<class T>(T& o) { T::fields(o, visit_field); }, changed);
  return changed;
}

}  // namespace tenon::ir
