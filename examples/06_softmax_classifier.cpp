// Lesson 6: 784-128-64-10 with a softmax layer and categorical cross entropy on one-hot targets.
#include <tenon/tenon.h>

#include <cstdio>
#include <vector>

namespace nn = tenon::nn;

int main() {
  const auto images = tenon::data::fashion_mnist().train.take(4096);
  // One-hot targets, as a table of probabilities.
  tenon::HostTensor targets({tenon::DType::f32, {images.size(), 10}});
  const auto labels = images.y().tensor();
  for (std::int64_t i = 0; i < images.size(); ++i)
    targets.as<float>()[static_cast<std::size_t>(
        i * 10 + labels.as<std::int32_t>()[static_cast<std::size_t>(i)])] = 1;
  const auto data = tenon::data::from_arrays(images.x().tensor(), targets);

  nn::Sequential model{nn::Flatten{}, nn::Dense{128, nn::relu}, nn::Dense{64, nn::relu},
                       nn::Dense{10, nn::softmax}};
  tenon::Trainer trainer{
      model, {.loss = nn::categorical_cross_entropy, .metrics = {nn::accuracy}, .seed = 1}};
  const auto history = trainer.fit(data, {.epochs = 3, .batch_size = 128});
  for (const auto& epoch : history.epochs)
    std::printf("epoch %lld  loss %.3f  accuracy %.3f\n", static_cast<long long>(epoch.epoch),
                epoch.train.loss, epoch.train["accuracy"]);
}
