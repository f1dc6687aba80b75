// Lesson 5: a classifier of real images, trained, saved, loaded and used.
#include <tenon/tenon.h>

#include <cstdio>

namespace nn = tenon::nn;

int main() {
  auto images = tenon::data::fashion_mnist();
  nn::Sequential model{nn::Flatten{}, nn::Dense{128, nn::relu}, nn::Dense{64, nn::relu},
                       nn::Dense{10}};
  tenon::Trainer trainer{model,
                         {.loss = nn::sparse_categorical_cross_entropy_from_logits,
                          .optimizer = tenon::optim::Adam{.learning_rate = 1e-3},
                          .metrics = {nn::accuracy},
                          .device = "cpu",
                          .seed = 1}};
  // A fifth of the images and one epoch keep the lesson short; the quickstart trains on them all.
  trainer.fit(images.train.take(12000),
              {.epochs = 1, .batch_size = 128, .validation = images.test});
  trainer.save("runs/first");

  auto again = tenon::load("runs/first");  // rebuilds a Sequential without its code
  auto scores = again.predict(images.test.x().rows(0, 8));
  std::printf("scores: %s\n", tenon::to_string(scores.type()).c_str());
  std::printf("accuracy above 0.75: %s\n",
              again.evaluate(images.test)["accuracy"] > 0.75 ? "yes" : "no");
  std::printf("the loaded model predicts the same bits: %s\n",
              scores == trainer.predict(images.test.x().rows(0, 8)) ? "yes" : "no");
}
