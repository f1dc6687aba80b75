// Cases of slices whose position is an operand.
#include "case.h"

namespace tenon::conformance {
using namespace ir;
namespace {

std::vector<HostTensor> with_starts(std::vector<HostTensor> inputs,
                                    std::initializer_list<double> starts, DType dtype) {
  for (const double start : starts) inputs.push_back(filled({dtype, {}}, start));
  return inputs;
}

}  // namespace

TENON_OP_CASES(DynamicSlice) {
  std::vector<Case> all;
  for (const DType dtype : kAllDTypes)
    all.push_back(single_op_case(
        fmt::format("dynamic_slice/{}", dtype), DynamicSlice{{2, 5}},
        with_starts({random_tensor({dtype, {3, 17}}, 60, 0, 90)}, {1, 4}, DType::i32),
        dtype == DType::f64));
  const HostTensor x = random_tensor({DType::f32, {5, 33}}, 61);
  for (const DType starts : kAllDTypes) {
    if (!is_integer(starts)) continue;
    all.push_back(single_op_case(fmt::format("dynamic_slice/starts {}", starts),
                                 DynamicSlice{{2, 17}}, with_starts({x}, {3, 1e30}, starts)));
    all.push_back(single_op_case(fmt::format("dynamic_slice/low starts {}", starts),
                                 DynamicSlice{{2, 17}}, with_starts({x}, {-1e30, 1}, starts)));
  }
  all.push_back(single_op_case("dynamic_slice/whole", DynamicSlice{{5, 33}},
                               with_starts({x}, {2, -2}, DType::i32)));
  all.push_back(single_op_case("dynamic_slice/empty", DynamicSlice{{0, 33}},
                               with_starts({x}, {2, 0}, DType::i32)));
  all.push_back(
      single_op_case("dynamic_slice/scalar", DynamicSlice{{}}, {filled({DType::f32, {}}, 3)}));
  all.push_back(single_op_case(
      "dynamic_slice/rank 4", DynamicSlice{{1, 2, 3, 5}},
      with_starts({random_tensor({DType::f32, {2, 3, 4, 5}}, 62)}, {1, 1, 0, 0}, DType::i64)));
  return all;
}

TENON_OP_CASES(DynamicUpdateSlice) {
  std::vector<Case> all;
  const auto append = [&](const std::string& what, const TensorType& type, const Shape& update,
                          std::initializer_list<double> starts, DType start_type) {
    all.push_back(single_op_case(
        fmt::format("dynamic_update_slice/{}/{}", type, what), DynamicUpdateSlice{},
        with_starts(
            {random_tensor(type, 63, 0, 90), random_tensor({type.dtype, update}, 64, 0, 90)},
            starts, start_type),
        type.dtype == DType::f64));
  };
  for (const DType dtype : kAllDTypes)
    append("inside", {dtype, {3, 17}}, {2, 5}, {1, 4}, DType::i32);
  for (const DType starts : {DType::u8, DType::i64, DType::u64})
    append(fmt::format("starts {}", starts), {DType::f32, {5, 33}}, {2, 17}, {1e30, 0}, starts);
  append("low starts", {DType::f32, {5, 33}}, {1, 33}, {-7, -1e30}, DType::i32);
  append("whole", {DType::f32, {5}}, {5}, {2}, DType::i32);
  append("of nothing", {DType::f32, {5}}, {0}, {2}, DType::i32);
  append("scalar", {DType::f32, {}}, {}, {}, DType::i32);
  append("rank 4", {DType::f32, {2, 3, 4, 5}}, {1, 3, 2, 5}, {1, 0, 2, 0}, DType::i32);
  return all;
}

}  // namespace tenon::conformance
