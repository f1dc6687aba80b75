// Augmentation by the threads that make samples: the numbers that a step on the device computes.
#pragma once
#include <functional>
#include <string>

#include "tenon/augment/augmentation.h"
#include "tenon/data/normalization.h"
#include "tenon/data/pipeline.h"

namespace tenon {

struct HostAugmentationOptions {
  // Scales each image first; the kind none leaves it as it is, which is what a Trainer does in its
  // step: it augments before it scales.
  data::Normalization normalization{};
  augment::PixelRange range{};  // of the scaled image
  std::string cache_folder{};   // compiled kernels; empty: the default
};

using SampleFunction = std::function<data::Sample(data::Sample, const data::SamplePlace&)>;

// A function for data::Pipeline::map that gives augment::apply of one sample's x, of type `sample`
// ([height, width, channels] or [height, width]; u8 or floats), under the key
// augment::sample_key(seed, epoch, index): bit for bit the row that the cpu backend computes in a
// batch with the keys augment::sample_keys gives. The graph of one sample is compiled now; each
// thread that calls at the same time as others has a single-threaded session of its own. y is left
// alone. UserError for what augment::apply refuses, mixtures of samples included (those need whole
// batches: apply them in the step), and for samples of another type.
SampleFunction host_augmentation(const augment::Augmentation& augmentation,
                                 const TensorType& sample, std::uint64_t seed,
                                 const HostAugmentationOptions& options = {});

}  // namespace tenon
