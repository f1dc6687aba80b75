// How a fit was asked to train, as run.json keeps it.
#pragma once
#include <cstdint>
#include <string>

namespace tenon {

// A run that goes on must ask for the same.
struct TrainingRecord {
  std::string data;       // the dataset's name; empty if the model was never fitted
  std::string data_hash;  // of all samples and labels; empty if it was not taken
  std::int64_t samples = 0;
  std::int64_t batch_size = 0;
  std::int64_t epochs = 0;
  bool shuffle = true;
  std::int64_t steps_per_epoch = 0;  // as asked for; 0: an epoch ends when the pass does
  // What the model's weights are if not those of the last step (FinalWeights); a run that goes on
  // does so from the last step.
  std::string weights{};
  std::string device{};  // empty: of a run that was written before this was kept
};

}  // namespace tenon
