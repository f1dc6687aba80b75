#include "tenon/cli/open_run.h"

#include "tenon/base/text.h"
#include "tenon/cli/output.h"
#include "tenon/io/file.h"
#include "tenon/train/checkpoint.h"

namespace tenon::cli {
namespace {

// The file of weights, or empty for the model's own.
std::string weights_file(const std::string& run, const std::string& weights) {
  if (weights.empty() || weights == "model") return "";
  const RunFiles files{run};
  const bool is_best = weights == "best";
  if (is_best || weights == "averages") {
    const std::filesystem::path file = is_best ? files.best() : files.averages();
    if (!io::file_exists(file))
      refuse_option("--weights", "{} is missing; tenon train writes it with {}", file.string(),
                    is_best ? "--keep-best or --restore-best" : "--average-decay");
    return file.string();
  }
  if (!weights.ends_with(".safetensors"))
    refuse_option("--weights", "model, best, averages or a .safetensors file expected, got {}",
                  in_quotes(weights));
  return weights;
}

}  // namespace

void add_weights_option(CLI::App& app, std::string& weights) {
  add_text(app, "--weights", weights,
           "model (those of the run), best, averages, or a .safetensors file with weights of it",
           "WEIGHTS");
}

Trainer open_run(const std::string& run, const std::string& weights, const DeviceOptions& device) {
  Trainer trainer = load(
      run,
      {.device = device.device, .threads = static_cast<int>(device.threads), .log = print_note});
  const std::string file = weights_file(run, weights);
  if (!file.empty()) trainer.load_weights(file);
  return trainer;
}

}  // namespace tenon::cli
