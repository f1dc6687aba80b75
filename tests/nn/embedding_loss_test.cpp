// CTC, losses of embeddings, entropies and sums of losses against data/embedding_loss_samples.json.
#include "layer_sample_testing.h"

namespace tenon::nn {
namespace {

class EmbeddingLosses : public testing::TestWithParam<const char*> {};

TEST_P(EmbeddingLosses, AgreeWithPyTorch) {
  Session session(GetParam());
  Expected all;
  std::set<std::string> names;
  const Json samples = samples::read_samples("embedding_loss_samples.json");
  for (const Json& sample : samples.at("losses")) {
    names.insert(sample.at("loss").get<std::string>());
    add_loss(all, sample);
  }
  all.check(session);
  EXPECT_EQ(names.size(), 19u);
}

TEST_P(EmbeddingLosses, CtcTakesInputLengths) {
  Session session(GetParam());
  Expected all;
  const Json samples = samples::read_samples("embedding_loss_samples.json");
  for (const Json& sample : samples.at("ctc")) {
    const Tensor logits = all.feed(sample.at("logits"));
    const Tensor losses = ctc_losses(logits, all.feed(sample.at("targets")),
                                     {.zero_infinity = true}, all.feed(sample.at("input_lengths")));
    all.add(losses, sample.at("losses"), "ctc");
    all.add(grad(sum(losses), logits), sample.at("gradient"), "ctc gradient");
  }
  all.check(session);
  EXPECT_EQ(samples.at("ctc").size(), 3u);
}

INSTANTIATE_TEST_SUITE_P(Devices, EmbeddingLosses, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Ctc, LabelsThatDoNotFitAreInfinitelyFar) {
  const Tensor logits = numbers({2, 2, 3}, {0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, DType::f32);
  const Tensor labels = numbers({2, 3}, {1, 1, -1, 2, -1, -1}, DType::i64);
  const std::vector<double> losses = doubles(ctc_losses(logits, labels));
  EXPECT_EQ(losses[0], INFINITY);
  EXPECT_NEAR(losses[1], -std::log(3.0 / 9), 1e-6);  // 2 2, 2 blank, blank 2
  const Tensor total = sum(ctc_losses(logits, labels, {.zero_infinity = true}));
  EXPECT_NEAR(doubles(total)[0], std::log(3), 1e-6);
  // What does not fit sends nothing back, rather than NaN.
  const std::vector<double> gradient = doubles(grad(sum(ctc_losses(logits, labels)), logits));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(gradient[i], 0) << i;
  EXPECT_NE(gradient[6], 0);
}

TEST(Ctc, NumbersThatAreNoneStayNone) {
  const Tensor logits = numbers({1, 2, 3}, {0, NAN, 0, 1, 0, 0});
  EXPECT_TRUE(std::isnan(doubles(ctc_losses(logits, numbers({1, 1}, {1}, DType::i32)))[0]));
  // A class that can never be, -inf, is no path; the others are.
  const Tensor certain = numbers({1, 2, 3}, {-INFINITY, 0, 0, -INFINITY, 0, 0});
  const std::vector<double> losses = doubles(ctc_losses(certain, numbers({1, 1}, {1}, DType::i32)));
  EXPECT_NEAR(losses[0], std::log(4), 1e-12);
}

TEST(Ctc, IgnoresWhatFollowsTheFirstNegativeLabel) {
  const Tensor logits = numbers({1, 3, 3}, {0, 1, 2, 2, 0, 1, 1, 0, 0});
  const auto loss = [&](std::initializer_list<double> labels) {
    return doubles(ctc_losses(
        logits, numbers({1, static_cast<std::int64_t>(labels.size())}, labels, DType::i32)));
  };
  EXPECT_EQ(loss({2, -1, 1}), loss({2}));
}

TEST(Ctc, Refuses) {
  const Tensor p = placeholder("p", {DType::f32, {4, 7, 3}});
  const Tensor t = placeholder("t", {DType::i32, {4, 2}});
  EXPECT_EQ(error_of([&] {
              ctc().apply(tenon::zeros({4, 3}), t, {});
            }),
            "ctc: expected predictions [batch, time, classes], got f32[4,3]");
  EXPECT_EQ(error_of([&] { ctc().apply(p, p, {}); }),
            "ctc: expected integer targets [4, labels], padded with negative numbers, got "
            "f32[4,7,3] from \"p\"");
  EXPECT_EQ(error_of([&] { ctc({.blank = 3}).apply(p, t, {}); }),
            "ctc: blank must be one of 3 classes, got 3");
  EXPECT_EQ(error_of([] { ctc({.blank = -1}); }), "ctc: blank must be 0 or more, got -1");
  EXPECT_EQ(error_of([] { find_loss("ctc:blank=0.5"); }),
            "loss ctc: blank must be a whole number of 0 or more, got 0.5");
  EXPECT_EQ(error_of([] { find_loss("ctc:blank=1e300"); }),
            "loss ctc: blank must be a whole number of 0 or more, got 1e+300");
  EXPECT_EQ(error_of([] { find_loss("ctc:zero_infinity=2"); }),
            "loss ctc: zero_infinity must be 0 or 1, got 2");
  EXPECT_EQ(error_of([&] { ctc_losses(p, t, {}, t); }),
            "ctc: expected integer input lengths [4], got i32[4,2] from \"t\"");
  EXPECT_EQ(find_loss("ctc:blank=2:zero_infinity=1").name, "ctc:blank=2:zero_infinity=1");
}

// Equal points, where a distance has no direction.
TEST(EmbeddingLossEdges, AreFinite) {
  const Tensor pairs = tenon::zeros({2, 2, 3}, DType::f64),
               triplets = tenon::zeros({2, 3, 3}, DType::f64);
  const Tensor points = tenon::zeros({4, 3}, DType::f64);
  const Tensor labels = numbers({4}, {0, 0, 1, 1}, DType::i32);
  const Tensor apart = numbers({2}, {0, 1}, DType::i32);
  for (const auto& [name, p, t] :
       {std::tuple("triplet", triplets, labels), std::tuple("triplet_hard", points, labels),
        std::tuple("triplet_semi_hard", points, labels), std::tuple("contrastive", pairs, apart),
        std::tuple("info_nce", pairs, apart), std::tuple("nt_xent", pairs, apart)}) {
    const WeightedSum value = find_loss(name).apply(p, t, {});
    EXPECT_TRUE(std::isfinite(doubles(value.sum)[0])) << name;
    for (const double g : doubles(grad(value.sum, p))) EXPECT_TRUE(std::isfinite(g)) << name;
  }
  // A batch of one class has no triplet, and weighs nothing.
  const WeightedSum none = triplet_hard().apply(points, numbers({4}, {1, 1, 1, 1}, DType::i32), {});
  EXPECT_EQ(doubles(none.sum)[0], 0);
  EXPECT_EQ(doubles(none.weight)[0], 0);
}

TEST(EmbeddingLosses, Refuse) {
  const Tensor p = placeholder("p", {DType::f32, {4, 3}}), w = placeholder("w", {DType::f32, {3}});
  const Tensor labels = placeholder("labels", {DType::i32, {4}});
  EXPECT_EQ(error_of([&] { triplet().apply(p, labels, {}); }),
            "triplet: expected predictions [batch, 3, width], the anchor, positive and negative of "
            "each sample, got f32[4,3] from \"p\"");
  EXPECT_EQ(error_of([&] { nt_xent().apply(p, labels, {}); }),
            "nt_xent: expected predictions [batch, 2, width], the two views of each sample, got "
            "f32[4,3] from \"p\"");
  EXPECT_EQ(error_of([&] {
              contrastive().apply(tenon::zeros({4, 2, 3}), p, {});
            }),
            "contrastive: expected targets [4], 1 for pairs that belong together and 0 for others, "
            "got f32[4,3] from \"p\"");
  EXPECT_EQ(error_of([&] { triplet_hard().apply(p, labels, w); }),
            "triplet_hard: sample weights must be [4], got f32[3]");
  EXPECT_EQ(error_of([] { triplet(0); }), "triplet: margin must be above 0, got 0");
  EXPECT_EQ(error_of([] { contrastive(NAN); }), "contrastive: margin must be above 0, got nan");
  EXPECT_EQ(error_of([] { info_nce(-1); }), "info_nce: temperature must be above 0, got -1");
  EXPECT_EQ(error_of([] { nt_xent(INFINITY); }), "nt_xent: temperature must be above 0, got inf");
}

TEST(CombinedLosses, SayWhatTheyAreMadeOf) {
  const Loss loss = combined({{1, sparse_categorical_cross_entropy_from_logits},
                              {0.1, entropy_from_logits},
                              {-2, huber(1e20)}});
  EXPECT_EQ(loss.name,
            "sparse_categorical_cross_entropy_from_logits + 0.1 * entropy_from_logits + -2 * "
            "huber:delta=1e+20");
  EXPECT_EQ(find_loss(loss.name).name, loss.name);
  EXPECT_TRUE(loss.from_logits);
  EXPECT_EQ(loss.targets, TargetKind::classes);
}

TEST(CombinedLosses, Refuse) {
  EXPECT_EQ(error_of([] { combined({}); }), "combined: expected at least one loss");
  EXPECT_EQ(error_of([] {
              combined({{NAN, hinge}});
            }),
            "combined: the factor of hinge must be finite, got nan");
  EXPECT_EQ(error_of([] { find_loss("hinge + much * huber"); }),
            "loss \"hinge + much * huber\": expected NUMBER * LOSS, got \"much * huber\"");
  EXPECT_EQ(error_of([] { find_loss("1 * 2 * huber"); }),
            "loss \"1 * 2 * huber\": more than one factor in \"1 * 2 * huber\"");
  EXPECT_NE(error_of([] { find_loss("hinge + "); }).find("unknown loss \"\""), std::string::npos);
}

// A loss of which nothing counts in a batch does not make the sum undefined.
TEST(CombinedLosses, LeaveOutTermsThatWeighNothing) {
  const Tensor points = numbers({2, 2}, {0, 1, 2, 3}), labels = numbers({2}, {1, 1}, DType::i32);
  const Loss loss = combined({{1, entropy_from_logits}, {3, triplet_hard()}});
  EXPECT_TRUE(std::isfinite(doubles(loss.apply(points, labels, {}).sum)[0]));
}

}  // namespace
}  // namespace tenon::nn
