// Losses against data/loss_samples.json; their names with options; what they refuse.
#include "../error_of.h"
#include "layer_sample_testing.h"

namespace tenon::nn {
namespace {

class LossSamples : public testing::TestWithParam<const char*> {};

TEST_P(LossSamples, AgreeWithPyTorch) {
  Session session(GetParam());
  Expected all;
  std::set<std::string> names;
  const Json samples = samples::read_samples("loss_samples.json");
  for (const Json& sample : samples.at("losses")) {
    names.insert(sample.at("loss").get<std::string>());
    add_loss(all, sample);
  }
  all.check(session);
  EXPECT_EQ(names.size(), 45u);
}

INSTANTIATE_TEST_SUITE_P(Devices, LossSamples, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

TEST(LossNames, SayWhatALossWasMadeWith) {
  EXPECT_EQ(huber().name, "huber");
  EXPECT_EQ(huber(0.5).name, "huber:delta=0.5");
  EXPECT_EQ(binary_focal_cross_entropy(1.5, 0.25).name,
            "binary_focal_cross_entropy:gamma=1.5:alpha=0.25");
  EXPECT_EQ(sparse_categorical_focal_cross_entropy().name,
            "sparse_categorical_focal_cross_entropy");
  const std::string name = cross_entropy(sparse_categorical_cross_entropy_from_logits,
                                         {.label_smoothing = 0.1, .class_weights = {1, 0.1, 2}})
                               .name;
  EXPECT_EQ(name,
            "sparse_categorical_cross_entropy_from_logits:label_smoothing=0.1:"
            "class_weights=1/0.1/2");
  // A name finds the loss again.
  EXPECT_EQ(find_loss(name).name, name);
  EXPECT_EQ(find_loss("huber:delta=1").name, "huber");
}

TEST(LossNames, Refused) {
  EXPECT_EQ(error_of([] { find_loss("huber:delt=1"); }),
            "loss \"huber:delt=1\": unknown option \"delt\"; known: delta; did you mean "
            "\"delta\"?");
  EXPECT_EQ(error_of([] { find_loss("hinge:margin=1"); }),
            "loss \"hinge:margin=1\": unknown option \"margin\"; hinge has none");
  EXPECT_EQ(error_of([] { find_loss("huber:delta"); }),
            "loss \"huber:delta\": expected option=number after each colon, got \"delta\"");
  EXPECT_EQ(error_of([] { find_loss("huber:delta=1e999"); }),
            "loss \"huber:delta=1e999\": delta must be a number, got \"1e999\"");
  EXPECT_EQ(error_of([] { find_loss("huber:delta=1/2"); }),
            "loss \"huber:delta=1/2\": delta takes one number, got 2");
  EXPECT_EQ(error_of([] { find_loss("huber:delta=1:delta=2"); }),
            "loss \"huber:delta=1:delta=2\": delta is given twice");
}

TEST(LossOptions, Refused) {
  EXPECT_EQ(error_of([] { huber(0); }), "huber: delta must be above 0, got 0");
  EXPECT_EQ(error_of([] { binary_focal_cross_entropy(0.5); }),
            "binary_focal_cross_entropy: gamma must be 0, or 1 or more, got 0.5");
  EXPECT_EQ(error_of([] { binary_focal_cross_entropy(2, 1.5); }),
            "binary_focal_cross_entropy: alpha must be at most 1 (negative: no weights), got 1.5");
  EXPECT_EQ(error_of([] { cross_entropy(binary_cross_entropy, {.label_smoothing = 1}); }),
            "binary_cross_entropy: label_smoothing must be in [0, 1), got 1");
  EXPECT_EQ(error_of([] {
              cross_entropy(binary_cross_entropy, {.class_weights = {1, -2}});
            }),
            "binary_cross_entropy: class weights must not be negative, got -2");
  EXPECT_EQ(error_of([] { cross_entropy(binary_cross_entropy, {.class_weights = {1}}); }),
            "binary_cross_entropy: expected a class weight for each of 2 classes, got 1");
  EXPECT_EQ(error_of([] { cross_entropy(huber(2), {}); }),
            "cross_entropy: \"huber:delta=2\" takes no label smoothing and no class weights; the "
            "(sparse_)categorical and binary cross entropies without options do");
  const Loss weighted = cross_entropy(categorical_cross_entropy, {.class_weights = {1, 2}});
  const Tensor p = placeholder("p", {DType::f32, {4, 3}});
  EXPECT_EQ(error_of([&] { weighted.apply(p, p, {}); }),
            "categorical_cross_entropy: expected a class weight for each of 3 classes, got 2");
}

TEST(LossTargets, AreChecked) {
  const Tensor p = placeholder("p", {DType::f32, {4, 3}}), w = placeholder("w", {DType::f32, {3}});
  const Tensor labels = placeholder("labels", {DType::i32, {4}});
  for (const char* name :
       {"mean_absolute_error", "huber", "hinge", "kl_divergence", "cosine_similarity",
        "categorical_focal_cross_entropy", "binary_focal_cross_entropy"}) {
    EXPECT_EQ(error_of([&] { find_loss(name).apply(p, labels, {}); }),
              fmt::format("{}: targets do not fit predictions\n"
                          "    prediction f32[4,3] from \"p\"\n"
                          "    target     i32[4] from \"labels\"\n"
                          "  help: for integer classes use a sparse loss, or one_hot(target, "
                          "classes)",
                          name));
    EXPECT_EQ(error_of([&] { find_loss(name).apply(p, p, w); }),
              fmt::format("{}: sample weights must be [4], got f32[3]", name));
  }
  const Tensor row = placeholder("row", {DType::f32, {3}});
  EXPECT_EQ(error_of([&] { cosine_similarity.apply(row, row, {}); }),
            "cosine_similarity: expected predictions [batch, values], got f32[3] from \"row\"");
}

// A vector of zeros, and errors of exactly nothing: finite, and nothing flows.
TEST(LossEdges, AreFinite) {
  const Tensor p = numbers({2, 2}, {0, 0, 1, 1}), t = numbers({2, 2}, {1, 0, 1, 1});
  EXPECT_NEAR(doubles(cosine_similarity.apply(p, t, {}).sum)[0], 1, 1e-6);
  const auto gradient = [&](const Loss& loss) {
    return doubles(grad(loss.apply(p, t, {}).sum, p));
  };
  for (const double g : gradient(cosine_similarity)) EXPECT_LT(std::abs(g), 1e9);
  EXPECT_EQ(gradient(mean_absolute_error), (std::vector<double>{-1, 0, 0, 0}));
  EXPECT_EQ(gradient(huber(0.5)), (std::vector<double>{-0.5, 0, 0, 0}));
}

}  // namespace
}  // namespace tenon::nn
