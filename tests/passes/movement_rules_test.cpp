#include "same_after.h"

namespace tenon::testing {
namespace {
using namespace ir;

// Applies the ops in turn to an input.
Graph chain(Shape shape, std::vector<Op> ops, DType dtype = DType::f32) {
  Program p;
  Value x = p.input(dtype, std::move(shape));
  for (Op& op : ops) x = p.b.add(std::move(op), {x});
  return p.done({x});
}

TEST(TrivialMovement, ChainsMergeIntoOne) {
  struct Row {
    std::string_view rule;
    Graph graph;
    std::string_view op;
    int left;
  };
  const Row rows[] = {
      {"merge_reshapes", chain({2, 6}, {Reshape{{3, 4}}, Reshape{{12}}}), "reshape", 1},
      {"merge_reshapes", chain({2, 6}, {Reshape{{12}}, Reshape{{2, 6}}}), "reshape", 0},
      {"merge_transposes", chain({2, 3, 4}, {Transpose{{1, 2, 0}}, Transpose{{0, 2, 1}}}),
       "transpose", 1},
      {"merge_transposes", chain({2, 3, 4}, {Transpose{{1, 2, 0}}, Transpose{{2, 0, 1}}}),
       "transpose", 0},
      {"merge_broadcasts", chain({3}, {Broadcast{{3, 4}, {0}}, Broadcast{{2, 3, 4}, {1, 2}}}),
       "broadcast", 1},
      {"merge_broadcasts", chain({3}, {Broadcast{{3}, {0}}}), "broadcast", 0},
      {"merge_reverses", chain({2, 3}, {Reverse{{0, 1}}, Reverse{{1}}}), "reverse", 1},
      {"merge_reverses", chain({2, 3}, {Reverse{{0, 1}}, Reverse{{0, 1}}}), "reverse", 0},
      {"merge_reverses", chain({1, 3}, {Reverse{{0}}}), "reverse", 0},
      {"merge_reverses", chain({1, 3}, {Reverse{{0, 1}}}), "reverse", 1},
      {"merge_slices", chain({9}, {Slice{{1}, {9}, {2}}, Slice{{1}, {4}, {2}}}), "slice", 1},
      {"merge_slices", chain({9}, {Slice{{4}, {9}, {3}}, Slice{{2}, {2}, {1}}}), "slice", 1},
      {"merge_slices", chain({9}, {Slice{{0}, {9}, {1}}}), "slice", 0},
      {"merge_concatenates", chain({9}, {Concatenate{0}}), "concatenate", 0},
      {"reduce_nothing", chain({1, 3}, {Reduce{ReduceKind::max, {0}, DType::f32}}), "reduce", 0},
      {"reduce_nothing", chain({3}, {Reduce{ReduceKind::product, {}, DType::f32}}), "reduce", 0},
      {"reduce_nothing", chain({1, 3}, {Reduce{ReduceKind::sum, {0}, DType::i8}}, DType::i8),
       "reduce", 0},
      {"transpose_as_reshape", chain({2, 1, 3}, {Transpose{{1, 0, 2}}}), "transpose", 0},
      {"broadcast_as_reshape", chain({3}, {Broadcast{{1, 3, 1}, {1}}}), "broadcast", 0},
      {"transpose_of_broadcast",
       chain({3, 4}, {Broadcast{{3, 2, 4}, {0, 2}}, Transpose{{1, 0, 2}}}), "transpose", 0},
      {"transpose_of_broadcast",
       chain({3, 4}, {Broadcast{{3, 2, 4}, {0, 2}}, Transpose{{2, 1, 0}}}), "transpose", 1},
      {"reshape_of_broadcast", chain({6}, {Broadcast{{4, 6}, {1}}, Reshape{{2, 2, 3, 2}}}),
       "reshape", 1},
      {"reshape_of_broadcast", chain({6}, {Broadcast{{4, 6, 3}, {1}}, Reshape{{4, 1, 6, 3}}}),
       "reshape", 0},
      {"reduce_of_transpose",
       chain({2, 3, 4}, {Transpose{{1, 0, 2}}, Reduce{ReduceKind::sum, {0}, DType::f32}}),
       "transpose", 0},
      {"reduce_of_transpose",
       chain({2, 3, 4}, {Transpose{{1, 0, 2}}, Reduce{ReduceKind::argmax, {0}, DType::f32}}),
       "transpose", 0},
  };
  for (const Row& row : rows)
    EXPECT_EQ(count_ops(after_rule(row.rule, row.graph), row.op), row.left) << row.rule;
}

TEST(TrivialMovement, LeavesWhatIsNotExact) {
  // A float sum of the one element -0 is 0.
  expect_no_rule("reduce_nothing", chain({1, 3}, {Reduce{ReduceKind::sum, {0}, DType::f32}}));
  // Summing in another order gives other bits.
  expect_no_rule("reduce_of_transpose",
                 chain({2, 3}, {Transpose{{1, 0}}, Reduce{ReduceKind::sum, {0, 1}, DType::f32}}));
  expect_no_rule("reshape_of_broadcast", chain({3}, {Broadcast{{2, 3}, {1}}, Reshape{{6}}}));
}

TEST(TrivialMovement, SplatsOnlyChangeShape) {
  for (const Op& op : {Op(Reshape{{6}}), Op(Transpose{{1, 0}}), Op(Reverse{{0}}),
                       Op(Slice{{0, 1}, {2, 2}, {1, 1}})}) {
    Program p;
    const Value x = p.input(DType::f32, {});
    const Value moved = p.b.add(op, {broadcast(p.b, x, {2, 3}, {})});
    EXPECT_EQ(after_rule("move_splat", p.done({moved})).nodes().size(), 2u);
  }
}

TEST(TrivialMovement, ConcatenationsAndTheirSlices) {
  Program p;
  const Value x = p.input(DType::f32, {2, 3}), y = p.input(DType::f32, {4, 3});
  const Value empty = p.input(DType::f32, {0, 3});
  const Value inner = p.b.add(Concatenate{0}, {x, empty, y});
  const Value outer = p.b.add(Concatenate{0}, {inner, x});
  const Graph graph = p.done({outer});
  EXPECT_EQ(count_ops(after_rule("merge_concatenates", graph), "concatenate"), 1);

  Program q;
  const Value a = q.input(DType::f32, {2, 3}), c = q.input(DType::f32, {4, 3});
  const Value whole = q.b.add(Concatenate{0}, {a, c});
  const Value inside = q.b.add(Slice{{3, 0}, {6, 3}, {2, 1}}, {whole});
  EXPECT_EQ(count_ops(after_rule("slice_part", q.done({inside})), "concatenate"), 0);
  Program r;
  const Value d = r.input(DType::f32, {2}), e = r.input(DType::f32, {2});
  const Value both = r.b.add(Concatenate{0}, {d, e});
  expect_no_rule("slice_part", r.done({r.b.add(Slice{{1}, {3}, {1}}, {both})}));
}

TEST(TrivialMovement, PadAndDynamicSlice) {
  Program p;
  const Value x = p.input(DType::i32, {4}), value = p.input(DType::i32, {});
  EXPECT_EQ(
      after_rule("pad_nothing", p.done({p.b.add(Pad{{0}, {0}, {0}}, {x, value})})).nodes().size(),
      2u);
  for (const std::int32_t start : {-3, 0, 1, 99}) {  // clamps to 0..2
    Program q;
    const Value y = q.input(DType::f32, {4});
    const Value at = constant(q.b, make_scalar(start));
    const Graph graph = q.done({q.b.add(DynamicSlice{{2}}, {y, at})});
    EXPECT_EQ(count_ops(after_rule("fix_dynamic_slice", graph), "slice"), 1);
  }
}

// Images [2, 6, 7, 3] and a window of 3 x 2.
Convolution small_convolution(Shape strides, Shape low, Shape high) {
  Convolution op;
  op.input_batch = op.output_batch = 0;
  op.input_feature = op.output_feature = op.kernel_output = 3;
  op.kernel_input = 2;
  op.input_spatial = op.output_spatial = {1, 2};
  op.kernel_spatial = {0, 1};
  op.strides = std::move(strides);
  op.low = std::move(low);
  op.high = std::move(high);
  op.base_dilation = op.window_dilation = {1, 1};
  op.result = DType::f32;
  return op;
}

TEST(MergePadding, ConvolutionsPadThemselves) {
  std::vector<float> weights(72);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 7) - 2.5f;
  const auto pads_left = [&](Shape low, Shape high, Shape interior, double value) {
    Program p;
    const Value x = p.input(DType::f32, {2, 6, 7, 3});
    const Value kernel = constant(p.b, make_tensor<float>({3, 2, 3, 4}, weights));
    const Value fill = constant(p.b, make_scalar(static_cast<float>(value)));
    const Value around =
        p.b.add(Pad{std::move(low), std::move(high), std::move(interior)}, {x, fill});
    const Graph before =
        p.done({p.b.add(small_convolution({2, 1}, {0, -1}, {1, 0}), {around, kernel})});
    const Graph after = passes::merge_padding(before);
    expect_same_values(before, after, "merge_padding");
    return count_ops(after, "pad");
  };
  const Shape none{0, 0, 0, 0};
  EXPECT_EQ(pads_left({0, 1, 3, 0}, {0, 2, 0, 0}, none, 0), 0);
  EXPECT_EQ(pads_left({0, 1, 1, 0}, none, none, 1), 1);
  EXPECT_EQ(pads_left({0, 1, 1, 0}, none, none, -0.0), 1);
  EXPECT_EQ(pads_left({0, 1, 1, 0}, none, {0, 1, 0, 0}, 0), 1);
  EXPECT_EQ(pads_left({0, -1, 1, 0}, none, none, 0), 1);
  EXPECT_EQ(pads_left({1, 1, 1, 0}, none, none, 0), 1);
}

TEST(TrivialMovement, ConvolutionsCutThemselves) {
  const auto cut = [](Slice slice, bool is_shared) {
    Program p;
    const Value x = p.input(DType::f32, {2, 6, 7, 3}), kernel = p.input(DType::f32, {3, 2, 3, 4});
    const Value whole = p.b.add(small_convolution({2, 1}, {1, 2}, {2, 1}), {x, kernel});
    std::vector<Value> outputs{p.b.add(std::move(slice), {whole})};
    if (is_shared) outputs.push_back(whole);
    return p.done(outputs);
  };
  // [2, 4, 9, 4]
  const Slice inner{{0, 1, 2, 0}, {2, 4, 8, 4}, {1, 1, 1, 1}};
  EXPECT_EQ(count_ops(after_rule("merge_cut", cut(inner, false)), "slice"), 0);
  expect_no_rule("merge_cut", cut(inner, true));
  expect_no_rule("merge_cut", cut({{0, 1, 2, 0}, {2, 4, 8, 4}, {1, 1, 2, 1}}, false));
  expect_no_rule("merge_cut", cut({{0, 1, 2, 1}, {2, 4, 8, 4}, {1, 1, 1, 1}}, false));
}

TEST(Movement, EqualMovementsMoveOutward) {
  for (const Op& op : {Op(Reshape{{12}}), Op(Transpose{{1, 0}}), Op(Reverse{{1}})}) {
    Program p;
    const Value x = p.b.add(op, {p.input(DType::f32, {3, 4})});
    const Value y = p.b.add(op, {p.input(DType::f32, {3, 4})});
    const Graph graph = p.done({add(p.b, x, y)});
    EXPECT_EQ(count_ops(after_rule("move_outward", graph), name(op)), 1);
  }
  // Another user keeps the moved operand anyway.
  Program p;
  const Value x = transpose(p.b, p.input(DType::f32, {3, 4}), {1, 0});
  const Value y = transpose(p.b, p.input(DType::f32, {3, 4}), {1, 0});
  expect_no_rule("move_outward", p.done({add(p.b, x, y), x}));
}

TEST(Movement, MovementsMergeThroughElementwise) {
  Program p;
  const Value x = reshape(p.b, p.input(DType::f32, {3, 4}), {12});
  const Value positive = maximum(p.b, x, zeros_like(p.b, x));
  const Graph graph = p.done({reshape(p.b, positive, {3, 4})});
  const Graph after = after_rule("merge_through_elementwise", graph);
  EXPECT_EQ(count_ops(passes::simplify(after), "reshape"), 0);
}

TEST(Movement, BroadcastsMoveOutward) {
  Program p;
  const Value x = broadcast(p.b, p.input(DType::f32, {4}), {3, 4}, {1});
  const Value y = broadcast(p.b, p.input(DType::f32, {4}), {3, 4}, {1});
  const Value s = broadcast(p.b, p.input(DType::f32, {}), {3, 4}, {});
  const Graph after =
      after_rule("broadcast_outward", p.done({multiply(p.b, s, exp(p.b, add(p.b, x, y)))}));
  EXPECT_EQ(after.type(after.node(after.outputs()[0].value.node).operands[0]).shape, Shape{4});
  // Different axes stay.
  Program q;
  const Value rows = broadcast(q.b, q.input(DType::f32, {4}), {4, 4}, {0});
  const Value columns = broadcast(q.b, q.input(DType::f32, {4}), {4, 4}, {1});
  expect_no_rule("broadcast_outward", q.done({add(q.b, rows, columns)}));
}

TEST(Movement, TransposesFoldIntoDots) {
  Program p;
  const Value x = transpose(p.b, p.input(DType::f32, {5, 3}), {1, 0});
  const Value y = transpose(p.b, p.input(DType::f32, {4, 5}), {1, 0});
  const Graph after = after_rule("transpose_into_dot", p.done({matmul(p.b, x, y)}));
  EXPECT_EQ(count_ops(after, "transpose"), 0);
  // With a batch axis in the middle.
  Program q;
  const Value left = transpose(q.b, q.input(DType::f32, {3, 2, 5}), {1, 0, 2});
  const Value right = q.input(DType::f32, {2, 5, 4});
  const Dot dot{{0}, {0}, {2}, {1}, DType::f32, Precision::highest};
  EXPECT_EQ(count_ops(after_rule("transpose_into_dot", q.done({q.b.add(dot, {left, right})})),
                      "transpose"),
            0);
  // Two free axes that swap would swap in the result.
  Program r;
  const Value swapped = transpose(r.b, r.input(DType::f32, {3, 2, 5}), {1, 0, 2});
  const Dot free{{}, {}, {2}, {0}, DType::f32, Precision::highest};
  expect_no_rule("transpose_into_dot",
                 r.done({r.b.add(free, {swapped, r.input(DType::f32, {5, 4})})}));
}

TEST(Movement, TransposedDotsSwapOperands) {
  Program p;
  const Value product = matmul(p.b, p.input(DType::f32, {3, 5}), p.input(DType::f32, {5, 4}));
  const Graph graph = p.done({transpose(p.b, product, {1, 0})});
  EXPECT_EQ(count_ops(after_rule("transpose_of_dot", graph), "transpose"), 0);
  Program q;
  const Value used = matmul(q.b, q.input(DType::f32, {3, 5}), q.input(DType::f32, {5, 4}));
  expect_no_rule("transpose_of_dot", q.done({transpose(q.b, used, {1, 0}), used}));
}

TEST(FoldConstants, SmallNodesOfConstants) {
  Program p;
  const Value x = constant(p.b, make_tensor<float>({3}, {1, 2, 4}));
  const Value y = constant(p.b, make_tensor<float>({3}, {3, 5, 7}));
  const Graph after = after_rule("fold_node", p.done({divide(p.b, x, y)}));
  EXPECT_EQ(after.nodes().size(), 1u);

  Program q;
  const Value s = splat(q.b, 3, {DType::i32, {100, 100}});
  const Graph splats = after_rule("fold_splats", q.done({multiply(q.b, s, s)}));
  EXPECT_EQ(count_ops(splats, "multiply"), 0);
  EXPECT_EQ(count_ops(splats, "broadcast"), 1);

  Program u;
  const Value uniform = constant(u.b, filled({DType::f64, {4, 4}}, -0.0));
  EXPECT_EQ(count_ops(after_rule("uniform_constant", u.done({uniform})), "broadcast"), 1);
}

TEST(FoldConstants, LeavesBarriersInputsAndLargeResults) {
  Program p;
  const Value x = constant(p.b, make_tensor<float>({2}, {1, 2}));
  const Value barrier = p.b.add(Barrier{1}, {x});
  expect_no_rule("fold_node", p.done({barrier, negate(p.b, barrier)}));
  Program q;
  std::vector<float> many(2000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<float>(i);
  const Value large = constant(q.b, make_tensor<float>({2000}, std::span<const float>(many)));
  expect_no_rule("fold_node", q.done({negate(q.b, large)}));
}

}  // namespace
}  // namespace tenon::testing
