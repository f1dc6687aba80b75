// The forms of the accuracy metric, elements without a class, and what metrics refuse.
#include "layer_testing.h"

namespace tenon::nn {
namespace {

std::vector<double> accuracy_of(const Tensor& prediction, const Tensor& target, const Loss& loss) {
  const WeightedSum value = accuracy.apply(prediction, target, loss);
  return {doubles(value.sum)[0], doubles(value.weight)[0]};
}

using Values = std::vector<double>;

TEST(Accuracy, OfSparseClasses) {
  const Tensor p = numbers({3, 3}, {1, 2, 0, 5, 5, 1, 0, 0, 9});  // first of equals wins
  EXPECT_EQ(accuracy_of(p, numbers({3}, {1, 0, 2}, DType::i32),
                        sparse_categorical_cross_entropy_from_logits),
            (Values{3, 3}));
  EXPECT_EQ(accuracy_of(p, numbers({3, 1}, {0, 1, 2}, DType::u8),
                        sparse_categorical_cross_entropy_from_logits),
            (Values{1, 3}));
}

TEST(Accuracy, OfDenseClasses) {
  const Tensor p = numbers({2, 3}, {0.2, 0.5, 0.3, 0.6, 0.1, 0.3});
  EXPECT_EQ(accuracy_of(p, numbers({2, 3}, {0, 1, 0, 0, 0, 1}), categorical_cross_entropy),
            (Values{1, 2}));
}

TEST(Accuracy, OfBinaryPredictions) {
  const Tensor p = numbers({4, 1}, {0.4, 0.6, 0.5, 0.9}), y = numbers({4}, {0, 1, 0, 0});
  EXPECT_EQ(accuracy_of(p, y, binary_cross_entropy), (Values{3, 4}));
  const Tensor logits = numbers({4, 1}, {-1, 0.3, 0, 2});
  EXPECT_EQ(accuracy_of(logits, y, binary_cross_entropy_from_logits), (Values{3, 4}));
  EXPECT_EQ(accuracy_of(logits, cast(y, DType::boolean), binary_cross_entropy_from_logits),
            (Values{3, 4}));
  // Several outputs, each with a threshold of its own; soft targets count as classes at 0.5.
  EXPECT_EQ(accuracy_of(numbers({2, 2}, {0.1, 0.8, 0.7, 0.2}),
                        numbers({2, 2}, {0.3, 0.9, 0.2, 0.1}), binary_cross_entropy),
            (Values{3, 4}));
}

// Four pixels, of which the third has no class.
TEST(Agreement, LeavesOutElementsWithoutAClass) {
  const Tensor p = numbers({1, 4, 2}, {2, 1, 0, 1, 0, 1, 0, 1});
  const Tensor y = numbers({1, 4}, {0, 1, -1, 0}, DType::i32);
  const Loss& loss = sparse_categorical_cross_entropy_from_logits;
  const auto value = [&](const Metric& metric) {
    return metric.value(doubles(metric.sums(p, y, loss)));
  };
  // Class 0: there twice, predicted once, rightly; class 1: there once, predicted twice, once
  // rightly.
  EXPECT_NEAR(value(mean_iou), (0.5 + 0.5) / 2, 1e-12);
  EXPECT_NEAR(value(dice), 2.0 / 3, 1e-12);
  EXPECT_NEAR(value(balanced_accuracy), (0.5 + 1) / 2, 1e-12);
  EXPECT_EQ(doubles(confusion_matrix(p, y, loss)), (Values{1, 1, 0, 1}));
}

// Two outputs for two classes say the same as one, the difference of the logits.
TEST(Metrics, OfTwoClassesTakeTwoOutputs) {
  const Tensor two = numbers({6, 2}, {1, 2, 0, -1, 3, 3.5, 1, 0.2, -2, 0, 5, 1});
  const Tensor one = numbers({6, 1}, {1, -1, 0.5, -0.8, 2, -4});
  const Loss& of_two = sparse_categorical_cross_entropy_from_logits;
  const Loss& of_one = binary_cross_entropy_from_logits;
  const Tensor labels = numbers({6}, {1, 0, 0, 1, 1, 0}, DType::i32);
  const Tensor truth = numbers({6, 1}, {1, 0, 0, 1, 1, 0});
  const Tensor one_hot = numbers({6, 2}, {0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0});
  // Two more rows that have no class.
  const Tensor longer = concatenate(std::array{two, numbers({2, 2}, {0, 9, 9, 0})}, 0);
  const Tensor some = numbers({8}, {1, 0, 0, 1, 1, 0, -1, -1}, DType::i32);
  for (const Metric& metric : {precision, recall, f1, specificity}) {
    const auto value = [&](const Tensor& p, const Tensor& y, const Loss& loss) {
      const WeightedSum sums = metric.apply(p, y, loss);
      return Values{doubles(sums.sum)[0], doubles(sums.weight)[0]};
    };
    EXPECT_EQ(value(two, labels, of_two), value(one, truth, of_one)) << metric.name;
    EXPECT_EQ(value(longer, some, of_two), value(one, truth, of_one)) << metric.name;
    EXPECT_EQ(value(two, one_hot, categorical_cross_entropy_from_logits), value(one, truth, of_one))
        << metric.name;
  }
  for (const Metric& metric : {roc_auc(), pr_auc()}) {
    const Values expected = doubles(metric.sums(one, truth, of_one));
    EXPECT_EQ(doubles(metric.sums(two, labels, of_two)), expected) << metric.name;
    EXPECT_EQ(doubles(metric.sums(longer, some, of_two)), expected) << metric.name;
    EXPECT_EQ(doubles(metric.sums(two, one_hot, categorical_cross_entropy_from_logits)), expected);
    EXPECT_EQ(doubles(metric.sums(tenon::softmax(two), labels, sparse_categorical_cross_entropy)),
              expected);
  }
  EXPECT_NEAR(roc_auc().value(doubles(roc_auc().sums(two, labels, of_two))), 8.0 / 9, 1e-12);
}

TEST(Metrics, Refuse) {
  const Tensor p = placeholder("p", {DType::f32, {4, 3}}), y = placeholder("y", {DType::i32, {4}});
  const Loss& loss = sparse_categorical_cross_entropy_from_logits;
  EXPECT_EQ(error_of([&] { specificity.apply(p, y, loss); }),
            "specificity: expected two classes, got predictions f32[4,3] from \"p\"\n  help: for 3 "
            "classes use balanced_accuracy");
  EXPECT_EQ(error_of([&] { roc_auc().sums(p, y, loss); }),
            "roc_auc: expected two classes, got predictions f32[4,3] from \"p\" of loss "
            "sparse_categorical_cross_entropy_from_logits");
  EXPECT_EQ(error_of([&] { log_loss.apply(p, p, huber()); }),
            "log_loss: expected a loss of classes or probabilities, got huber");
  EXPECT_EQ(error_of([] { pr_auc(1); }), "pr_auc: bins must be from 2 to 1000000, got 1");
  EXPECT_EQ(error_of([] { find_metric("pr_auc:bins=0.5"); }),
            "metric pr_auc: bins must be a whole number, got 0.5");
  EXPECT_EQ(error_of([] { find_metric("dice:k=3"); }),
            "metric \"dice:k=3\": unknown option \"k\"; dice has none");
  EXPECT_EQ(find_metric("pr_auc:bins=50").name, "pr_auc:bins=50");
}

}  // namespace
}  // namespace tenon::nn
