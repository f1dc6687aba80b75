// Batches of a pipeline: made ahead by workers, in an order that their number does not change.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "tenon/data/batches.h"
#include "tenon/data/bucket.h"
#include "tenon/data/pipeline.h"

namespace tenon::data {

// What fills the ends of samples that are smaller than the largest of their batch.
struct Padding {
  double x = 0;
  double y = 0;
};

struct PipelineBatchOptions {
  bool drop_remainder = false;
  // Samples of a batch may differ in extents (not in rank); each axis is padded at its end to the
  // batch's longest. Without it, unequal samples are a UserError.
  std::optional<Padding> padding = {};
  // Batches by length; padded, by zeros if `padding` is empty. Going on from a position makes the
  // samples before it again, as their lengths decide what is pending there.
  std::optional<Buckets> buckets = {};
  int workers = 0;  // threads that make samples; 0: the thread that asks for the batch
  int ahead = 2;    // batches that may be made or in the making before they are asked for
  // Of what is ahead: fewer batches are made if they take more, but never fewer than two.
  std::uint64_t ahead_bytes = std::uint64_t{1} << 26;
  std::uint64_t epoch = 0;
  // Where to go on: position() of an earlier run over the same pipeline and epoch. The samples
  // before it are passed over, not made, but for what stages such as filter must make.
  std::uint64_t position = 0;
};

// The batches of one pass, for one consumer. Batch::indices are the samples' in their source.
class PipelineBatches {
 public:
  // UserError for a batch size below 1, workers outside 0 to 1024, ahead outside 1 to 1024, and
  // buckets that are none.
  PipelineBatches(const Pipeline& pipeline, std::int64_t batch_size,
                  const PipelineBatchOptions& options = {});
  ~PipelineBatches();  // at any time: what was not taken is dropped
  PipelineBatches(PipelineBatches&& other) noexcept;
  PipelineBatches& operator=(PipelineBatches&& other) noexcept;

  // The next batch, valid until the next call; null after the last. What a stage threw is thrown
  // here, with "sample I of epoch E: " before the message of a UserError, in its turn; after that
  // there are no more batches.
  Batch* next();

  // Samples of the pass up to the end of the batch given last, those left out included; buckets
  // that are emptied at the end of the pass count one more each.
  std::uint64_t position() const;

  // What the first sample of the batch given last is called in messages: its place, and what its
  // source calls it. UserError if there is no batch.
  std::string first_name() const;

  // In next(), for samples that were not made yet and for putting them into a batch.
  double seconds_waited() const;
  // Of the batches given, those that had a sample (or, of rows, were a batch) not made yet when
  // they were asked for; all of them without workers.
  std::int64_t late_batches() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One batch of equally typed samples, or of samples padded to the largest. UserError for none, for
// unequal types, and with padding for unequal ranks or element types.
Batch collate(std::span<const Sample> samples, const std::optional<Padding>& padding = {});
// The same, in the batch's memory if it is of the type.
void collate_again(std::span<const Sample> samples, const std::optional<Padding>& padding,
                   Batch& batch);
// The same with the batch's rows of x and of y padded at least to these shapes.
Batch collate_to(std::span<const Sample> samples, const Padding& padding, const Shape& x,
                 const Shape& y);

}  // namespace tenon::data
