// Trainings that compute activations again: as much as a limit of memory asks for, and no other
// bit.
#include "tenon/base/text.h"
#include "train_testing.h"

namespace tenon {
namespace {

nn::Sequential deep_model() {
  nn::Sequential model;
  for (int i = 0; i < 8; ++i) {
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
Result trained(const TrainerOptions& options) {
  Trainer trainer(deep_model(), options);
  trainer.fit(blobs(512), {.epochs = 2, .batch_size = 256, .validation = blobs(40)});
  return {trainer.predict(blobs(9).x()), trainer.cost().memory};
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
