// Cases of the sliding windows.
#include "case.h"

namespace tenon::conformance {
using namespace ir;
namespace {

struct WindowLayout {
  std::string name;
  Shape shape;
  Window window;
};

Window line_window(std::int64_t size, std::int64_t stride, std::int64_t low = 0,
                   std::int64_t high = 0, std::int64_t dilation = 1) {
  return {{size}, {stride}, {low}, {high}, {dilation}};
}

// A window over the two middle axes of [batch, height, width, channels].
Window image_window(std::int64_t size, std::int64_t stride, std::int64_t low = 0,
                    std::int64_t high = 0, std::int64_t dilation = 1) {
  return {{1, size, size, 1},
          {1, stride, stride, 1},
          {0, low, low, 0},
          {0, high, high, 0},
          {1, dilation, dilation, 1}};
}

std::vector<WindowLayout> window_layouts() {
  return {
      {"neighbours", {33}, line_window(2, 1)},
      {"halves", {33}, line_window(2, 2)},
      {"gaps between windows", {33}, line_window(2, 5, 1, 3)},
      {"dilated", {33}, line_window(3, 2, 2, 1, 4)},
      {"one element", {1}, line_window(1, 1)},
      {"all of it", {17}, line_window(17, 1)},
      {"windows in the padding", {3}, line_window(2, 2, 4, 5)},
      {"scalar", {}, {{}, {}, {}, {}, {}}},
      {"no windows", {0, 6}, {{1, 2}, {1, 2}, {0, 0}, {0, 0}, {1, 1}}},
      {"pool 2x2", {2, 8, 10, 3}, image_window(2, 2)},
      {"pool 3x3 overlapping", {1, 9, 11, 2}, image_window(3, 1, 1, 1)},
      {"pool 3x3 by 2", {2, 9, 11, 3}, image_window(3, 2, 0, 1)},
      {"pool dilated", {1, 9, 9, 2}, image_window(2, 1, 1, 0, 3)},
      {"channels first",
       {2, 3, 6, 5},
       {{1, 1, 2, 3}, {1, 1, 2, 1}, {0, 0, 0, 1}, {0, 0, 0, 1}, {1, 1, 1, 1}}},
      {"rank 5",
       {1, 3, 4, 5, 2},
       {{1, 2, 2, 3, 1}, {1, 1, 2, 1, 1}, {0, 1, 0, 1, 0}, {0, 0, 0, 1, 0}, {1, 1, 1, 1, 1}}},
  };
}

std::string_view window_kind(ReduceKind kind) {
  return enum_names(kind)[static_cast<std::size_t>(kind)];
}

WindowReduce window_reduce(ReduceKind kind, const Window& window, DType dtype) {
  return {kind, window, kind == ReduceKind::sum ? accumulation_type(dtype) : dtype};
}

HostTensor special_line() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  return converted(make_tensor<double>({9}, {1, nan, 2, 2, -infinity, -infinity, 0.0, -0.0, nan}),
                   DType::f32);
}

HostTensor second_operand(const WindowLayout& layout, WindowDirection direction, DType dtype) {
  const bool scatter = direction == WindowDirection::scatter;
  return random_tensor(
      {dtype, scatter ? window_result_shape(layout.window, layout.shape, "case") : layout.shape},
      331);
}

std::string direction_name(WindowDirection direction) {
  return std::string(enum_names(direction)[static_cast<std::size_t>(direction)]);
}

void append_select(std::vector<Case>& all, ReduceKind kind, WindowDirection direction,
                   const WindowLayout& layout, DType dtype, bool has_gradient = false) {
  // Whole numbers in a small range have ties; the derivative needs distinct ones.
  const TensorType type{dtype, layout.shape};
  HostTensor x = has_gradient
                     ? distinct_tensor(type, 332)
                     : converted(random_tensor({DType::i32, layout.shape}, 333, 0, 5), dtype);
  all.push_back(single_op_case(
      fmt::format("window_select/{} {}/{}/{}{}", window_kind(kind), direction_name(direction), type,
                  layout.name, has_gradient ? "/gradient" : ""),
      WindowSelect{kind, direction, layout.window},
      {std::move(x), second_operand(layout, direction, dtype)}, has_gradient));
}

const std::vector<WindowLayout>& gradient_layouts() {
  static const std::vector<WindowLayout> all = {
      {"line", {9}, line_window(3, 2, 1, 1)},
      {"dilated", {9}, line_window(2, 1, 0, 1, 3)},
      {"plane", {4, 5}, {{2, 3}, {2, 1}, {0, 1}, {1, 0}, {1, 1}}},
      {"gaps", {9}, line_window(2, 4)},
  };
  return all;
}

}  // namespace

TENON_OP_CASES(WindowReduce) {
  std::vector<Case> all;
  constexpr std::array kinds = {ReduceKind::sum, ReduceKind::min, ReduceKind::max};
  for (const DType dtype : kAllDTypes) {
    if (is_boolean(dtype)) continue;
    for (const ReduceKind kind : kinds)
      all.push_back(single_op_case(fmt::format("window_reduce/{}/{}", window_kind(kind), dtype),
                                   window_reduce(kind, line_window(3, 2, 1, 1), dtype),
                                   {random_tensor({dtype, {19}}, 320, -9, 9)}));
  }
  for (const WindowLayout& layout : window_layouts())
    for (const ReduceKind kind : {ReduceKind::sum, ReduceKind::max})
      all.push_back(
          single_op_case(fmt::format("window_reduce/{}/f32/{}", window_kind(kind), layout.name),
                         window_reduce(kind, layout.window, DType::f32),
                         {random_tensor({DType::f32, layout.shape}, 321)}));
  for (const ReduceKind kind : {ReduceKind::min, ReduceKind::max})
    all.push_back(
        single_op_case(fmt::format("window_reduce/{}/f32/special values", window_kind(kind)),
                       window_reduce(kind, line_window(2, 1, 2, 2), DType::f32), {special_line()}));
  for (const WindowLayout& layout : gradient_layouts())
    for (const ReduceKind kind : kinds)
      all.push_back(single_op_case(
          fmt::format("window_reduce/{}/gradient/{}", window_kind(kind), layout.name),
          window_reduce(kind, layout.window, DType::f64),
          {distinct_tensor({DType::f64, layout.shape}, 322)}, true));
  return all;
}

TENON_OP_CASES(WindowSelect) {
  std::vector<Case> all;
  constexpr std::array directions = {WindowDirection::scatter, WindowDirection::gather};
  const WindowLayout line{"line", {19}, line_window(3, 2, 1, 1)};
  for (const WindowDirection direction : directions) {
    for (const DType dtype : kAllDTypes)
      if (!is_boolean(dtype))
        append_select(all, dtype == DType::f32 ? ReduceKind::min : ReduceKind::max, direction, line,
                      dtype);
    for (const WindowLayout& layout : window_layouts())
      append_select(all, ReduceKind::max, direction, layout, DType::f32);
    for (const WindowLayout& layout : gradient_layouts())
      append_select(all, direction == WindowDirection::scatter ? ReduceKind::max : ReduceKind::min,
                    direction, layout, DType::f64, true);
    const WindowLayout special{"special values", {9}, line_window(2, 1, 2, 2)};
    all.push_back(single_op_case(
        fmt::format("window_select/max {}/f32/special values", direction_name(direction)),
        WindowSelect{ReduceKind::max, direction, special.window},
        {special_line(), second_operand(special, direction, DType::f32)}));
  }
  return all;
}

}  // namespace tenon::conformance
