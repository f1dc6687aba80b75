// Every network trains without an allocation in the whole process, from step 10 to the end of the
// epoch: steps, the feeding of batches, also by workers, metrics, their log and the progress line
// included, and what looks at numbers, the guard against NaN and the files of TensorBoard.
// Exceptions: a checkpoint within the epoch, the short last batch of a stream (its step is compiled
// then), and samples that a function makes, which are tensors of their own.
#include "tests/allocations/count_allocations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "tenon/base/threefry.h"
#include "tenon/data/epoch_order.h"
#include "tenon/models/catalog.h"
#include "tenon/train/nan_guard.h"
#include "tenon/train/progress.h"
#include "tenon/train/tensorboard.h"
#include "tenon/train/trainer.h"
#include "tests/cli/cli_testing.h"

namespace tenon {
namespace {

#ifdef TENON_COUNTS_ALLOCATIONS

constexpr std::int64_t kBatch = 4, kSteps = 24, kClasses = 5;

struct CountedModel {
  std::string text;
  TensorType row;
  enum class Labels { classes, of_positions, own } labels = Labels::classes;
};

// Small: a test of the loop around them and of what their steps are made of.
std::vector<CountedModel> counted_models() {
  using enum CountedModel::Labels;
  const TensorType numbers{DType::f32, {13}}, image{DType::u8, {12, 12, 3}},
      sound{DType::f32, {200}}, ids{DType::i32, {9}}, picture{DType::f32, {8, 8}};
  return {{"linear-regression", numbers},
          {"logistic-regression", numbers},
          {"mlp:hidden=9/7", image},
          {"lenet:filters=2/3:hidden=8", image},
          {"resnet20:width=2:blocks=1", image},
          {"resnet32:width=2:blocks=1:projected=1", image},
          {"resnet56:width=2:blocks=1", image},
          {"resnet18:width=2:blocks=1/1", image},
          {"resnet50:width=2:blocks=1:small=1", image},
          {"mobilenet-v2:width=0.1:stages=2:blocks=1:small=1", image},
          {"unet:width=2:depth=1", image, of_positions},
          {"vit:patch=4:width=8:layers=1:heads=2:dropout=0.1", image},
          {"autoencoder:hidden=8:code=3", picture, own},
          {"conv-autoencoder:filters=3/4", picture, own},
          {"vae:hidden=16:code=3", picture, own},
          {"speech-commands:filters=2:blocks=1:rate=2000:bands=8", sound},
          {"char-lstm:embedding=3:units=4", ids, of_positions},
          {"gpt:layers=1:heads=2:width=8", ids, of_positions},
          {"bert:layers=1:heads=1:width=8", ids, of_positions},
          {"electra:layers=1:heads=2:width=8", ids, of_positions}};
}

HostTensor random_values(const TensorType& type, std::int64_t below) {
  ThreefrySequence random{7};
  HostTensor tensor(type);
  const auto fill = [&]<class T>(std::span<T> values) {
    for (T& value : values) value = static_cast<T>(random.below(below));
  };
  if (type.dtype == DType::f32) fill(tensor.as<float>());
  if (type.dtype == DType::i32) fill(tensor.as<std::int32_t>());
  if (type.dtype == DType::u8) fill(tensor.as<std::uint8_t>());
  return tensor;
}

data::Dataset samples_of(const CountedModel& network) {
  constexpr std::int64_t kCount = kBatch * kSteps;
  const auto of = [&](DType dtype, Shape row) {
    row.insert(row.begin(), kCount);
    return TensorType{dtype, row};
  };
  HostTensor x = random_values(of(network.row.dtype, network.row.shape), kClasses);
  if (network.labels == CountedModel::Labels::own) return {"samples", x, data::Array(x), {}};
  Shape labels;
  if (network.labels == CountedModel::Labels::of_positions)
    labels.assign(network.row.shape.begin(),
                  network.row.shape.begin() + (network.row.dtype == DType::u8 ? 2 : 1));
  std::vector<std::string> classes;
  for (std::int64_t i = 0; i < kClasses; ++i) classes.push_back(fmt::format("{}", i));
  return {"samples", std::move(x),
          data::Array(random_values(of(DType::i32, std::move(labels)), kClasses)), classes};
}

struct AllocationCounter final : Callback {
  long at_step_10 = -1, at_last_step = -1;
  bool on_step_end(Trainer&, const StepInfo& info) override {
    if (info.step == 10) at_step_10 = allocation_count;
    if (info.step_in_epoch == info.steps_in_epoch) at_last_step = allocation_count;
    return true;
  }
};

// Of the files that the command line reads whole, if workers make the batches.
data::Stream streamed(const data::Dataset& dataset) {
  const auto order = [size = dataset.size()](std::uint64_t epoch) {
    return data::epoch_order(size, 0, epoch, true);
  };
  return {dataset.name(),        data::Pipeline::from(dataset, order),
          dataset.size(),        dataset.class_names(),
          dataset.class_count(), dataset};
}

enum class Feeding { resident, looked_at, by_workers };

// From step 10 to the last one of an epoch.
long allocations(const CountedModel& network, Feeding feeding) {
  const bool is_own = network.labels == CountedModel::Labels::own;
  const bool is_number = network.text == "linear-regression";
  TrainerOptions options;
  options.threads = 2;
  options.metrics = {is_own || is_number ? nn::mean_absolute_error : nn::accuracy};
  if (is_own || is_number) options.loss = nn::mean_squared_error;
  data::Dataset samples = samples_of(network);
  if (is_number)
    samples = {"numbers",
               samples.x(),
               data::Array(random_values({DType::f32, {samples.size(), 1}}, 9)),
               {}};
  const std::int64_t outputs = is_own ? element_count(network.row.shape) : is_number ? 1 : kClasses;
  Trainer trainer(models::make_model(network.text, {network.row, outputs}), options);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> nowhere(std::fopen("/dev/null", "w"),
                                                                &std::fclose);
  ProgressPrinter progress(nowhere.get());
  AllocationCounter counter;
  const cli::TemporaryFolder folder;
  FitOptions fit{.epochs = 1,
                 .batch_size = kBatch,
                 .run_folder = folder / "run",
                 .log_every = 1,
                 .callbacks = {&progress, &counter}};
  NanGuard guard;
  TensorBoardLog tensorboard(folder / "run/tensorboard");
  if (feeding == Feeding::looked_at) fit.callbacks = {&guard, &tensorboard, &progress, &counter};
  if (feeding == Feeding::by_workers) {
    fit.loading.workers = 2;
    trainer.fit(streamed(samples), fit);
  } else {
    trainer.fit(samples, fit);
  }
  EXPECT_GE(counter.at_step_10, 0);
  return counter.at_last_step - counter.at_step_10;
}

class AllocationOf : public testing::TestWithParam<CountedModel> {};

TEST_P(AllocationOf, ARunningEpochIsNone) {
  EXPECT_EQ(allocations(GetParam(), Feeding::resident), 0);
}

TEST_P(AllocationOf, NorOfOneThatIsLookedAt) {
  EXPECT_EQ(allocations(GetParam(), Feeding::looked_at), 0);
}

TEST_P(AllocationOf, NorOfBatchesThatWorkersMake) {
  EXPECT_EQ(allocations(GetParam(), Feeding::by_workers), 0);
}

INSTANTIATE_TEST_SUITE_P(Networks, AllocationOf, testing::ValuesIn(counted_models()),
                         [](const auto& test) {
                           std::string name = models::model_name(test.param.text);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(Allocation, IsCountedForEveryNameOfTheCatalog) {
  std::vector<std::string> counted;
  for (const CountedModel& network : counted_models())
    counted.push_back(models::model_name(network.text));
  for (const std::string_view name : models::model_names())
    EXPECT_EQ(std::ranges::count(counted, name), 1) << name;
}

#endif

}  // namespace
}  // namespace tenon
