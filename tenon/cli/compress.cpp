// tenon compress
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tenon/base/ceil_divide.h"
#include "tenon/base/interruption.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/open_data.h"
#include "tenon/cli/output.h"
#include "tenon/cli/progress.h"
#include "tenon/cli/signals.h"
#include "tenon/cli/text.h"
#include "tenon/cli/train_report.h"
#include "tenon/io/file.h"
#include "tenon/train/checkpoint.h"
#include "tenon/train/compression.h"
#include "tenon/train/prune.h"
#include "tenon/train/quantize.h"

namespace tenon::cli {
namespace {

struct CompressCommand {
  std::string run, out, prune, quantize;
  std::string percentile = "100";
  bool is_global = false;
  std::int64_t epochs = 0, samples = 512;
  DataOptions data;
  DeviceOptions device;
  bool overwrite = false, json = false;
};

// What was done, for the report.
struct Compressed {
  Compression compression;
  std::optional<double> sparsity;
  QuantizedLayers layers;
  std::vector<std::string> files;
};

void check_command(const CompressCommand& command) {
  if (command.run.empty()) refuse_option("RUN", "missing: the folder of a run");
  if (command.prune.empty() && command.quantize.empty())
    refuse_option("--prune", "missing: --prune 0.8, --quantize int8, or both");
  if (command.data.data.empty()) refuse_option("--data", "missing, as in --data fashion-mnist");
  if (command.out.empty()) refuse_option("--out", "missing: the folder of the smaller run");
  if (command.prune.empty() && command.epochs > 0)
    refuse_option("--epochs", "only with --prune: what is quantised is not trained");
  if (command.prune.empty() && command.is_global) refuse_option("--global", "only with --prune");
  std::error_code ignored;
  if (std::filesystem::equivalent(command.run, command.out, ignored))
    refuse_option("--out", "{} is the run that is compressed; choose another folder", command.out);
  if (!command.overwrite && holds_run_files(RunFiles{command.out}))
    refuse_option("--out",
                  "{} holds a run already; replace it by --overwrite, or choose another --out",
                  command.out);
}

std::filesystem::path sparse_file(const std::string& folder) {
  return std::filesystem::path(folder) / "sparse.safetensors";
}

// Removes what this command writes; other files stay.
void remove_compressed(const std::string& folder) {
  remove_run(RunFiles{folder});
  const std::filesystem::path sparse = sparse_file(folder);
  io::remove_temporaries(sparse);
  std::error_code ignored;
  if (std::filesystem::is_regular_file(sparse, ignored)) std::filesystem::remove(sparse, ignored);
}

// The run that is being written: removed, with a folder made for it, unless it is finished.
class UnfinishedRun {
 public:
  // In place of the run that the folder holds.
  explicit UnfinishedRun(const std::string& folder) : lock_(folder), folder_(folder) {
    remove_compressed(folder);
  }
  ~UnfinishedRun() {
    if (is_finished_) return;
    try {
      remove_compressed(folder_);
    } catch (const UserError&) {  // what stopped the command is told
    }
  }
  UnfinishedRun(const UnfinishedRun&) = delete;
  UnfinishedRun& operator=(const UnfinishedRun&) = delete;
  void finish() { is_finished_ = true; }

