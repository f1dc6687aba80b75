// The options of `tenon train`, and the parts of a training that they choose.
#pragma once
#include "tenon/cli/distill_options.h"
#include "tenon/cli/loop_options.h"
#include "tenon/cli/loss_options.h"
#include "tenon/cli/model_options.h"
#include "tenon/cli/open_data.h"
#include "tenon/cli/optimizer_options.h"

namespace tenon::cli {

struct TrainCommand {
  ModelOptions model;
  DataOptions data;
  DeviceOptions device;
  std::int64_t epochs = 5;
  std::int64_t batch_size = 128;
  std::uint64_t seed = 0;
  std::int64_t log_every = 0;
  std::int64_t max_steps = 0;
  std::int64_t checkpoint_every = 0;
  OptimizerOptions optimizer;
  LossOptions loss_options;
  LoopOptions loop;
  DistillOptions distill;
  std::string loss, metrics, validation, normalize, dtype = "f32";
  std::string out, initial;
  std::string weights_map;                        // of --initial
  std::vector<std::string> skip_weights, freeze;  // patterns
  bool no_shuffle = false, resume = false, overwrite = false, json = false;
  std::string program;  // as it was called
};

// Those that say what a training step is, and on which data: all that other commands with steps
// have in common with `tenon train`.
// `need`: of model and data.
void add_step_options(CLI::App& app, TrainCommand& command, Need need = Need::required);
void add_train_options(CLI::App& app, TrainCommand& command);
// OptionError for options that exclude or lack each other; reads nothing.
void check_train_options(const TrainCommand& command);
// The same of the options of a step alone.
void check_step_options(const TrainCommand& command);

// The loss asked for, or the one of the data's labels. OptionError if it does not take them.
nn::Loss choose_loss(const TrainCommand& command, const data::Source& train);
// Names of metrics. OptionError for one that says nothing about such labels or such a loss.
std::vector<std::string> choose_metrics(const TrainCommand& command, const data::Source& train,
                                        const nn::Loss& loss);

}  // namespace tenon::cli
