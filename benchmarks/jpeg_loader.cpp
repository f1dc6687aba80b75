// Loads a folder of JPEG images as training on ImageNet does, and prints how long one pass took:
// random resized crop to 224 x 224, flip, batches of 64, floats scaled by channel. The Tenon side
// of jpeg_loader_vs_pytorch.py.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "tenon/base/error.h"
#include "tenon/data/normalization.h"
#include "tenon/data/pipeline_batches.h"
#include "tenon/data/random_crop.h"

int main(int argc, char** argv) {
  if (argc < 3 || argc > 5) {
    std::fputs("usage: jpeg_loader FOLDER WORKERS [BATCH [EPOCH]]\n", stderr);
    return 2;
  }
  const int workers = std::atoi(argv[2]);
  const std::int64_t batch_size = argc > 3 ? std::atoll(argv[3]) : 64;
  const std::uint64_t epoch = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0;
  try {
    using namespace tenon;
    const auto start = std::chrono::steady_clock::now();
    // The means and deviations of ImageNet, for values up to 255.
    const data::Normalization normalization =
        data::Normalization::of_channels(std::array{0.485 * 255, 0.456 * 255, 0.406 * 255},
                                         std::array{0.229 * 255, 0.224 * 255, 0.225 * 255});
    const data::ImageFolder folder = data::image_folder(argv[1]);
    data::PipelineBatches batches =
        data::random_resized_crops(folder, {.height = 224, .width = 224, .seed = 1})
            .shuffle(1)
            .batches(batch_size, {.workers = workers, .ahead = 2, .epoch = epoch});
    HostTensor floats;
    std::int64_t images = 0;
    double sum = 0;
    while (const data::Batch* batch = batches.next()) {
      if (floats.shape() != batch->x.shape()) floats = HostTensor({DType::f32, batch->x.shape()});
      normalization.apply(batch->x, HostSpan(floats));
      images += batch->size();
      sum += floats.as<float>()[0];
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    fmt::print("{{\"images\": {}, \"seconds\": {:.4f}, \"sum\": {:.4f}}}\n", images,
               seconds.count(), sum);
  } catch (const tenon::UserError& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
