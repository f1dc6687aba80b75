// tenon profile
#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "tenon/base/environment.h"
#include "tenon/base/text.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/energy.h"
#include "tenon/cli/kernel_times.h"
#include "tenon/cli/output.h"
#include "tenon/cli/step_choice.h"
#include "tenon/cli/text.h"

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
  std::string trace;
  bool json = false;
};

// Watches a fit; its first steps, which meet cold caches, do not count.
class LaunchTimes final : public Callback {
 public:
  LaunchTimes(std::int64_t batch_size, std::int64_t warm_up, std::int64_t steps)
      : batch_size_(batch_size), warm_up_(warm_up), steps_(steps) {}

  void on_compiled(Trainer& trainer) override {
    step_ = &trainer.compiled_step(batch_size_);
    require(!step_->launches().empty(), "device {} has no kernels to take the time of",
            trainer.session().device());
  }
  bool on_step_end(Trainer&, const StepInfo&) override {
    ++done_;
    if (done_ == warm_up_) {
      before_.assign(step_->launch_times().begin(), step_->launch_times().end());
      energy_.start();
    }
    if (done_ <= warm_up_) return true;
    seconds_.push_back(step_->last_launches().back().end);
    energy_.sample();
    if (done_ == warm_up_ + steps_) joules_ = energy_.joules();
    return true;
  }

  std::int64_t warm_up() const { return warm_up_; }
  const CompiledStep& step() const { return *step_; }
  // Of every launch, when the counted steps began.
  const std::vector<backends::LaunchTime>& before() const { return before_; }
  // Of the whole machine in the counted steps, with what lies between them.
  std::optional<double> joules() const { return joules_; }
  const EnergyMeter& energy() const { return energy_; }
  double median_seconds() {
    const auto middle = seconds_.begin() + std::ssize(seconds_) / 2;
    std::ranges::nth_element(seconds_, middle);
    return *middle;
  }

 private:
  std::int64_t batch_size_, warm_up_, steps_, done_ = 0;
  const CompiledStep* step_ = nullptr;
  std::vector<backends::LaunchTime> before_;
  std::vector<double> seconds_;
  EnergyMeter energy_;
  std::optional<double> joules_;
};

int run_profile(ProfileCommand command) {
  OpenedStep opened = open_step(command.step, {.profile = true});
  Trainer& trainer = opened.trainer;
  const std::int64_t batch_size = command.step.train.batch_size;
  require(opened.dataset.size() >= batch_size,
          "{} has {} samples, fewer than a batch of {}; say less by --batch-size",
          opened.dataset.name(), opened.dataset.size(), batch_size);
  LaunchTimes times(batch_size, std::min(command.steps, kWarmUp), command.steps);
  const std::int64_t steps_in_epoch = opened.dataset.size() / batch_size;
  const std::int64_t steps = times.warm_up() + command.steps;
  FitOptions options;
  options.epochs = 1 + (steps - 1) / steps_in_epoch;
  options.batch_size = batch_size;
  options.max_steps = steps;
  options.steps_per_epoch = steps_in_epoch;
  options.shuffle = !command.step.train.no_shuffle;
  options.callbacks = {&times};
  trainer.fit(opened.dataset, options);
  const CompiledStep& step = times.step();
  const backends::Peaks peaks = backends::measure_peaks(
      static_cast<int>(command.step.train.device.threads), environment::cache_folder());
  const std::vector<KernelRow> rows =
      kernel_rows(step, times.before(), static_cast<double>(command.steps), peaks);
  const double total =
      std::accumulate(rows.begin(), rows.end(), 0.0,
                      [](double sum, const KernelRow& row) { return sum + row.seconds; });
  const double median = times.median_seconds();
  double flops = 0, bytes = 0, roof = 0;
  for (const KernelRow& row : rows) {
    flops += row.flops();
    bytes += row.bytes();
    roof += row.roof;
  }
  std::optional<double> joules = times.joules();
  if (joules) *joules /= static_cast<double>(command.steps);
  if (!command.trace.empty()) write_trace(command.trace, step);
  if (command.json) {
    print_json({{"command", "profile"},
                {"batch_size", batch_size},
                {"steps", command.steps},
                {"seconds_per_step", total},
                {"median_seconds_per_step", median},
                {"flops", flops},
                {"bytes", bytes},
                {"host_device_bytes", kHostDeviceBytes},
                {"joules", joules ? Json(*joules) : Json()},
                {"roof_seconds", roof},
                {"peak_flops_per_second", peaks.flops_per_second},
                {"peak_bytes_per_second", peaks.bytes_per_second},
                {"kernels", kernels_json(rows)}});
    return 0;
  }
  print_text(kernel_table(rows, static_cast<std::size_t>(command.rows), total) + "\n");
  print_text(facts_text(
      {{"step", fmt::format("{} mean of {}, median {}", duration_text(total), command.steps,
                            duration_text(median))},
       {"launches", fmt::format("{} in a step", step.last_launches().size())},
       {"arithmetic", fmt::format("{}FLOP, {}FLOP/s", scaled_text(flops) + " ",
                                  scaled_text(flops / total) + " ")},
       {"bytes", fmt::format("{}B taken and given by kernels, {} between host and device",
                             scaled_text(bytes) + " ", bytes_text(kHostDeviceBytes))},
       {"roof of all kernels",
        fmt::format("{} ({:.0f}% of the step)", duration_text(roof), 100 * roof / total)},
       {"machine",
        fmt::format("{}FLOP/s in f32, {}B/s copying", scaled_text(peaks.flops_per_second) + " ",
                    scaled_text(peaks.bytes_per_second) + " ")},
       {"energy", joules ? fmt::format("{:.3g} J in a step, of the processor and its memory, "
                                       "whatever else they do",
                                       *joules)
                         : "not known: " + times.energy().reason()}}));
  if (!command.trace.empty())
    print_text(fmt::format("  {} holds the last step; ui.perfetto.dev opens it\n", command.trace));
  return 0;
}

}  // namespace

void add_profile(CLI::App& program, Action& action) {
  CLI::App* app = program.add_subcommand("profile", "where the time of a training step goes");
  const auto command = std::make_shared<ProfileCommand>();
  add_step_choice(*app, command->step);
  add_count(*app, "--steps", command->steps, 1, 1'000'000, "that are timed, after three others");
  add_count(*app, "--rows", command->rows, 1, 1'000'000, "of the table, longest first");
  add_text(*app, "--trace", command->trace, "write the last step here, for Perfetto", "FILE.json");
  add_json_option(*app, command->json);
  app->callback([command, &action] { action = [command] { return run_profile(*command); }; });
}

}  // namespace tenon::cli
