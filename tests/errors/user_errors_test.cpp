// Common mistakes in user code and the message that each gives, word for word.
#include "../nn/layer_testing.h"
#include "tenon/optim/adam.h"
#include "tenon/optim/gradient_descent.h"

namespace tenon {
namespace {

const Tensor& named_input(Tensor& holder, TensorType type, std::string name = "images") {
  holder = placeholder(std::move(name), std::move(type));
  return holder;
}

// Applies layers to a placeholder of this type, as a training step would.
Tensor apply(const nn::Sequential& model, TensorType type) {
  Tensor x;
  nn::Context context(nn::Mode::training, random::key(0));
  return nn::Layer(model).call_as_root(named_input(x, std::move(type)), context);
}

// "user_errors_test.cpp:LINE" for a layer written `above` lines before the call.
std::string line(int above, int here = __builtin_LINE()) {
  return fmt::format("user_errors_test.cpp:{}", here - above);
}

TEST(UserErrors, SecondTraceWithAnotherWidth) {
  const nn::Sequential model{nn::Dense{10}};
  const std::string where = line(1);
  apply(model, {DType::f32, {128, 784}});
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::f32, {128, 512}});
            }),
            "matmul: inner dimensions differ\n"
            "  layer \"dense\" (dense, units 10, activation linear), written at " +
                where +
                "\n"
                "    input  f32[128,512] from \"images\"\n"
                "    kernel f32[784,10] from \"dense/kernel\"\n"
                "  512 != 784\n"
                "  help: this layer was first built for inputs of width 784");
}

TEST(UserErrors, WrongInputWidthInsideAModelNamesTheInnermostLayer) {
  const nn::Layer shared = nn::Dense{10};
  const std::string where = line(1);
  const nn::Sequential model{nn::Flatten{}, nn::Sequential{shared, shared}};
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::f32, {4, 28, 28}});
            }),
            "matmul: inner dimensions differ\n"
            "  layer \"sequential/dense_1\" (dense, units 10, activation linear), written at " +
                where +
                "\n"
                "    input  f32[4,10] from \"sequential/dense\" (" +
                where +
                ")\n"
                "    kernel f32[784,10] from \"sequential/dense/kernel\"\n"
                "  10 != 784\n"
                "  help: this layer was first built for inputs of width 784");
}

TEST(UserErrors, BatchDimensionMissing) {
  const nn::Sequential model{nn::Dense{10}};
  const std::string where = line(1);
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::f32, {784}});
            }),
            "Dense: expected input [batch, ..., features], got f32[784]\n"
            "  layer \"dense\" (dense, units 10, activation linear), written at " +
                where +
                "\n"
                "    input  f32[784] from \"images\"\n"
                "  help: the batch axis is missing; expand_dims(x, 0) adds one");
}

TEST(UserErrors, IntegerInputToAFloatLayer) {
  const nn::Sequential model{nn::Flatten{}, nn::Dense{10}};
  const std::string where = line(1);
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::u8, {4, 28, 28}});
            }),
            "Dense: input must be float, got u8[4,784]\n"
            "  layer \"dense\" (dense, units 10, activation linear), written at " +
                where +
                "\n"
                "    input  u8[4,784] from \"flatten\" (" +
                where +
                ")\n"
                "  help: cast it; scaling images to [0, 1] does");
}

TEST(UserErrors, ConvolutionOfRankThree) {
  const nn::Sequential model{nn::Conv2D{8, {3, 3}}};
  const std::string where = line(1);
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::f32, {32, 28, 28}});
            }),
            "Conv2D: expected input [batch, height, width, channels], got f32[32,28,28]\n"
            "  layer \"conv2d\" (conv2d, filters 8, size [3, 3]), written at " +
                where +
                "\n"
                "    input  f32[32,28,28] from \"images\"\n"
                "  help: put nn::Reshape{{28, 28, 1}} first to give grey images a channel axis; "
                "expand_dims(x, 0) adds a batch axis");
}

TEST(UserErrors, GroupsThatDoNotDivide) {
  const nn::Sequential model{nn::Conv2D{.filters = 8, .groups = 3}};
  const std::string where = line(1);
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::f32, {1, 8, 8, 4}});
            }),
            "Conv2D: 3 groups do not divide 4 input channels and 8 filters\n"
            "  layer \"conv2d\" (conv2d, filters 8, size [3, 3]), written at " +
                where +
                "\n"
                "    input  f32[1,8,8,4] from \"images\"");
}

