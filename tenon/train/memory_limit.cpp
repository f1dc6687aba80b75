// What a Trainer may take of the memory, and what it says when a step needs more.
#include <algorithm>

#include "tenon/base/text.h"
#include "tenon/train/fit_loop.h"
#include "tenon/train/step_tracing.h"

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

StepOptions Trainer::State::step_options(RecomputePolicy recompute, std::int64_t data_bytes,
                                         std::int64_t kept_bytes) const {
  // A limit that data alone exceeds is told by require_memory.
  const std::int64_t other = std::max<std::int64_t>(kept_bytes - data_bytes, 0);
  const std::int64_t limit =
      options.memory_limit == 0 ? 0 : std::max<std::int64_t>(options.memory_limit - other, 1);
  return {options.precision, recompute, limit};
}

Trainer::State::StepNeed Trainer::State::need_of(const std::vector<StepSketch>& sketches,
                                                 RecomputePolicy recompute,
                                                 const optim::Optimizer& optimizer,
                                                 std::int64_t kept_bytes) {
  std::vector<StepNeed> needs;
  std::int64_t state = 0;
  for (const StepSketch& sketch : sketches) {
    needs.push_back(
        {0, planned(sketch, recompute, optimizer, kept_bytes), sketch.is_training, sketch.batch});
    state = std::max(state, needs.back().step.memory.report.state);
  }
  for (StepNeed& need : needs) {
    need.step.memory.report.state = state;
    need.bytes = need.step.memory.report.total() +
                 std::max<std::int64_t>(kept_bytes - need.step.data_bytes, 0);
  }
  return *std::ranges::max_element(needs, {}, &StepNeed::bytes);
}

void Trainer::State::require_memory(std::int64_t batch, const StepsOfRun& steps_of,
                                    const StepsOfRun& streamed, std::int64_t kept_by_stream) {
  const std::int64_t limit = options.memory_limit, kept = kept_data_bytes();
  const std::vector<StepSketch> wanted = steps_of(batch);
  const auto known = [&](const StepSketch& sketch) {
    return fmt::format("{} of {} bytes", key_of(sketch), kept);
  };
  if (std::ranges::all_of(
          wanted, [&](const StepSketch& sketch) { return within_limit.contains(known(sketch)); }))
    return;
  const StepNeed need = need_of(wanted, options.recompute, options.optimizer, kept);
  if (need.bytes <= limit) {
    for (const StepSketch& sketch : wanted) within_limit.insert(known(sketch));
    return;
  }
  const auto bytes_with = [&](std::int64_t rows, RecomputePolicy recompute) {
    return need_of(steps_of(rows), recompute, options.optimizer, kept).bytes;
  };

  const backends::MemoryReport& report = need.step.memory.report;
  const std::int64_t data = need.bytes - report.state - report.arena;
  std::string text = fmt::format(
      "memory limit {}: {} with batches of {} needs {}\n"
      "  weights, optimizer and counters {}; data {}; activations, gradients and workspace {}{}",
      bytes_text(limit), need.is_training ? "a training step" : "an evaluation", need.batch,
      needed_bytes_text(need.bytes), bytes_text(report.state), bytes_text(data),
      bytes_text(report.arena), largest_text(need.step.memory.map));

  const bool trains = std::ranges::any_of(wanted, &StepSketch::is_training);
  const bool may_recompute = trains && options.recompute != RecomputePolicy::automatic;
  if (may_recompute) {
    const std::int64_t again = bytes_with(batch, RecomputePolicy::automatic);
    if (again < need.bytes)
      text += fmt::format(
          "\n  help: recompute \"auto\" (--recompute auto), which computes activations again in "
          "the backward pass, {}",
          again <= limit
              ? fmt::format("fits in {}", needed_bytes_text(again))
              : fmt::format("alone is not enough: it needs {}", needed_bytes_text(again)));
  }
  // Batches that fit only with it.
  const auto add_recomputed = [&](std::int64_t rows) {
    if (!may_recompute || rows >= batch) return;
    const std::int64_t again = bytes_with(rows, RecomputePolicy::automatic);
    if (again > limit) return;
    text += fmt::format("\n  help: batches of {} with recompute \"auto\" need {}", rows,
                        needed_bytes_text(again));
  };
  std::int64_t least = need.bytes, larger = batch;
  for (std::int64_t rows = batch / 2; rows >= 1; rows /= 2) {
    least = bytes_with(rows, options.recompute);
    if (least > limit) {
      larger = rows;
      continue;
    }
    add_recomputed(larger);
    text += fmt::format("\n  help: batches of {} need {}", rows, needed_bytes_text(least));
    if (trains && options.optimizer.options().accumulate_steps == 1 && batch % rows == 0) {
      optim::UpdateOptions updates = options.optimizer.options();
      updates.accumulate_steps = batch / rows;
      const std::int64_t bytes =
          need_of(steps_of(rows), options.recompute, options.optimizer.clone(updates), kept).bytes;
      if (bytes <= limit)
        text += fmt::format(
            "; with {0} of them to an update (accumulate_steps, --accumulate {0}) {1}, and the "
            "updates are those of {2}",
            batch / rows, needed_bytes_text(bytes), batch);
    }
    throw UserError(text);
  }
  add_recomputed(1);
  text += fmt::format("\n  help: batches of 1 need {} still; give it {} or more",
                      needed_bytes_text(least), needed_bytes_text(least));
  for (std::int64_t rows = batch; streamed && rows >= 1; rows /= 2) {
    const std::int64_t bytes =
        need_of(streamed(rows), options.recompute, options.optimizer, kept_by_stream).bytes;
    if (bytes > limit) continue;
    text += fmt::format(
        ", or stream the data (--workers of tenon train), of which then only some batches are in "
        "memory: with batches of {} a step needs {}",
        rows, needed_bytes_text(bytes));
    break;
  }
  throw UserError(text);
}

