// A step of a fit allocates nothing once the first ones have run: counted over the whole process.
#include "tests/allocations/count_allocations.h"
#include "train_testing.h"

namespace tenon {
namespace {

#ifdef TENON_COUNTS_ALLOCATIONS

// Counts from the end of step 10 to the end of the epoch's last step.
struct AllocationCounter final : Callback {
  long at_step_10 = -1, at_last_step = -1;
  bool on_step_end(Trainer&, const StepInfo& info) override {
    if (info.step == 10) at_step_10 = allocation_count;
    if (info.step_in_epoch == info.steps_in_epoch && info.epoch == 1)
      at_last_step = allocation_count;
    return true;
  }
};

long allocations_of_fit(FitOptions options, const std::string& device,
                        const optim::Schedule& schedule = {}) {
  AllocationCounter counter;
  options.epochs = 1;
  options.batch_size = 4;
  options.callbacks = {&counter};
  TrainerOptions trainer_options = small_options(device);
  trainer_options.schedule = schedule;
  Trainer trainer(model_with_state(), trainer_options);
  trainer.fit(blobs(4 * 30 + 1), options);  // the last batch is short
  EXPECT_GE(counter.at_step_10, 0);
  return counter.at_last_step - counter.at_step_10;
}

TEST(Allocation, ARunningEpochAllocatesNothingOnTheCpu) {
  EXPECT_EQ(allocations_of_fit({}, "cpu"), 0);
}

TEST(Allocation, NorWithEveryStepInTheMetrics) {
  const TemporaryFolder folder;
  EXPECT_EQ(allocations_of_fit({.run_folder = folder / "run", .log_every = 1}, "cpu"), 0);
}

TEST(Allocation, NorWithASchedule) {
  EXPECT_EQ(allocations_of_fit({}, "cpu", {optim::Cosine{.steps = 20}, 15}), 0);
}

TEST(Allocation, IsSeenByThisCounter) {
  // Checkpoints within an epoch are the exception.
  const TemporaryFolder folder;
  EXPECT_GT(allocations_of_fit({.checkpoint_every = 15, .run_folder = folder / "run"}, "cpu"), 0);
}

#endif

}  // namespace
}  // namespace tenon
