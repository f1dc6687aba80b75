// Which training step a command looks at: that of a run, or of a model on some data or on none.
#pragma once
#include "tenon/cli/train_options.h"
#include "tenon/train/trainer.h"

namespace tenon::cli {

struct StepChoice {
  std::string run;
  TrainCommand train;  // what its options say of a step; open_step sets the batch size of the run
  std::vector<std::int64_t> input_shape{28, 28};
  std::vector<std::string> skip;
  bool has_input_shape = false;
  const CLI::App* app = nullptr;            // whose options these are
  std::vector<std::string> run_knows = {};  // options that a run has an answer to
};

// RUN, --input-shape, --skip and all options of a step of `tenon train`. `app` outlives the choice.
void add_step_choice(CLI::App& app, StepChoice& choice);

struct StepDetails {
  bool keep_texts = false, profile = false;
};
struct OpenedStep {
  Trainer trainer;
  data::Dataset dataset;  // that of --data, else one batch of random samples
};
// OptionError for options that contradict each other, UserError for files.
OpenedStep open_step(StepChoice& choice, const StepDetails& details);

}  // namespace tenon::cli
