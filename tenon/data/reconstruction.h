// Samples as their own targets: what autoencoders learn from.
#pragma once
#include "tenon/data/normalization.h"

namespace tenon::data {

// The dataset with its samples, scaled as the model's inputs will be, in place of its labels: f32,
// or the samples themselves if they are floats that are not scaled. UserError for samples that are
// integers other than bytes.
Dataset with_own_targets(const Dataset& dataset, const Normalization& normalization);

}  // namespace tenon::data