// What a limit of memory forbids is refused now, not after an epoch.
void FitLoop::require_memory() {
  const auto steps_of = [&](const auto& steps_with) -> Trainer::State::StepsOfRun {
    return [this, steps_with](std::int64_t rows) {
      std::vector<Trainer::State::StepSketch> steps;
      const auto add = [&](bool is_training, const data::Source& source, std::int64_t batch) {
        for (Trainer::State::StepSketch& step : steps_with(is_training, source, batch))
          steps.push_back(std::move(step));
      };
      add(true, source_, rows);
      if (options_.test) add(false, *options_.test, state_.evaluation_batch(*options_.test, rows));
      if (!options_.validation) return steps;
      const data::Source& validation = *options_.validation;
      add(false, validation, state_.evaluation_batch(validation, rows));
      if (options_.sanity_batches > 0) add(false, validation, rows);
      return steps;
    };
  };
  const auto as_given = [this](bool is_training, const data::Source& source, std::int64_t rows) {
    return make_feeder(state_, source, {is_training, rows, false, options_.loading})
        ->steps_with(rows);
  };
  // Data to check with stays in memory.
  Trainer::State::StepsOfRun streamed;
  if (const data::Dataset* dataset = source_.dataset(); dataset && !dataset->has_weights())
    streamed = steps_of([&](bool is_training, const data::Source& source, std::int64_t rows) {
      if (!is_training) return as_given(is_training, source, rows);
      TensorType x = source.dataset()->x().type(), y = source.dataset()->y().type();
      std::vector<Trainer::State::StepSketch> steps;
      for (const std::int64_t count : batch_sizes(source.dataset()->size(), rows)) {
        x.shape[0] = y.shape[0] = count;
        steps.push_back(Trainer::State::streamed_sketch(is_training, x, y, false));
      }
      return steps;
    });
  const bool keeps_validation = options_.validation && options_.validation->dataset() != nullptr;
  const std::int64_t kept = keeps_validation ? options_.validation->dataset()->byte_size() : 0;
  state_.require_memory(options_.batch_size, steps_of(as_given), streamed, kept);
}

}  // namespace tenon
