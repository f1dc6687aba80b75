#include "tenon/data/pipeline_batches.h"

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

struct PipelineBatches::State {
  // A sample in its turn: made, left out, or failed.
  struct Made {
    SamplePlace place;
    std::optional<Sample> sample;
    std::exception_ptr error;
  };

  static Made make_now(const LazySample& lazy) {
    Made made{lazy.place, std::nullopt, nullptr};
    try {
      made.sample = make_sample(lazy);
    } catch (...) {
      made.error = std::current_exception();
    }
    return made;
  }

  std::int64_t batch_size = 0;
  PipelineBatchOptions options;
  Pass pass;
  std::uint64_t position = 0;
  bool finished = false;  // no more batches
  Batch batch;

  // Shared with the workers, under the mutex. `turns` are the samples handed out and not taken yet,
  // in the order of the pass.
  std::mutex mutex;
  std::condition_variable work, ready;
  std::deque<std::optional<Made>> turns;
  std::uint64_t taken = 0;  // turns that were popped
  std::size_t capacity = 0;
  bool pass_ended = false, stopping = false;
  std::exception_ptr pass_error;
  std::vector<std::thread> threads;

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

  void work_until_done() {
    std::unique_lock lock(mutex);
    for (;;) {
      work.wait(lock, [&] { return stopping || pass_ended || turns.size() < capacity; });
      if (stopping || pass_ended) return;
      const std::optional<LazySample> lazy = advance();
      if (!lazy) {
        ready.notify_one();
        work.notify_all();
        return;
      }
      const std::uint64_t turn = taken + turns.size();
      turns.emplace_back();
      lock.unlock();
      Made made = make_now(*lazy);
      lock.lock();
      // Turns before this one may be gone by now, but not this one: it is not ready.
      turns[static_cast<std::size_t>(turn - taken)] = std::move(made);
      ready.notify_one();
    }
  }

  // In the order of the pass; nothing at its end.
  std::optional<Made> take_turn() {
    if (threads.empty()) {
      const std::optional<LazySample> lazy = advance();
      if (lazy) return make_now(*lazy);
    } else {
      std::unique_lock lock(mutex);
      ready.wait(lock, [&] { return turns.empty() ? pass_ended : turns.front().has_value(); });
      if (!turns.empty()) {
        std::optional<Made> made = std::move(turns.front());
        turns.pop_front();
        ++taken;
        work.notify_one();
        return made;
      }
    }
    if (pass_error) std::rethrow_exception(std::exchange(pass_error, nullptr));
    return std::nullopt;
  }

  Batch* next() {
    std::vector<Sample> samples;
    batch.indices.clear();
    while (!finished && static_cast<std::int64_t>(samples.size()) < batch_size) {
      std::optional<Made> made = take_turn();
      if (!made) {
        finished = true;
        break;
      }
      ++position;
      if (made->error) std::rethrow_exception(made->error);
      if (!made->sample) continue;
      batch.indices.push_back(made->place.index);
      samples.push_back(*std::move(made->sample));
    }
    const bool short_batch = static_cast<std::int64_t>(samples.size()) < batch_size;
    if (samples.empty() || (short_batch && options.drop_remainder)) return nullptr;
    Batch collated = collate(samples, options.padding);
    batch.x = std::move(collated.x);
    batch.y = std::move(collated.y);
    return &batch;
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
  for (; state.position < options.position; ++state.position)
    require(state.pass().has_value(), "batches: position {}, but the pass has {} samples",
            options.position, state.position);
  state.capacity = static_cast<std::size_t>(
      checked_multiply(batch_size, options.ahead, "batches: samples ahead"));
  State* shared = &state;
  try {
    for (int i = 0; i < options.workers; ++i)
      state.threads.emplace_back([shared] { shared->work_until_done(); });
  } catch (const std::system_error& error) {
    throw UserError(
        fmt::format("batches: cannot start {} workers: {}", options.workers, error.what()));
  }
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
