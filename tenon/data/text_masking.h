// Samples of a masked language model: some tokens are hidden, and are what is to be predicted.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "tenon/data/pipeline.h"

namespace tenon::data {

// Devlin, Chang, Lee and Toutanova, "BERT: pre-training of deep bidirectional transformers for
// language understanding", 2019, section 3.1 and appendix A.1.
struct MaskOptions {
  std::int64_t mask_id = -1;                   // of [MASK]; must be given
  std::int64_t vocabulary_size = 0;            // random tokens have ids below; must be given
  std::vector<std::int64_t> special_ids = {};  // never hidden: [CLS], [SEP], [PAD]
  double fraction = 0.15;  // each other token is to be predicted with this probability
  double masked = 0.8;     // of these: become [MASK]
  double random = 0.1;     // of these: become any token, all equally likely; the rest stay
  std::uint64_t seed = 0;
};

// For Pipeline::map. A sample's x of integers becomes i32 of the same shape with tokens hidden, its
// y i32 of that shape: the token where it is to be predicted, kNoClass elsewhere; what y was is not
// looked at. Depends on (seed, epoch, index) alone, by threefry.h. UserError for fractions outside
// [0, 1], masked + random above 1, ids out of range, and for x that is not of integers.
std::function<Sample(Sample, const SamplePlace&)> mask_tokens(const MaskOptions& options);

}  // namespace tenon::data