 private:
  RunLock lock_;
  std::string folder_;
  bool is_finished_ = false;
};

double parse_sparsity(const std::string& text) {
  const double sparsity = parse_number("--prune", text);
  if (!(sparsity > 0 && sparsity < 1))
    refuse_option("--prune", "expected a part of the weights, above 0 and below 1, got {}", text);
  return sparsity;
}

double parse_percentile(const std::string& text) {
  const double percentile = parse_number("--percentile", text);
  if (!(percentile > 50 && percentile <= 100))
    refuse_option("--percentile", "expected a number above 50 and at most 100, got {}", text);
  return percentile;
}

// At once, or while training goes on: the sparsity then rises for the first two thirds.
void prune_run(Trainer& trainer, const CompressCommand& command, const data::Dataset& train,
               PruneOptions options, const std::stop_token& stop) {
  if (command.epochs == 0) {
    prune(trainer, options);
    return;
  }
  constexpr std::int64_t kPrunings = 20;
  const std::int64_t kept = trainer.training().batch_size;
  const std::int64_t batch = kept > 0 ? kept : 32;
  const std::int64_t steps = command.epochs * ceil_divide(train.size(), batch);
  options.begin_step = trainer.steps_done();
  options.end_step = options.begin_step + std::max<std::int64_t>(1, steps * 2 / 3);
  options.every = std::max<std::int64_t>(1, (options.end_step - options.begin_step) / kPrunings);
  MagnitudePruning pruning(options);
  Progress progress;
  FitOptions fit{.epochs = command.epochs, .batch_size = batch};
  fit.callbacks = {&pruning, &progress};
  fit.stop = stop;
  trainer.fit(train, fit);
}

// Nothing, or Interrupted, if a signal stopped it.
std::optional<Compressed> compress(const CompressCommand& command) {
  PruneOptions prune_options;
  prune_options.is_global = command.is_global;
  if (!command.prune.empty()) prune_options.sparsity = parse_sparsity(command.prune);
  QuantizeOptions quantize_options;
  quantize_options.samples = command.samples;
  quantize_options.percentile = parse_percentile(command.percentile);

  const LoadOptions load_options{.device = command.device.device,
                                 .threads = static_cast<int>(command.device.threads),
                                 .log = print_note};
  Trainer trainer = load(command.run, load_options);
  if (is_quantized(trainer))
    refuse_option(command.prune.empty() ? "--quantize" : "--prune", "{} is quantised already; {}",
                  command.run,
                  command.prune.empty()
                      ? "--prune and --quantize both start from the run that it was made of"
                      : "prune before quantising: compress the run that it was made of with "
                        "--prune and --quantize together");
  data::Opened opened = open_all_for(trainer, with_tokenizer_of(command.run, command.data));
  opened.train = with_weights_of_file(opened.train, command.data);
  const data::Dataset& test = opened.test ? *opened.test : opened.train;
  const std::stop_token stop = catch_stop_signals(command.out);
  const InterruptionScope scope(stop_requested);  // of whatever is compiled

  Compressed result;
  Compression& compression = result.compression;
  compression.before = trainer.evaluate(test);
  compression.bytes_before = weight_bytes(trainer);
  const bool is_pruned = !command.prune.empty();
  if (is_pruned) {
    prune_run(trainer, command, opened.train, prune_options, stop);
    result.sparsity = sparsity_of(trainer, pruned_weights(trainer, prune_options));
  }
  if (stop_requested()) return std::nullopt;
  UnfinishedRun unfinished(command.out);
  if (!command.quantize.empty())
    result.layers = quantize(trainer, opened.train, command.out, quantize_options);
  else
    trainer.save(command.out);
  // What counts is what the folder holds.
  Trainer after = load(command.out, load_options);
  compression.after = after.evaluate(test);
  const std::string sparse = sparse_file(command.out).string();
  compression.bytes_after = is_pruned ? write_sparse_weights(sparse, after) : weight_bytes(after);
  result.files = run_files(command.out);
  if (is_pruned) result.files.push_back(sparse);
  if (stop_requested()) return std::nullopt;
  unfinished.finish();
  return result;
}

void print_compressed(const Compressed& result) {
  std::string text = to_string(result.compression);
  if (result.sparsity)
    text += fmt::format(
        "{:.1f} % of the pruned weights are zero; sparse.safetensors leaves them "
        "out\n",
        100 * *result.sparsity);
  for (const std::string& layer : result.layers.quantized)
    text += fmt::format("int8     {}\n", layer);
  for (const std::string& weight : result.layers.kept)
    text += fmt::format("as it was  {}\n", weight);
  text += "written\n";
  for (const std::string& file : result.files) text += "  " + file + "\n";
  print_text(text);
}

int run_compress(const CompressCommand& command) {
  check_command(command);
  std::optional<Compressed> result;
  try {
    result = compress(command);
  } catch (const Interrupted&) {
  }
  if (!result) {
    wait_if_ending();
    std::fputs("stopped; nothing is kept\n", stderr);
    return kExitInterrupted;
  }
  if (!command.json) {
    print_compressed(*result);
    return 0;
  }
  nlohmann::json json = {
      {"command", "compress"},
      {"run", command.run},
      {"out", command.out},
      {"sparsity", result->sparsity ? nlohmann::json(*result->sparsity) : nlohmann::json()},
      {"quantized", result->layers.quantized},
      {"kept", result->layers.kept},
      {"files", result->files}};
  json.update(compression_json(result->compression));
  print_json(json);
  return 0;
}

}  // namespace

void add_compress(CLI::App& program, Action& action) {
  CLI::App* app = program.add_subcommand("compress", "a smaller model, and what it costs");
  const auto command = std::make_shared<CompressCommand>();
  constexpr std::int64_t kMostEpochs = 1'000'000, kMostSamples = 1'000'000;
  add_text(*app, "run", command->run, help_text("the folder of a run", Need::required), "RUN");
  add_text(*app, "--prune", command->prune,
           "sets this part of the weights with two axes or more to zero, the smallest ones",
           "PART");
  app->add_flag("--global", command->is_global,
                "the smallest of all weights, not of each layer alike");
  add_count(*app, "--epochs", command->epochs, 0, kMostEpochs,
            "of training in which pruning is spread out; 0: pruned at once");
  add_choice(*app, "--quantize", command->quantize, {"int8"},
             "weights and activations of 8 bits for Dense and Conv2D layers");
  add_text(*app, "--percentile", command->percentile,
           "part of a layer's inputs that its 8 bits reach over, in percent", "NUMBER");
  add_count(*app, "--samples", command->samples, 1, kMostSamples,
            "training samples that are looked at for the range of activations");
  add_data_options(*app, command->data, Need::required);
  add_text(*app, "--out", command->out, help_text("the folder of the smaller run", Need::required),
           "FOLDER");
  app->add_flag("--overwrite", command->overwrite, "replace the run in --out");
  add_device_options(*app, command->device);
  add_json_option(*app, command->json);
  app->callback([command, &action] { action = [command] { return run_compress(*command); }; });
}

}  // namespace tenon::cli
