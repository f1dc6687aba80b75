#include "tenon/data/pipeline_batches.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tenon/data/equal_types.h"
#include "tenon/data/pipeline_turns.h"

namespace tenon::data {
namespace {

constexpr int kMostWorkers = 1024;

}  // namespace

struct PipelineBatches::State {
  using Clock = std::chrono::steady_clock;

  State(Pass pass, std::int64_t size, const PipelineBatchOptions& from)
      : batch_size(size),
        options(from),
        turns(std::move(pass),
              {size, from.workers, from.ahead, from.ahead_bytes, !from.buckets.has_value()}) {
    if (options.buckets) buckets.emplace(*options.buckets, batch_size);
  }

  const std::int64_t batch_size;
  const PipelineBatchOptions options;
  PipelineTurns turns;
  std::uint64_t position = 0;
  bool finished = false;  // no more batches
  Batch batch;
  std::vector<Sample> samples;  // of the batch in the making
  std::vector<std::int64_t> indices;
  std::optional<BucketSorter> buckets;
  // The first sample of the batch in the making, or, of buckets, of the pass.
  std::optional<NamedTypes> first;
  SamplePlace first_place;
  std::function<std::string()> first_origin;
  double collating = 0;   // seconds
  std::int64_t late = 0;  // batches

  // A sample of another type would be found when the batch is made, but not named.
  void compare(Turn& turn) {
    const TensorType &x = turn.sample->x.type(), &y = turn.sample->y.type();
    const bool is_padded = options.padding || buckets;
    if (!first) {
      first = NamedTypes{x, y, ""};
      first_place = turn.place;
      first_origin = std::move(turn.origin);
      return;
    }
    if (are_alike(x, y, *first, is_padded)) return;
    first->name = short_name(first_place, first_origin);
    throw UserError(fmt::format("{}: {}{}", full_name(turn.place, turn.origin),
                                type_difference(x, y, *first, is_padded),
                                is_padded ? "; padding needs equal ranks and element types"
                                          : "; padding can make extents equal"));
  }

  Batch* next() {
    if (finished) return nullptr;
    if (buckets) return next_bucket();
    first.reset();
    samples.clear();
    indices.clear();
    while (std::cmp_less(samples.size(), batch_size)) {
      std::optional<Turn> turn = turns.take(batch);
      finished = !turn.has_value();
      if (finished) break;
      position += static_cast<std::uint64_t>(std::max<std::int64_t>(turn->rows, 1));
      if (turn->error) std::rethrow_exception(turn->error);
      if (turn->rows > 0) {
        batch = *std::move(turn->batch);
        finished = turn->rows < batch_size;
        return finished && options.drop_remainder ? nullptr : &batch;
      }
      if (!turn->sample) continue;
      compare(*turn);
      indices.push_back(turn->place.index);
      samples.push_back(*std::move(turn->sample));
    }
    const bool short_batch = std::cmp_less(samples.size(), batch_size);
    if (samples.empty() || (short_batch && options.drop_remainder)) return nullptr;
    const Clock::time_point began = Clock::now();
    collate_again(samples, options.padding, batch);
    collating += std::chrono::duration<double>(Clock::now() - began).count();
    samples.clear();
    batch.indices = indices;
    return &batch;
  }

  // The samples of the next full bucket, or of one that is left at the end of the pass.
  std::optional<BucketBatch> next_full_bucket() {
    while (std::optional<Turn> turn = turns.take(batch)) {
      ++position;
      if (turn->error) std::rethrow_exception(turn->error);
      if (!turn->sample) continue;
      compare(*turn);
      std::optional<BucketBatch> full = buckets->add(*std::move(turn->sample), turn->place.index);
      if (full) return full;
    }
    if (options.drop_remainder) return std::nullopt;
    ++position;
    return buckets->flush();
  }

  Batch* next_bucket() {
    const std::optional<BucketBatch> full = next_full_bucket();
    finished = !full.has_value();
    if (finished) return nullptr;
    const std::size_t axis = buckets->axis();
    const bool pads_y = std::ranges::all_of(full->samples, [&](const Sample& sample) {
      return is_padded_alike(sample.x.shape(), sample.y.shape(), axis);
    });
    Shape least(axis + 1, 0);
    least.back() = full->bound;
    const Clock::time_point began = Clock::now();
    batch = collate_to(full->samples, options.padding.value_or(Padding{}), least,
                       pads_y ? least : Shape());
    collating += std::chrono::duration<double>(Clock::now() - began).count();
    batch.indices = full->indices;
    return &batch;
  }

  // Passes over what comes before options.position.
  void skip_to_position() {
    if (buckets) {
      while (position < options.position && next_full_bucket()) {
      }
      require(position == options.position,
              "batches: position {}, but no batch of the pass ends there", options.position);
      return;
    }
    position = turns.skip(options.position);
    require(position == options.position, "batches: position {}, but the pass has {} samples",
            options.position, position);
  }
};

PipelineBatches::PipelineBatches(const Pipeline& pipeline, std::int64_t batch_size,
                                 const PipelineBatchOptions& options) {
  require(batch_size >= 1, "a batch size of {}; at least 1 is needed", batch_size);
  require(options.workers >= 0 && options.workers <= kMostWorkers,
          "batches: {} workers; 0 to {} are possible", options.workers, kMostWorkers);
  require(options.ahead >= 1 && options.ahead <= kMostWorkers,
          "batches: {} ahead; 1 to {} are possible", options.ahead, kMostWorkers);
  state_ = std::make_unique<State>(pipeline.open(options.epoch), batch_size, options);
  if (!options.buckets) state_->skip_to_position();
  state_->turns.start();
  if (options.buckets) state_->skip_to_position();  // the workers make what is passed over
}

PipelineBatches::~PipelineBatches() = default;
PipelineBatches::PipelineBatches(PipelineBatches&& other) noexcept = default;
PipelineBatches& PipelineBatches::operator=(PipelineBatches&& other) noexcept = default;

Batch* PipelineBatches::next() {
  const std::int64_t waits = state_->turns.waits();
  try {
    Batch* const batch = state_->next();
    if (batch != nullptr && state_->turns.waits() > waits) ++state_->late;
    return batch;
  } catch (...) {
    state_->finished = true;
    state_->turns.stop();
    throw;
  }
}

std::uint64_t PipelineBatches::position() const { return state_->position; }

std::string PipelineBatches::first_name() const {
  require(!state_->batch.indices.empty(), "batches: none was given");
  if (state_->first && !state_->buckets)
    return full_name(state_->first_place, state_->first_origin);
  return full_name({state_->options.epoch, state_->batch.indices.front()}, {});
}

double PipelineBatches::seconds_waited() const {
  return state_->turns.seconds_waited() + state_->collating;
}

std::int64_t PipelineBatches::late_batches() const { return state_->late; }

}  // namespace tenon::data
