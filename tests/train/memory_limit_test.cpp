// What a training may take of the memory: told before it begins, and kept.
#include "tenon/base/text.h"
#include "train_testing.h"

namespace tenon {
namespace {

nn::Sequential wide_model() {
  return {nn::Dense{64, nn::relu}, nn::Dense{64, nn::relu}, nn::Dense{3}};
}

TrainerOptions limited(std::int64_t bytes) {
  TrainerOptions options = small_options("cpu");
  options.memory_limit = bytes;
  return options;
}

// What a fit with these batches needed: its step and the validation data beside it.
std::int64_t needed(std::int64_t batch_size, std::int64_t accumulated = 1,
                    std::int64_t validation = 0) {
  TrainerOptions options = limited(0);
  options.optimizer = {optim::Adam{.learning_rate = 0.05}, {.accumulate_steps = accumulated}};
  Trainer trainer(wide_model(), options);
  FitOptions fit{.epochs = 1, .batch_size = batch_size};
  std::int64_t bytes = 0;
  if (validation > 0) {
    fit.validation = blobs(validation);
    bytes = blobs(validation).byte_size();
  }
  trainer.fit(blobs(256), fit);
  return bytes + trainer.cost().memory.total();
}

std::string refusal(std::int64_t limit, FitOptions fit) {
  Trainer trainer(wide_model(), limited(limit));
  return error_of<UserError>([&] { trainer.fit(blobs(256), fit); });
}

TEST(MemoryLimit, IsKeptToTheByte) {
  const std::int64_t bytes = needed(64);
  Trainer trainer(wide_model(), limited(bytes));
  EXPECT_EQ(trainer.fit(blobs(256), {.epochs = 2, .batch_size = 64}).steps, 8);
  EXPECT_NE(refusal(bytes - 1, {.epochs = 1, .batch_size = 64}), "no error");
}

TEST(MemoryLimit, ChangesNoBit) {
  const auto predicted = [&](std::int64_t limit) {
    Trainer trainer(wide_model(), limited(limit));
    trainer.fit(blobs(250), {.epochs = 2, .batch_size = 64, .validation = blobs(40)});
    return trainer.predict(blobs(9).x());
  };
  EXPECT_EQ(predicted(std::int64_t{1} << 30), predicted(0));
}

TEST(MemoryLimit, SaysWhichBatchesFit) {
  const std::int64_t of_128 = needed(128), of_64 = needed(64);
  constexpr std::int64_t kWeights = (2 * 64 + 64) + (64 * 64 + 64) + (64 * 3 + 3);
  const std::int64_t in_parts = needed(64, 2);
  EXPECT_GE(in_parts, of_64 + kWeights * 4);
  const std::string message = refusal(of_128 - 1, {.epochs = 1, .batch_size = 128});
  EXPECT_TRUE(message.starts_with(
      fmt::format("memory limit {}: a training step with batches of 128 needs {}\n  weights, "
                  "optimizer and counters ",
                  bytes_text(of_128 - 1), needed_bytes_text(of_128))))
      << message;
  EXPECT_NE(message.find("\n  largest when most is alive (launch "), std::string::npos) << message;
  EXPECT_TRUE(message.ends_with(
      fmt::format("\n  help: batches of 64 need {}; with 2 of them to an update (accumulate_steps, "
                  "--accumulate 2) {}, and the updates are those of 128",
                  needed_bytes_text(of_64), needed_bytes_text(in_parts))))
      << message;
}

TEST(MemoryLimit, BelowTheLeastSaysTheLeast) {
  const std::string message = refusal(1000, {.epochs = 1, .batch_size = 128});
  EXPECT_TRUE(message.ends_with(fmt::format(
      "\n  help: batches of 1 need {0} still; give it {0} or more", needed_bytes_text(needed(1)))))
      << message;
}

TEST(MemoryLimit, CountsTheValidationDataBeforeTheFirstStep) {
  const std::int64_t bytes = needed(64, 1, 5000);
  const FitOptions fit{.epochs = 1, .batch_size = 64, .validation = blobs(5000)};
  Trainer trainer(wide_model(), limited(bytes));
  EXPECT_EQ(trainer.fit(blobs(256), fit).epochs.size(), 1u);
  Trainer short_of_it(wide_model(), limited(bytes - 1));
  EXPECT_NE(error_of<UserError>([&] { short_of_it.fit(blobs(256), fit); }), "no error");
  EXPECT_EQ(short_of_it.steps_done(), 0);
}

TEST(MemoryLimit, LeavesTheRunThatIsThereAlone) {
  const TemporaryFolder folder;
  FitOptions fit{.epochs = 1, .batch_size = 64, .run_folder = folder / "run"};
  Trainer(wide_model(), limited(0)).fit(blobs(256), fit);
  const std::string before = io::read_text_file(folder / "run/run.json");
  fit.overwrite = true;
  EXPECT_NE(refusal(1000, fit), "no error");
  EXPECT_EQ(io::read_text_file(folder / "run/run.json"), before);
  EXPECT_NO_THROW(load(folder / "run"));
}

TEST(Memory, IsToldBeforeTheStepIsCompiled) {
  Trainer trainer(wide_model(), limited(0));
  EXPECT_EQ(error_of<UserError>([&] { trainer.memory(8); }),
            "memory: the model has no weights yet; fit or build it first");
  trainer.build(blobs(32));
  const backends::StepMemory memory = trainer.memory(8);
  EXPECT_FALSE(trainer.session().has(trainer.weights().front()));  // nothing was allocated
  EXPECT_EQ(memory.report.total(), trainer.compiled_step(8).memory().total());
  EXPECT_EQ(memory.map.arena_bytes, memory.report.arena);
}

}  // namespace
}  // namespace tenon
