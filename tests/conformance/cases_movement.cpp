// Cases of the ops that move elements.
#include "case.h"

namespace tenon::conformance {
using namespace ir;
namespace {

// The op on every element type (f64 with its gradient), the operands drawn for these shapes.
void append_every_type(std::vector<Case>& all, const std::string& what, const Op& op,
                       const std::vector<Shape>& shapes) {
  for (const DType dtype : kAllDTypes) {
    std::vector<HostTensor> inputs;
    for (const Shape& shape : shapes)
      inputs.push_back(random_tensor({dtype, shape}, 40 + inputs.size(), 0, 90));
    all.push_back(single_op_case(fmt::format("{}/{}/{}", name(op), dtype, what), op,
                                 std::move(inputs), dtype == DType::f64));
  }
}

void append_f32(std::vector<Case>& all, const std::string& what, const Op& op,
                const std::vector<Shape>& shapes) {
  std::vector<HostTensor> inputs;
  for (const Shape& shape : shapes)
    inputs.push_back(random_tensor({DType::f32, shape}, 50 + inputs.size()));
  all.push_back(single_op_case(fmt::format("{}/f32/{}", name(op), what), op, std::move(inputs)));
}

}  // namespace

TENON_OP_CASES(Broadcast) {
  std::vector<Case> all;
  append_every_type(all, "rows", Broadcast{{3, 17}, {1}}, {{17}});
  append_f32(all, "columns", Broadcast{{17, 33}, {0}}, {{17}});
  append_f32(all, "scalar", Broadcast{{2, 3, 5}, {}}, {{}});
  append_f32(all, "to a scalar", Broadcast{{}, {}}, {{}});
  append_f32(all, "to nothing", Broadcast{{0, 3}, {1}}, {{3}});
  append_f32(all, "middle axes", Broadcast{{2, 3, 1, 5, 4}, {1, 3}}, {{3, 5}});
  append_f32(all, "identity", Broadcast{{3, 5}, {0, 1}}, {{3, 5}});
  return all;
}

TENON_OP_CASES(Reshape) {
  std::vector<Case> all;
  append_every_type(all, "split", Reshape{{3, 11}}, {{33}});
  append_f32(all, "merge", Reshape{{30}}, {{2, 3, 5}});
  append_f32(all, "regroup", Reshape{{3, 1, 10}}, {{2, 3, 5}});
  append_f32(all, "to a scalar", Reshape{{}}, {{1, 1}});
  append_f32(all, "of nothing", Reshape{{5, 0}}, {{0, 2}});
  return all;
}

TENON_OP_CASES(Transpose) {
  std::vector<Case> all;
  append_every_type(all, "matrix", Transpose{{1, 0}}, {{3, 17}});
  append_f32(all, "beyond one tile", Transpose{{1, 0}}, {{33, 65}});
  append_f32(all, "rank 3", Transpose{{2, 0, 1}}, {{4, 3, 17}});
  append_f32(all, "rank 4", Transpose{{0, 2, 1, 3}}, {{2, 3, 5, 4}});
  append_f32(all, "rank 5", Transpose{{4, 2, 0, 3, 1}}, {{2, 3, 1, 4, 5}});
  append_f32(all, "scalar", Transpose{{}}, {{}});
  append_f32(all, "nothing", Transpose{{1, 0}}, {{0, 3}});
  return all;
}

TENON_OP_CASES(Reverse) {
  std::vector<Case> all;
  append_every_type(all, "rows", Reverse{{1}}, {{3, 17}});
  append_f32(all, "both axes", Reverse{{0, 1}}, {{3, 33}});
  append_f32(all, "outer axes", Reverse{{0, 2}}, {{2, 3, 4, 5}});
  append_f32(all, "no axes", Reverse{{}}, {{7}});
  append_f32(all, "scalar", Reverse{{}}, {{}});
  append_f32(all, "nothing", Reverse{{0}}, {{0, 3}});
  return all;
}

TENON_OP_CASES(Slice) {
  std::vector<Case> all;
  append_every_type(all, "strided", Slice{{1, 2}, {3, 17}, {1, 3}}, {{3, 17}});
  append_f32(all, "whole", Slice{{0, 0}, {3, 5}, {1, 1}}, {{3, 5}});
  append_f32(all, "one element", Slice{{2, 4}, {3, 5}, {1, 1}}, {{3, 5}});
  append_f32(all, "empty", Slice{{2, 4}, {2, 5}, {1, 1}}, {{3, 5}});
  append_f32(all, "rank 4", Slice{{0, 1, 0, 2}, {2, 3, 5, 7}, {1, 2, 3, 2}}, {{2, 3, 5, 7}});
  append_f32(all, "scalar", Slice{{}, {}, {}}, {{}});
  return all;
}

TENON_OP_CASES(Pad) {
  std::vector<Case> all;
  append_every_type(all, "all sides", Pad{{1, 2}, {2, 0}, {0, 1}}, {{3, 17}, {}});
  append_every_type(all, "negative", Pad{{-1, 2}, {1, -3}, {1, 0}}, {{3, 17}, {}});
  append_f32(all, "all cut away", Pad{{-5}, {4}, {0}}, {{3}, {}});
  append_f32(all, "empty result", Pad{{-3}, {0}, {0}}, {{3}, {}});
  append_f32(all, "of nothing", Pad{{2, 1}, {1, 1}, {3, 0}}, {{0, 2}, {}});
  append_f32(all, "rank 4", Pad{{0, 1, 1, 0}, {0, 1, 1, 0}, {0, 0, 0, 0}}, {{2, 5, 5, 3}, {}});
  append_f32(all, "scalar", Pad{{}, {}, {}}, {{}, {}});
  // Cut into equal lengths along an axis, or two.
  append_every_type(all, "whole segments", Pad{{0, 16}, {0, 32}, {0, 0}}, {{3, 16}, {}});
  append_f32(all, "segments both ways", Pad{{16, 32}, {0, 64}, {0, 0}}, {{32, 32}, {}});
  append_f32(all, "segments cut away", Pad{{0, 16}, {0, -32}, {0, 0}}, {{3, 80}, {}});
  return all;
}

TENON_OP_CASES(Concatenate) {
  std::vector<Case> all;
  append_every_type(all, "columns", Concatenate{1}, {{3, 17}, {3, 1}, {3, 4}});
  append_f32(all, "rows", Concatenate{0}, {{1, 5}, {17, 5}});
  append_f32(all, "with nothing", Concatenate{0}, {{2, 3}, {0, 3}, {1, 3}});
  append_f32(all, "one operand", Concatenate{0}, {{5}});
  append_f32(all, "middle of rank 4", Concatenate{2}, {{2, 3, 1, 5}, {2, 3, 4, 5}});
  append_every_type(all, "segments", Concatenate{1}, {{3, 16}, {3, 32}, {3, 16}});
  append_f32(all, "segments of rows", Concatenate{0}, {{16, 5}, {32, 5}});
  append_f32(all, "segments in the middle", Concatenate{1}, {{2, 16, 3}, {2, 16, 3}});
  return all;
}

}  // namespace tenon::conformance
