// Cases of the reductions.
#include "case.h"

namespace tenon::conformance {
using namespace ir;
namespace {

constexpr std::array kValueKinds = {ReduceKind::sum, ReduceKind::product, ReduceKind::min,
                                    ReduceKind::max};
constexpr std::array kArgKinds = {ReduceKind::argmin, ReduceKind::argmax};

std::string_view kind_name(ReduceKind kind) {
  return enum_names(kind)[static_cast<std::size_t>(kind)];
}

DType accumulation_of(ReduceKind kind, DType dtype) {
  const bool wide = kind == ReduceKind::sum || kind == ReduceKind::product;
  return wide ? accumulation_type(dtype) : dtype;
}

// Products stay near one; sums and extremes see both signs and, in integers, ties.
HostTensor operand_for(ReduceKind kind, const TensorType& type, std::uint64_t seed) {
  if (kind == ReduceKind::product && is_float(type.dtype))
    return random_tensor(type, seed, 0.5, 1.5);
  return is_integer(type.dtype) ? random_tensor(type, seed, -9, 90) : random_tensor(type, seed);
}

void append_reduce(std::vector<Case>& all, ReduceKind kind, const TensorType& type, Axes axes) {
  std::string name =
      fmt::format("reduce/{}/{}/axes {}", kind_name(kind), type, tenon::to_string(axes));
  const Reduce op{kind, std::move(axes), accumulation_of(kind, type.dtype)};
  all.push_back(single_op_case(std::move(name), op, {operand_for(kind, type, 300)}));
}

void append_cumulative(std::vector<Case>& all, ReduceKind kind, const TensorType& type,
                       std::int64_t axis, bool reverse) {
  const CumulativeReduce op{kind, axis, reverse, accumulation_of(kind, type.dtype)};
  all.push_back(single_op_case(fmt::format("cumulative_reduce/{}/{}/axis {}{}", kind_name(kind),
                                           type, axis, reverse ? " reverse" : ""),
                               op, {operand_for(kind, type, 310)}));
}

// Rows that hold NaN, infinities, zeros of both signs and ties.
HostTensor special_rows(DType dtype) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  return converted(make_tensor<double>({5, 4}, {1,         nan,       3,         nan,        //
                                                infinity,  -infinity, 2,         infinity,   //
                                                0.0,       -0.0,      -0.0,      0.0,        //
                                                -infinity, -infinity, -infinity, -infinity,  //
                                                7,         7,         -7,        -7}),
                   dtype);
}

}  // namespace

