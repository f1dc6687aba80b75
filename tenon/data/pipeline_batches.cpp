#include "tenon/data/pipeline_batches.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace tenon::data {
namespace {

constexpr int kMostWorkers = 1024;

}  // namespace

// A pass is read in turns. As long as it gives rows of one dataset, a turn is a whole batch,
// gathered at once; from the first other sample on, a turn is one sample.
struct PipelineBatches::State {
  // Rows of datasets that stand one after the other in a pass.
  struct RowRun {
    struct Piece {
      std::shared_ptr<const Dataset> dataset;
      std::size_t first = 0;  // of its rows in the run
    };
    std::vector<Piece> pieces;
    std::vector<std::int64_t> rows;
    std::vector<SamplePlace> places;

    // Adds the sample if it is a row of the same type.
    bool add(const LazySample& lazy) {
      const std::shared_ptr<const Dataset>& from = lazy.make.dataset();
      if (from == nullptr || lazy.make.row() < 0 || lazy.make.row() >= from->size()) return false;
      if (pieces.empty() || pieces.back().dataset != from) {
        if (!pieces.empty() && !fits(*pieces.back().dataset, *from)) return false;
        pieces.push_back({from, rows.size()});
      }
      rows.push_back(lazy.make.row());
      places.push_back(lazy.place);
      return true;
    }
    static bool fits(const Dataset& a, const Dataset& b) {
      const auto same = [](const Array& x, const Array& y) {
        return x.dtype() == y.dtype() && x.row_shape() == y.row_shape();
      };
      return same(a.x(), b.x()) && a.has_y() == b.has_y() && (!a.has_y() || same(a.y(), b.y()));
    }
    void clear() {
      pieces.clear();
      rows.clear();
      places.clear();
    }
    LazySample lazy(std::size_t i) const {
      std::size_t piece = 0;
      while (piece + 1 < pieces.size() && pieces[piece + 1].first <= i) ++piece;
      return {places[i], {pieces[piece].dataset, rows[i]}};
    }

