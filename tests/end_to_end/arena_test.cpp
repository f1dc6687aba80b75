// The workspace that is planned for every network.
#include <gtest/gtest.h>

#include <algorithm>

#include "tenon/data/reconstruction.h"
#include "tenon/models/catalog.h"
#include "tenon/train/trainer.h"

namespace tenon {
namespace {

std::int64_t in_whole_lines(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

struct PlannedModel {
  std::string text;
  TensorType row;
  enum class Labels { classes, of_positions, numbers, own } labels = Labels::classes;
};

std::vector<PlannedModel> planned_models() {
  using enum PlannedModel::Labels;
  const TensorType image{DType::u8, {32, 32, 3}}, digit{DType::u8, {28, 28}},
      sound{DType::f32, {2000}}, ids{DType::i32, {64}}, table{DType::f32, {13}};
  return {{"linear-regression", table, numbers},
          {"logistic-regression", table},
          {"mlp", image},
          {"mlp:hidden=133/149/261", digit},
          {"lenet", image},
          {"resnet20:blocks=2", image},
          {"resnet32:width=8:blocks=2:projected=1", image},
          {"resnet56:width=8:blocks=1", digit},
          {"resnet18:small=1:width=16:blocks=1/1", image},
          {"resnet50:small=1:width=8:blocks=1/1", image},
          {"mobilenet-v2:small=1:width=0.5:stages=4", image},
          {"unet:width=8:depth=2", digit, of_positions},
          {"vit:patch=4:width=64:layers=4:heads=4", image},
          {"vit:patch=8:width=48:layers=2:heads=3", image},
          {"autoencoder", digit, own},
          {"conv-autoencoder", digit, own},
          {"vae", digit, own},
          {"speech-commands:filters=16:rate=2000:bands=20", sound},
          {"char-lstm:units=64/64", ids, of_positions},
          {"gpt:layers=3:heads=4:width=128", ids, of_positions},
          {"bert:layers=2:heads=4:width=64", ids, of_positions},
          {"electra:layers=2:heads=4:width=64", ids, of_positions}};
}

// Two samples: what matters are their types.
data::Dataset samples_of(const PlannedModel& model) {
  using enum PlannedModel::Labels;
  Shape shape{2};
  shape.insert(shape.end(), model.row.shape.begin(), model.row.shape.end());
  const HostTensor x({model.row.dtype, shape});
  if (model.labels == numbers)
    return {"zeros", x, data::Array(HostTensor({DType::f32, {2, 1}})), {}};
  std::vector<std::string> names(10, "");
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = fmt::format("{}", i);
  const HostTensor y({DType::i32, model.labels == of_positions ? shape : Shape{2}});
  data::Dataset samples("zeros", x, data::Array(y), names);
  if (model.labels != own) return samples;
  return data::with_own_targets(
      samples, data::Normalization::fit(samples, data::NormalizationKind::zero_to_one));
}

class Arena : public testing::TestWithParam<PlannedModel> {
 protected:
  void expect_little_more_than_alive(TrainerOptions options,
                                     std::initializer_list<std::int64_t> batches) const {
    using enum PlannedModel::Labels;
    const PlannedModel& model = GetParam();
    if (model.labels == own || model.labels == numbers) options.loss = nn::mean_squared_error;
    const std::int64_t outputs = model.labels == own       ? element_count(model.row.shape)
                                 : model.labels == numbers ? 1
                                                           : 10;
    Trainer trainer(models::make_model(model.text, {model.row, outputs}), options);
    trainer.build(samples_of(model));
    for (const std::int64_t batch : batches) {
      const backends::MemoryMap map = trainer.memory(batch).map;
      std::vector<std::int64_t> alive(map.launches.size());
      for (const backends::MemoryUse& use : map.uses) {
        EXPECT_LE(use.offset + use.bytes, map.arena_bytes) << use.value;
        for (std::uint32_t i = use.first; i <= use.last; ++i) alive[i] += in_whole_lines(use.bytes);
      }
      const std::int64_t bound = *std::ranges::max_element(alive);
      EXPECT_LE(static_cast<double>(map.arena_bytes), 1.05 * static_cast<double>(bound))
          << "batches of " << batch;
    }
  }
};

// Against what no placement can be below: the largest sum of values alive at once.
TEST_P(Arena, IsHardlyMoreThanWhatIsAlive) { expect_little_more_than_alive({}, {1, 7, 24, 44}); }

TEST_P(Arena, NorWithRecomputation) {
  TrainerOptions options;
  options.recompute = RecomputePolicy::cheap;
  expect_little_more_than_alive(options, {44});
  options.recompute = RecomputePolicy::full;
  expect_little_more_than_alive(options, {7});
}

TEST_P(Arena, NorWithAccumulation) {
  TrainerOptions options;
  options.optimizer = {optim::Adam{}, {.accumulate_steps = 4}};
  expect_little_more_than_alive(options, {1, 13, 44});
}

TEST_P(Arena, NorInNarrowPrecision) {
  TrainerOptions options;
  options.precision = PrecisionPolicy::bf16;
  expect_little_more_than_alive(options, {7, 24});
  options.precision = PrecisionPolicy::fp16;
  expect_little_more_than_alive(options, {32});
}

INSTANTIATE_TEST_SUITE_P(Networks, Arena, testing::ValuesIn(planned_models()),
                         [](const auto& test) {
                           std::string name;
                           for (const char c : test.param.text)
                             name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

TEST(ArenaTest, IsPlannedForEveryNameOfTheCatalog) {
  std::vector<std::string> planned;
  for (const PlannedModel& model : planned_models())
    planned.push_back(models::model_name(model.text));
  for (const std::string_view name : models::model_names())
    EXPECT_GE(std::ranges::count(planned, name), 1) << name;
}

}  // namespace
}  // namespace tenon
