// Samples made on demand by a chain of small stages: map, filter, shuffle, zip and the like.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "tenon/data/dataset.h"
#include "tenon/data/memory.h"

namespace tenon::data {

// Which sample a function is given: what random changes of it are to depend on, beside a seed.
struct SamplePlace {
  std::uint64_t epoch = 0;  // the pass
  std::int64_t index = 0;   // in the source
};

// How a sample is made: a function, or a row of a dataset, which needs none (whole batches of rows
// are gathered at once).
class SampleMaker {
 public:
  SampleMaker() = default;
  template <class Function>
  requires std::is_invocable_r_v < std::optional<Sample>,
  const Function& > SampleMaker(Function function) : function_(std::move(function)) {}
  SampleMaker(std::shared_ptr<const Dataset> dataset, std::int64_t row)
      : dataset_(std::move(dataset)), row_(row) {}

  std::optional<Sample> operator()() const;
  const std::shared_ptr<const Dataset>& dataset() const { return dataset_; }  // null: a function
  std::int64_t row() const { return row_; }

 private:
  std::function<std::optional<Sample>()> function_;
  std::shared_ptr<const Dataset> dataset_;
  std::int64_t row_ = 0;
};

// A sample that is not made yet. Calling `make`, by any thread, gives it, or nothing if the
// sample is left out (a bad one that is skipped).
struct LazySample {
  SamplePlace place;
  SampleMaker make;
  std::function<std::string()> origin = {};  // "a.jsonl: record 7", for messages; may be empty
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
  // Of the first hundred by epoch and index, in that order, whichever thread met them first; what
  // is wrong, without what helps.
  std::vector<std::string> messages() const;
  void add(std::string message) const;  // behind those that are there
  void add(std::string message, const SamplePlace& place) const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // copies count together
};

struct PipelineBatchOptions;
class PipelineBatches;

struct PartOptions {
  bool shuffle = false;  // the order of the parts
  std::uint64_t seed = 0;
  std::int64_t at_once = 1;
};

// A value that describes passes; each function gives another one. Stages that only choose samples
// (shuffle, take, skip, shard, repeat, interleave, zip) make none of those they pass over. What a
// pass gives, and in which order, depends on the epoch alone, never on workers or on time.
class Pipeline {
 public:
  // `open` starts the pass of an epoch.
  explicit Pipeline(std::function<Pass(std::uint64_t epoch)> open) : open_(std::move(open)) {}
  // In the dataset's order.
  static Pipeline from(Dataset dataset);
  // Samples 0 to size - 1; `make` is called by several threads at once. `origin`, if there is one,
  // says what the source calls a sample, its file mostly, for messages. UserError for a size < 0.
  static Pipeline from(std::int64_t size, std::function<Sample(std::int64_t)> make,
                       std::function<std::string(std::int64_t)> origin = {});
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
  // A sample whose x or y is of another type than that of the first sample of epoch 0 that can be
  // made raises a UserError in its turn: what batches without padding need, said where skip_bad can
  // still leave the sample out. `help` ends the message.
  Pipeline equal_types(std::string help = "") const;

  // Another order in every epoch. Holds up to `window` samples, not made yet, and gives a random
  // one of them each time; 0 holds all, and their order is then epoch_order(size, seed, epoch),
  // that of the same samples in memory.
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
  // Each pass draws `count` samples of the dataset with replacement, sample i with probability
  // weights[i] / sum, others in every epoch: weighted_draws of selection.h. UserError unless there
  // is one weight for each sample, and as that function.
  static Pipeline weighted(Dataset dataset, std::vector<double> weights, std::int64_t count,
                           std::uint64_t seed);
  // Samples of the parts in random order: the next one comes from part i with probability
  // weights[i] / (sum over the parts that have not ended). UserError for a weight that is not
  // finite and above 0, and for another number of weights than parts.
  static Pipeline mix(std::vector<Pipeline> parts, std::vector<double> weights, std::uint64_t seed);
  // The parts one after the other: parts(i) for i below `count`, in another order in every epoch
  // if `shuffle`. Up to `at_once` are open at a time and give samples in turn; a part is opened
  // when its turn comes. Samples are numbered anew, in the order they are given.
  static Pipeline parts(std::int64_t count, std::function<Pipeline(std::int64_t)> part,
                        const PartOptions& options = {});

  // Keeps the samples in memory, made once: what a pass gives in epoch 0 of this pipeline is what
  // every pass gives from then on, under the place's own index and the epoch asked for. The passes
  // of stages before this one are read only once. UserError, in the sample's turn, when the samples
  // take more than `max_bytes`.
  Pipeline cache(std::uint64_t max_bytes = std::uint64_t{1} << 32) const;
  // The same in a file (of record_stream.h), written by the first pass that finds none there, with
  // samples made by `workers`; a file that is there already is read and not checked against the
  // pipeline. Left-out samples are not kept, and samples are numbered from 0.
  Pipeline cache(const std::filesystem::path& file, int workers = 1) const;

  // As a generator in the calling thread, without what is left out.
  Generator samples(std::uint64_t epoch = 0) const;
  // Batches made by workers: see pipeline_batches.h.
  PipelineBatches batches(std::int64_t batch_size, const PipelineBatchOptions& options) const;

 private:
  Pipeline shuffle_whole(std::uint64_t seed) const;
  std::function<Pass(std::uint64_t)> open_;
};

}  // namespace tenon::data
