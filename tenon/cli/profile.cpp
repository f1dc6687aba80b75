// tenon profile
#include <algorithm>

#include <nlohmann/json.hpp>

#include "tenon/base/environment.h"
#include "tenon/base/text.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/energy.h"
#include "tenon/cli/kernel_times.h"
#include "tenon/cli/output.h"
#include "tenon/cli/progress.h"
#include "tenon/cli/signals.h"
#include "tenon/cli/step_choice.h"
#include "tenon/cli/text.h"
#include "tenon/io/file.h"

namespace tenon::cli {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kWarmUp = 3;  // steps
// In a step: the memory of device cpu, the one that has kernels, is that of the host.
constexpr std::int64_t kHostDeviceBytes = 0;

struct ProfileCommand {
  StepChoice step;
  std::int64_t steps = 20;
  std::int64_t rows = 20;
  std::string by = "launch", trace;
  bool json = false;
};

// A thread that waits longer than this part of the time for a core makes kernels look slow.
constexpr double kMostWaiting = 0.1;

// Watches a fit; its first steps, which meet cold caches, do not count.
class StepWatch final : public Callback {
 public:
  StepWatch(std::int64_t batch_size, std::int64_t warm_up, std::int64_t steps)
      : batch_size_(batch_size), warm_up_(warm_up), steps_(steps), samples_(steps) {}

  void on_compiled(Trainer& trainer) override {
    step_ = &trainer.compiled_step(batch_size_);
    if (step_->launches().empty())
      refuse_option("--device", "{} has no kernels to take the time of",
                    trainer.session().device());
  }
  bool on_step_end(Trainer&, const StepInfo&) override {
    if (++done_ > warm_up_) {
      samples_.add(step_->launches().size(), step_->last_launches());
      energy_.sample();
    }
    if (done_ == warm_up_) {
      energy_.start();
      core_wait_.start();
    }
    if (done_ != warm_up_ + steps_) return true;
    joules_ = energy_.joules();
    waiting_ = core_wait_.part_of_time();
    return true;
  }

  std::int64_t warm_up() const { return warm_up_; }
  const CompiledStep& step() const { return *step_; }
  const LaunchSamples& samples() const { return samples_; }
  // Of the whole machine in the counted steps, with what lies between them.
  std::optional<double> joules() const { return joules_; }
  const EnergyMeter& energy() const { return energy_; }
  // The part of that time in which a thread could have run and had no core; of the one for which
  // it is largest.
  std::optional<double> waiting() const { return waiting_; }

 private:
  std::int64_t batch_size_, warm_up_, steps_, done_ = 0;
  const CompiledStep* step_ = nullptr;
  LaunchSamples samples_;
  EnergyMeter energy_;
  CoreWait core_wait_;
  std::optional<double> joules_, waiting_;
};

void run_steps(const ProfileCommand& command, OpenedStep& opened, StepWatch& watch) {
  const std::int64_t batch_size = command.step.train.batch_size;
  if (opened.dataset.size() < batch_size)
    refuse_option("--batch-size", "{} has {} samples, fewer than a batch of {}",
                  opened.dataset.name(), opened.dataset.size(), batch_size);
  const std::int64_t steps_in_epoch = opened.dataset.size() / batch_size;
  const std::int64_t steps = watch.warm_up() + command.steps;
  Progress progress;
  CompileProgress compiling(progress);
  FitOptions options;
  options.epochs = 1 + (steps - 1) / steps_in_epoch;
  options.batch_size = batch_size;
  options.max_steps = steps;
  options.steps_per_epoch = steps_in_epoch;
  options.shuffle = !command.step.train.no_shuffle;
  options.callbacks = {&compiling, &watch};
  opened.trainer.fit(opened.dataset, options);
  wait_if_ending();  // a fit that is interrupted returns
}

// What is known of all kernels of a step together.
struct ProfileResult {
  std::vector<KernelRow> rows;
  WorkTime all;
  double mean = 0, median = 0;  // seconds of a step
  std::optional<double> joules, waiting;
  backends::Peaks peaks;
};

void print_profile_json(const ProfileCommand& command, const ProfileResult& result) {
  const auto or_null = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json();
  };
  print_json({{"command", "profile"},
              {"batch_size", command.step.train.batch_size},
              {"steps", command.steps},
              {"seconds_per_step", result.mean},
              {"median_seconds_per_step", result.median},
              {"flops", result.all.flops},
              {"bytes", result.all.bytes},
              {"host_device_bytes", kHostDeviceBytes},
              {"joules", or_null(result.joules)},
              {"core_waiting", or_null(result.waiting)},
              {"roof_seconds", result.all.roof},
              {"peak_flops_per_second", result.peaks.flops_per_second},
              {"peak_bytes_per_second", result.peaks.bytes_per_second},
              {"kernels", kernels_json(result.rows)},
              {"by_kernel", totals_json(result.rows, RowOf::kernel)},
              {"by_layer", totals_json(result.rows, RowOf::layer)}});
}

