// Names and sharing of weights, clones, modules of users, modes and keys.
#include <cmath>

#include "layer_testing.h"

namespace tenon::nn {
namespace {

using Names = std::vector<std::string>;

TEST(Naming, FollowsTheOrderOfUseWithinEachScope) {
  const Sequential model{Dense{4, relu}, Dense{3}, Sequential{Dense{3}, LayerNorm{}, Dense{2}},
                         Dense{1}};
  EXPECT_EQ(
      weight_names(model, {DType::f32, {2, 5}}),
      (Names{"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias",
             "sequential/dense/kernel", "sequential/dense/bias", "sequential/layer_norm/scale",
             "sequential/layer_norm/offset", "sequential/dense_1/kernel", "sequential/dense_1/bias",
             "dense_2/kernel", "dense_2/bias"}));
  // A second trace finds the same weights, whatever the batch.
  Context again(Mode::training);
  Layer(model).call_as_root(placeholder("x", {DType::f32, {7, 5}}), again);
  EXPECT_EQ(names_of(again.variables()), weight_names(model, {DType::f32, {2, 5}}));
  EXPECT_EQ(variables_of(Layer(model)).size(), 12u);
}

TEST(Naming, LayersNameTheirResults) {
  const Sequential model{Flatten{}, Dense{3}, Dropout{0.5}};
  Context context(Mode::inference);
  const Tensor x = placeholder("image", {DType::f32, {2, 4, 4}});
  const Tensor y = Layer(model).call_as_root(x, context);
  EXPECT_EQ(y.name(), "dense");  // Dropout returns its input in inference
  EXPECT_EQ(find(y, "flatten").shape(), (Shape{2, 16}));
  EXPECT_EQ(x.name(), "image");
  EXPECT_EQ(find(y, "dense/kernel").shape(), (Shape{16, 3}));
}

TEST(Sharing, CopiesShareWeightsAndClonesDoNot) {
  const Layer layer = Dense{3};
  const Layer copy = layer;
  const Layer other = layer.clone();
  EXPECT_EQ(variables_of(copy), variables_of(layer));
  for (const Variable& variable : variables_of(other))
    EXPECT_EQ(std::ranges::count(variables_of(layer), variable), 0);
}

TEST(Sharing, ASharedLayerHasOneSetOfWeightsAndTheSumOfGradients) {
  const Layer shared = Dense{.units = 2, .use_bias = false};
  const Sequential model{shared, shared};
  Context context(Mode::inference);
  const Tensor x = numbers({1, 2}, {1, 2});
  const Tensor y = Layer(model).call_as_root(x, context);
  ASSERT_EQ(names_of(context.variables()), Names{"dense/kernel"});
  Session session("reference");
  const Variable kernel = context.variables()[0];
  session.write(kernel, make_tensor<double>({2, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(session.run(y), make_tensor<double>({1, 2}, {37, 54}));  // x K K
  // d sum(x K K) / dK = x' (K 1)' + (x K)' 1'.
  EXPECT_EQ(session.run(grad(sum(y), Tensor(kernel))),
            make_tensor<double>({2, 2}, {3 + 7, 7 + 7, 6 + 10, 14 + 10}));
}

TEST(Sharing, ACloneOfABuiltModelStartsUnbuilt) {
  const Sequential model{Dense{2}};
  weight_names(model, {DType::f32, {1, 3}});
  const Sequential other = clone(model);
  EXPECT_TRUE(variables_of(Layer(model))[0].is_defined());
  EXPECT_FALSE(variables_of(Layer(other))[0].is_defined());
  EXPECT_EQ(weight_names(other, {DType::f32, {1, 8}}), (Names{"dense/kernel", "dense/bias"}));
}

// A residual block with a gate of its own.
struct GatedResidual {
  static constexpr std::string_view kKind = "residual";
  std::int64_t width = 4;
  Layer inner = Dense{4, nn::tanh};
  Variable gate{};
  Tensor operator()(const Tensor& x, Context& context) {
    const Tensor g = context.variable(gate, "gate", {x.dtype(), {width}}, ones);
    return x + g * inner(x, context);
  }
  void fields(FieldVisitor& visit) {
    visit("width", width);
    visit("inner", inner);
    visit("gate", gate);
  }
};

TEST(UserModule, IsAPlainStructThatTrainsAndClones) {
  const Sequential model{GatedResidual{}, GatedResidual{}, Dense{1}};
  EXPECT_EQ(
      weight_names(model, {DType::f32, {2, 4}}),
      (Names{"residual/gate", "residual/dense/kernel", "residual/dense/bias", "residual_1/gate",
             "residual_1/dense/kernel", "residual_1/dense/bias", "dense/kernel", "dense/bias"}));
  const Sequential other = clone(model);
  for (const Variable& variable : variables_of(Layer(other)))
    EXPECT_EQ(std::ranges::count(variables_of(Layer(model)), variable), 0);
  EXPECT_EQ(Layer(GatedResidual{}).description(), "residual, width 4");
  EXPECT_EQ(Layer(GatedResidual{}).get<GatedResidual>()->width, 4);
  EXPECT_EQ(Layer(GatedResidual{}).get<Dense>(), nullptr);

  Context context(Mode::inference);
  const Tensor y = Layer(model).call_as_root(numbers({1, 4}, {1, 2, 3, 4}, DType::f32), context);
  Session session("reference");
  std::vector<Tensor> wrt;
  for (const Variable& variable : context.variables()) wrt.emplace_back(variable);
  for (const HostTensor& gradient : session.run(grad(sum(y), wrt)))
    EXPECT_NE(std::ranges::max(doubles(gradient)), 0);
}

TEST(Dropout, DrawsANewMaskForEachSiteAndStepInTrainingOnly) {
  const Tensor x = tenon::ones({1, 400});
  const auto run = [&](std::uint64_t key) {
    Context context(Mode::training, random::key(key));
    const Layer layer = Dropout{0.25};
    const Tensor first = layer(x, context);
    return std::pair(first.value(), layer(x, context).value());
  };
  const auto [a, b] = run(1);
  EXPECT_FALSE(a == b);
  EXPECT_EQ(run(1).first, a);
  EXPECT_EQ(run(1).second, b);
  EXPECT_FALSE(run(2).first == a);
  const std::vector<double> values = doubles(a);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(values, 0.0)), 100, 35);
  EXPECT_NEAR(std::ranges::max(values), 4.0 / 3, 1e-6);
  Context inference(Mode::inference);
  EXPECT_EQ(Layer(Dropout{0.25})(x, inference).value(), x.value());
}

TEST(MakeLayer, KnowsEveryKind) {
  std::set<std::string_view> kinds;
  for (const std::string_view kind : layer_kinds()) {
    EXPECT_EQ(make_layer(kind).kind(), kind);
    kinds.insert(kind);
  }
  EXPECT_EQ(kinds.size(), layer_kinds().size());  // no two of one kind
  EXPECT_TRUE(kinds.contains("dense"));
}

TEST(Description, NamesTheKindAndTheFirstAttributes) {
  EXPECT_EQ(Layer(Dense{128, relu}).description(), "dense, units 128, activation relu");
  EXPECT_EQ(Layer(Conv2D{8, {3, 3}}).description(), "conv2d, filters 8, size [3, 3]");
  EXPECT_EQ(Layer(Flatten{}).description(), "flatten");
  EXPECT_EQ(Layer(Dropout{0.1}).description(), "dropout, rate 0.1");
}

TEST(Normalization, EpsilonIsAFiniteNumberOfZeroOrMore) {
  const auto message = [](const Layer& layer) {
    const std::string whole = error_of([&] {
      Context context(Mode::training);
      layer.call_as_root(placeholder("x", {DType::f32, {2, 4}}), context);
    });
    return whole.substr(0, whole.find('\n'));  // then follows which layer
  };
  EXPECT_EQ(message(BatchNorm{.epsilon = -1}),
            "BatchNorm: epsilon must be a finite number of 0 or more, got -1");
  EXPECT_EQ(message(LayerNorm{.epsilon = std::nan("")}),
            "LayerNorm: epsilon must be a finite number of 0 or more, got nan");
  EXPECT_EQ(message(LayerNorm{.epsilon = 0}), "no error");
}

}  // namespace
}  // namespace tenon::nn
