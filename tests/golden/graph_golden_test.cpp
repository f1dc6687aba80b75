#include <gtest/gtest.h>

#include "golden.h"
#include "tenon/autodiff/grad.h"
#include "tenon/ir/build.h"
#include "tenon/ir/print.h"
#include "tenon/passes/pass.h"
#include "tenon/passes/precision.h"

namespace tenon::testing {
namespace {
using namespace ir;

Value state(Builder& b, std::string name, Shape shape) {
  return b.input({std::move(name), {DType::f32, std::move(shape)}, Role::state, {}});
}

// 4 images of 2 x 3 bytes -> 5 hidden units -> 3 classes -> mean cross entropy.
struct MlpProgram {
  Builder b;
  std::vector<Value> weights;
  Value loss;

  MlpProgram() {
    const Value images = b.input({"images", {DType::u8, {4, 2, 3}}, Role::data, {}});
    const Value labels = b.input({"labels", {DType::i32, {4}}, Role::data, {}});
    weights = {state(b, "dense/kernel", {6, 5}), state(b, "dense/bias", {5}),
               state(b, "dense_1/kernel", {5, 3}), state(b, "dense_1/bias", {3})};
    Value x = cast(b, images, DType::f32);
    x = divide(b, x, splat(b, 255, b.type(x)));
    x = reshape(b, x, {4, 6});
    b.describe(x.node, {"flatten", "train.cpp:12"});
    x = dense(x, weights[0], weights[1], "dense");
    x = maximum(b, x, zeros_like(b, x));
    x = dense(x, weights[2], weights[3], "dense_1");
    const Value losses = b.add(SparseCrossEntropy{}, {x, labels});
    const Value total = reduce_sum(b, losses, {0});
    loss = divide(b, total, splat(b, 4, b.type(total)));
    b.describe(loss.node, {"loss", "train.cpp:20"});
  }

  Value dense(Value x, Value kernel, Value bias, const char* name) {
    const Value product = matmul(b, x, kernel);
    const Shape shape = b.type(product).shape;
    const Value y = add(b, product, broadcast(b, bias, shape, {1}));
    b.describe(product.node, {name, "train.cpp:13"});
    b.describe(y.node, {name, "train.cpp:13"});
    return y;
  }
};

TEST(GraphGolden, MlpForward) {
  MlpProgram mlp;
  const Graph graph = std::move(mlp.b).finish({{"loss", mlp.loss, std::nullopt, Merge::carry}});
  expect_golden("mlp_forward", print(graph));
  expect_golden("mlp_forward_after_passes", print(passes::run_passes(graph).graph));
}

// Forward, backward and a step of gradient descent.
Graph mlp_step() {
  MlpProgram mlp;
  const std::vector<Value> gradients = autodiff::append_gradients(mlp.b, mlp.loss, mlp.weights);
  const Value rate = mlp.b.input({"learning_rate", {DType::f32, {}}, Role::scalar_state, {}});
  std::vector<Output> outputs = {{"loss", mlp.loss, std::nullopt, Merge::sum}};
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Shape shape = mlp.b.type(gradients[i]).shape;
    const Value step = multiply(mlp.b, broadcast(mlp.b, rate, shape, {}), gradients[i]);
    const Value next = subtract(mlp.b, mlp.weights[i], step);
    const auto& parameter = std::get<Parameter>(mlp.b.node(mlp.weights[i].node).op);
    outputs.push_back({"", next, static_cast<std::uint32_t>(parameter.position), Merge::carry});
  }
  return std::move(mlp.b).finish(std::move(outputs));
}

TEST(GraphGolden, MlpStepAfterPasses) {
  expect_golden("mlp_step_after_passes", print(passes::run_passes(mlp_step()).graph));
}

TEST(GraphGolden, MlpStepInBf16) {
  passes::PassOptions options;
  options.context.precision = passes::PrecisionPolicy::bf16;
  const Graph narrow = passes::run_passes(mlp_step(), options, passes::precision_passes()).graph;
  expect_golden("mlp_step_in_bf16", print(narrow));
  expect_golden("mlp_step_in_bf16_after_passes", print(passes::run_passes(narrow).graph));
}

}  // namespace
}  // namespace tenon::testing