void print_profile_text(const ProfileCommand& command, const ProfileResult& result,
                        const StepWatch& watch) {
  const RowOf row_of = command.by == "layer"    ? RowOf::layer
                       : command.by == "kernel" ? RowOf::kernel
                                                : RowOf::launch;
  const WorkTime& all = result.all;
  print_text(
      kernel_table(result.rows, row_of, static_cast<std::size_t>(command.rows), all.seconds) +
      "\n");
  print_text(facts_text(
      {{"step", fmt::format("{} median of {}, mean {}", duration_text(result.median), command.steps,
                            duration_text(result.mean))},
       {"launches", fmt::format("{} in a step", watch.step().last_launches().size())},
       {"arithmetic", fmt::format("{} FLOP, {} FLOP/s", scaled_text(all.flops),
                                  scaled_text(all.flops / result.median))},
       {"bytes", fmt::format("{} B taken and given by kernels, {} between host and device",
                             scaled_text(all.bytes), bytes_text(kHostDeviceBytes))},
       {"roof of all kernels", fmt::format("{} ({:.0f}% of the step)", duration_text(all.roof),
                                           100 * all.roof / result.median)},
       {"machine",
        fmt::format("{} FLOP/s in f32, {} B/s copying", scaled_text(result.peaks.flops_per_second),
                    scaled_text(result.peaks.bytes_per_second))},
       {"energy", result.joules
                      ? fmt::format("{:.3g} J in a step, of the processor and its memory, "
                                    "whatever else they do",
                                    *result.joules)
                      : "not known: " + watch.energy().reason()}}));
  if (!command.trace.empty())
    print_text(fmt::format("  {} holds the last step; ui.perfetto.dev opens it\n", command.trace));
}

void warn_if_waited(std::string_view work, std::optional<double> part) {
  if (part.value_or(0) > kMostWaiting)
    print_note(
        fmt::format("warning: a thread waited for a core {:.0f}% of the time in which {}, "
                    "for other programs or threads: run it again when they rest",
                    100 * *part, work));
}

int run_profile(ProfileCommand command) {
  if (!command.trace.empty()) io::require_writable(command.trace);
  OpenedStep opened = open_step(command.step, {.profile = true});
  StepWatch watch(command.step.train.batch_size, std::min(command.steps, kWarmUp), command.steps);
  run_steps(command, opened, watch);
  ProfileResult result;
  CoreWait core_wait;
  core_wait.start();
  result.peaks = backends::measure_peaks(static_cast<int>(command.step.train.device.threads),
                                         environment::cache_folder());
  warn_if_waited("the steps ran", watch.waiting());
  warn_if_waited("the machine's rates were measured", core_wait.part_of_time());
  result.rows = kernel_rows(watch.step(), watch.samples(), result.peaks);
  for (const KernelRow& row : result.rows) result.all.add(row.work);
  result.mean = watch.samples().mean_step_seconds();
  result.median = std::max(watch.samples().median_step_seconds(), 1e-12);
  result.joules = watch.joules();
  if (result.joules) *result.joules /= static_cast<double>(command.steps);
  result.waiting = watch.waiting();
  if (!command.trace.empty()) write_trace(command.trace, watch.step());
  if (command.json)
    print_profile_json(command, result);
  else
    print_profile_text(command, result, watch);
  return 0;
}

}  // namespace

void add_profile(CLI::App& program, Action& action) {
  CLI::App* app = program.add_subcommand("profile", "where the time of a training step goes");
  const auto command = std::make_shared<ProfileCommand>();
  add_step_choice(*app, command->step);
  add_count(*app, "--steps", command->steps, 1, 1'000'000, "that are timed, after three others");
  add_count(*app, "--rows", command->rows, 1, 1'000'000, "of the table, longest first");
  add_choice(*app, "--by", command->by, {"launch", "kernel", "layer"},
             "what a row is: a launch, all launches of a kernel, all kernels of a layer");
  add_text(*app, "--trace", command->trace, "write the last step here, for Perfetto", "FILE.json");
  add_json_option(*app, command->json);
  app->callback([command, &action] { action = [command] { return run_profile(*command); }; });
}

}  // namespace tenon::cli
