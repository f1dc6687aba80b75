// Makes a Trainer from the files of a run folder.
#include "tenon/io/file.h"
#include "tenon/train/checkpoint.h"
#include "tenon/train/trainer_state.h"

namespace tenon {

Trainer load(const std::string& folder, const LoadOptions& options) {
  const RunFiles files{folder};
  require(io::folder_exists(folder), "cannot load {}: there is no such folder", folder);
  require(io::file_exists(files.description()), "cannot load {}: it holds no run (no run.json)",
          folder);
  const std::string file = files.description().string();
  RunDescription description = read_description(files.description());
  TrainerOptions trainer_options;
  trainer_options.loss = nn::find_loss(description.loss);
  trainer_options.optimizer = description.optimizer;
  trainer_options.schedule = description.schedule;
  for (const std::string& metric : description.metrics)
    trainer_options.metrics.push_back(nn::find_metric(metric));
  trainer_options.device = options.device;
  trainer_options.seed = description.seed;
  trainer_options.threads = options.threads;
  trainer_options.precision = description.precision;
  trainer_options.augmentation = description.augmentation;
  trainer_options.dtype = description.dtype;
  trainer_options.normalization = description.normalization.kind;
  trainer_options.cache_folder = options.cache_folder;
  trainer_options.log = options.log;
  trainer_options.keep_texts = options.keep_texts;
  trainer_options.columns = std::move(description.columns);
  trainer_options.profile = options.profile;
  trainer_options.skip = options.skip;
  trainer_options.recompute = options.recompute;
  trainer_options.memory_limit = options.memory_limit;
  Trainer trainer(description.model, std::move(trainer_options));

  Trainer::State& state = *trainer.state_;
  state.normalization = std::move(description.normalization);
  state.x_row = description.x_row;
  state.y_row = description.y_row;
  state.class_names = std::move(description.class_names);
  state.training = std::move(description.training);
  state.last_rows = state.training.samples;
  try {
    state.define_weights();
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: the model cannot be built: {}", file, error.what()));
  }
  StoredCheckpoint stored = read_checkpoint(files);
  state.load_weights(std::move(stored.weights), files.model().string());
  if (!stored.state) return trainer;
  state.restore(*stored.state, files.state().string());
  // What was measured is worth keeping, but no reason to refuse a model.
  try {
    if (io::file_exists(files.metrics()))
      state.table =
          read_metrics_csv(files.metrics(), metric_rows(*stored.state, files.state().string()),
                           state.metric_names());
  } catch (const UserError& error) {
    if (options.log) options.log(error.what());
  }
  return trainer;
}

Trainer load(const std::string& folder, const char* device) {
  LoadOptions options;
  options.device = device;
  return load(folder, options);
}

}  // namespace tenon
