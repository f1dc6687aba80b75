// Opening the run folder that a command is given, with the weights that --weights names.
#pragma once
#include <string>

#include "tenon/cli/data_options.h"
#include "tenon/train/trainer.h"

namespace tenon::cli {

void add_weights_option(CLI::App& app, std::string& weights);

// `weights`: "model" or empty for those of the run, "best", "averages", or a .safetensors file; the
// scaling and all else is the run's. OptionError if the run has no such file.
Trainer open_run(const std::string& run, const std::string& weights, const DeviceOptions& device);

}  // namespace tenon::cli
