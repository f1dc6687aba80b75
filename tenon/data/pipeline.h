// Samples made on demand by a chain of small stages: map, filter, shuffle, zip and the like.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tenon/data/dataset.h"
#include "tenon/data/memory.h"

namespace tenon::data {

// Which sample a function is given: what random changes of it are to depend on, beside a seed.
struct SamplePlace {
  std::uint64_t epoch = 0;  // the pass
  std::int64_t index = 0;   // in the source
};

// A sample that is not made yet. Calling `make`, by any thread, gives it, or nothing if the
// sample is left out (a bad one that is skipped).
struct LazySample {
  SamplePlace place;
  std::function<std::optional<Sample>()> make;
};

// What the sample's function gives; its UserError is raised with "sample I of epoch E: " in front.
std::optional<Sample> make_sample(const LazySample& lazy);

// One pass: the next sample, nothing after the last.
using Pass = std::function<std::optional<LazySample>()>;

// Samples that were left out, and why. Counts from any number of threads.
class BadSamples {
 public:
  BadSamples();
  std::int64_t count() const;
  std::vector<std::string> messages() const;  // of the first hundred
  void add(std::string message) const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // copies count together
};

struct PipelineBatchOptions;
class PipelineBatches;

// A value that describes passes; each function gives another one. Stages that only choose samples
// (shuffle, take, skip, shard, repeat, interleave, zip) make none of those they pass over. What a
// pass gives, and in which order, depends on the epoch alone, never on workers or on time.
class Pipeline {
 public:
  // `open` starts the pass of an epoch.
  explicit Pipeline(std::function<Pass(std::uint64_t epoch)> open) : open_(std::move(open)) {}
  // In the dataset's order.
  static Pipeline from(Dataset dataset);
  // Samples 0 to size - 1; `make` is called by several threads at once. UserError for a size < 0.
  static Pipeline from(std::int64_t size, std::function<Sample(std::int64_t)> make);
  // The samples with the indices that `order` gives for the epoch (see selection.h).
  static Pipeline from(std::function<std::vector<std::int64_t>(std::uint64_t epoch)> order,
                       std::function<Sample(std::int64_t)> make);
  static Pipeline from(Dataset dataset,
                       std::function<std::vector<std::int64_t>(std::uint64_t epoch)> order);
  // What a generator gives; read one after the other, before workers get to it.
  static Pipeline from(std::function<Generator()> open);

  // The function of each sample, called by the workers, several at once.
  Pipeline map(std::function<Sample(Sample, const SamplePlace&)> function) const;
  Pipeline map(std::function<Sample(Sample)> function) const;
  // Only samples for which the function is true. They are made here, one after the other, so that
  // stages after this one count what is left: filter before an expensive map.
  Pipeline filter(std::function<bool(const Sample&)> keep) const;
  // Leaves out samples whose making raises a UserError, and counts them; without this stage the
  // error is raised in the sample's turn. Later stages that count samples count these too.
  Pipeline skip_bad(BadSamples bad) const;

  // Another order in every epoch. Holds up to `window` samples, not made yet, and gives a random
  // one of them each time; 0 holds all, and every order is then equally likely.
  Pipeline shuffle(std::uint64_t seed, std::int64_t window = 0) const;
  // The first `count` samples; all if there are fewer. UserError for a negative number.
  Pipeline take(std::int64_t count) const;
  // All but the first `count`.
  Pipeline skip(std::int64_t count) const;
  // Samples number, number + of, number + 2 of, ...: together all, each in one shard. UserError
  // unless 0 <= number < of.
  Pipeline shard(std::int64_t number, std::int64_t of) const;
  // Pass after pass, with the epochs counted on; without an end if `times` is 0.
  Pipeline repeat(std::int64_t times = 0) const;
  // Samples of each in turn until all have ended.
  static Pipeline interleave(std::vector<Pipeline> parts);
  // Pairs made one sample by `join`, until the shorter one ends. The place is the first one's.
  static Pipeline zip(Pipeline first, Pipeline second, std::function<Sample(Sample, Sample)> join);

  Pass open(std::uint64_t epoch = 0) const { return open_(epoch); }
  // As a generator in the calling thread, without what is left out.
  Generator samples(std::uint64_t epoch = 0) const;
  // Batches made by workers: see pipeline_batches.h.
  PipelineBatches batches(std::int64_t batch_size, const PipelineBatchOptions& options) const;

 private:
  std::function<Pass(std::uint64_t)> open_;
};

}  // namespace tenon::data
