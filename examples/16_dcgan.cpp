// Lesson 16: two networks against each other (DCGAN), each with an optimizer of its own, in one
// compiled step. Radford, Metz, Chintala 2016, for images of 28 x 28.
//
// `example_16_dcgan full` trains until clothes can be told, and writes 2,000 of its images for
// benchmarks/generated_score.py; without an argument the lesson is short.
#include <tenon/io/npy.h>
#include <tenon/tenon.h>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace nn = tenon::nn;
namespace random_numbers = tenon::random;
using tenon::Tensor;

// [batch, code] of noise -> [batch, 28, 28, 1] in [-1, 1].
nn::Sequential make_generator(std::int64_t width) {
  const nn::Initializer normal{nn::InitializerKind::normal, 0.02};
  const auto up = [&](std::int64_t filters, nn::Activation activation) {
    return nn::Conv2DTranspose{.filters = filters,
                               .size = {4, 4},
                               .activation = activation,
                               .strides = {2, 2},
                               .same_padding = true,
                               .use_bias = activation == nn::tanh,
                               .kernel_initializer = normal};
  };
  return {nn::Dense{.units = 7 * 7 * 2 * width, .use_bias = false, .kernel_initializer = normal},
          nn::BatchNorm{},
          nn::ActivationLayer{nn::relu},
          nn::Reshape{{7, 7, 2 * width}},
          up(width, nn::linear),
          nn::BatchNorm{},
          nn::ActivationLayer{nn::relu},
          up(1, nn::tanh)};
}

// [batch, 28, 28, 1] -> one logit for each image: above 0 if it looks real.
nn::Sequential make_discriminator(std::int64_t width) {
  const nn::Initializer normal{nn::InitializerKind::normal, 0.02};
  const auto down = [&](std::int64_t filters) {
    return nn::Conv2D{.filters = filters,
                      .size = {4, 4},
                      .strides = {2, 2},
                      .same_padding = true,
                      .kernel_initializer = normal};
  };
  return {down(width),     nn::LeakyReLU{0.2},
          down(2 * width), nn::LeakyReLU{0.2},
          nn::Flatten{},   nn::Dense{.units = 1, .kernel_initializer = normal}};
}

// Mean cross entropy of logits with one label for all.
Tensor loss_of(const Tensor& logits, double label) {
  const auto loss =
      nn::binary_cross_entropy_from_logits.apply(logits, full_like(logits, label), {});
  return loss.sum / loss.weight;
}

// [-1, 1] of any shape -> the same numbers in the order of memory as pixels from 0 to 255.
std::vector<std::uint8_t> pixels_of(const tenon::HostTensor& images) {
  std::vector<std::uint8_t> pixels;
  for (const float value : images.as<float>())
    pixels.push_back(static_cast<std::uint8_t>(127.5F * (value + 1)));
  return pixels;
}

int main(int argc, char**) {
  const bool is_full = argc > 1;
  constexpr std::int64_t kCode = 32;
  const std::int64_t batch = is_full ? 64 : 16, width = is_full ? 32 : 4;
  const nn::Layer generator = make_generator(width), discriminator = make_discriminator(width);
  const tenon::optim::Optimizer generator_optimizer =
                                    tenon::optim::Adam{.learning_rate = 2e-4, .beta1 = 0.5},
                                discriminator_optimizer =
                                    tenon::optim::Adam{.learning_rate = 2e-4, .beta1 = 0.5};
  tenon::Session session("cpu", {.seed = 1});

  const auto step = [&](Tensor real) -> tenon::StepResult {
    const Tensor count = cast(generator_optimizer.step(), tenon::DType::u32);
    const Tensor key = random_numbers::fold_in(random_numbers::key(1), count);
    nn::Context making(nn::Mode::training, key), judging(nn::Mode::training, key);
    const Tensor noise = random_numbers::normal(key, {real.extent(0), kCode});
    const Tensor fake = generator.call_as_root(noise, making);
    const Tensor images = expand_dims(cast(real, tenon::DType::f32) / 127.5 - 1.0, -1);
    // The discriminator tells them apart; what it learns stops at the image.
    const Tensor judged = discriminator.call_as_root(stop_gradient(fake), judging);
    const Tensor discriminator_loss =
        loss_of(discriminator.call_as_root(images, judging), 1) + loss_of(judged, 0);
    // The generator wants its images to be taken for real: gradients pass through the same judge.
    const Tensor generator_loss = loss_of(discriminator.call_as_root(fake, judging), 1);
    auto updates = discriminator_optimizer.minimize(discriminator_loss, judging.variables());
    for (const auto& update : making.minimize(generator_loss, generator_optimizer))
      updates.push_back(update);
    return {{discriminator_loss, generator_loss}, updates};
  };
  auto train = session.function(step);
  auto sample = session.function([&](Tensor noise) -> tenon::StepResult {
    nn::Context context(nn::Mode::inference);
    return {{generator.call_as_root(noise, context)}, {}};
  });

  const auto images = tenon::data::fashion_mnist().train.take(is_full ? 60000 : 16 * 60);
  std::vector<double> last(2);
  bool is_finite = true;
  for (int epoch = 0; epoch < (is_full ? 20 : 1); ++epoch) {
    for (auto& part : images.batches(batch, {.shuffle = true, .seed = 1, .drop_remainder = true})) {
      const auto losses = train({part.x});
      for (std::size_t i = 0; i < 2; ++i) last[i] = tenon::element_as_double(losses[i], 0);
      is_finite = is_finite && last[0] > 0 && last[1] > 0;
    }
    if (is_full)
      std::printf("epoch %d  discriminator %.3f  generator %.3f\n", epoch + 1, last[0], last[1]);
  }
  const auto pictures =
      sample({random_numbers::normal(random_numbers::key(2), {16, kCode}).value()})[0];
  // One picture of 16, side by side.
  const std::vector<std::uint8_t> pixels = pixels_of(pictures);
  tenon::HostTensor row({tenon::DType::u8, {28, 16 * 28}});
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t image = i / 784, y = i / 28 % 28, x = i % 28;
    row.as<std::uint8_t>()[y * 16 * 28 + image * 28 + x] = pixels[i];
  }
  tenon::io::write_png("generated.png", row);
  if (is_full) {
    const auto many =
        sample({random_numbers::normal(random_numbers::key(3), {2000, kCode}).value()});
    tenon::HostTensor file({tenon::DType::u8, {2000, 28, 28}});
    std::ranges::copy(pixels_of(many[0]), file.as<std::uint8_t>().begin());
    tenon::io::write_npy("generated.npy", file);
  }
  std::printf("pictures: %s\n", tenon::to_string(pictures.type()).c_str());
  std::printf("both losses stay finite: %s\n", is_finite ? "yes" : "no");
  std::printf("the discriminator is better than a guess: %s\n", last[0] < 1.38 ? "yes" : "no");
}
