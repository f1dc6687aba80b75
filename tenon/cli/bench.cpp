// tenon bench
#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>

#include <nlohmann/json.hpp>

#include "tenon/base/environment.h"
#include "tenon/base/text.h"
#include "tenon/cli/bench_batches.h"
#include "tenon/cli/block_times.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/make_trainer.h"
#include "tenon/cli/output.h"
#include "tenon/cli/process_usage.h"
#include "tenon/cli/progress.h"
#include "tenon/cli/text.h"
#include "tenon/cli/train_data.h"
#include "tenon/version.h"

namespace tenon::cli {
namespace {

using BenchJson = nlohmann::json;
using BenchClock = std::chrono::steady_clock;

constexpr std::int64_t kMemoryStep = 100;  // at which memory is measured

struct BenchCommand {
  TrainCommand train;  // what its options say of a step
  std::vector<std::int64_t> losses_at{1, 10};
  bool has_losses_at = false, forward_only = false, json = false;
  double seconds = 5;
  std::int64_t steps_per_call = 1;
};

struct BenchResult {
  std::vector<std::pair<std::int64_t, double>> losses;
  double data_seconds = 0, first_step_seconds = 0, compile_seconds = 0;
  BlockTimes times;
  std::int64_t predicted_bytes = 0, compile_memory_bytes = 0, memory_step = 0,
               process_peak_bytes = 0, compiler_peak_bytes = 0;
  std::optional<std::int64_t> measured_bytes;
};

double seconds_between(BenchClock::time_point begin, BenchClock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

std::vector<std::int64_t> parse_losses_at(const std::string& text) {
  constexpr std::string_view kOption = "--losses-at";
  constexpr std::int64_t kMostSteps = 1'000'000'000;
  std::vector<std::int64_t> steps;
  for (const std::string_view part : split(text, ',')) {
    const std::int64_t step = parse_count(kOption, std::string(part), 1, kMostSteps);
    if (!steps.empty() && step <= steps.back())
      refuse_option(kOption, "steps in rising order expected, got {} after {}", step, steps.back());
    steps.push_back(step);
  }
  return steps;
}

data::Dataset open_bench_data(TrainCommand& command) {
  if (command.data.data.starts_with("stream:"))
    refuse_option("--data", "{} comes once; data that is held in memory is timed",
                  command.data.data);
  command.model = with_sound_rate(command.model, command.data.data);
  return open_train_data(command).shown;
}

Trainer make_bench_trainer(const TrainCommand& command, const data::Dataset& dataset,
                           std::int64_t steps_in_pass) {
  TrainerOptions options = trainer_options(command, choose_loss(command, dataset), steps_in_pass);
  options.log = print_note;
  return make_step_trainer(command, dataset, std::move(options));
}

// Training steps, each one call with the host memory of its own batch.
RunSteps training_steps(Trainer& trainer, BenchBatches& batches) {
  return [&](std::int64_t first, std::int64_t count) {
    double loss = 0;
    for (std::int64_t step = first; step < first + count; ++step)
      loss = trainer.step(batches.at(step));
    return loss;
  };
}

// Training steps on data that lies on the device, up to `at_once` in one call.
RunSteps resident_steps(Trainer& trainer, const data::Dataset& dataset, BenchBatches& batches,
                        std::int64_t batch_size, std::int64_t at_once) {
  return [&trainer, &dataset, &batches, batch_size, at_once, indices = std::vector<std::int64_t>()](
             std::int64_t first, std::int64_t count) mutable {
    double loss = 0;
    for (const std::int64_t end = first + count; first < end;) {
      indices.clear();
      for (const std::int64_t last = std::min(end, first + at_once); first < last; ++first) {
        const std::vector<std::int64_t>& batch = batches.at(first).indices;
        indices.insert(indices.end(), batch.begin(), batch.end());
      }
      loss = trainer.steps(dataset, batch_size, indices);
    }
    return loss;
  };
}

// Predictions of a batch, from raw rows in host memory to outputs there.
class ForwardSteps {
 public:
  ForwardSteps(Trainer& trainer, const BenchBatches& batches, std::int64_t batch_size)
      : step_(trainer.compiled_prediction(batch_size)),
        backend_(trainer.session().backend()),
        x_(backend_.allocate({step_.input_type(0), {}})),
        output_(step_.fetch_type(0)),
        output_span_(output_) {
    results_.push_back(backend_.allocate({step_.fetch_type(0), {}}));
    for (const data::Batch& batch : batches.kept()) rows_.emplace_back(batch.x);
  }
  ForwardSteps(const ForwardSteps&) = delete;
  ForwardSteps& operator=(const ForwardSteps&) = delete;
  double operator()(std::int64_t first, std::int64_t count) {
    for (std::int64_t step = first; step < first + count; ++step) {
      backend_.lend(x_, rows_[static_cast<std::size_t>(step) % rows_.size()]).wait();
      step_.run(inputs_, results_);
      backend_.read(results_[0], output_span_).wait();
    }
    return 0;
  }

 private:
  CompiledStep& step_;
  backends::Backend& backend_;
  backends::Buffer x_;
  std::array<backends::Buffer*, 1> inputs_{&x_};
  std::vector<backends::Buffer> results_;
  std::vector<HostView> rows_;
  HostTensor output_;
  HostSpan output_span_;
};

// Runs the first steps, for losses, memory and T0, then the timed ones. The first one compiles.
void measure_steps(const BenchCommand& command, const RunSteps& run, const PeakGrowth& growth,
                   const std::function<void()>& on_compiled, BenchResult& result) {
  std::vector<std::int64_t> asked;
  if (!command.forward_only) asked = command.losses_at;
  const std::int64_t last_loss = asked.empty() ? 0 : asked.back();
  std::int64_t done = 0;
  BenchClock::time_point first_end;
  double spent = 0;  // since the first step
  // Losses are there for whoever waits for them; steps for the memory alone have an end in time.
  while (done == 0 || done < last_loss || (done < kMemoryStep && spent < 4 * command.seconds)) {
    const double loss = run(done++, 1);
    const BenchClock::time_point now = BenchClock::now();
    if (done == 1) {
      first_end = now;
      on_compiled();
    }
    spent = seconds_between(first_end, now);
    if (std::ranges::binary_search(asked, done)) result.losses.emplace_back(done, loss);
  }
  result.memory_step = done;
  result.measured_bytes = growth.bytes();
  const double guess = done > 1 ? spent / static_cast<double>(done - 1) : command.seconds;
  result.times = time_blocks(run, done, command.seconds, guess);
  result.first_step_seconds = std::max(0.0, seconds_between(program_start(), first_end) -
                                                result.data_seconds - result.times.median());
}

BenchResult measure(BenchCommand& command) {
  TrainCommand& train = command.train;
  BenchResult result;
  const BenchClock::time_point began = BenchClock::now();
  const data::Dataset dataset = open_bench_data(train);
  if (dataset.size() < train.batch_size)
    refuse_option("--batch-size", "{} has {} samples, fewer than a batch of {}", dataset.name(),
                  dataset.size(), train.batch_size);
  const std::int64_t ordered =
      command.forward_only ? 0 : std::max(command.losses_at.back(), kMemoryStep);
  BenchBatches batches(dataset, train.batch_size, {!train.no_shuffle, train.seed}, ordered);
  const PeakGrowth growth;
  result.data_seconds = seconds_between(began, BenchClock::now());

  Trainer trainer = make_bench_trainer(train, dataset, batches.in_pass());
  Progress progress;
  if (command.forward_only) {
    progress.begin_compiling("prediction");
    ForwardSteps steps(trainer, batches, train.batch_size);
    const CompiledStep& step = trainer.compiled_prediction(train.batch_size);
    measure_steps(
        command, std::ref(steps), growth,
        [&] { progress.end_compiling(step.report(), step.memory(), "prediction"); }, result);
    result.predicted_bytes = step.memory().total() + step.report().code_bytes;
    result.compile_memory_bytes = step.report().memory_bytes;
    result.compile_seconds = step.report().seconds;
  } else {
    progress.begin_compiling();
    measure_steps(
        command,
        command.steps_per_call == 1
            ? training_steps(trainer, batches)
            : resident_steps(trainer, dataset, batches, train.batch_size, command.steps_per_call),
        growth, [&] { progress.on_compiled(trainer); }, result);
    result.predicted_bytes = trainer.cost().peak_bytes();
    result.compile_memory_bytes = trainer.cost().compile_memory_bytes;
    result.compile_seconds = trainer.cost().compile_seconds;
  }
  result.process_peak_bytes = std::max(growth.earlier_peak_bytes(), process_peak_bytes());
  result.compiler_peak_bytes = children_peak_bytes();
  return result;
}

BenchJson bench_json(const BenchCommand& command, const BenchResult& result) {
  BenchJson losses = BenchJson::object();
  for (const auto& [step, loss] : result.losses) losses[fmt::format("{}", step)] = loss;
  const auto or_null = [](const std::optional<std::int64_t>& value) {
    return value ? BenchJson(*value) : BenchJson();
  };
  return {{"command", "bench"},
          {"mode", command.forward_only ? "forward" : "train"},
          {"model", model_text(command.train.model)},
          {"data", command.train.data.data},
          {"batch_size", command.train.batch_size},
          {"steps_per_call", command.steps_per_call},
          {"device", command.train.device.device},
          {"threads", environment::thread_count(static_cast<int>(command.train.device.threads))},
          {"version", TENON_VERSION},
          {"steps", result.times.steps},
          {"blocks", result.times.seconds_per_step.size()},
          {"seconds_per_step",
           {{"minimum", result.times.minimum()}, {"median", result.times.median()}}},
          {"losses", std::move(losses)},
          {"first_step_seconds", result.first_step_seconds},
          {"data_seconds", result.data_seconds},
          {"compile_seconds", result.compile_seconds},
          {"memory",
           {{"predicted_bytes", result.predicted_bytes},
            {"compile_memory_bytes", result.compile_memory_bytes},
            {"measured_bytes", or_null(result.measured_bytes)},
            {"at_step", result.memory_step},
            {"process_peak_bytes", result.process_peak_bytes},
            {"compiler_peak_bytes", result.compiler_peak_bytes}}}};
}

std::string bench_text(const BenchCommand& command, const BenchResult& result) {
  const double fastest = result.times.minimum();
  Facts facts = {
      {command.forward_only ? "prediction" : "step",
       fmt::format("{} at least, median {}, of {} blocks with {} in all", duration_text(fastest),
                   duration_text(result.times.median()), result.times.seconds_per_step.size(),
                   grouped_text(result.times.steps))},
      {"samples per second",
       grouped_text(static_cast<std::int64_t>(std::min(
           static_cast<double>(command.train.batch_size) / result.times.median(), 1e15)))}};
  for (const auto& [step, loss] : result.losses)
    facts.emplace_back(fmt::format("loss of step {}", step), fmt::format("{:.7g}", loss));
  facts.emplace_back(
      "time to first",
      fmt::format("{} from the start of the program, without {} for the data and "
                  "one of the above (of which compiling {})",
                  duration_text(result.first_step_seconds), duration_text(result.data_seconds),
                  duration_text(result.compile_seconds)));
  facts.emplace_back("memory predicted", bytes_text(result.predicted_bytes));
  facts.emplace_back("memory measured",
                     result.measured_bytes
                         ? fmt::format("{} more than with the data, up to step {}",
                                       bytes_text(*result.measured_bytes), result.memory_step)
                         : "the system does not tell");
  facts.emplace_back("peak of the process", bytes_text(result.process_peak_bytes));
  facts.emplace_back("peak of a compiler",
                     result.compiler_peak_bytes == 0
                         ? "none ran"
                         : "at most " + bytes_text(result.compiler_peak_bytes));
  return facts_text(facts);
}

int run_bench(BenchCommand command) {
  if (command.forward_only && command.has_losses_at)
    refuse_option("--losses-at", "excludes --forward-only: predictions have no losses");
  if (command.forward_only && command.steps_per_call > 1)
    refuse_option("--steps-per-call", "excludes --forward-only: each prediction is a call");
  if (command.forward_only && command.train.loop.memory_limit > 0)
    refuse_option("--memory-limit", "excludes --forward-only: it limits what training takes");
  check_train_options(command.train);
  command.train.validation = "none";
  const BenchResult result = measure(command);
  if (command.json)
    print_json(bench_json(command, result));
  else
    print_text(bench_text(command, result));
  return 0;
}

double parse_seconds(const std::string& text) {
  constexpr double kMostSeconds = 1e6;
  const double seconds = parse_number("--seconds", text);
  if (!(seconds > 0 && seconds <= kMostSeconds))
    refuse_option("--seconds", "a number above 0, at most {}, expected, got {}", kMostSeconds,
                  in_quotes(text));
  return seconds;
}

}  // namespace

void add_bench(CLI::App& program, Action& action) {
  CLI::App* app = program.add_subcommand("bench", "times the steps of one configuration");
  const auto command = std::make_shared<BenchCommand>();
  add_step_options(*app, command->train);
  BenchCommand& options = *command;
  app->add_option_function<std::string>(
         "--losses-at",
         [&options](const std::string& text) {
           options.losses_at = parse_losses_at(text);
           options.has_losses_at = true;
         },
         "steps whose losses are shown, from 1, before the timed ones (1,10)")
      ->type_name("N,N,...");
  app->add_option_function<std::string>(
         "--seconds",
         [&options](const std::string& text) { options.seconds = parse_seconds(text); },
         "that the timed steps take together (5)")
      ->type_name("SECONDS");
  add_count(*app, "--steps-per-call", command->steps_per_call, 1, 1 << 20,
            "1: each with a batch handed over; more: on data that the device holds");
  app->add_flag("--forward-only", command->forward_only,
                "time predictions of a batch, not training steps");
  add_json_option(*app, command->json);
  app->callback([command, &action] { action = [command] { return run_bench(*command); }; });
}

}  // namespace tenon::cli
