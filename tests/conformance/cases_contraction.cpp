// Cases of dot and convolution.
#include "case.h"

namespace tenon::conformance {
using namespace ir;
namespace {

struct DotLayout {
  std::string name;
  Shape lhs, rhs;
  Axes lhs_contracting, rhs_contracting;
  Axes lhs_batch, rhs_batch;
};

Dot make_dot(const DotLayout& layout, DType result) {
  return {layout.lhs_batch,       layout.rhs_batch, layout.lhs_contracting,
          layout.rhs_contracting, result,           Precision::highest};
}

void append_dot(std::vector<Case>& all, const DotLayout& layout, DType dtype, DType result,
                bool has_gradient = false) {
  all.push_back(single_op_case(
      fmt::format("dot/{} to {}/{}{}", dtype, result, layout.name, has_gradient ? "/gradient" : ""),
      make_dot(layout, result),
      {random_tensor({dtype, layout.lhs}, 340, -2, 9), random_tensor({dtype, layout.rhs}, 341)},
      has_gradient));
}

// One convolution in channels-last layout: [batch, spatial..., in], [spatial..., in, out].
struct ConvolutionLayout {
  std::string name;
  Shape input, kernel;
  Shape strides, low, high;
  Shape base, window;  // dilations; empty for 1
  std::int64_t feature_groups = 1;
  std::int64_t batch_groups = 1;
};

Convolution make_convolution(const ConvolutionLayout& layout, DType result) {
  Convolution op;
  const std::size_t spatial = layout.input.size() - 2;
  for (std::size_t i = 0; i < spatial; ++i) {
    op.input_spatial.push_back(static_cast<std::int64_t>(i) + 1);
    op.kernel_spatial.push_back(static_cast<std::int64_t>(i));
  }
  op.output_spatial = op.input_spatial;
  op.input_feature = op.output_feature = op.kernel_output = static_cast<std::int64_t>(spatial) + 1;
  op.kernel_input = static_cast<std::int64_t>(spatial);
  op.strides = layout.strides;
  op.low = layout.low;
  op.high = layout.high;
  op.base_dilation = layout.base.empty() ? Shape(spatial, 1) : layout.base;
  op.window_dilation = layout.window.empty() ? Shape(spatial, 1) : layout.window;
  op.feature_groups = layout.feature_groups;
  op.batch_groups = layout.batch_groups;
  op.result = result;
  return op;
}

void append_convolution(std::vector<Case>& all, const ConvolutionLayout& layout, DType dtype,
                        DType result, bool has_gradient = false) {
  all.push_back(single_op_case(fmt::format("convolution/{} to {}/{}{}", dtype, result, layout.name,
                                           has_gradient ? "/gradient" : ""),
                               make_convolution(layout, result),
                               {random_tensor({dtype, layout.input}, 350, -2, 9),
                                random_tensor({dtype, layout.kernel}, 351)},
                               has_gradient));
}

}  // namespace

TENON_OP_CASES(Dot) {
  std::vector<Case> all;
  const DotLayout matmul{"matmul", {5, 7}, {7, 3}, {1}, {0}, {}, {}};
  for (const DType dtype : kAllDTypes)
    if (!is_boolean(dtype)) append_dot(all, matmul, dtype, dtype);
  append_dot(all, matmul, DType::bf16, DType::f32);
  append_dot(all, matmul, DType::f16, DType::f32);
  append_dot(all, matmul, DType::f32, DType::bf16);
  append_dot(all, matmul, DType::f32, DType::f64);
  append_dot(all, matmul, DType::i8, DType::i32);
  append_dot(all, matmul, DType::u8, DType::i32);

  const std::vector<DotLayout> layouts = {
      {"33x70x65", {33, 70}, {70, 65}, {1}, {0}, {}, {}},
      {"130x17x40", {130, 17}, {17, 40}, {1}, {0}, {}, {}},
      {"1x1x1", {1, 1}, {1, 1}, {1}, {0}, {}, {}},
      {"one row", {1, 65}, {65, 33}, {1}, {0}, {}, {}},
      {"one column", {33, 65}, {65, 1}, {1}, {0}, {}, {}},
      {"long", {3, 600}, {600, 5}, {1}, {0}, {}, {}},
      {"lhs transposed", {17, 33}, {17, 9}, {0}, {0}, {}, {}},
      {"rhs transposed", {33, 17}, {9, 17}, {1}, {1}, {}, {}},
      {"both transposed", {17, 33}, {9, 17}, {0}, {1}, {}, {}},
      {"vectors", {33}, {33}, {0}, {0}, {}, {}},
      {"matrix vector", {9, 33}, {33}, {1}, {0}, {}, {}},
      {"vector matrix", {33}, {33, 9}, {0}, {0}, {}, {}},
      {"outer", {5}, {17}, {}, {}, {}, {}},
      {"scalars", {}, {}, {}, {}, {}, {}},
      {"nothing contracted", {3, 0}, {0, 5}, {1}, {0}, {}, {}},
      {"no rows", {0, 4}, {4, 5}, {1}, {0}, {}, {}},
      {"no batch", {0, 3, 4}, {0, 4, 5}, {2}, {1}, {0}, {0}},
      {"batch", {3, 9, 17}, {3, 17, 5}, {2}, {1}, {0}, {0}},
      {"two batch axes", {2, 3, 4, 5}, {2, 3, 5, 6}, {3}, {2}, {0, 1}, {0, 1}},
      {"batch axis last", {9, 17, 3}, {17, 5, 3}, {1}, {0}, {2}, {2}},
      {"only batch", {7, 5}, {7, 5}, {}, {}, {0, 1}, {0, 1}},
      {"two contracted", {4, 3, 5}, {5, 3, 6}, {1, 2}, {1, 0}, {}, {}},
      {"free axes on both sides", {3, 7, 4}, {5, 7, 2}, {1}, {1}, {}, {}},
      {"rank 5", {2, 3, 4, 2, 3}, {3, 2, 4, 2, 2}, {2, 1}, {2, 0}, {3, 0}, {1, 4}},
      {"both across", {200, 45}, {200, 70}, {0}, {0}, {}, {}},
      {"both across, batch", {2, 193, 40}, {2, 193, 33}, {1}, {1}, {0}, {0}},
  };
  for (const DotLayout& layout : layouts) append_dot(all, layout, DType::f32, DType::f32);
  for (const DotLayout& layout : std::span(layouts).last(2)) {
    append_dot(all, layout, DType::f64, DType::f64);
    append_dot(all, layout, DType::bf16, DType::f32);
  }
  append_dot(all, layouts[0], DType::f64, DType::f64);
  append_dot(all, layouts[0], DType::bf16, DType::f32);
  // Right operands of 2 MiB, copied a block at a time; rows 4096 bytes apart.
  append_dot(all, {"copied in blocks", {65, 300}, {300, 900}, {1}, {0}, {}, {}}, DType::f64,
             DType::f64);
  append_dot(all, {"copied in blocks, rhs transposed", {66, 1024}, {520, 1024}, {1}, {1}, {}, {}},
             DType::f32, DType::f32);
  append_dot(all, {"copied in blocks, both across", {500, 70}, {500, 1024}, {0}, {0}, {}, {}},
             DType::f32, DType::f32);
  append_dot(all, {"copied in blocks, both across", {201, 65}, {201, 1536}, {0}, {0}, {}, {}},
             DType::f64, DType::f64);

  const std::vector<DotLayout> differentiated = {
      {"matmul", {3, 4}, {4, 2}, {1}, {0}, {}, {}},
      {"both transposed", {4, 3}, {2, 4}, {0}, {1}, {}, {}},
      {"vectors", {5}, {5}, {0}, {0}, {}, {}},
      {"batch", {2, 3, 4}, {2, 4, 2}, {2}, {1}, {0}, {0}},
      {"rank 4", {2, 3, 2, 4}, {4, 2, 3, 2}, {3, 1}, {0, 2}, {2, 0}, {3, 1}},
  };
  for (const DotLayout& layout : differentiated)
    append_dot(all, layout, DType::f64, DType::f64, true);
  return all;
}

TENON_OP_CASES(Convolution) {
  std::vector<Case> all;
  const ConvolutionLayout plain{"plain", {2, 5, 6, 3}, {3, 2, 3, 4}, {1, 1},
                                {1, 0},  {1, 1},       {},           {}};
  for (const DType dtype : kAllDTypes)
    if (!is_boolean(dtype)) append_convolution(all, plain, dtype, dtype);
  append_convolution(all, plain, DType::bf16, DType::f32);
  append_convolution(all, plain, DType::i8, DType::i32);

  const Shape image{2, 9, 11, 3};
  const std::vector<ConvolutionLayout> layouts = {
      {"valid 3x3", image, {3, 3, 3, 5}, {1, 1}, {0, 0}, {0, 0}, {}, {}},
      {"same 3x3", image, {3, 3, 3, 5}, {1, 1}, {1, 1}, {1, 1}, {}, {}},
      {"strided", image, {3, 3, 3, 5}, {2, 3}, {0, 1}, {1, 1}, {}, {}},
      {"kernel dilated", image, {3, 3, 3, 5}, {1, 1}, {2, 0}, {2, 1}, {}, {2, 3}},
      {"input dilated", image, {3, 3, 3, 5}, {1, 1}, {2, 1}, {1, 2}, {2, 3}, {}},
      {"all dilated and strided", image, {3, 2, 3, 5}, {2, 3}, {3, 0}, {0, 4}, {3, 2}, {2, 4}},
      {"padding cuts", image, {3, 3, 3, 5}, {1, 2}, {-2, 1}, {1, -3}, {}, {}},
      {"padding cuts dilated input", image, {2, 2, 3, 4}, {1, 1}, {-1, -2}, {-3, 0}, {2, 2}, {}},
      {"1x1", image, {1, 1, 3, 7}, {1, 1}, {0, 0}, {0, 0}, {}, {}},
      {"whole image", {2, 4, 5, 3}, {4, 5, 3, 2}, {1, 1}, {0, 0}, {0, 0}, {}, {}},
      {"wide", {1, 6, 6, 17}, {3, 3, 17, 33}, {1, 1}, {1, 1}, {1, 1}, {}, {}},
      {"grouped", {2, 9, 11, 6}, {3, 3, 3, 4}, {1, 1}, {1, 1}, {1, 1}, {}, {}, 2},
      {"depthwise", image, {3, 3, 1, 3}, {1, 1}, {1, 1}, {1, 1}, {}, {}, 3},
      {"depthwise times two", image, {3, 3, 1, 6}, {2, 2}, {1, 1}, {1, 1}, {}, {}, 3},
      {"batch groups", {4, 5, 6, 3}, {3, 2, 3, 6}, {1, 2}, {1, 0}, {0, 1}, {}, {}, 1, 2},
      {"line", {2, 33, 3}, {5, 3, 4}, {2}, {2}, {2}, {}, {}},
      {"volume", {1, 4, 5, 3, 2}, {2, 3, 2, 2, 3}, {1, 2, 1}, {0, 1, 0}, {1, 1, 0}, {}, {}},
      {"no spatial axes", {5, 7}, {7, 3}, {}, {}, {}, {}, {}},
      {"one of everything", {1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1}, {0, 0}, {0, 0}, {}, {}},
      {"no batch", {0, 5, 6, 3}, {3, 2, 3, 4}, {1, 1}, {0, 0}, {0, 0}, {}, {}},
      {"no features", {2, 5, 6, 0}, {3, 2, 0, 4}, {1, 1}, {0, 0}, {0, 0}, {}, {}},
      {"strips", {3, 23, 10, 4}, {3, 3, 4, 18}, {1, 1}, {1, 1}, {1, 1}, {}, {}},
      {"strips strided", {3, 23, 10, 4}, {3, 3, 4, 6}, {2, 2}, {1, 0}, {1, 1}, {}, {}},
      {"strips dilated", {4, 23, 10, 4}, {3, 3, 4, 6}, {1, 2}, {2, 1}, {3, 2}, {}, {2, 3}},
      {"strip of one row", {3, 1, 10, 4}, {3, 3, 4, 6}, {1, 1}, {1, 1}, {2, 1}, {}, {}},
      {"gaps", {2, 7, 7, 8}, {3, 3, 8, 20}, {1, 1}, {1, 1}, {2, 2}, {2, 2}, {}},
      {"gaps in many strips", {8, 9, 5, 4}, {3, 3, 4, 6}, {1, 1}, {1, 1}, {2, 2}, {2, 2}, {}},
      {"gaps in one axis", {2, 7, 7, 4}, {3, 3, 4, 6}, {1, 1}, {1, 1}, {2, 1}, {2, 1}, {}},
      {"gaps and one tap", {2, 7, 6, 4}, {1, 1, 4, 9}, {1, 1}, {0, 0}, {1, 1}, {2, 2}, {}},
      {"gaps of two", {2, 5, 4, 4}, {4, 5, 4, 6}, {1, 1}, {3, 4}, {2, 2}, {3, 3}, {}},
      {"like a layer", {2, 6, 5, 2}, {3, 2, 2, 4}, {1, 1}, {1, 0}, {1, 1}, {}, {}},
      {"narrow images", {16, 2, 3, 4}, {3, 3, 4, 6}, {1, 1}, {1, 1}, {1, 1}, {}, {}},
      {"narrow images with gaps", {16, 2, 2, 4}, {3, 3, 4, 6}, {1, 1}, {1, 1}, {2, 2}, {2, 2}, {}},
      {"gaps, cut", {2, 7, 7, 4}, {3, 2, 4, 6}, {1, 1}, {-1, -3}, {2, 2}, {2, 2}, {}},
      {"only padding", {1, 2, 2, 1}, {2, 2, 1, 2}, {2, 2}, {4, 4}, {3, 3}, {}, {}},
  };
  // Loops of f64 are unrolled otherwise by the C compiler, and have been wrong alone.
  for (const ConvolutionLayout& layout : layouts)
    for (const DType dtype : {DType::f32, DType::f64})
      append_convolution(all, layout, dtype, dtype);

  Convolution channels_first = make_convolution(layouts[2], DType::f32);
  channels_first.input_feature = channels_first.output_feature = 1;
  channels_first.input_spatial = channels_first.output_spatial = {2, 3};
  channels_first.kernel_output = 0;
  channels_first.kernel_input = 1;
  channels_first.kernel_spatial = {2, 3};
  all.push_back(single_op_case("convolution/f32/channels first", channels_first,
                               {random_tensor({DType::f32, {2, 3, 9, 11}}, 352),
                                random_tensor({DType::f32, {5, 3, 3, 3}}, 353)}));
  Convolution odd = make_convolution(layouts[2], DType::f32);
  odd.input_batch = 3, odd.input_feature = 1, odd.input_spatial = {2, 0};
  odd.kernel_input = 3, odd.kernel_output = 0, odd.kernel_spatial = {2, 1};
  odd.output_batch = 2, odd.output_feature = 0, odd.output_spatial = {3, 1};
  all.push_back(single_op_case("convolution/f32/odd layout", odd,
                               {random_tensor({DType::f32, {6, 3, 7, 2}}, 354),
                                random_tensor({DType::f32, {5, 3, 3, 3}}, 355)}));
  odd.result = DType::f64;
  all.push_back(single_op_case("convolution/f64/odd layout/gradient", odd,
                               {random_tensor({DType::f64, {4, 2, 5, 2}}, 356),
                                random_tensor({DType::f64, {3, 2, 3, 2}}, 357)},
                               true));

  // What the gradients of kernels are: the images are summed over, and so are all places. Large
  // enough to be summed in blocks of images.
  const std::vector<ConvolutionLayout> summed = {
      {"strips", {8, 16, 18, 4}, {8, 16, 18, 16}, {1, 1}, {1, 1}, {1, 1}, {}, {}},
      {"a last strip", {6, 17, 20, 3}, {6, 17, 20, 18}, {1, 1}, {1, 1}, {1, 1}, {}, {}},
      {"strided", {12, 17, 19, 5}, {12, 9, 10, 6}, {1, 1}, {1, 1}, {1, 1}, {}, {2, 2}},
      {"several images", {32, 6, 6, 20}, {32, 6, 6, 24}, {1, 1}, {1, 1}, {1, 1}, {}, {}},
      {"kernel dilated", {8, 16, 16, 4}, {8, 16, 16, 10}, {2, 1}, {2, 1}, {2, 2}, {}, {}},
      {"wide", {4, 16, 17, 33}, {4, 16, 17, 40}, {1, 1}, {1, 2}, {1, 0}, {}, {}},
      {"cut", {8, 16, 18, 4}, {8, 14, 15, 6}, {1, 1}, {-1, 0}, {0, -2}, {}, {}},
      {"volume", {4, 7, 6, 8, 3}, {4, 7, 6, 8, 5}, {1, 1, 1}, {1, 0, 1}, {1, 1, 1}, {}, {}},
      {"line", {8, 160, 4}, {8, 160, 6}, {1}, {1}, {1}, {}, {}},
  };
  for (const ConvolutionLayout& layout : summed)
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      const std::size_t spatial = layout.input.size() - 2;
      Convolution op = make_convolution(layout, dtype == DType::bf16 ? DType::f32 : dtype);
      op.input_batch = static_cast<std::int64_t>(spatial) + 1, op.input_feature = 0;
      op.kernel_input = 0, op.kernel_output = static_cast<std::int64_t>(spatial) + 1;
      op.output_batch = static_cast<std::int64_t>(spatial);
      for (std::size_t i = 0; i < spatial; ++i) {
        op.kernel_spatial[i] = static_cast<std::int64_t>(i) + 1;
        op.output_spatial[i] = static_cast<std::int64_t>(i);
      }
      all.push_back(single_op_case(fmt::format("convolution/{}/summed/{}", dtype, layout.name), op,
                                   {random_tensor({dtype, layout.input}, 358, -2, 9),
                                    random_tensor({dtype, layout.kernel}, 359)}));
    }

