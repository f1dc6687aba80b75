// Lesson 4: a small network 8-10-1 with soft targets, binary cross entropy and Adam.
#include <tenon/tenon.h>

#include <cmath>
#include <cstdio>
#include <vector>

#include "tenon/base/threefry.h"

namespace nn = tenon::nn;

int main() {
  // 1000 random rows; the target is a probability: a sigmoid of the row's sum.
  std::vector<float> rows, targets;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    float sum = 0;
    for (std::uint64_t j = 0; j < 8; ++j) {
      rows.push_back(static_cast<float>(tenon::random_word(0, 1, 8 * i + j)) * 0x1p-31f - 1);
      sum += rows.back();
    }
    targets.push_back(1 / (1 + std::exp(-2 * sum)));
  }
  const auto data = tenon::data::from_arrays(std::span<const float>(rows), {1000, 8},
                                             std::span<const float>(targets));

  nn::Sequential model{nn::Dense{10, nn::relu}, nn::Dense{1, nn::sigmoid}};
  tenon::Trainer trainer{model,
                         {.loss = nn::binary_cross_entropy,
                          .optimizer = tenon::optim::Adam{.learning_rate = 1e-2},
                          .metrics = {nn::accuracy},
                          .device = "cpu",
                          .seed = 1}};
  // Batches of 32: the last one of an epoch has 8 rows.
  const auto history = trainer.fit(data, {.epochs = 10, .batch_size = 32});
  for (const auto& epoch : history.epochs)
    std::printf("epoch %2lld  loss %.4f  accuracy %.3f\n", static_cast<long long>(epoch.epoch),
                epoch.train.loss, epoch.train["accuracy"]);
}
