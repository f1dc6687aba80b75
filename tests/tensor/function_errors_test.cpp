// Messages of functions of tensors for arguments that do not fit, word for word.
#include "tensor_testing.h"

namespace tenon {
namespace {

Tensor f32(Shape shape) { return zeros(std::move(shape)); }
Tensor i32(Shape shape) { return zeros(std::move(shape), DType::i32); }

TEST(FunctionErrors, Shapes) {
  EXPECT_EQ(error_of([] {
              reshape(f32({2, 3}), {4, -1});
            }),
            "reshape: f32[2,3] does not fit [4, -1]");
  EXPECT_EQ(error_of([] {
              reshape(f32({2, 3}), {-1, -1});
            }),
            "reshape: [-1, -1] has more than one -1");
  EXPECT_EQ(error_of([] {
              reshape(f32({2, 3}), {0, -1});
            }),
            "reshape: f32[2,3] does not fit [0, -1]");
  EXPECT_EQ(error_of([] {
              squeeze(f32({2, 3}), {0});
            }),
            "squeeze: axis 0 of f32[2,3] has extent 2, not 1");
  EXPECT_EQ(error_of([] { concatenate({}); }), "concatenate: no tensors");
  EXPECT_EQ(error_of([] {
              stack(std::array{f32({2}), f32({3})});
            }),
            "stack: shapes [2] and [3] differ");
  EXPECT_EQ(error_of([] { split(f32({5}), 2); }), "split: extent 5 does not divide into 2 parts");
  EXPECT_EQ(error_of([] {
              split_sizes(f32({5}), Shape{2, 2});
            }),
            "split: sizes sum to 4, axis 0 has extent 5");
  EXPECT_EQ(error_of([] {
              split_sizes(f32({2, 5}), {2, 2}, 1);
            }),
            "split: sizes sum to 4, axis 1 has extent 5");
  EXPECT_EQ(error_of([] { tile(f32({5}), {1, 2}); }), "tile: 2 repeats for rank 1");
  EXPECT_EQ(error_of([] { slice(f32({5}), 0, 0, 3, 0); }), "slice: step 0 is not above 0");
  EXPECT_EQ(error_of([] { index(f32({5}), 5); }),
            "index: position 5 is out of range for axis 0 of f32[5]");
  EXPECT_EQ(error_of([] { sum(f32({2, 2}), {0, -2}); }), "sum: an axis is named twice in [0, -2]");
  EXPECT_EQ(error_of([] {
              softmax(f32({2, 2}), 2);
            }),
            "softmax: axis 2 is out of range for rank 2");
  EXPECT_EQ(error_of([] { arange(0, 5, 0); }),
            "arange: start, stop and step must be finite and step not 0, got 0, 5, 0");
  EXPECT_EQ(error_of([] { linspace(0, 1, -1); }), "linspace: count -1 is negative");
  EXPECT_EQ(error_of([] { tril(f32({2})); }), "tril: needs rank 2 or more, got f32[2]");
  EXPECT_EQ(error_of([] { diag(f32({2, 2, 2})); }), "diag: needs rank 1 or 2, got f32[2,2,2]");
  EXPECT_EQ(error_of([] { norm(f32({2}), 0); }), "norm: p must be above 0, got 0");
  EXPECT_EQ(error_of([] {
              transpose(f32({2, 3}), {0, 0});
            }),
            "transpose: [0, 0] is not a permutation of the axes of f32[2,3]");
}

TEST(FunctionErrors, ElementCounts) {
  EXPECT_EQ(error_of([] {
              reshape(f32({2, 3}), {4});
            }),
            "reshape: f32[2,3] has 6 elements, [4] has 4");
  EXPECT_EQ(error_of([] { reshape(f32({0}), {3, -2}); }), "shape [3, -2] has a negative extent");
}

TEST(FunctionErrors, ZeroSizesAreNoErrors) {
  EXPECT_EQ(sum(f32({0, 3}), {0}).value(), HostTensor({DType::f32, {3}}));
  EXPECT_EQ(concatenate(std::array{f32({0, 2}), f32({0, 2})}, 1).shape(), (Shape{0, 4}));
  EXPECT_EQ(matmul(f32({2, 0}), f32({0, 3})).value(), HostTensor({DType::f32, {2, 3}}));
  EXPECT_EQ(reshape(f32({0, 3}), {-1, 3}).shape(), (Shape{0, 3}));
  EXPECT_EQ(one_hot(i32({0}), 3).shape(), (Shape{0, 3}));
  EXPECT_EQ(roll(f32({0}), 2, 0).shape(), Shape{0});
  EXPECT_EQ(flatten(f32({0, 2, 3}), 1).shape(), (Shape{0, 6}));
}

TEST(FunctionErrors, Products) {
  EXPECT_EQ(error_of([] {
              matmul(f32({2, 3}), f32({4, 5}));
            }),
            "matmul: inner dimensions differ\n    x f32[2,3]\n    y f32[4,5]\n  3 != 4");
  EXPECT_EQ(error_of([] {
              matmul(f32({}), f32({4, 5}));
            }),
            "matmul: operands must not be scalars, got f32[] and f32[4,5]");
  EXPECT_EQ(error_of([] {
              dot(f32({2, 3}), f32({3}));
            }),
            "dot: needs two vectors, got f32[2,3] and f32[3]");
  EXPECT_EQ(error_of([] { tensordot(f32({2}), f32({2}), 2); }),
            "tensordot: 2 axes do not exist in f32[2] and f32[2]");
}

std::string einsum_error(std::string_view equation, std::vector<Tensor> operands) {
  return error_of([&] { einsum(equation, operands); });
}

TEST(FunctionErrors, Einsum) {
  EXPECT_EQ(einsum_error("ij,jk->ik", {f32({2, 3}), f32({4, 5})}),
            "einsum \"ij,jk->ik\": axis 'j' has extents 3 and 4");
  EXPECT_EQ(einsum_error("ij->i", {f32({2})}),
            "einsum \"ij->i\": operand 0 is f32[2], but \"ij\" names 2 axes");
  EXPECT_EQ(einsum_error("ij->ik", {f32({2, 2})}),
            "einsum \"ij->ik\": result axis 'k' must occur once and in an operand");
  EXPECT_EQ(einsum_error("ij->ii", {f32({2, 2})}),
            "einsum \"ij->ii\": result axis 'i' must occur once and in an operand");
  EXPECT_EQ(einsum_error("ij,jk", {f32({2, 2})}),
            "einsum \"ij,jk\": names 2 operands, 1 were given (one or two are possible)");
  EXPECT_EQ(einsum_error("i,i,i", {f32({2}), f32({2}), f32({2})}),
            "einsum \"i,i,i\": names 3 operands, 3 were given (one or two are possible)");
  EXPECT_EQ(einsum_error("i1->i", {f32({2, 2})}), "einsum \"i1->i\": '1' is no letter");
  EXPECT_EQ(einsum_error("ii->i", {f32({2, 3})}), "einsum \"ii->i\": axis 'i' has extents 2 and 3");
  EXPECT_EQ(einsum_error("...i->i", {f32({2, 3})}), "einsum \"...i->i\": '.' is no letter");
}

TEST(FunctionErrors, IndicesAndImages) {
  EXPECT_EQ(error_of([] { take(f32({5}), f32({2})); }),
            "take: indices must be integers, got f32[2]");
  EXPECT_EQ(error_of([] {
              take_along_axis(f32({5, 2}), i32({2}), 0);
            }),
            "take_along_axis: ranks of f32[5,2] and i32[2] differ");
  EXPECT_EQ(error_of([] { one_hot(f32({2}), 3); }),
            "one_hot: indices must be integers, got f32[2]");
  EXPECT_EQ(error_of([] { top_k(f32({4}), 5); }), "top_k: k = 5 does not fit axis -1 of f32[4]");
  EXPECT_EQ(error_of([] {
              segment_sum(f32({4, 2}), i32({3}), 2);
            }),
            "segment_sum: ids i32[3] do not name one segment per row of f32[4,2]");
  EXPECT_EQ(
      error_of([] {
        max_pool(f32({8, 8, 3}));
      }),
      "max_pool: expected x [batch, height, width, channels], got f32[8,8,3]; add the missing "
      "axis with expand_dims");
  EXPECT_EQ(error_of([] {
              avg_pool(i32({1, 8, 8, 3}));
            }),
            "avg_pool: needs floats, got i32[1,8,8,3]");
  EXPECT_EQ(error_of([] {
              convolution(f32({1, 8, 8, 3}), f32({3, 3, 3}));
            }),
            "convolution: expected kernel [height, width, in / groups, out], got f32[3,3,3]");
  EXPECT_EQ(error_of([] {
              convolution(f32({1, 8, 8, 3}), f32({3, 3, 4, 3}));
            }).substr(0, 11),
            "convolution");
  EXPECT_EQ(
      error_of([] {
        convolution(f32({1, 8, 4, 3}), f32({1, 3, 3, 3}), {.dilation = {1, 2}});
      }),
      "convolution: a window of 5 does not fit the 4 columns of f32[1,8,4,3] without padding\n"
      "  help: use a smaller window or same padding");
  EXPECT_EQ(error_of([] {
              convolution(f32({1, 8, 4, 3}), f32({1, 3, 3, 3}), {.strides = {0, 1}});
            }),
            "convolution: strides and dilation must be above 0");
  EXPECT_EQ(error_of([] {
              layer_norm(f32({2, 4}), f32({4}), f32({4}), -1);
            }),
            "layer_norm: epsilon must be a finite number of 0 or more, got -1");
  EXPECT_EQ(error_of([] {
              rms_norm(f32({2, 4}), f32({4}), std::nan(""));
            }),
            "rms_norm: epsilon must be a finite number of 0 or more, got nan");
}

}  // namespace
}  // namespace tenon
