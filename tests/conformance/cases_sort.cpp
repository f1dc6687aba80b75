// Cases of sorting.
#include "case.h"

namespace tenon::conformance {
using namespace ir;
namespace {

std::string sort_name(const TensorType& keys, const Sort& op, std::string_view what) {
  return fmt::format("sort/{}/axis {}{}/{}", keys, op.axis, op.descending ? " descending" : "",
                     what);
}

void append_sort(std::vector<Case>& all, const TensorType& keys, Sort op) {
  const HostTensor positions = random_tensor({DType::i32, keys.shape}, 371, -99, 99);
  all.push_back(single_op_case(
      sort_name(keys, op, "with others"), op,
      {random_tensor(keys, 372, -3, 3), positions, random_tensor({DType::f16, keys.shape}, 373)}));
}

}  // namespace

TENON_OP_CASES(Sort) {
  std::vector<Case> all;
  for (const DType dtype : kAllDTypes)
    for (const bool descending : {false, true}) append_sort(all, {dtype, {3, 17}}, {1, descending});
  for (const bool descending : {false, true}) {
    all.push_back(single_op_case(sort_name({DType::f32, {5, 33}}, {1, descending}, "keys only"),
                                 Sort{1, descending}, {random_tensor({DType::f32, {5, 33}}, 370)}));
    append_sort(all, {DType::f32, {1}}, {0, descending});
    append_sort(all, {DType::i32, {130}}, {0, descending});
    append_sort(all, {DType::f32, {0, 3}}, {0, descending});
    append_sort(all, {DType::f32, {3, 0}}, {0, descending});
    append_sort(all, {DType::f32, {33, 5}}, {0, descending});
    append_sort(all, {DType::i8, {3, 9, 4}}, {1, descending});
    append_sort(all, {DType::f32, {2, 3, 2, 5, 2}}, {3, descending});
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    for (const DType dtype : {DType::f32, DType::f64, DType::f16}) {
      const HostTensor keys = converted(
          make_tensor<double>({9}, {nan, 0.0, infinity, -0.0, nan, -infinity, 1, -1, 0.0}), dtype);
      const Sort op{0, descending};
      all.push_back(
          single_op_case(sort_name(keys.type(), op, "special values"), op,
                         {keys, make_tensor<std::int32_t>({9}, {0, 1, 2, 3, 4, 5, 6, 7, 8})}));
    }
    const TensorType real{DType::f64, {2, 5, 2}};
    const Sort op{1, descending};
    all.push_back(single_op_case(sort_name(real, op, "gradient"), op,
                                 {distinct_tensor(real, 374), random_tensor(real, 375)}, true));
    all.push_back(single_op_case(
        sort_name(real, op, "gradient by integers"), op,
        {random_tensor({DType::i32, real.shape}, 376, 0, 3), random_tensor(real, 377)}, true));
  }
  return all;
}

}  // namespace tenon::conformance