TEST(UserErrors, WindowLargerThanTheImage) {
  const nn::Sequential model{nn::MaxPool2D{{9, 9}}};
  const std::string where = line(1);
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::f32, {1, 8, 8, 4}});
            }),
            "max_pool: a window of 9 does not fit the 8 rows of f32[1,8,8,4] without padding\n"
            "  layer \"max_pool2d\" (max_pool2d, size [9, 9]), written at " +
                where +
                "\n"
                "    input  f32[1,8,8,4] from \"images\"\n"
                "  help: use a smaller window or same padding");
}

TEST(UserErrors, ImagesWithTheirChannelsFirst) {
  const nn::Sequential model{nn::MaxPool2D{{4, 4}}};
  const std::string where = line(1);
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::f32, {1, 3, 8, 8}});
            }),
            "max_pool: a window of 4 does not fit the 3 rows of f32[1,3,8,8] without padding\n"
            "  layer \"max_pool2d\" (max_pool2d, size [4, 4]), written at " +
                where +
                "\n"
                "    input  f32[1,3,8,8] from \"images\"\n"
                "  help: channels are the last axis, [batch, height, width, channels]; "
                "transpose(x, {0, 2, 3, 1}) makes it so");
}

TEST(UserErrors, EmbeddingOfFloatIds) {
  const nn::Sequential model{nn::Embedding{100, 8}};
  const std::string where = line(1);
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::f32, {4, 16}});
            }),
            "Embedding: expected integer ids, got f32[4,16]\n"
            "  layer \"embedding\" (embedding, rows 100, width 8), written at " +
                where +
                "\n"
                "    input  f32[4,16] from \"images\"\n"
                "  help: cast the ids");
}

TEST(UserErrors, DropoutRateOfOne) {
  const nn::Sequential model{nn::Dropout{1}};
  const std::string where = line(1);
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::f32, {4, 16}});
            }),
            "Dropout: rate must be in [0, 1), got 1\n"
            "  layer \"dropout\" (dropout, rate 1), written at " +
                where +
                "\n"
                "    input  f32[4,16] from \"images\"");
}

TEST(UserErrors, DropoutWithoutAKey) {
  const nn::Layer layer = nn::Dropout{0.5};
  const std::string where = line(1);
  nn::Context context(nn::Mode::training);
  EXPECT_EQ(error_of([&] {
              layer(ones({2, 2}), context);
            }),
            "a layer draws random numbers, but the context has no key\n"
            "  layer \"dropout\" (dropout, rate 0.5), written at " +
                where +
                "\n"
                "    input  f32[2,2]\n"
                "  help: pass one as Context's second argument");
}

TEST(UserErrors, ReshapeToAnotherCount) {
  const nn::Sequential model{nn::Reshape{{28, 29}}};
  const std::string where = line(1);
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::f32, {4, 784}});
            }),
            "reshape: f32[4,784] has 3136 elements, [4, 28, 29] has 3248\n"
            "  layer \"reshape\" (reshape, shape [28, 29]), written at " +
                where +
                "\n"
                "    input  f32[4,784] from \"images\"");
}

TEST(UserErrors, ZeroUnits) {
  const nn::Sequential model{nn::Dense{0}};
  const std::string where = line(1);
  EXPECT_EQ(error_of([&] {
              apply(model, {DType::f32, {4, 784}});
            }),
            "Dense: units must be above 0, got 0\n"
            "  layer \"dense\" (dense, units 0, activation linear), written at " +
                where +
                "\n"
                "    input  f32[4,784] from \"images\"");
}

TEST(UserErrors, EmptyTensor) {
  const nn::Layer layer = nn::Dense{4};
  const std::string where = line(1);
  nn::Context context(nn::Mode::inference);
  EXPECT_EQ(error_of([&] { layer(Tensor(), context); }),
            "an empty Tensor was used; give it a value first\n"
            "  layer \"dense\" (dense, units 4, activation linear), written at " +
                where +
                "\n"
                "    input  is an empty tensor");
}

TEST(UserErrors, LayerNormOfAnotherWidth) {
  const nn::Sequential model{nn::LayerNorm{}};
  const std::string where = line(1);
  apply(model, {DType::f32, {4, 8}});
  EXPECT_EQ(
      error_of([&] {
        apply(model, {DType::f32, {4, 9}});
      }),
      "\"layer_norm/scale\" was first built as f32[8], this input needs f32[9]\n"
      "  layer \"layer_norm\" (layer_norm, epsilon 1e-05), written at " +
          where +
          "\n"
          "    input  f32[4,9] from \"images\"\n"
          "  help: one layer serves inputs of one type; use another layer, or clone() this one "
          "before it is built");
}

