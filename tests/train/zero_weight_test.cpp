// Batches in which nothing counts: their loss is 0, and nothing is learned.
#include <cmath>

#include "tenon/optim/gradient_descent.h"
#include "train_testing.h"

namespace tenon {
namespace {

struct WeightlessCase {
  nn::Loss loss;
  nn::Sequential model;
  std::vector<std::int32_t> labels;  // of weight 0, all of them
  bool is_sequence = false;          // one sample of three steps, not three samples
};

std::vector<WeightlessCase> weightless_cases() {
  const nn::CrossEntropyOptions three{.class_weights = {0, 1, 1}}, two{.class_weights = {1, 0}};
  const auto model = [](std::int64_t outputs) { return nn::Sequential{nn::Dense{outputs}}; };
  const nn::Sequential probabilities{nn::Dense{3}, nn::ActivationLayer{nn::softmax}};
  const nn::Loss sparse =
      nn::cross_entropy(nn::sparse_categorical_cross_entropy_from_logits, three);
  return {
      {sparse, model(3), {0, 0, 0}},
      {nn::cross_entropy(nn::sparse_categorical_cross_entropy, three), probabilities, {0, 0, 0}},
      {nn::cross_entropy(nn::binary_cross_entropy_from_logits, two), model(1), {1, 1, 1}},
      {nn::sparse_categorical_cross_entropy_from_logits, model(3), {-1, -1, -1}, true},
      {nn::combined({{1, nn::entropy_from_logits}, {0.5, sparse}}), model(3), {0, 0, 0}},
  };
}

std::vector<HostTensor> weight_values(Trainer& trainer) {
  std::vector<HostTensor> values;
  for (const Variable& weight : trainer.weights()) values.push_back(trainer.session().read(weight));
  return values;
}

TEST(ZeroClassWeights, LossAndGradientAreZero) {
  for (const std::string& device : tested_devices())
    for (const std::int64_t accumulated : {1, 2})
      for (WeightlessCase& one : weightless_cases()) {
        SCOPED_TRACE(fmt::format("{} {} {}", device, one.loss.name, accumulated));
        TrainerOptions options = small_options(device);
        options.metrics.clear();
        options.loss = one.loss;
        options.optimizer = optim::Optimizer(optim::GradientDescent{.learning_rate = 0.5},
                                             {.accumulate_steps = accumulated});
        Trainer trainer(one.model, options);
        const HostTensor x = make_tensor<float>(one.is_sequence ? Shape{1, 3, 2} : Shape{3, 2},
                                                {1, 2, -1, 0.5f, 3, -2});
        const HostTensor y = make_tensor<std::int32_t>(one.is_sequence ? Shape{1, 3} : Shape{3},
                                                       std::span<const std::int32_t>(one.labels));
        const data::Dataset data = data::from_arrays(x, y);
        trainer.build(data);
        const std::vector<HostTensor> before = weight_values(trainer);
        const bool is_combined = one.loss.name.find(" + ") != std::string::npos;
        for (int i = 0; i < 4; ++i) {
          const double loss =
              trainer.step({x, y, std::vector<std::int64_t>(one.is_sequence ? 1 : 3)});
          EXPECT_TRUE(is_combined ? std::isfinite(loss) : loss == 0) << loss;
        }
        for (const HostTensor& value : weight_values(trainer))
          for (std::int64_t i = 0; i < value.size(); ++i)
            EXPECT_TRUE(std::isfinite(element_as_double(value, i)));
        if (is_combined) continue;
        EXPECT_EQ(weight_values(trainer), before);
        EXPECT_EQ(trainer.evaluate(data).loss, 0);
      }
}

// A batch without weight among others changes nothing that they teach.
TEST(ZeroClassWeights, OtherBatchesTrain) {
  for (const std::string& device : tested_devices()) {
    TrainerOptions options = small_options(device);
    options.loss = nn::cross_entropy(nn::sparse_categorical_cross_entropy_from_logits,
                                     {.class_weights = {0, 1, 1}});
    Trainer trainer(small_model(), options);
    FitOptions fit{.epochs = 30, .batch_size = 1};  // every third batch has no weight
    fit.shuffle = false;
    const History history = trainer.fit(blobs(12), fit);
    EXPECT_LT(history.epochs.back().train.loss, 0.1) << device;
    EXPECT_NEAR(history.epochs.back().train["accuracy"], 2.0 / 3, 1e-9) << device;
  }
}

}  // namespace
}  // namespace tenon
