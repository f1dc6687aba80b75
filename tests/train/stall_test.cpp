// Steps do not wait for batches that workers had the time to make, and none wait for data in
// memory. Nothing here is timed: how long a step takes is decided by what the worker has done by
// its end.
#include <array>
#include <condition_variable>
#include <mutex>

#include "train_testing.h"

namespace tenon {
namespace {

constexpr std::int64_t kBatch = 128;
constexpr std::int64_t kSteps = 6;    // of an epoch
constexpr std::int64_t kBatches = 9;  // of a pass: there is always one to be made next
constexpr std::int64_t kEpochs = 2;

// The network of `make quickstart`, and small images in its shape.
nn::Sequential quickstart_network() {
  return {nn::Flatten{}, nn::Dense{128, nn::relu}, nn::Dense{64, nn::relu}, nn::Dense{10}};
}

data::Sample image(std::int64_t i) {
  HostTensor x({DType::u8, {28, 28}});
  for (std::size_t k = 0; k < 784; ++k)
    x.as<std::uint8_t>()[k] =
        static_cast<std::uint8_t>((static_cast<std::size_t>(i) * 7 + k) % 251);
  return {std::move(x), make_scalar(static_cast<std::int32_t>(i % 10))};
}

// Counts the samples that were begun in each epoch.
class Counter {
 public:
  void add(std::uint64_t epoch) {
    const std::lock_guard lock(mutex_);
    ++begun_.at(epoch);
    news_.notify_all();
  }
  // Whether so many were begun, in a time that is long enough for any machine.
  bool wait_for(std::uint64_t epoch, std::int64_t count) {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, std::chrono::seconds(60),
                          [&] { return begun_.at(epoch) >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable news_;
  std::array<std::int64_t, kEpochs> begun_{};
};

data::Stream counted_images(Counter& counter) {
  const data::Pipeline images = data::Pipeline::from(kBatches * kBatch, image);
  return {.name = "images",
          .samples = images.map([&counter](data::Sample sample, const data::SamplePlace& place) {
            counter.add(place.epoch);
            return sample;
          }),
          .size = kBatches * kBatch,
          .class_count = 10};
}

// A step that lasts until the one worker has made the next batch, as it begins the batch after it.
struct LongSteps final : Callback {
  explicit LongSteps(Counter& c) : counter(c) {}
  bool on_step_end(Trainer&, const StepInfo& info) override {
    EXPECT_TRUE(info.is_streamed);
    late.push_back(info.late_batches);
    const auto epoch = static_cast<std::uint64_t>(info.epoch - 1);
    const bool is_made = counter.wait_for(epoch, (info.step_in_epoch + 2) * kBatch);
    EXPECT_TRUE(is_made) << "step " << info.step << ": no batch is made while a step runs";
    return is_made;
  }
  Counter& counter;
  std::vector<std::int64_t> late;
};

TEST(Stall, NoStepWaitsForABatchThatItsWorkerHadTheTimeToMake) {
  Counter counter;
  LongSteps long_steps(counter);
  Trainer trainer(quickstart_network(), small_options("cpu"));
  FitOptions options{.epochs = kEpochs,
                     .batch_size = kBatch,
                     .steps_per_epoch = kSteps,
                     .callbacks = {&long_steps}};
  options.loading.workers = 1;
  const History history = trainer.fit(counted_images(counter), options);
  EXPECT_EQ(history.steps, kEpochs * kSteps);
  ASSERT_EQ(long_steps.late.size(), static_cast<std::size_t>(kEpochs * kSteps));
  for (std::size_t i = 0; i < long_steps.late.size(); ++i) {
    const std::size_t first = i / kSteps * kSteps;
    EXPECT_LE(long_steps.late[first], 1) << i;  // nothing came before the first batch of an epoch
    EXPECT_EQ(long_steps.late[i], long_steps.late[first]) << i;
  }
  for (const EpochRecord& epoch : history.epochs) EXPECT_LE(epoch.late_batches, 1);
}

TEST(Stall, EveryStepWaitsWithoutWorkers) {
  struct Recorder final : Callback {
    bool on_epoch_end(Trainer&, const EpochInfo& info) override {
      late.push_back(info.late_batches);
      return true;
    }
    std::vector<std::int64_t> late;
  } recorder;
  Counter counter;
  Trainer trainer(quickstart_network(), small_options());
  FitOptions options{
      .epochs = 2, .batch_size = kBatch, .steps_per_epoch = 2, .callbacks = {&recorder}};
  options.loading.workers = 0;
  const History history = trainer.fit(counted_images(counter), options);
  EXPECT_EQ(recorder.late, (std::vector<std::int64_t>{2, 2}));
  for (const EpochRecord& epoch : history.epochs) {
    EXPECT_EQ(epoch.late_batches, 2);
    EXPECT_GT(epoch.waiting, 0);
  }
  EXPECT_GT(trainer.cost().input_stall, 0);
}

TEST(Stall, DataInMemoryIsNotWaitedFor) {
  struct Recorder final : Callback {
    bool on_step_end(Trainer&, const StepInfo& info) override {
      EXPECT_FALSE(info.is_streamed);
      EXPECT_EQ(info.waiting, 0) << info.step;
      EXPECT_EQ(info.late_batches, 0) << info.step;
      return true;
    }
  } recorder;
  HostTensor x({DType::u8, {300, 28, 28}}), y({DType::i32, {300}});
  for (std::size_t i = 0; i < 300; ++i) y.as<std::int32_t>()[i] = static_cast<std::int32_t>(i % 10);
  const data::Dataset images("images", std::move(x), data::Array(std::move(y)));
  Trainer trainer(quickstart_network(), small_options());
  const History history =
      trainer.fit(images, {.epochs = 2, .batch_size = kBatch, .callbacks = {&recorder}});
  EXPECT_EQ(history.steps, 6);
  for (const EpochRecord& epoch : history.epochs) {
    EXPECT_EQ(epoch.waiting, 0);
    EXPECT_EQ(epoch.late_batches, 0);
  }
  EXPECT_EQ(trainer.cost().input_stall, 0);
}

}  // namespace
}  // namespace tenon
