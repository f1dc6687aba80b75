// tenon profile
#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "tenon/backends/cpu/peaks.h"
#include "tenon/base/environment.h"
#include "tenon/base/text.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/output.h"
#include "tenon/cli/step_choice.h"
#include "tenon/cli/text.h"
#include "tenon/io/file.h"

namespace tenon::cli {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kWarmUp = 3;  // steps

struct ProfileCommand {
  StepChoice step;
  std::int64_t steps = 20;
  std::int64_t rows = 20;
  std::string trace;
  bool json = false;
};

// All launches of one kernel on values of one name.
struct Row {
  const backends::LaunchInfo* info = nullptr;
  double seconds = 0;  // in a step
  double calls = 0;
  double roof = 0;  // least seconds that flops and bytes allow
};

// Watches a fit; its first steps, which meet cold caches, do not count.
class LaunchTimes final : public Callback {
 public:
  LaunchTimes(std::int64_t batch_size, std::int64_t warm_up)
      : batch_size_(batch_size), warm_up_(warm_up) {}

  void on_compiled(Trainer& trainer) override {
    step_ = &trainer.compiled_step(batch_size_);
    require(!step_->launches().empty(), "device {} has no kernels to take the time of",
            trainer.session().device());
  }
  bool on_step_end(Trainer&, const StepInfo&) override {
    ++done_;
    if (done_ == warm_up_)
      before_.assign(step_->launch_times().begin(), step_->launch_times().end());
    if (done_ > warm_up_) seconds_.push_back(step_->last_launches().back().end);
    return true;
  }

  std::int64_t warm_up() const { return warm_up_; }
  const CompiledStep& step() const { return *step_; }
  // Of every launch, when the counted steps began.
  const std::vector<backends::LaunchTime>& before() const { return before_; }
  double median_seconds() {
    const auto middle = seconds_.begin() + std::ssize(seconds_) / 2;
    std::ranges::nth_element(seconds_, middle);
    return *middle;
  }

 private:
  std::int64_t batch_size_, warm_up_, done_ = 0;
  const CompiledStep* step_ = nullptr;
  std::vector<backends::LaunchTime> before_;
  std::vector<double> seconds_;
};

// `before`: the times when the counted steps began.
std::vector<Row> rows_of(const CompiledStep& step, const std::vector<backends::LaunchTime>& before,
                         double steps, const backends::Peaks& peaks) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < step.launches().size(); ++i) {
    const backends::LaunchInfo& info = step.launches()[i];
    const backends::LaunchTime& time = step.launch_times()[i];
    Row row{&info, (time.seconds - before[i].seconds) / steps,
            static_cast<double>(time.calls - before[i].calls) / steps, 0};
    row.roof = row.calls *
               std::max(info.flops / peaks.flops_per_second, info.bytes / peaks.bytes_per_second);
    rows.push_back(row);
  }
  std::ranges::stable_sort(rows, std::greater(), &Row::seconds);
  return rows;
}

// At most so many characters, the rest as dots.
std::string cut(const std::string& text, std::size_t length) {
  if (text.size() <= length) return text;
  return text.substr(0, length - 3) + "...";
}

std::string table_text(const std::vector<Row>& rows, std::size_t shown, double total) {
  std::string text = fmt::format("{:>10} {:>6} {:>6} {:>9} {:>9} {:>6}  {}\n", "time", "part",
                                 "calls", "GFLOP/s", "GB/s", "roof", "kernel: what it makes");
  for (std::size_t i = 0; i < std::min(shown, rows.size()); ++i) {
    const Row& row = rows[i];
    const double seconds = std::max(row.seconds, 1e-12);
    text += fmt::format("{:>10} {:>5.1f}% {:>6.0f} {:>9.1f} {:>9.1f} {:>5.0f}%  {}: {}\n",
                        duration_text(row.seconds), 100 * row.seconds / total, row.calls,
                        row.calls * row.info->flops / seconds * 1e-9,
                        row.calls * row.info->bytes / seconds * 1e-9, 100 * row.roof / seconds,
                        row.info->kernel, cut(row.info->writes, 60));
  }
  if (rows.size() > shown) {
    double rest = 0;
    for (std::size_t i = shown; i < rows.size(); ++i) rest += rows[i].seconds;
    text += fmt::format("{:>10} {:>5.1f}%  {} more; --rows {} shows them\n", duration_text(rest),
                        100 * rest / total, rows.size() - shown, rows.size());
  }
  return text;
}

