// Mistakes with data, labels and the Trainer, and the message that each gives, word for word.
#include "../tensor/tensor_testing.h"
#include "tenon/data/memory.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/sequential.h"
#include "tenon/train/trainer.h"

namespace tenon {
namespace {

data::Dataset rows(std::int64_t count, std::int64_t width, std::vector<std::int32_t> labels) {
  return data::from_arrays(HostTensor({DType::f32, {count, width}}),
                           make_tensor<std::int32_t>({static_cast<std::int64_t>(labels.size())},
                                                     std::span<const std::int32_t>(labels)));
}

Trainer small_trainer(std::int64_t units) {
  return Trainer(nn::Sequential{nn::Dense{units}}, {.device = "reference"});
}

TEST(DataErrors, LabelsOutOfRange) {
  Trainer trainer = small_trainer(3);
  EXPECT_EQ(
      error_of([&] {
        trainer.fit(rows(4, 2, {0, 1, 2, 3}), {.batch_size = 2});
      }),
      "fit: dataset \"arrays\" has 4 classes, the model's last layer has 3 outputs; give it 4 "
      "units");
  EXPECT_EQ(error_of([] {
              rows(2, 2, {0, -1});
            }),
            "dataset \"arrays\": label number 1 is -1; classes are 0 to 1048575");
}

TEST(DataErrors, RowsThatDoNotMatch) {
  EXPECT_EQ(
      error_of([] {
        rows(4, 2, {0, 1, 0});
      }),
      "dataset \"arrays\": x has 4 rows and y has 3; there must be one label for each sample\n"
      "  x f32[4,2]\n  y i32[3]");
}

TEST(DataErrors, EvaluationOfAnotherWidth) {
  Trainer trainer = small_trainer(2);
  trainer.fit(rows(4, 2, {0, 1, 0, 1}), {.batch_size = 2});
  EXPECT_EQ(error_of([&] {
              trainer.evaluate(rows(4, 3, {0, 1, 0, 1}));
            }),
            "evaluate: samples of \"arrays\" are f32[3], the model was built for f32[2]");
}

TEST(DataErrors, UseBeforeTraining) {
  Trainer trainer = small_trainer(2);
  EXPECT_EQ(error_of([&] {
              trainer.evaluate(rows(4, 2, {0, 1, 0, 1}));
            }),
            "evaluate: the model has no weights yet; fit, build or load it first");
  EXPECT_EQ(error_of([&] {
              trainer.fit(rows(4, 2, {0, 1, 0, 1}), {.batch_size = 0});
            }),
            "fit: batch_size must be above 0, got 0");
}

TEST(DataErrors, FloatTargetsForASparseLoss) {
  Trainer trainer = small_trainer(2);
  const data::Dataset dataset =
      data::from_arrays(HostTensor({DType::f32, {4, 3}}), HostTensor({DType::f32, {4, 2}}));
  EXPECT_EQ(error_of([&] { trainer.fit(dataset); }).substr(0, 84),
            "sparse_categorical_cross_entropy_from_logits: targets must be integer classes of sha");
}

TEST(DataErrors, AModelThatNeedsImagesGetsRows) {
  Trainer trainer{nn::Sequential{nn::Flatten{}, nn::Dense{0}}, {.device = "reference"}};
  const std::string where = fmt::format("data_errors_test.cpp:{}", __LINE__ - 1);
  EXPECT_EQ(error_of([&] {
              trainer.fit(rows(4, 3, {0, 1, 0, 1}));
            }),
            "Dense: units must be above 0, got 0\n"
            "  layer \"dense\" (dense, units 0, activation linear), written at " +
                where +
                "\n"
                "    input  f32[1,3] from \"x\"");
}

}  // namespace
}  // namespace tenon
