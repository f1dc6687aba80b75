// What a Trainer may take of the memory, and what it says when a step needs more.
#include <algorithm>

#include "tenon/base/text.h"
#include "tenon/train/trainer_state.h"

namespace tenon {
namespace {

constexpr std::size_t kMostListed = 5;

std::string largest_text(const backends::MemoryMap& map) {
  const std::uint32_t peak = map.peak();
  std::vector<std::string> texts;
  for (const backends::MemoryUse& use : map.alive_at(peak)) {
    if (texts.size() == kMostListed) break;
    texts.push_back(fmt::format("{} {}", use.value, bytes_text(use.bytes)));
  }
  if (texts.empty()) return {};
  return fmt::format("\n  largest when most is alive (launch {} of {}, {}): {}", peak + 1,
                     map.launches.size(), map.launches[peak], join(texts, ", "));
}

}  // namespace

std::int64_t Trainer::State::resident_bytes() const {
  std::int64_t bytes = 0;
  for (const auto& data : resident) bytes += data->dataset.byte_size();
  return bytes;
}

std::int64_t Trainer::State::other_data_bytes(std::int64_t data_bytes) const {
  return std::max<std::int64_t>(std::max(fit_data_bytes, resident_bytes()) - data_bytes, 0);
}

StepOptions Trainer::State::step_options(RecomputePolicy recompute, std::int64_t data_bytes) const {
  // A limit that data alone exceeds is told by require_memory.
  const std::int64_t limit =
      options.memory_limit == 0
          ? 0
          : std::max<std::int64_t>(options.memory_limit - other_data_bytes(data_bytes), 1);
  return {options.precision, recompute, limit};
}

void Trainer::State::require_memory(
    bool is_training, std::int64_t batch,
    const std::function<PlannedStep(std::int64_t batch, RecomputePolicy recompute)>& plan) const {
  const std::int64_t limit = options.memory_limit;
  const auto total = [&](const PlannedStep& step) {
    return step.memory.report.total() + other_data_bytes(step.data_bytes);
  };
  const PlannedStep step = plan(batch, options.recompute);
  if (total(step) <= limit) return;

  const backends::MemoryReport& report = step.memory.report;
  const std::string_view purpose = is_training ? "a training step" : "an evaluation";
  const std::int64_t data =
      report.inputs + report.results + report.constants + other_data_bytes(step.data_bytes);
  std::string text = fmt::format(
      "memory limit {}: {} with batches of {} needs {}\n"
      "  weights, optimizer and counters {}; data {}; activations, gradients and workspace {}{}",
      bytes_text(limit), purpose, batch, needed_bytes_text(total(step)), bytes_text(report.state),
      bytes_text(data), bytes_text(report.arena), largest_text(step.memory.map));

  std::int64_t sums = 0;  // what accumulation adds
  if (is_training && options.optimizer.options().accumulate_steps == 1)
    for (const Variable& weight : weights)
      if (weight.is_trainable()) sums += byte_size(weight.type());
  std::int64_t least = total(step);
  if (is_training && options.recompute != RecomputePolicy::automatic) {
    const std::int64_t recomputed = total(plan(batch, RecomputePolicy::automatic));
    if (recomputed < least)
      text += fmt::format(
          "\n  help: recompute \"auto\" (--recompute auto), which computes activations again in "
          "the backward pass, "
          "{} {}",
          recomputed <= limit ? "fits in" : "needs", needed_bytes_text(recomputed));
  }
  for (std::int64_t rows = batch / 2; rows >= 1; rows /= 2) {
    const PlannedStep smaller = plan(rows, options.recompute);
    least = total(smaller);
    if (least > limit) continue;
    text += fmt::format("\n  help: batches of {} need {}", rows, needed_bytes_text(least));
    if (is_training && least + sums <= limit && batch % rows == 0)
      text += fmt::format(
          "; with {0} of them to an update (accumulate_steps, --accumulate {0}) {1}, and the "
          "updates "
          "are those of {2}",
          batch / rows, needed_bytes_text(least + sums), batch);
    throw UserError(text);
  }
  text += fmt::format("\n  help: batches of 1 need {} still; give it {} or more",
                      needed_bytes_text(least), needed_bytes_text(least));
  if (data > limit / 2)
    text += ", or stream the data (--workers), of which then only some batches are in memory";
  throw UserError(text);
}

}  // namespace tenon