TEST(UserErrors, OneHotTargetsForASparseLoss) {
  const Tensor scores = apply({nn::Dense{10}}, {DType::f32, {8, 4}});
  const std::string where = line(1);
  const Tensor target = placeholder("target", {DType::f32, {8, 10}});
  EXPECT_EQ(
      error_of([&] { nn::sparse_categorical_cross_entropy_from_logits.apply(scores, target, {}); }),
      "sparse_categorical_cross_entropy_from_logits: targets must be integer classes of shape [8], "
      "got f32[8,10] from \"target\"\n"
      "    prediction f32[8,10] from \"dense\" (" +
          where +
          ")\n"
          "  help: for one-hot or soft targets use categorical_cross_entropy_from_logits");
}

TEST(UserErrors, IntegerClassesForADenseLoss) {
  const Tensor scores = placeholder("scores", {DType::f32, {8, 10}});
  const Tensor target = placeholder("target", {DType::i64, {8}});
  EXPECT_EQ(error_of([&] { nn::categorical_cross_entropy.apply(scores, target, {}); }),
            "categorical_cross_entropy: targets do not fit predictions\n"
            "    prediction f32[8,10] from \"scores\"\n"
            "    target     i64[8] from \"target\"\n"
            "  help: for integer classes use a sparse loss, or one_hot(target, classes)");
}

TEST(UserErrors, LossThatDoesNotFitTheLastLayer) {
  const Tensor scores = apply({nn::Dense{3}}, {DType::f32, {8, 4}});
  const std::string where = line(1);
  const Tensor target = placeholder("target", {DType::f32, {8, 10}});
  EXPECT_EQ(error_of([&] { nn::mean_squared_error.apply(scores, target, {}); }),
            "mean_squared_error: targets do not fit predictions\n"
            "    prediction f32[8,3] from \"dense\" (" +
                where +
                ")\n"
                "    target     f32[8,10] from \"target\"\n"
                "  help: give the last layer as many units as a target has values");
  EXPECT_EQ(error_of([&] {
              nn::sparse_categorical_cross_entropy.apply(
                  scores, placeholder("target", {DType::i32, {9}}), {});
            }),
            "sparse_categorical_cross_entropy: targets do not fit predictions\n"
            "    prediction f32[8,3] from \"dense\" (" +
                where +
                ")\n"
                "    target     i32[9] from \"target\"\n"
                "  help: expected one class for each row, shape [8]");
}

TEST(UserErrors, ForgottenFlatten) {
  const Tensor scores = apply({nn::Dense{10}}, {DType::f32, {1, 28, 28}});
  const std::string where = line(1);
  const auto message = [&](std::string_view loss, std::string_view target) {
    return fmt::format(
        "{}: targets do not fit predictions\n"
        "    prediction f32[1,28,10] from \"dense\" ({})\n"
        "    target     {} from \"target\"\n"
        "  help: the prediction has more axes than one row for each sample; put nn::Flatten{{}} "
        "first",
        loss, where, target);
  };
  const auto labels = placeholder("target", {DType::i32, {1}});
  EXPECT_EQ(
      error_of([&] { nn::sparse_categorical_cross_entropy_from_logits.apply(scores, labels, {}); }),
      message("sparse_categorical_cross_entropy_from_logits", "i32[1]"));
  const auto soft = placeholder("target", {DType::f32, {1, 10}});
  EXPECT_EQ(error_of([&] { nn::categorical_cross_entropy.apply(scores, soft, {}); }),
            message("categorical_cross_entropy", "f32[1,10]"));
}

TEST(UserErrors, WeightsForAnotherBatch) {
  const Tensor p = placeholder("p", {DType::f32, {8, 1}}), w = placeholder("w", {DType::f32, {7}});
  EXPECT_EQ(error_of([&] { nn::mean_squared_error.apply(p, p, w); }),
            "mean_squared_error: sample weights must be [8], got f32[7]");
  EXPECT_EQ(error_of([&] { nn::mean_squared_error.apply(cast(p, DType::i32), p, {}); }),
            "mean_squared_error: predictions must be float, got i32[8,1]");
}