// The last step as Chrome's trace events ("Trace Event Format"), which Perfetto opens.
void write_trace(const std::string& file, const CompiledStep& step) {
  Json events = Json::array();
  for (const backends::LaunchEvent& event : step.last_launches()) {
    const backends::LaunchInfo& info = step.launches()[event.launch];
    events.push_back({{"name", info.writes},
                      {"cat", info.kernel},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", event.begin * 1e6},
                      {"dur", (event.end - event.begin) * 1e6},
                      {"args",
                       {{"kernel", info.kernel},
                        {"reads", info.reads},
                        {"flops", info.flops},
                        {"bytes", info.bytes},
                        {"parallel", info.is_parallel}}}});
  }
  io::write_file_atomically(
      file, Json{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}}.dump(
                -1, ' ', false, Json::error_handler_t::replace));
}

int run_profile(ProfileCommand command) {
  OpenedStep opened = open_step(command.step, {.profile = true});
  Trainer& trainer = opened.trainer;
  const std::int64_t batch_size = command.step.batch_size;
  require(opened.dataset.size() >= batch_size,
          "{} has {} samples, fewer than a batch of {}; say less by --batch-size",
          opened.dataset.name(), opened.dataset.size(), batch_size);
  LaunchTimes times(batch_size, std::min(command.steps, kWarmUp));
  const std::int64_t steps_in_epoch = opened.dataset.size() / batch_size;
  const std::int64_t steps = times.warm_up() + command.steps;
  FitOptions options;
  options.epochs = 1 + (steps - 1) / steps_in_epoch;
  options.batch_size = batch_size;
  options.max_steps = steps;
  options.steps_per_epoch = steps_in_epoch;
  options.callbacks = {&times};
  trainer.fit(opened.dataset, options);
  const CompiledStep& step = times.step();
  const backends::Peaks peaks = backends::measure_peaks(
      static_cast<int>(command.step.device.threads), environment::cache_folder());
  const std::vector<Row> rows =
      rows_of(step, times.before(), static_cast<double>(command.steps), peaks);
  const double total = std::accumulate(
      rows.begin(), rows.end(), 0.0, [](double sum, const Row& row) { return sum + row.seconds; });
  const double median = times.median_seconds();
  double flops = 0, roof = 0;
  for (const Row& row : rows) {
    flops += row.calls * row.info->flops;
    roof += row.roof;
  }
  if (!command.trace.empty()) write_trace(command.trace, step);
  if (command.json) {
    Json kernels = Json::array();
    for (const Row& row : rows)
      kernels.push_back({{"kernel", row.info->kernel},
                         {"reads", row.info->reads},
                         {"writes", row.info->writes},
                         {"calls", row.calls},
                         {"seconds", row.seconds},
                         {"flops", row.calls * row.info->flops},
                         {"bytes", row.calls * row.info->bytes},
                         {"roof_seconds", row.roof},
                         {"parallel", row.info->is_parallel}});
    print_json({{"command", "profile"},
                {"batch_size", batch_size},
                {"steps", command.steps},
                {"seconds_per_step", total},
                {"median_seconds_per_step", median},
                {"flops", flops},
                {"roof_seconds", roof},
                {"peak_flops_per_second", peaks.flops_per_second},
                {"peak_bytes_per_second", peaks.bytes_per_second},
                {"kernels", std::move(kernels)}});
    return 0;
  }
  print_text(table_text(rows, static_cast<std::size_t>(command.rows), total) + "\n");
  print_text(facts_text(
      {{"step", fmt::format("{} mean of {}, median {}", duration_text(total), command.steps,
                            duration_text(median))},
       {"launches", fmt::format("{} in a step", step.last_launches().size())},
       {"arithmetic", fmt::format("{}FLOP, {}FLOP/s", scaled_text(flops) + " ",
                                  scaled_text(flops / total) + " ")},
       {"roof of all kernels",
        fmt::format("{} ({:.0f}% of the step)", duration_text(roof), 100 * roof / total)},
       {"machine",
        fmt::format("{}FLOP/s in f32, {}B/s copying", scaled_text(peaks.flops_per_second) + " ",
                    scaled_text(peaks.bytes_per_second) + " ")}}));
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
