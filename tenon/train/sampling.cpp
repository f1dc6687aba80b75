#include "tenon/train/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tenon/base/error.h"
#include "tenon/base/threefry.h"

namespace tenon {
namespace {

// Sets to 0 what is less likely than the k likeliest.
void keep_top_k(std::vector<double>& probabilities, std::int64_t k) {
  if (k == 0 || k >= static_cast<std::int64_t>(probabilities.size())) return;
  std::vector<double> sorted = probabilities;
  const auto kth = sorted.begin() + (k - 1);
  std::nth_element(sorted.begin(), kth, sorted.end(), std::greater<>());
  for (double& probability : probabilities)
    if (probability < *kth) probability = 0;
}

// Sets to 0 all after the likeliest that together reach the share; of equals the first come first.
void keep_top_p(std::vector<double>& probabilities, double share) {
  if (share >= 1) return;
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return probabilities[a] > probabilities[b];
  });
  const double total = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  double before = 0;
  for (const std::size_t i : order) {
    const double probability = probabilities[i];
    if (before >= share * total) probabilities[i] = 0;
    before += probability;
  }
}

}  // namespace

void require_sampling(const SamplingOptions& options) {
  require(std::isfinite(options.temperature) && options.temperature >= 0,
          "temperature must be finite and 0 or more, got {}", options.temperature);
  require(options.top_k >= 0, "top_k must be 0 or more, got {}", options.top_k);
  require(options.top_p > 0 && options.top_p <= 1, "top_p must be above 0 and at most 1, got {}",
          options.top_p);
}

std::vector<double> sampling_probabilities(std::span<const double> logits,
                                           const SamplingOptions& options) {
  require_sampling(options);
  require(!logits.empty(), "there are no logits to choose a token from");
  for (std::size_t i = 0; i < logits.size(); ++i)
    require(
        !std::isnan(logits[i]) && !(std::isinf(logits[i]) && logits[i] > 0),
        "the model's logit of token {} is {}; its weights are damaged, or the training diverged", i,
        logits[i]);
  const auto largest = std::max_element(logits.begin(), logits.end());
  require(std::isfinite(*largest), "the model's logits are all minus infinity");
  std::vector<double> probabilities(logits.size());
  if (options.temperature == 0) {
    probabilities[static_cast<std::size_t>(largest - logits.begin())] = 1;
    return probabilities;
  }
  for (std::size_t i = 0; i < logits.size(); ++i)
    probabilities[i] = std::exp((logits[i] - *largest) / options.temperature);
  keep_top_k(probabilities, options.top_k);
  keep_top_p(probabilities, options.top_p);
  const double total = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  for (double& probability : probabilities) probability /= total;
  return probabilities;
}

std::int64_t draw_index(std::span<const double> probabilities, double unit) {
  const double goal = unit * std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  double sum = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (probabilities[i] <= 0) continue;
    sum += probabilities[i];
    last = i;
    if (sum > goal) break;
  }
  return static_cast<std::int64_t>(last);
}

double uniform_number(std::uint64_t seed, std::uint64_t index) {
  return static_cast<double>(threefry64(seed, index) >> 11) * 0x1p-53;
}

}  // namespace tenon
