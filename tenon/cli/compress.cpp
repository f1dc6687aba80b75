// tenon compress
#include <nlohmann/json.hpp>

#include "tenon/cli/commands.h"
#include "tenon/cli/open_data.h"
#include "tenon/cli/output.h"
#include "tenon/cli/progress.h"
#include "tenon/cli/text.h"
#include "tenon/cli/train_report.h"
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
  bool json = false;
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
  if (holds_run_files(RunFiles{command.out}))
    refuse_option("--out", "{} holds a run already; choose another folder", command.out);
}

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
               PruneOptions options) {
  if (command.epochs == 0) {
    prune(trainer, options);
    return;
  }
  constexpr std::int64_t kPrunings = 20;
  const std::int64_t kept = trainer.training().batch_size;
  const std::int64_t batch = kept > 0 ? kept : 32;
  const std::int64_t steps = command.epochs * ((train.size() + batch - 1) / batch);
  options.begin_step = trainer.steps_done();
  options.end_step = options.begin_step + std::max<std::int64_t>(1, steps * 2 / 3);
  options.every = std::max<std::int64_t>(1, (options.end_step - options.begin_step) / kPrunings);
  MagnitudePruning pruning(options);
  Progress progress;
  FitOptions fit{.epochs = command.epochs, .batch_size = batch};
  fit.callbacks = {&pruning, &progress};
  trainer.fit(train, fit);
}

Compressed compress(const CompressCommand& command) {
  PruneOptions prune_options;
  prune_options.is_global = command.is_global;
  if (!command.prune.empty()) prune_options.sparsity = parse_sparsity(command.prune);
  QuantizeOptions quantize_options;
  quantize_options.samples = command.samples;
  quantize_options.percentile = parse_percentile(command.percentile);

  const LoadOptions load_options{.device = command.device.device,
                                 .threads = static_cast<int>(command.device.threads)};
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

  Compressed result;
  Compression& compression = result.compression;
  compression.before = trainer.evaluate(test);
  compression.bytes_before = weight_bytes(trainer);
  const bool is_pruned = !command.prune.empty();
  if (is_pruned) {
    prune_run(trainer, command, opened.train, prune_options);
    result.sparsity = sparsity_of(trainer, pruned_weights(trainer, prune_options));
  }
  if (!command.quantize.empty())
    result.layers = quantize(trainer, opened.train, command.out, quantize_options);
  else
    trainer.save(command.out);
  // What counts is what the folder holds.
  Trainer after = load(command.out, load_options);
  compression.after = after.evaluate(test);
  const std::string sparse = (std::filesystem::path(command.out) / "sparse.safetensors").string();
  compression.bytes_after = is_pruned ? write_sparse_weights(sparse, after) : weight_bytes(after);
  result.files = run_files(command.out);
  if (is_pruned) result.files.push_back(sparse);
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
  const Compressed result = compress(command);
  if (!command.json) {
    print_compressed(result);
    return 0;
  }
  const Compression& compression = result.compression;
  print_json({{"command", "compress"},
              {"run", command.run},
              {"out", command.out},
              {"before", evaluation_json(compression.before)},
              {"after", evaluation_json(compression.after)},
              {"bytes_before", compression.bytes_before},
              {"bytes_after", compression.bytes_after},
              {"sparsity", result.sparsity ? nlohmann::json(*result.sparsity) : nlohmann::json()},
              {"quantized", result.layers.quantized},
              {"kept", result.layers.kept},
              {"files", result.files}});
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
  add_device_options(*app, command->device);
  add_json_option(*app, command->json);
  app->callback([command, &action] { action = [command] { return run_compress(*command); }; });
}

}  // namespace tenon::cli