TEST(UserErrors, UnknownNames) {
  EXPECT_EQ(error_of([] { nn::find_loss("mean_squard_error"); }),
            "unknown loss \"mean_squard_error\"; known: "
            "sparse_categorical_cross_entropy_from_logits, sparse_categorical_cross_entropy, "
            "categorical_cross_entropy_from_logits, categorical_cross_entropy, "
            "binary_cross_entropy_from_logits, binary_cross_entropy, mean_squared_error, "
            "mean_absolute_error, huber, hinge, kl_divergence_from_logits, kl_divergence, "
            "cosine_similarity, sparse_categorical_focal_cross_entropy_from_logits, "
            "sparse_categorical_focal_cross_entropy, "
            "categorical_focal_cross_entropy_from_logits, categorical_focal_cross_entropy, "
            "binary_focal_cross_entropy_from_logits, binary_focal_cross_entropy, "
            "entropy_from_logits, entropy, ctc, triplet, triplet_hard, triplet_semi_hard, "
            "contrastive, info_nce, nt_xent; did you mean \"mean_squared_error\"?");
  EXPECT_EQ(error_of([] { nn::find_metric("acuracy"); }),
            "unknown metric \"acuracy\"; known: "
            "accuracy, top_k_accuracy, precision, recall, f1, macro_precision, macro_recall, "
            "macro_f1, specificity, balanced_accuracy, matthews_correlation, cohen_kappa, "
            "mean_iou, dice, "
            "roc_auc, pr_auc, log_loss, perplexity, mean_squared_error, mean_absolute_error, "
            "root_mean_squared_error, r2; did you mean \"accuracy\"?");
  EXPECT_EQ(error_of([] { optim::make_optimizer("sdg"); }),
            "unknown optimizer \"sdg\"; known: adam, adamw, sgd, gradient_descent, adamax, nadam, "
            "rmsprop, adagrad, adadelta, lion, lamb, adafactor, muon; did you mean \"sgd\"?");
  EXPECT_EQ(error_of([] { nn::parse_activation("rleu"); }),
            "unknown activation \"rleu\"; known: linear, relu, leaky_relu, elu, gelu, gelu_tanh, "
            "silu, sigmoid, tanh, softmax, log_softmax, softplus, relu6, selu, mish, log_sigmoid, "
            "hard_sigmoid, hard_swish; "
            "did you mean \"relu\"?");
  EXPECT_EQ(error_of([] { nn::parse_initializer_kind("xavier"); }),
            "unknown initializer \"xavier\"; known: zeros, ones, constant, uniform, normal, "
            "glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal, "
            "truncated_normal, orthogonal, identity, fan_in_uniform, fan_in_normal, "
            "fan_in_truncated_normal, fan_out_uniform, fan_out_normal, fan_out_truncated_normal, "
            "fan_average_uniform, fan_average_normal, fan_average_truncated_normal, "
            "unit_forget_bias");
  EXPECT_EQ(error_of([] { nn::make_layer("dens"); }),
            fmt::format("unknown layer kind \"dens\"; known: {}; did you mean \"dense\"?",
                        fmt::join(nn::layer_kinds(), ", ")));
}

TEST(UserErrors, TensorsThatDoNotFit) {
  const Tensor x = placeholder("x", {DType::f32, {8, 3}}), y = placeholder("y", {DType::f32, {4}});
  EXPECT_EQ(error_of([&] { x + y; }),
            "add: shapes [8, 3] and [4] do not broadcast: 3 and 4 (axis -1) differ and neither is "
            "1\n    f32[8,3] from \"x\"\n    f32[4] from \"y\"");
  EXPECT_EQ(error_of([&] { matmul(x, y); }),
            "matmul: inner dimensions differ\n    x f32[8,3] from \"x\"\n    y f32[4] from \"y\"\n "
            " 3 != 4");
  EXPECT_EQ(error_of([&] {
              reshape(x, {5, 5});
            }),
            "reshape: f32[8,3] has 24 elements, [5, 5] has 25");
}

TEST(UserErrors, GradientsThatDoNotExist) {
  const Tensor x = placeholder("x", {DType::f32, {8}});
  EXPECT_EQ(error_of([&] { grad(x * x, x); }),
            "gradient: the loss must be a float scalar, got f32[8]; reduce it first (mean or sum)");
  const Tensor n = placeholder("n", {DType::i32, {}});
  EXPECT_EQ(error_of([&] { grad(n * 0.5, n); }),
            "gradient: cannot differentiate with respect to a value of type i32[]; only floats "
            "have gradients");
}

TEST(UserErrors, SessionsAndVariables) {
  Session session("reference");
  const Tensor x = placeholder("x", {DType::f32, {8}});
  EXPECT_EQ(error_of([&] { session.run(sum(x)); }),
            "placeholder \"x\" (f32[8]) is needed but was not fed; add it to the feeds");
  const Variable w(make_tensor<float>({2}, {1, 2}), "w");
  EXPECT_EQ(error_of([&] { assign(w, Tensor(w) * Tensor(make_scalar(2.0))); }),
            "assign: variable \"w\" holds f32[2], the new value is f64[2]");
  EXPECT_EQ(error_of([] { Session("cpuu"); }),
            "unknown device \"cpuu\"; known devices: cpu, reference; did you mean \"cpu\"?");
  EXPECT_EQ(error_of([] { optim::Optimizer(optim::Adam{.learning_rate = 0}); }),
            "optimizer adam: learning_rate must be finite and above 0, got 0");
}

}  // namespace
}  // namespace tenon
