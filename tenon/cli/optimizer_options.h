// The options of an optimizer and its schedule, which their tables give: a hyperparameter beta1 is
// --beta1, a number `steps` of a schedule is --schedule-steps.
#pragma once
#include <map>
#include <string>

#include "tenon/cli/options.h"
#include "tenon/optim/optimizer.h"
#include "tenon/optim/schedule.h"

namespace tenon::cli {

struct OptimizerOptions {
  std::string optimizer = "adam";
  std::string schedule = "constant";
  std::int64_t warmup_steps = 0;
  // What was given, as it was written, by the name of a field; "true" for switches.
  std::map<std::string, std::string, std::less<>> hyperparameters, schedule_fields;
  optim::UpdateOptions
      update;  // what is no single number: rates and constraints by name, lookahead
};

void add_optimizer_options(CLI::App& app, OptimizerOptions& options);
// OptionError for an option that the chosen optimizer lacks, or a number that is out of its range
// or lost in the element type of the weights.
optim::Optimizer make_optimizer(const OptimizerOptions& options, DType dtype);
// Schedules of a length take `steps`, those of the whole training, if none are given.
optim::Schedule make_schedule(const OptimizerOptions& options, std::int64_t steps);

}  // namespace tenon::cli
