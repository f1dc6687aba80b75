// Lesson 10: a convolution network on images, with progress lines.
#include <tenon/tenon.h>

#include <cstdio>

namespace nn = tenon::nn;

int main() {
  auto images = tenon::data::fashion_mnist();  // [n, 28, 28] of grey values, without channels
  nn::Sequential model{
      nn::Reshape{{28, 28, 1}},  // one channel for each pixel, as convolutions want
      nn::Conv2D{.filters = 8, .size = {3}, .activation = nn::relu, .same_padding = true},
      nn::MaxPool2D{{2}},  // [n, 14, 14, 8]
      nn::Conv2D{.filters = 16, .size = {3}},
      nn::ActivationLayer{nn::relu},  // as Conv2D's own activation does
      nn::MaxPool2D{{2}},             // [n, 6, 6, 16]
      nn::Flatten{},
      nn::Dense{10}};
  tenon::Trainer trainer{model,
                         {.optimizer = tenon::optim::Adam{.learning_rate = 3e-3},
                          .metrics = {nn::accuracy},
                          .seed = 1}};
  const auto history =
      trainer.fit(images.train.take(1024), {.epochs = 3,
                                            .batch_size = 32,
                                            .validation = images.test.take(256),
                                            .callbacks = {tenon::print_progress()}});
  std::printf("accuracy above 0.6: %s\n",
              (*history.epochs.back().validation)["accuracy"] > 0.6 ? "yes" : "no");
}