  const std::vector<ConvolutionLayout> differentiated = {
      {"plain", {2, 4, 5, 2}, {2, 3, 2, 3}, {1, 1}, {0, 0}, {0, 0}, {}, {}},
      {"strided", {1, 5, 6, 2}, {3, 2, 2, 2}, {2, 3}, {1, 1}, {1, 2}, {}, {}},
      {"dilated", {1, 4, 3, 2}, {2, 2, 2, 2}, {2, 1}, {2, 1}, {1, 2}, {2, 3}, {3, 2}},
      {"padding cuts", {1, 6, 5, 2}, {2, 2, 2, 2}, {1, 2}, {-1, 1}, {1, -2}, {}, {}},
      {"grouped", {2, 4, 4, 4}, {2, 2, 2, 4}, {1, 2}, {1, 0}, {0, 1}, {}, {}, 2},
      {"depthwise", {1, 4, 4, 3}, {3, 3, 1, 6}, {1, 1}, {1, 1}, {1, 1}, {}, {}, 3},
      {"batch groups", {4, 4, 3, 2}, {2, 2, 2, 4}, {1, 1}, {0, 1}, {1, 0}, {}, {}, 1, 2},
      {"line", {2, 7, 2}, {3, 2, 2}, {2}, {1}, {1}, {}, {2}},
      {"no spatial axes", {3, 2}, {2, 4}, {}, {}, {}, {}, {}},
  };
  for (const ConvolutionLayout& layout : differentiated)
    append_convolution(all, layout, DType::f64, DType::f64, true);
  return all;
}

}  // namespace tenon::conformance
