// Cases of gather and scatter.
#include "case.h"

namespace tenon::conformance {
using namespace ir;
namespace {

struct IndexLayout {
  std::string name;
  Shape x, indices;
  Axes axes;
  std::int64_t batch = 0;
  DType index_type = DType::i32;
};

std::vector<IndexLayout> index_layouts() {
  return {
      {"rows", {17, 5}, {9, 1}, {0}},
      {"columns", {5, 17}, {9, 1}, {1}},
      {"middle axis", {3, 7, 4}, {5, 1}, {1}},
      {"one point", {17, 5}, {2}, {0, 1}},
      {"points", {7, 6}, {33, 2}, {0, 1}},
      {"axes not in order", {4, 5, 3}, {6, 2}, {2, 0}},
      {"indices of rank 3", {17, 5}, {2, 3, 1}, {0}},
      {"along the last axis", {3, 4, 9}, {3, 4, 5, 1}, {2}, 2},
      {"batch", {3, 6, 4}, {3, 5, 1}, {1}, 1},
      {"batch and points", {2, 3, 5, 4}, {2, 7, 2}, {2, 1}, 1},
      {"extent 1", {1, 5}, {4, 1}, {0}},
      {"no indices", {4, 5}, {0, 1}, {0}},
      {"nothing to move", {4, 0}, {3, 1}, {0}},
      {"rank 5", {2, 3, 2, 4, 2}, {2, 3, 1}, {3}, 1},
      {"i64 indices", {17}, {9, 1}, {0}, 0, DType::i64},
      {"u8 indices", {300, 2}, {9, 1}, {0}, 0, DType::u8},
      {"i8 indices", {17, 2}, {9, 1}, {0}, 0, DType::i8},
      {"u64 indices", {17, 2}, {9, 1}, {0}, 0, DType::u64},
  };
}

// In range, and a little out of range on both sides; with duplicates where there are enough.
HostTensor some_indices(const IndexLayout& layout, std::uint64_t seed) {
  double largest = 0;
  for (const std::int64_t axis : layout.axes)
    largest = std::max(largest, static_cast<double>(layout.x[static_cast<std::size_t>(axis)]));
  return random_tensor({layout.index_type, layout.indices}, seed, -2, largest + 1);
}

Shape updates_shape(const IndexLayout& layout) {
  Shape shape(layout.indices.begin(), layout.indices.end() - 1);
  for (std::size_t axis = static_cast<std::size_t>(layout.batch); axis < layout.x.size(); ++axis)
    if (std::ranges::find(layout.axes, static_cast<std::int64_t>(axis)) == layout.axes.end())
      shape.push_back(layout.x[axis]);
  return shape;
}

void append_gather(std::vector<Case>& all, const IndexLayout& layout, DType dtype) {
  all.push_back(single_op_case(
      fmt::format("gather/{}/{}", dtype, layout.name), Gather{layout.axes, layout.batch},
      {random_tensor({dtype, layout.x}, 360), some_indices(layout, 361)}, dtype == DType::f64));
}

void append_scatter(std::vector<Case>& all, const IndexLayout& layout, ScatterKind kind,
                    DType dtype) {
  const bool has_gradient = dtype == DType::f64;
  HostTensor x = distinct_tensor({dtype, layout.x}, 362);
  HostTensor updates = distinct_tensor({dtype, updates_shape(layout)}, 363);
  if (has_gradient)  // away from ties between the two
    for (double& value : updates.as<double>()) value += 0.1;
  all.push_back(single_op_case(
      fmt::format("scatter/{}/{}/{}", enum_names(kind)[static_cast<std::size_t>(kind)], dtype,
                  layout.name),
      Scatter{kind, layout.axes, layout.batch},
      {std::move(x), some_indices(layout, 364), std::move(updates)}, has_gradient));
}

// Small, so that finite differences over all elements stay quick.
std::vector<IndexLayout> small_index_layouts() {
  return {
      {"rows", {4, 3}, {6, 1}, {0}},
      {"points", {3, 4}, {5, 2}, {1, 0}},
      {"batch", {2, 4, 2}, {2, 3, 1}, {1}, 1},
      {"u8 indices", {5}, {4, 1}, {0}, 0, DType::u8},
  };
}

}  // namespace

TENON_OP_CASES(Gather) {
  std::vector<Case> all;
  const auto layouts = index_layouts();
  for (const DType dtype : kAllDTypes)
    if (dtype != DType::f64) append_gather(all, layouts[0], dtype);
  for (std::size_t i = 1; i < layouts.size(); ++i) append_gather(all, layouts[i], DType::f32);
  for (const IndexLayout& layout : small_index_layouts()) append_gather(all, layout, DType::f64);
  return all;
}

TENON_OP_CASES(Scatter) {
  std::vector<Case> all;
  const auto layouts = index_layouts();
  constexpr std::array kinds = {ScatterKind::set, ScatterKind::add, ScatterKind::multiply,
                                ScatterKind::min, ScatterKind::max};
  for (const DType dtype : kAllDTypes)
    for (const ScatterKind kind : kinds) {
      if (is_boolean(dtype) && kind != ScatterKind::set) continue;
      if (dtype != DType::f64) append_scatter(all, layouts[0], kind, dtype);
    }
  for (std::size_t i = 1; i < layouts.size(); ++i)
    for (const ScatterKind kind : {ScatterKind::set, ScatterKind::add})
      append_scatter(all, layouts[i], kind, DType::f32);
  for (const IndexLayout& layout : small_index_layouts())
    for (const ScatterKind kind : kinds) append_scatter(all, layout, kind, DType::f64);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const ScatterKind kind : {ScatterKind::min, ScatterKind::max})
    all.push_back(single_op_case(
        fmt::format("scatter/{}/f32/special values",
                    enum_names(kind)[static_cast<std::size_t>(kind)]),
        Scatter{kind, {0}, 0},
        {converted(make_tensor<double>({4}, {nan, 1, 0.0, -0.0}), DType::f32),
         make_tensor<std::int32_t>({6, 1}, {0, 1, 1, 2, 3, 3}),
         converted(make_tensor<double>({6}, {5, nan, 7, -0.0, 0.0, -0.0}), DType::f32)}));
  return all;
}

}  // namespace tenon::conformance
