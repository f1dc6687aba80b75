#include "tenon/optim/update_options.h"

#include <algorithm>

#include "tenon/base/name_pattern.h"
#include "tenon/base/text.h"
#include "tenon/tensor/functions.h"

namespace tenon::optim {
namespace {

// What a gradient whose squares sum to this is multiplied with, so that its norm is at most `most`.
Tensor shrinking_factor(const Tensor& sum_of_squares, double most) {
  return minimum(most / sqrt(sum_of_squares), 1.0);
}

std::string_view pattern_of(const RateFactor& rate) { return rate.pattern; }
std::string_view pattern_of(const Constraint& constraint) { return constraint.pattern; }
std::string_view pattern_of(const std::string& pattern) { return pattern; }

// The first entry whose pattern the name matches, or nullptr.
template <class Entry>
const Entry* entry_for(const std::vector<Entry>& entries, std::string_view name) {
  const auto found = std::ranges::find_if(
      entries, [&](const Entry& entry) { return matches_pattern(name, pattern_of(entry)); });
  return found == entries.end() ? nullptr : &*found;
}

template <class Entry>
void require_each_matches(const std::vector<Entry>& entries, std::span<const Variable> weights,
                          std::string_view owner, std::string_view what) {
  for (const Entry& entry : entries) {
    const std::string_view pattern = pattern_of(entry);
    if (std::ranges::any_of(weights, [&](const Variable& weight) {
          return matches_pattern(weight.name(), pattern);
        }))
      continue;
    std::vector<std::string> names;
    for (const Variable& weight : weights)
      if (weight.kind() == VariableKind::weight) names.push_back(weight.name());
    constexpr std::size_t kMostNames = 12;
    const bool has_more = names.size() > kMostNames;
    if (has_more) names.resize(kMostNames);
    throw UserError(fmt::format("{}: {} {} matches no weight\n  help: the weights are {}{}", owner,
                                what, in_quotes(pattern), join(names, ", "),
                                has_more ? ", ..." : ""));
  }
}

}  // namespace

void UpdateOptions::fields(HyperparameterVisitor& visit) {
  visit("clip_value", clip_value, Range::not_negative);
  visit("clip_norm", clip_norm, Range::not_negative);
  visit("clip_global_norm", clip_global_norm, Range::not_negative);
  visit("average_decay", average_decay, Range::fraction);
  visit("decay_matrices_only", decay_matrices_only);
  visit("lookahead_steps", lookahead_steps, 0);
  visit("lookahead_alpha", lookahead_alpha, Range::fraction);
  TextListOf<RateFactor> of_rates(
      rates, [](const RateFactor& rate) { return text_of(rate); }, parse_rate_factor);
  visit("rates", of_rates);
  TextListOf<std::string> of_no_decay(
      no_decay, [](const std::string& pattern) { return pattern; }, parse_pattern);
  visit("no_decay", of_no_decay);
  TextListOf<Constraint> of_constraints(
      constraints, [](const Constraint& constraint) { return text_of(constraint); },
      parse_constraint);
  visit("constraints", of_constraints);
  visit("accumulate", accumulate_steps, 1);
  loss_scale.fields(visit);
}

double rate_factor(const UpdateOptions& options, std::string_view weight) {
  const RateFactor* rate = entry_for(options.rates, weight);
  return rate == nullptr ? 1 : rate->factor;
}

bool is_decayed(const UpdateOptions& options, const Variable& weight) {
  if (options.decay_matrices_only && weight.type().rank() < 2) return false;
  return entry_for(options.no_decay, weight.name()) == nullptr;
}

Tensor constrained(const Tensor& next, const UpdateOptions& options, std::string_view weight) {
  const Constraint* constraint = entry_for(options.constraints, weight);
  return constraint == nullptr ? next : constrained(next, *constraint, weight);
}

void require_patterns_match(const UpdateOptions& options, std::span<const Variable> weights,
                            std::string_view owner) {
  require_each_matches(options.rates, weights, owner, "the rate for");
  require_each_matches(options.no_decay, weights, owner, "no_decay");
  require_each_matches(options.constraints, weights, owner, "the constraint of");
}

std::vector<Tensor> clip_gradients(std::span<const Tensor> gradients,
                                   const UpdateOptions& options) {
  std::vector<Tensor> clipped(gradients.begin(), gradients.end());
  if (options.clip_value > 0)
    for (Tensor& gradient : clipped)
      gradient = clip(gradient, -options.clip_value, options.clip_value);
  if (options.clip_norm > 0)
    for (Tensor& gradient : clipped)
      gradient = gradient * shrinking_factor(sum(square(gradient)), options.clip_norm);
  if (options.clip_global_norm > 0 && !clipped.empty()) {
    Tensor all;
    for (const Tensor& gradient : clipped) {
      const Tensor own = sum(square(gradient));
      all = all.is_empty() ? own : all + own;
    }
    const Tensor factor = shrinking_factor(all, options.clip_global_norm);
    for (Tensor& gradient : clipped) gradient = gradient * cast(factor, gradient.dtype());
  }
  return clipped;
}

}  // namespace tenon::optim
