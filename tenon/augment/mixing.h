// Mixtures of the samples of a batch: mixup and CutMix, and the distribution of their shares.
#pragma once
#include "tenon/augment/augmentation.h"

namespace tenon::augment {

// f32 scalar from Beta(alpha, alpha), as a quotient of two numbers of a gamma distribution:
// Marsaglia, Tsang 2000, among 32 tries each.
Tensor beta_share(const Tensor& key, double alpha);

// Images [B, H, W, C] and targets [B, classes]; the partner of sample i is B - 1 - i. `share`: f32
// scalar, the part that a sample keeps.
Augmented mixed_up(const Tensor& images, const Tensor& targets, const Tensor& share);
// A rectangle around pixel (row, column), f32 whole scalars, of sides sqrt(1 - share) times the
// image's, rounded down (the published code's).
Augmented cut_and_mixed(const Tensor& images, const Tensor& targets, const Tensor& share,
                        const Tensor& row, const Tensor& column);

}  // namespace tenon::augment
