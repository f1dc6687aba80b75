// Lesson 15: transfer learning: a network learns five kinds of clothes from many images, then the
// other five from a few, with the convolutions that it has.
#include <tenon/tenon.h>

#include <cstdio>
#include <vector>

namespace data = tenon::data;
namespace nn = tenon::nn;

// The images of classes [first, first + 5), at most `count`, with labels from 0.
data::Dataset five_classes(const data::Dataset& all, std::int32_t first, std::size_t count) {
  const tenon::HostTensor labels = all.y().tensor();
  std::vector<std::int64_t> rows;
  std::vector<std::int32_t> found;
  for (std::size_t i = 0; i < labels.as<std::int32_t>().size() && rows.size() < count; ++i) {
    const std::int32_t label = labels.as<std::int32_t>()[i] - first;
    if (label < 0 || label >= 5) continue;
    rows.push_back(static_cast<std::int64_t>(i));
    found.push_back(label);
  }
  const auto size = static_cast<std::int64_t>(found.size());
  return {"five classes", all.x().gathered(rows),
          tenon::make_tensor<std::int32_t>({size}, std::span<const std::int32_t>(found))};
}

tenon::Trainer new_trainer() {
  return {tenon::models::lenet(5, {.filters = {8, 16}, .hidden = {32}}),
          {.optimizer = tenon::optim::Adam{.learning_rate = 3e-3},
           .metrics = {nn::accuracy},
           .seed = 1}};
}

int main() {
  const auto images = data::fashion_mnist();
  // Shirts, trousers, dresses; and sandals, bags, boots.
  const auto many = five_classes(images.train, 0, 4000), few = five_classes(images.train, 5, 60),
             test = five_classes(images.test, 5, 2000);

  auto first = new_trainer();
  first.fit(many, {.epochs = 3, .batch_size = 64});
  first.save_weights("first.safetensors");

  // The same network again: all but the last layer comes from the file, and the convolutions stay
  // as they are. Files of other programs have a map of names: {.map = "torchvision-resnet"}.
  auto second = new_trainer();
  second.build(few);
  const auto report = tenon::load_pretrained(second, "first.safetensors", {.skip = {"dense_1/*"}});
  const auto frozen = tenon::freeze(second, {"conv2d*"});
  std::printf("%zu weights loaded, %zu kept, %zu frozen\n", report.loaded.size(),
              report.skipped.size(), frozen.size());
  second.fit(few, {.epochs = 10, .batch_size = 20});

  // How much it helps is a question of how alike the tasks are: shoes and bags are unlike shirts,
  // and a network that starts anew does as well on them.
  const double accuracy = second.evaluate(test)["accuracy"];
  std::printf("accuracy above 0.7, from 60 images: %s\n", accuracy > 0.7 ? "yes" : "no");
  bool is_same = true;
  for (std::size_t i = 0; i < frozen.size(); ++i)
    is_same = is_same && first.session().read(first.weights()[i]) ==
                             second.session().read(second.weights()[i]);
  std::printf("the convolutions are those of the first network: %s\n", is_same ? "yes" : "no");

  // Fine-tuning: everything moves, slowly.
  tenon::unfreeze(second, {"conv2d*"});
  second.session().write(second.options().optimizer.learning_rate(), tenon::make_scalar(1e-4));
  const double before = second.evaluate(few).loss;
  second.fit(few, {.epochs = 5, .batch_size = 20});
  std::printf("fine-tuning lowers the loss: %s\n",
              second.evaluate(few).loss < before ? "yes" : "no");
}
