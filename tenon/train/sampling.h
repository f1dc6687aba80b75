// Which token comes next: probabilities from logits, and a draw.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace tenon {

struct SamplingOptions {
  // Divides the logits: below 1 likelier tokens become likelier still; 0 always takes the
  // likeliest, the first of equals.
  double temperature = 1;
  std::int64_t top_k = 0;  // only the k likeliest, and those equal to the last of them; 0: all
  // Only the likeliest that together reach this probability, after top_k. Holtzman et al. 2020.
  double top_p = 1;
};

// UserError unless temperature is finite and 0 or more, top_k 0 or more and top_p in (0, 1].
void require_sampling(const SamplingOptions& options);

// softmax(logits / temperature) over the tokens that top_k and top_p leave, 0 for the others; in
// f64. A logit of minus infinity has probability 0. UserError for logits that are NaN or plus
// infinity, and if none is finite.
std::vector<double> sampling_probabilities(std::span<const double> logits,
                                           const SamplingOptions& options);

// The first index at which the sum of probabilities, in order, exceeds unit times their total;
// unit is in [0, 1).
std::int64_t draw_index(std::span<const double> probabilities, double unit);
// Number `index` of the stream of this seed, uniform in [0, 1) in steps of 2^-53.
double uniform_number(std::uint64_t seed, std::uint64_t index);

}  // namespace tenon