    // The same batch that collate would make of the samples, without making them.
    void fill(Batch& batch) const {
      const Dataset& first = *pieces.front().dataset;
      fit(batch.x, {first.x().dtype(), first.x().row_shape()});
      if (first.has_y())
        fit(batch.y, {first.y().dtype(), first.y().row_shape()});
      else
        fit(batch.y, {DType::f32, {0}});
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        const auto [dataset, from] = pieces[i];
        const std::size_t to = i + 1 < pieces.size() ? pieces[i + 1].first : rows.size();
        const std::span piece = std::span(rows).subspan(from, to - from);
        const auto gather = [&, start = from](const Array& array, HostTensor& out) {
          array.gather(piece, out.bytes().data() + start * array.row_bytes());
        };
        gather(dataset->x(), batch.x);
        if (dataset->has_y()) gather(dataset->y(), batch.y);
      }
      batch.indices.clear();
      for (const SamplePlace& place : places) batch.indices.push_back(place.index);
    }
    // Makes the tensor hold the run's rows of this type; allocates only if it does not already.
    void fit(HostTensor& tensor, TensorType type) const {
      type.shape.insert(type.shape.begin(), static_cast<std::int64_t>(rows.size()));
      if (tensor.type() != type) tensor = HostTensor(std::move(type));
    }
  };

  // A turn that is done: a batch of rows, or a sample that was made, left out, or failed.
  struct Turn {
    std::int64_t rows = 0;  // of the batch; 0: one sample
    Batch batch;
    SamplePlace place;
    std::optional<Sample> sample;
    std::exception_ptr error;
  };

  static Turn make_now(const LazySample& lazy) {
    Turn turn;
    turn.place = lazy.place;
    try {
      turn.sample = make_sample(lazy);
    } catch (...) {
      turn.error = std::current_exception();
    }
    return turn;
  }

  static Turn gather_now(const RowRun& run, Batch batch) {
    Turn turn;
    turn.rows = static_cast<std::int64_t>(run.rows.size());
    turn.batch = std::move(batch);
    try {
      run.fill(turn.batch);
    } catch (...) {
      turn.error = std::current_exception();
    }
    return turn;
  }

  std::int64_t batch_size = 0;
  PipelineBatchOptions options;
  Pass pass;
  std::uint64_t position = 0;
  bool finished = false;  // no more batches
  Batch batch;
  std::optional<BucketSorter> buckets;

  // Shared with the workers, under the mutex. `turns` are those handed out and not taken yet, in
  // the order of the pass.
  std::mutex mutex;
  std::condition_variable work, ready;
  std::deque<std::optional<Turn>> turns;
  std::uint64_t taken = 0;    // turns that were popped
  std::int64_t held = 0;      // samples in turns
  std::int64_t capacity = 0;  // samples that may be held
  std::int64_t at_once = 1;   // samples that a worker takes while it has the mutex
  bool rows_only = true;      // so far
  std::vector<Batch> spare;   // whose memory is used again
  bool pass_ended = false, stopping = false;
  std::exception_ptr pass_error;
  std::vector<std::thread> threads;
  // Without workers: what was read of the pass and not made yet.
  std::deque<LazySample> unmade;
  RowRun run;

  ~State() { stop(); }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    work.notify_all();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }

  // The next sample of the pass; nothing at its end. The caller holds the mutex if there are
  // workers.
  std::optional<LazySample> advance() {
    if (pass_ended) return std::nullopt;
    std::optional<LazySample> lazy;
    try {
      lazy = pass();
    } catch (...) {
      pass_error = std::current_exception();
    }
    if (!lazy) pass_ended = true;
    return lazy;
  }

  // Up to a batch of rows; gives the sample that was none, after which there are no more runs.
  std::optional<LazySample> advance_run(RowRun& rows) {
    rows.clear();
    while (std::cmp_less(rows.rows.size(), batch_size)) {
      std::optional<LazySample> lazy = advance();
      if (!lazy) return std::nullopt;
      if (rows.add(*lazy)) continue;
      rows_only = false;
      return lazy;
    }
    return std::nullopt;
  }

  Batch spare_batch() {
    if (spare.empty()) return {};
    Batch one = std::move(spare.back());
    spare.pop_back();
    return one;
  }

  // What one worker does next, in the order of the pass.
  struct Job {
    std::vector<LazySample> samples;
    RowRun run;  // if there are no samples
    Batch batch;
  };

  // Reads what the job needs from the pass; nothing at its end.
  void fill_job(Job& job) {
    job.samples.clear();
    job.run.clear();
    std::optional<LazySample> lazy = rows_only ? advance_run(job.run) : advance();
    if (!lazy) {
      if (!job.run.rows.empty()) job.batch = spare_batch();
      return;
    }
    for (std::size_t i = 0; i < job.run.rows.size(); ++i) job.samples.push_back(job.run.lazy(i));
    job.samples.push_back(*std::move(lazy));
    while (!rows_only && job.run.rows.empty() && std::cmp_less(job.samples.size(), at_once)) {
      lazy = advance();
      if (!lazy) break;
      job.samples.push_back(*std::move(lazy));
    }
  }

  // Samples that the next job may add.
  std::int64_t next_job_size() const { return rows_only ? batch_size : at_once; }

  void work_until_done() {
    Job job;
    std::vector<Turn> done;
    std::unique_lock lock(mutex);
    for (;;) {
      work.wait(lock, [&] { return stopping || pass_ended || held + next_job_size() <= capacity; });
      if (stopping || pass_ended) return;
      fill_job(job);
      const bool is_run = job.samples.empty();
      if (is_run && job.run.rows.empty()) {
        ready.notify_one();
        work.notify_all();
        return;
      }
      const std::uint64_t first = taken + turns.size();
      const std::size_t count = is_run ? 1 : job.samples.size();
      held += static_cast<std::int64_t>(is_run ? job.run.rows.size() : count);
      turns.resize(turns.size() + count);
      lock.unlock();
      done.clear();
      if (is_run) done.push_back(gather_now(job.run, std::move(job.batch)));
      for (const LazySample& lazy : job.samples) done.push_back(make_now(lazy));
      job.samples.clear();
      lock.lock();
      // Turns before these may be gone by now, but not these: they are not ready.
      for (std::size_t i = 0; i < count; ++i)
        turns[static_cast<std::size_t>(first - taken) + i] = std::move(done[i]);
      ready.notify_one();
    }
  }

  // In the order of the pass; nothing at its end.
  std::optional<Turn> take_turn() {
    std::optional<Turn> turn = threads.empty() ? turn_of_this_thread() : turn_of_workers();
    const bool cut_short = turn && turn->rows > 0 && turn->rows < batch_size;
    if ((!turn || cut_short) && pass_error)
      std::rethrow_exception(std::exchange(pass_error, nullptr));
    return turn;
  }

  std::optional<Turn> turn_of_this_thread() {
    if (rows_only) {
      std::optional<LazySample> lazy = advance_run(run);
      if (!lazy && !run.rows.empty()) return gather_now(run, std::move(batch));
      for (std::size_t i = 0; lazy && i < run.rows.size(); ++i) unmade.push_back(run.lazy(i));
      if (lazy) unmade.push_back(*std::move(lazy));
    }
    if (unmade.empty()) {
      const std::optional<LazySample> lazy = advance();
      if (!lazy) return std::nullopt;
      return make_now(*lazy);
    }
    const LazySample lazy = std::move(unmade.front());
    unmade.pop_front();
    return make_now(lazy);
  }

  std::optional<Turn> turn_of_workers() {
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return turns.empty() ? pass_ended : turns.front().has_value(); });
    if (turns.empty()) return std::nullopt;
    std::optional<Turn> turn = std::move(turns.front());
    turns.pop_front();
    ++taken;
    held -= std::max<std::int64_t>(turn->rows, 1);
    if (turn->rows > 0) spare.push_back(std::move(batch));
    if (held + next_job_size() <= capacity) work.notify_one();
    return turn;
  }

  Batch* next() {
    if (finished) return nullptr;
    if (buckets) return next_bucket();
    std::vector<Sample> samples;
    std::vector<std::int64_t> indices;
    while (std::cmp_less(samples.size(), batch_size)) {
      std::optional<Turn> turn = take_turn();
      finished = !turn.has_value();
      if (finished) break;
      position += static_cast<std::uint64_t>(std::max<std::int64_t>(turn->rows, 1));
      if (turn->error) std::rethrow_exception(turn->error);
      if (turn->rows > 0) {
        batch = std::move(turn->batch);
        finished = turn->rows < batch_size;
        return finished && options.drop_remainder ? nullptr : &batch;
      }
      if (!turn->sample) continue;
      indices.push_back(turn->place.index);
      samples.push_back(*std::move(turn->sample));
    }
    const bool short_batch = std::cmp_less(samples.size(), batch_size);
    if (samples.empty() || (short_batch && options.drop_remainder)) return nullptr;
    batch = collate(samples, options.padding);
    batch.indices = std::move(indices);
    return &batch;
  }

  // The samples of the next full bucket, or of one that is left at the end of the pass.
  std::optional<BucketBatch> next_full_bucket() {
    while (std::optional<Turn> turn = take_turn()) {
      ++position;
      if (turn->error) std::rethrow_exception(turn->error);
      if (!turn->sample) continue;
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
      return sample.y.shape().size() > axis && sample.y.shape()[axis] == sample.x.shape()[axis];
    });
    Shape least(axis + 1, 0);
    least.back() = full->bound;
    batch = collate_to(full->samples, options.padding.value_or(Padding{}), least,
                       pads_y ? least : Shape());
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
    for (; position < options.position; ++position)
      require(pass().has_value(), "batches: position {}, but the pass has {} samples",
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
  state_ = std::make_unique<State>();
  State& state = *state_;
  state.batch_size = batch_size;
  state.options = options;
  state.pass = pipeline.open(options.epoch);
  state.capacity = checked_multiply(batch_size, options.ahead, "batches: samples ahead");
  if (options.buckets) {
    state.buckets.emplace(*options.buckets, batch_size);
    state.rows_only = false;
  } else {
    state.skip_to_position();
  }
  // A batch is made of several jobs of each worker, so that none waits long for another.
  constexpr std::int64_t kJobsPerWorker = 4, kMostAtOnce = 16;
  state.at_once = std::clamp<std::int64_t>(
      batch_size / (kJobsPerWorker * std::max(options.workers, 1)), 1, kMostAtOnce);
  State* shared = &state;
  try {
    for (int i = 0; i < options.workers; ++i)
      state.threads.emplace_back([shared] { shared->work_until_done(); });
  } catch (const std::system_error& error) {
    throw UserError(
        fmt::format("batches: cannot start {} workers: {}", options.workers, error.what()));
  }
  if (options.buckets) state.skip_to_position();  // the workers make what is passed over
}

PipelineBatches::~PipelineBatches() = default;
PipelineBatches::PipelineBatches(PipelineBatches&& other) noexcept = default;
PipelineBatches& PipelineBatches::operator=(PipelineBatches&& other) noexcept = default;

Batch* PipelineBatches::next() {
  try {
    return state_->next();
  } catch (...) {
    state_->finished = true;
    state_->stop();
    throw;
  }
}

std::uint64_t PipelineBatches::position() const { return state_->position; }

}  // namespace tenon::data
