#include "tenon/train/nan_guard.h"

#include <algorithm>
#include <cmath>

#include "tenon/session/graph_faults.h"
#include "tenon/train/traced_step.h"

namespace tenon {
namespace {

std::string explained(Trainer& trainer, const StepInfo& info,
                      const std::function<HostTensor(const Variable&)>& value_before) {
  const data::Batch batch = info.batch();
  data::Dataset rows("batch", data::Array(batch.x), data::Array(batch.y));
  if (batch.weights.size() > 0) rows = rows.with_weights(batch.weights);
  const PreparedBatch prepared = prepared_batch(trainer, rows);
  const TracedStep traced = trace_step(trainer, prepared);
  std::vector<Tensor> placeholders;
  std::vector<HostTensor> inputs;
  for (auto& [place, value] : prepared.feeds(traced)) {
    placeholders.push_back(place);
    inputs.push_back(value);
  }
  placeholders.push_back(traced.step);
  inputs.push_back(make_scalar(static_cast<std::uint32_t>(info.step - 1)));
  std::vector<Update> updates = trainer.options().optimizer.apply(traced.weights, traced.gradients);
  updates.insert(updates.end(), traced.updates.begin(), traced.updates.end());
  const Program program = make_program(std::array{traced.loss}, updates, placeholders);
  for (const Variable& variable : program.variables) inputs.push_back(value_before(variable));
  const std::string found = where_not_finite(program, inputs);
  if (!found.empty()) return found;
  return "\n  run again by the reference interpreter the batch gives finite numbers: the device, "
         "an "
         "augmentation in the step or a narrow precision made it";
}

}  // namespace

void NanGuard::on_fit_begin(Trainer&) {
  finding_.clear();
  before_.clear();
  after_.clear();
}

void NanGuard::on_compiled(Trainer& trainer) { keep_state(trainer); }

void NanGuard::keep_state(Trainer& trainer) {
  if (before_.empty()) {
    for (const Variable& weight : trainer.weights()) {
      before_.emplace_back(weight);
      after_.emplace_back(weight);
    }
    for (const Variable& variable : trainer.options().optimizer.state())
      before_.emplace_back(variable);
  }
  for (const Kept& kept : before_) trainer.session().read(kept.variable, kept.span);
}

bool NanGuard::on_step_end(Trainer& trainer, const StepInfo& info) {
  const double loss = info.loss();
  std::string what;
  if (!std::isfinite(loss)) what = std::isnan(loss) ? "the loss is NaN" : "the loss is infinite";
  for (const Kept& weight : after_) {
    if (!what.empty()) break;
    trainer.session().read(weight.variable, weight.span);
    if (const ValueFaults faults = faults_of(weight.value); faults.any())
      what = fmt::format("after the update \"{}\" is not finite: {}", weight.variable.name(),
                         faults_text(faults, weight.value.size()));
  }
  if (what.empty()) {
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (i < after_.size())
        std::swap(before_[i], after_[i]);
      else
        trainer.session().read(before_[i].variable, before_[i].span);
    }
    return true;
  }
  finding_ = fmt::format("step {} (epoch {}): {}", info.step, info.epoch, what);
  finding_ += explained(trainer, info, [&](const Variable& variable) {
    // What the host writes before a step, such as the rate of a schedule, is there still.
    const auto kept = std::ranges::find(before_, variable, &Kept::variable);
    const bool is_before = kept != before_.end() && variable.kind() != VariableKind::scalar;
    return is_before ? kept->value : trainer.session().read(variable);
  });
  put_back(trainer);
  if (trainer.options().log) trainer.options().log(finding_);
  return false;
}

void NanGuard::put_back(Trainer& trainer) const {
  for (const Kept& kept : before_) trainer.session().write(kept.variable, kept.value);
}

}  // namespace tenon