TENON_OP_CASES(Reduce) {
  std::vector<Case> all;
  for (const DType dtype : kAllDTypes) {
    if (is_boolean(dtype)) continue;
    for (const ReduceKind kind : kValueKinds) append_reduce(all, kind, {dtype, {3, 17}}, {1});
    for (const ReduceKind kind : kArgKinds) append_reduce(all, kind, {dtype, {3, 17}}, {1});
  }
  for (const ReduceKind kind : {ReduceKind::all, ReduceKind::any})
    for (const Axes& axes : {Axes{1}, Axes{0}, Axes{0, 1}, Axes{}})
      append_reduce(all, kind, {DType::boolean, {5, 3}}, axes);

  struct Layout {
    Shape shape;
    Axes axes;
  };
  const std::vector<Layout> layouts = {{{}, {}},
                                       {{3}, {}},
                                       {{1}, {0}},
                                       {{33}, {0}},
                                       {{0, 3}, {0}},
                                       {{0, 3}, {1}},
                                       {{4, 130}, {0}},
                                       {{4, 130}, {1}},
                                       {{130, 5}, {0}},
                                       {{4, 33}, {0, 1}},
                                       {{5, 1, 7}, {0, 2}},
                                       {{5, 1, 7}, {1}},
                                       {{3, 7, 5}, {1}},
                                       {{2, 3, 4, 5}, {1, 3}},
                                       {{2, 3, 4, 5}, {0, 1}},
                                       {{2, 3, 2, 3, 2}, {0, 2, 4}}};
  for (const Layout& layout : layouts)
    for (const ReduceKind kind : {ReduceKind::sum, ReduceKind::max})
      append_reduce(all, kind, {DType::f32, layout.shape}, layout.axes);
  for (const DType dtype : {DType::f16, DType::i8, DType::u64})
    for (const ReduceKind kind : kValueKinds) append_reduce(all, kind, {dtype, {0, 2}}, {0});
  for (const Layout& layout : std::vector<Layout>{
           {{33}, {0}}, {{5, 1}, {1}}, {{3, 7, 5}, {1}}, {{130, 5}, {0}}, {{4, 130}, {1}}})
    append_reduce(all, ReduceKind::argmax, {DType::f32, layout.shape}, layout.axes);
  append_reduce(all, ReduceKind::sum, {DType::f32, {1000}}, {0});
  all.push_back(single_op_case("reduce/sum/bf16[3,17]/accumulate f64",
                               Reduce{ReduceKind::sum, {1}, DType::f64},
                               {random_tensor({DType::bf16, {3, 17}}, 301)}));

  for (const DType dtype : {DType::f32, DType::f64, DType::bf16})
    for (const ReduceKind kind :
         {ReduceKind::min, ReduceKind::max, ReduceKind::argmin, ReduceKind::argmax})
      all.push_back(
          single_op_case(fmt::format("reduce/{}/{}/special values", kind_name(kind), dtype),
                         Reduce{kind, {1}, dtype}, {special_rows(dtype)}));

  const TensorType real{DType::f64, {2, 3, 4}};
  for (const Axes& axes : {Axes{1}, Axes{0, 2}}) {
    for (const ReduceKind kind : kValueKinds)
      all.push_back(single_op_case(
          fmt::format("reduce/{}/gradient/axes {}", kind_name(kind), tenon::to_string(axes)),
          Reduce{kind, axes, DType::f64},
          {kind == ReduceKind::product ? random_tensor(real, 302) : distinct_tensor(real, 303)},
          true));
  }
  for (const ReduceKind kind : kArgKinds)
    all.push_back(single_op_case(fmt::format("reduce/{}/gradient", kind_name(kind)),
                                 Reduce{kind, {2}, DType::f64}, {distinct_tensor(real, 304)},
                                 true));
  all.push_back(single_op_case(
      "reduce/product/gradient with zeros", Reduce{ReduceKind::product, {1}, DType::f64},
      {make_tensor<double>({3, 3}, {0, 2, 3, 0, 0, -1, 1.5, 2, -3})}, true));
  return all;
}

TENON_OP_CASES(CumulativeReduce) {
  std::vector<Case> all;
  for (const DType dtype : kAllDTypes) {
    if (is_boolean(dtype)) continue;
    for (const ReduceKind kind : kValueKinds)
      append_cumulative(all, kind, {dtype, {2, 19}}, 1,
                        kind == ReduceKind::product || kind == ReduceKind::min);
  }
  for (const ReduceKind kind : {ReduceKind::sum, ReduceKind::max})
    for (const bool reverse : {false, true}) {
      append_cumulative(all, kind, {DType::f32, {1}}, 0, reverse);
      append_cumulative(all, kind, {DType::f32, {130}}, 0, reverse);
      append_cumulative(all, kind, {DType::f32, {0, 3}}, 0, reverse);
      append_cumulative(all, kind, {DType::f32, {0, 3}}, 1, reverse);
      append_cumulative(all, kind, {DType::f32, {7, 17}}, 0, reverse);
      append_cumulative(all, kind, {DType::f32, {3, 5, 4}}, 1, reverse);
      append_cumulative(all, kind, {DType::f32, {2, 3, 4, 5, 2}}, 2, reverse);
    }
  for (const ReduceKind kind : {ReduceKind::min, ReduceKind::max})
    for (const bool reverse : {false, true})
      all.push_back(single_op_case(fmt::format("cumulative_reduce/{}/special values{}",
                                               kind_name(kind), reverse ? " reverse" : ""),
                                   CumulativeReduce{kind, 1, reverse, DType::f32},
                                   {special_rows(DType::f32)}));
  const TensorType real{DType::f64, {2, 5, 2}};
  for (const ReduceKind kind : kValueKinds)
    for (const bool reverse : {false, true})
      all.push_back(single_op_case(
          fmt::format("cumulative_reduce/{}/gradient{}", kind_name(kind),
                      reverse ? " reverse" : ""),
          CumulativeReduce{kind, 1, reverse, DType::f64},
          {kind == ReduceKind::product ? random_tensor(real, 311) : distinct_tensor(real, 312)},
          true));
  all.push_back(single_op_case("cumulative_reduce/product/gradient with zeros",
                               CumulativeReduce{ReduceKind::product, 0, false, DType::f64},
                               {make_tensor<double>({5}, {2, 0, 3, 0, 5})}, true));
  return all;
}

}  // namespace tenon::conformance
