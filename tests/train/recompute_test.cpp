// Trainings that compute activations again: as much as a limit of memory asks for, and no other
// bit.
#include "tenon/base/text.h"
#include "tenon/nn/penalty.h"
#include "train_testing.h"

namespace tenon {
namespace {

nn::Sequential deep_model(int depth = 8) {
  nn::Sequential model;
  for (int i = 0; i < depth; ++i) {
    model.add(nn::Dense{32, nn::gelu});
    model.add(nn::LayerNorm{});
  }
  model.add(nn::Dense{3});
  return model;
}

TrainerOptions options_of(RecomputePolicy policy, std::int64_t limit = 0) {
  TrainerOptions options = small_options("cpu");
  options.recompute = policy;
  options.memory_limit = limit;
  return options;
}

struct Result {
  HostTensor prediction;
  backends::MemoryReport memory;
};
Result trained(const TrainerOptions& options, const nn::Layer& model = deep_model()) {
  Trainer trainer(model.clone(), options);
  trainer.fit(blobs(512), {.epochs = 2, .batch_size = 256, .validation = blobs(40)});
  return {trainer.predict(blobs(9).x()), trainer.cost().memory};
}

// Against a training that keeps all: less memory, and the same bits.
void expect_same_bits(TrainerOptions options, const nn::Layer& model,
                      RecomputePolicy policy = RecomputePolicy::full) {
  const Result kept = trained(options, model);
  options.recompute = policy;
  const Result again = trained(options, model);
  EXPECT_EQ(again.prediction, kept.prediction);
  EXPECT_LT(again.memory.arena, kept.memory.arena);
}

TEST(Recompute, ChangesNoBitAndSavesMemory) {
  const Result kept = trained(options_of(RecomputePolicy::none));
  const Result cheap = trained(options_of(RecomputePolicy::cheap));
  const Result full = trained(options_of(RecomputePolicy::full));
  EXPECT_EQ(kept.prediction, cheap.prediction);
  EXPECT_EQ(kept.prediction, full.prediction);
  EXPECT_LT(cheap.memory.arena, kept.memory.arena);
  EXPECT_LT(full.memory.arena, cheap.memory.arena);
  EXPECT_LT(2 * full.memory.arena, kept.memory.arena);
  EXPECT_EQ(full.memory.state, kept.memory.state);
}

TEST(Recompute, ChangesNoBitInNarrowPrecision) {
  TrainerOptions options = options_of(RecomputePolicy::none);
  options.precision = PrecisionPolicy::bf16;
  expect_same_bits(options, deep_model(4));
  expect_same_bits(options, deep_model(4), RecomputePolicy::cheap);
  options.precision = PrecisionPolicy::fp16;  // brings a loss scale
  expect_same_bits(options, deep_model(4));
}

TEST(Recompute, ChangesNoBitOfAccumulatedGradients) {
  TrainerOptions options = options_of(RecomputePolicy::none);
  options.optimizer = {optim::Adam{.learning_rate = 0.05},
                       {.clip_global_norm = 1, .accumulate_steps = 2}};
  expect_same_bits(options, deep_model(4));
  options.precision = PrecisionPolicy::bf16;
  expect_same_bits(options, deep_model(4));
}

TEST(Recompute, ChangesNoBitOfRandomNumbersAndStatistics) {
  nn::Sequential model;
  for (int i = 0; i < 3; ++i) {
    model.add(nn::Dense{32, nn::gelu});
    model.add(nn::BatchNorm{});
    model.add(nn::Dropout{0.25});
  }
  model.add(nn::Dense{3});
  expect_same_bits(options_of(RecomputePolicy::none), model);
}

// A sum of two, and a term of the weights beside it.
TEST(Recompute, ChangesNoBitOfSeveralLosses) {
  TrainerOptions options = options_of(RecomputePolicy::none);
  options.loss = nn::find_loss(
      "sparse_categorical_cross_entropy_from_logits + 0.5 * "
      "sparse_categorical_focal_cross_entropy_from_logits");
  nn::PenaltyOptions penalty;
  penalty.l2 = 0.01;
  expect_same_bits(options, nn::Penalized{deep_model(4), penalty});
}

// Two outputs, the second from the middle, each with a loss of its own.
struct TwoHeads {
  static constexpr std::string_view kKind = "two_heads";
  nn::Layer first = deep_model(2), second = deep_model(2), head = nn::Dense{3};

  nn::Outcome learn(const Tensor& x, const Tensor& y, nn::Context& context) {
    const Tensor middle = first(x, context);
    const Tensor end = second(middle, context);
    const nn::Loss& loss = nn::sparse_categorical_cross_entropy_from_logits;
    context.add_loss(loss.apply(head(middle, context), y, {}));
    return {end, loss.apply(end, y, {})};
  }
  Tensor operator()(const Tensor& x, nn::Context& context) {
    return second(first(x, context), context) + head(first(x, context), context);
  }
  void fields(nn::FieldVisitor& visit) {
    visit("first", first);
    visit("second", second);
    visit("head", head);
  }
};

TEST(Recompute, ChangesNoBitOfTwoOutputs) {
  expect_same_bits(options_of(RecomputePolicy::none), TwoHeads{});
}

TEST(Recompute, AutomaticDoesAsMuchAsTheLimitAsksFor) {
  const auto total = [](RecomputePolicy policy) {
    Trainer trainer(deep_model(), options_of(policy));
    trainer.build(blobs(512));
    return trainer.memory(256).report.total();
  };
  const auto within = [](std::int64_t limit) {
    Trainer trainer(deep_model(), options_of(RecomputePolicy::automatic, limit));
    trainer.build(blobs(512));
    return trainer.memory(256).report.total();
  };
  const std::int64_t none = total(RecomputePolicy::none), cheap = total(RecomputePolicy::cheap),
                     full = total(RecomputePolicy::full);
  EXPECT_EQ(within(none), none);
  EXPECT_EQ(within(none - 1), cheap);
  EXPECT_EQ(within(cheap), cheap);
  EXPECT_LE(within(cheap - 1), full);
  EXPECT_LE(within(1), full);
}

TEST(Recompute, TrainsWhereALimitRefusesTheRest) {
  const Result kept = trained(options_of(RecomputePolicy::none));
  const std::int64_t limit = kept.memory.total() - kept.memory.arena / 3;
  const std::string message =
      error_of<UserError>([&] { trained(options_of(RecomputePolicy::none, limit)); });
  EXPECT_NE(
      message.find("\n  help: recompute \"auto\" (--recompute auto), which computes activations "
                   "again in the backward pass, fits in "),
      std::string::npos)
      << message;
  EXPECT_EQ(trained(options_of(RecomputePolicy::automatic, limit)).prediction, kept.prediction);
}

TEST(Recompute, AutomaticNeedsALimit) {
  EXPECT_EQ(error_of<UserError>([] { trained(options_of(RecomputePolicy::automatic)); }),
            "recompute \"auto\" needs a limit of memory to keep to; set memory_limit, or choose "
            "\"cheap\" or \"full\"");
}

}  // namespace
}  // namespace tenon
