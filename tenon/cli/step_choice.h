// Which training step a command looks at: that of a run, or of a model on some data or on none.
#pragma once
#include "tenon/cli/data_options.h"
#include "tenon/cli/model_options.h"
#include "tenon/train/trainer.h"

namespace tenon::cli {

struct StepChoice {
  std::string run;
  ModelOptions model;
  DataOptions data;
  DeviceOptions device;
  std::vector<std::int64_t> input_shape{28, 28};
  std::int64_t classes = 10;
  std::int64_t batch_size = 128;  // open_step sets that of the run, unless one is given
  std::string dtype = "f32", recompute = "none";
  std::vector<std::string> skip;
  bool has_input_shape = false, has_classes = false, has_batch_size = false;
};

// RUN, --model and what goes with it, --data, --input-shape, --classes, --batch-size, --dtype,
// --recompute, --skip, --device, --threads.
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
