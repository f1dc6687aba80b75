// Lesson 14: ResNet-20 on images that are changed at random in every epoch.
//
// `example_14_resnet full` trains the whole network on all images for 60 epochs under a cosine,
// which takes hours. docs/models.md trains it by a shorter recipe (12 epochs, one cycle of the
// learning rate) and says how far that gets. Without an argument a narrow network sees a few of the
// images, so that the lesson is short.
#include <tenon/tenon.h>

#include <cstdio>

namespace augment = tenon::augment;
namespace nn = tenon::nn;
namespace optim = tenon::optim;

int main(int argc, char**) {
  const bool full = argc > 1;
  const auto images = tenon::data::fashion_mnist();
  const auto train = full ? images.train : images.train.take(1024);
  const auto test = full ? images.test : images.test.take(256);
  const std::int64_t epochs = full ? 60 : 6, batch = full ? 128 : 32;
  const std::int64_t steps = epochs * ((train.size() - 1) / batch + 1);

  // He et al. 2016, section 4.2: three stages of blocks, shortcuts without weights.
  const auto model = tenon::models::small_resnet(
      10, {.blocks = full ? 3 : 1, .width = full ? 16 : 8, .image = {28, 28}});
  tenon::Trainer trainer{
      model,
      {.optimizer = optim::Optimizer(
           optim::Sgd{
               .learning_rate = 0.1, .momentum = 0.9, .weight_decay = 1e-4, .nesterov = true},
           {.decay_matrices_only = true}),
       .schedule = optim::Cosine{.steps = steps},
       .metrics = {nn::accuracy},
       .seed = 1,
       // Changes of a sample follow from the seed, the epoch and its index alone.
       .augmentation = {augment::Flip{}, augment::Crop{.padding = 4}}}};
  const auto history = trainer.fit(train, {.epochs = epochs, .batch_size = batch});
  std::printf("weights: %lld\n", [&] {
    long long count = 0;
    for (const auto& weight : trainer.weights())
      if (weight.kind() == tenon::VariableKind::weight)
        count += tenon::element_count(weight.shape());
    return count;
  }());
  std::printf("steps: %lld\n", static_cast<long long>(history.steps));
  std::printf(
      "the loss falls: %s\n",
      history.epochs.back().train.loss < 0.8 * history.epochs.front().train.loss ? "yes" : "no");
  const double accuracy = trainer.evaluate(test)["accuracy"];
  if (full) std::printf("accuracy on the test set: %.4f\n", accuracy);
  std::printf("accuracy above %.2f: %s\n", full ? 0.92 : 0.5,
              accuracy > (full ? 0.92 : 0.5) ? "yes" : "no");
}
