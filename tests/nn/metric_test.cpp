// The forms of the accuracy metric.
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

}  // namespace
}  // namespace tenon::nn
