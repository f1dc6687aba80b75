// Feeder: brings the batches of an epoch to the inputs of compiled steps, one after the other.
#pragma once
#include <memory>

#include "tenon/train/trainer_state.h"

namespace tenon {

struct FeederOptions {
  bool is_training = true;
  std::int64_t batch_size = 1;
  bool shuffle = false;  // of data in memory
  LoadingOptions loading;
};

// Samples in the batches of a pass over so many: full ones, and a short last one.
std::vector<std::int64_t> batch_sizes(std::int64_t samples, std::int64_t batch_size);

class Feeder {
 public:
  virtual ~Feeder() = default;
  // Steps of an epoch; 0 if the stream does not say its size.
  virtual std::int64_t steps_in_epoch() const = 0;
  // Goes on behind `steps` steps of the epoch, which took `samples` samples of the pass.
  virtual void begin_epoch(std::uint64_t epoch, std::int64_t steps, std::int64_t samples) = 0;
  // The compiled step for the next batch, its inputs written; null after the last.
  virtual ReadyStep* next() = 0;
  // Of the batch given last.
  virtual std::int64_t batch_samples() const = 0;
  // Samples of the pass up to its end, those left out included.
  virtual std::int64_t position() const = 0;
  // In this epoch, for batches that were not made yet.
  virtual double seconds_waited() const { return 0; }
  // In this epoch, batches that were not made when their step asked for them.
  virtual std::int64_t late_batches() const { return 0; }
  // The steps of a pass with batches of so many samples, as far as they are known before it: those
  // of full batches, of each bucket, and of a short last one.
  virtual std::vector<Trainer::State::StepSketch> steps_with(std::int64_t batch_size) const = 0;
  // Compiles what the epoch needs now, before the first step or after it.
  virtual const CompiledStep& prepare_first() = 0;
  virtual const CompiledStep* prepare_rest() { return nullptr; }
};

std::unique_ptr<Feeder> make_feeder(Trainer::State& state, const data::Source& source,
                                    const FeederOptions& options);

}  // namespace tenon
