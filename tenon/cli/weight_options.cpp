#include "tenon/cli/weight_options.h"

#include <algorithm>

#include "tenon/base/name_pattern.h"
#include "tenon/base/text.h"
#include "tenon/cli/augment_options.h"
#include "tenon/cli/model_options.h"

namespace tenon::cli {
namespace {

std::string names_text(const std::vector<Variable>& weights) {
  constexpr std::size_t kMostNames = 12;
  std::vector<std::string> names;
  for (const Variable& weight : weights) names.push_back(weight.name());
  const bool has_more = names.size() > kMostNames;
  if (has_more) names.resize(kMostNames);
  return join(names, ", ") + (has_more ? ", ..." : "");
}

void require_weights_of(std::string_view option, std::string_view pattern,
                        const std::vector<Variable>& weights) {
  const bool is_any = std::ranges::any_of(
      weights, [&](const Variable& weight) { return matches_pattern(weight.name(), pattern); });
  if (!is_any)
    refuse_option(option, "no weight is of the pattern {}\n  help: the weights are {}",
                  in_quotes(pattern), names_text(weights));
}

void check_constraint(const optim::Constraint& constraint, const std::vector<Variable>& weights) {
  require_weights_of("--constraint", constraint.pattern, weights);
  for (const Variable& weight : weights) {
    if (!matches_pattern(weight.name(), constraint.pattern)) continue;
    try {
      optim::constrained(placeholder("weight", weight.type()), constraint, weight.name());
    } catch (const UserError& error) {
      refuse_option("--constraint", "{}", error.what());
    }
  }
}

void check_augmentation(const augment::Augmentation& augmentation, const nn::Layer& model,
                        const TensorType& row, DType dtype) {
  TensorType changed = row;
  try {
    changed.shape = augment::output_shape(augmentation, row.shape);
  } catch (const UserError& error) {
    refuse_option("--augment", "{}", error.what());
  }
  if (changed == row) return;
  trace_one_sample(model, row, dtype);
  try {
    trace_one_sample(model, changed, dtype);
  } catch (const UserError& error) {
    const std::string_view reason = error.what();
    refuse_option("--augment",
                  "makes samples of {} from {}, and the model, which is evaluated on samples as "
                  "they are, takes one size alone: {}\n  help: leave the size as it is, or give "
                  "the data that size",
                  to_string(changed.shape), to_string(row.shape),
                  reason.substr(0, reason.find('\n')));
  }
}

}  // namespace

void check_weight_options(const TrainCommand& command, Trainer& trainer,
                          const data::Source& train) {
  const optim::UpdateOptions& update = command.optimizer.update;
  if (update.rates.empty() && update.no_decay.empty() && update.constraints.empty() &&
      command.skip_weights.empty())
    return;
  trainer.build(train);
  std::vector<Variable> weights;
  for (const Variable& weight : trainer.weights())
    if (weight.kind() == VariableKind::weight) weights.push_back(weight);
  for (const optim::RateFactor& rate : update.rates)
    require_weights_of("--rate-for", rate.pattern, weights);
  for (const std::string& pattern : update.no_decay)
    require_weights_of("--no-decay", pattern, weights);
  for (const optim::Constraint& constraint : update.constraints)
    check_constraint(constraint, weights);
  for (const std::string& pattern : command.skip_weights)
    require_weights_of("--skip-weights", pattern, trainer.weights());
}

void check_model_options(const TrainCommand& command, const nn::Layer& model,
                         const TensorType& row) {
  const DType dtype = *parse_dtype(command.dtype);
  const augment::Augmentation augmentation = parse_augmentation(command.loop.augment);
  if (!augmentation.is_empty()) check_augmentation(augmentation, model, row, dtype);
  // Weights that only a loss of its own uses are not met here.
  if (command.loss_options.penalties.empty() || model.has_own_loss()) return;
  trace_one_sample(model, row, dtype);
  std::vector<Variable> weights;
  for (const Variable& weight : nn::variables_of(model))
    if (weight.is_defined() && weight.kind() == VariableKind::weight) weights.push_back(weight);
  for (const nn::PenaltyOptions& penalty : command.loss_options.penalties)
    require_weights_of("--penalty", penalty.weights, weights);
}

}  // namespace tenon::cli
