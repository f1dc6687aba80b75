// The entropy of predictions, and losses made of several.
#include <charconv>
#include <cmath>

#include "tenon/base/text.h"
#include "tenon/nn/loss_checks.h"
#include "tenon/nn/loss_families.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

constexpr std::string_view kPlus = " + ", kTimes = " * ";

// "0.1 * NAME", or NAME alone.
LossTerm parse_term(std::string_view text, std::string_view whole) {
  const std::size_t times = text.find(kTimes);
  if (times == std::string_view::npos) return {1, find_loss(text)};
  const std::string_view number = text.substr(0, times), name = text.substr(times + kTimes.size());
  double factor = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), factor);
  require(error == std::errc() && end == number.data() + number.size() && std::isfinite(factor),
          "loss {}: expected NUMBER * LOSS, got {}", in_quotes(whole, 120), in_quotes(text));
  require(!names_combination(name), "loss {}: more than one factor in {}", in_quotes(whole, 120),
          in_quotes(text));
  return {factor, find_loss(name)};
}

}  // namespace

Tensor entropies(const Tensor& prediction, bool from_logits) {
  require_float_prediction(prediction, "entropy");
  require(prediction.rank() >= 1, "entropy: expected predictions [batch, classes], got {}",
          prediction.description());
  if (prediction.extent(-1) == 1) {
    const Tensor x = squeeze(prediction, {-1});
    if (from_logits) return tenon::softplus(x) - x * tenon::sigmoid(x);
    const Tensor q = clipped(x);
    return -(q * log(q) + (1.0f - q) * log1p(-q));
  }
  const Tensor logs = log_probabilities(prediction, from_logits);
  return -sum((from_logits ? exp(logs) : prediction) * logs, {-1});
}

Loss make_entropy(const std::string& name) {
  const bool from_logits = name.ends_with("_from_logits");
  return {.name = name,
          .from_logits = from_logits,
          .apply = [name, from_logits](const Tensor& p, const Tensor&, const Tensor& w) {
            return weighted_sum(entropies(p, from_logits), w, name);
          }};
}

Loss combined(const std::vector<LossTerm>& terms) {
  require(!terms.empty(), "combined: expected at least one loss");
  Loss all;
  for (const LossTerm& term : terms) {
    require(std::isfinite(term.factor), "combined: the factor of {} must be finite, got {}",
            term.loss.name, term.factor);
    require(static_cast<bool>(term.loss.apply), "combined: loss \"{}\" has no function",
            term.loss.name);
    if (!all.name.empty()) all.name += kPlus;
    if (term.factor != 1) all.name += fmt::format("{}{}", term.factor, kTimes);
    all.name += term.loss.name;
  }
  all.from_logits = terms[0].loss.from_logits;
  all.targets = terms[0].loss.targets;
  all.apply = [terms](const Tensor& p, const Tensor& t, const Tensor& w) {
    WeightedSum total = terms[0].loss.apply(p, t, w);
    if (terms[0].factor != 1) total.sum = total.sum * terms[0].factor;
    for (std::size_t i = 1; i < terms.size(); ++i) {
      const WeightedSum term = terms[i].loss.apply(p, t, w);
      // The term's mean, for the weight of the first loss.
      const Tensor mean = mean_of(term);
      total.sum = total.sum + terms[i].factor * mean * cast(total.weight, mean.dtype());
    }
    return total;
  };
  return all;
}

bool names_combination(std::string_view name) {
  return name.find(kPlus) != std::string_view::npos || name.find(kTimes) != std::string_view::npos;
}

Loss parse_combination(std::string_view name) {
  std::vector<LossTerm> terms;
  for (std::string_view rest = name;;) {
    const std::size_t plus = rest.find(kPlus);
    terms.push_back(parse_term(trim(rest.substr(0, plus)), name));
    if (plus == std::string_view::npos) break;
    rest = rest.substr(plus + kPlus.size());
  }
  return combined(terms);
}

}  // namespace tenon::nn
