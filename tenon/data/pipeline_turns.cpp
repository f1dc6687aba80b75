#include "tenon/data/pipeline_turns.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "tenon/base/interruption.h"

namespace tenon::data {
namespace {

constexpr std::int64_t kLeastAhead = 2;  // batches, whatever their bytes

Turn made_sample(LazySample lazy) {
  Turn turn;
  turn.place = lazy.place;
  try {
    turn.sample = make_sample(lazy);
  } catch (...) {
    turn.error = std::current_exception();
  }
  turn.origin = std::move(lazy.origin);
  return turn;
}

Turn gathered_rows(const RowRun& run, Batch batch) {
  Turn turn;
  turn.rows = static_cast<std::int64_t>(run.size());
  turn.batch.emplace(std::move(batch));
  try {
    run.fill(*turn.batch);
  } catch (...) {
    turn.error = std::current_exception();
  }
  return turn;
}

}  // namespace

PipelineTurns::PipelineTurns(Pass pass, const TurnOptions& options)
    : options_(options),
      pass_(std::move(pass)),
      reads_rows_(options.may_be_rows),
      rows_only_(options.may_be_rows) {
  // A batch is made of several jobs of each worker, so that none waits long for another.
  constexpr std::int64_t kJobsPerWorker = 4, kMostAtOnce = 16;
  at_once_ = std::clamp<std::int64_t>(
      options.batch_size / (kJobsPerWorker * std::max(options.workers, 1)), 1, kMostAtOnce);
  checked_multiply(options.batch_size, options.ahead, "batches: samples ahead");
  capacity_ = options.batch_size * std::min<std::int64_t>(options.ahead, kLeastAhead);
}

std::uint64_t PipelineTurns::skip(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i)
    if (!pass_()) return i;
  return count;
}

void PipelineTurns::start() {
  if (options_.workers > 0) {
    turns_.reserve(static_cast<std::size_t>(options_.ahead) + 1);
    prepare(own_job_);
  }
  try {
    for (int i = 0; i < options_.workers; ++i) threads_.emplace_back([this] { work_until_done(); });
  } catch (const std::system_error& error) {
    throw UserError(
        fmt::format("batches: cannot start {} workers: {}", options_.workers, error.what()));
  }
}

void PipelineTurns::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

// The next sample of the pass; nothing at its end.
std::optional<LazySample> PipelineTurns::advance() {
  if (is_read_) return std::nullopt;
  std::optional<LazySample> lazy;
  try {
    lazy = pass_();
  } catch (...) {
    pass_error_ = std::current_exception();
  }
  if (!lazy) is_read_ = true;
  return lazy;
}

// Up to a batch of rows; gives the sample that was none, after which there are no more runs.
std::optional<LazySample> PipelineTurns::advance_run(RowRun& rows) {
  rows.clear();
  while (std::cmp_less(rows.size(), options_.batch_size)) {
    std::optional<LazySample> lazy = advance();
    if (!lazy) return std::nullopt;
    if (rows.add(*lazy)) continue;
    reads_rows_ = false;
    return lazy;
  }
  return std::nullopt;
}

// Now, so that nothing is allocated when it is done for the first time.
void PipelineTurns::prepare(Job& job) const {
  job.done.reserve(1);
  if (options_.may_be_rows) job.run.reserve(options_.batch_size);
}

// Reads what the job needs from the pass; nothing at its end.
void PipelineTurns::read(Job& job) {
  job.samples.clear();
  job.run.clear();
  std::optional<LazySample> lazy = reads_rows_ ? advance_run(job.run) : advance();
  if (!lazy) return;
  for (std::size_t i = 0; i < job.run.size(); ++i) job.samples.push_back(job.run.lazy(i));
  job.samples.push_back(*std::move(lazy));
  while (job.run.size() == 0 && std::cmp_less(job.samples.size(), at_once_)) {
    lazy = advance();
    if (!lazy) break;
    job.samples.push_back(*std::move(lazy));
  }
}

void PipelineTurns::make(Job& job) {
  job.done.clear();
  if (job.samples.empty()) job.done.push_back(gathered_rows(job.run, std::move(job.batch)));
  for (LazySample& lazy : job.samples) job.done.push_back(made_sample(std::move(lazy)));
  job.samples.clear();
}

// Under the mutex: room for the next job, whose size is known when it is read.
std::int64_t PipelineTurns::reserve() {
  const std::int64_t samples = next_job_size();
  held_ += samples;
  return samples;
}

// Under the mutex: how many samples may be held is known from the largest.
void PipelineTurns::learn_size(const Turn& turn) {
  std::uint64_t bytes = 0;
  if (turn.rows > 0)
    bytes = (turn.batch->x.bytes().size() + turn.batch->y.bytes().size()) /
            static_cast<std::uint64_t>(turn.rows);
  else if (turn.sample)
    bytes = turn.sample->x.bytes().size() + turn.sample->y.bytes().size();
  bytes = std::max<std::uint64_t>(bytes, 1);
  if (bytes <= sample_bytes_) return;
  sample_bytes_ = bytes;
  const std::int64_t most = options_.batch_size * options_.ahead;
  const std::int64_t least = std::min(most, options_.batch_size * kLeastAhead);
  const std::uint64_t fitting = options_.ahead_bytes / bytes;
  capacity_ =
      std::cmp_greater(fitting, most) ? most : std::max(least, static_cast<std::int64_t>(fitting));
}

// Under the mutex: memory for as many batches of rows as there will be, so that none is allocated
// later: those ahead, one that this thread makes, and the one that was given.
void PipelineTurns::add_spares(const Batch& like) {
  const std::int64_t most = capacity_ / options_.batch_size + 2;
  spare_.reserve(static_cast<std::size_t>(std::max(most, batches_ + 1)));
  for (; batches_ < most; ++batches_) {
    Batch batch{HostTensor(like.x.type()), HostTensor(like.y.type()), {}};
    batch.indices.reserve(like.indices.size());
    spare_.push_back(std::move(batch));
  }
}

// `reading` is the lock of the pass.
void PipelineTurns::do_job(Job& job, std::unique_lock<std::mutex> reading, std::int64_t reserved) {
  read(job);
  std::unique_lock lock(mutex_);
  const bool is_run = job.samples.empty();
  const auto samples = static_cast<std::int64_t>(is_run ? job.run.size() : job.samples.size());
  const std::size_t count = is_run ? std::min<std::size_t>(job.run.size(), 1) : job.samples.size();
  const std::uint64_t first = taken_ + turns_.size();
  turns_.push(count);
  held_ += samples - reserved;
  gave_rows_ = gave_rows_ || (is_run && count > 0);
  rows_only_ = reads_rows_;
  pass_ended_ = is_read_;
  if (is_run && count > 0 && spare_.empty()) ++batches_;
  if (is_run && count > 0 && !spare_.empty()) {
    job.batch = std::move(spare_.back());
    spare_.pop_back();
  }
  lock.unlock();
  reading.unlock();
  if (count > 0) make(job);
  lock.lock();
  // Turns before these may be gone by now, but not these: they are not ready.
  const std::int64_t capacity = capacity_;
  for (std::size_t i = 0; i < count; ++i) {
    learn_size(job.done[i]);
    if (job.done[i].rows == options_.batch_size && !job.done[i].error)
      add_spares(*job.done[i].batch);
    turns_[static_cast<std::size_t>(first - taken_) + i] = std::move(job.done[i]);
  }
  const bool is_news = is_front_ready() || is_over();
  const bool is_work = pass_ended_ || (capacity_ > capacity && is_room());
  lock.unlock();
  if (is_news) ready_.notify_one();
  if (is_work) work_.notify_all();
}

void PipelineTurns::work_until_done() {
  // What waits for a sample that does not come is given up with the pass.
  const InterruptionScope scope([this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  });
  Job job;
  prepare(job);
  for (;;) {
    std::unique_lock lock(mutex_);
    work_.wait(lock, [&] { return stopping_ || pass_ended_ || is_room(); });
    if (stopping_ || pass_ended_) return;
    const std::int64_t reserved = reserve();
    lock.unlock();
    do_job(job, std::unique_lock(pass_mutex_), reserved);
  }
}

std::optional<Turn> PipelineTurns::take(Batch& used) {
  std::optional<Turn> turn;
  if (threads_.empty()) {
    const Clock::time_point began = Clock::now();
    ++waits_;
    turn = turn_of_this_thread(used);
    waited_ += std::chrono::duration<double>(Clock::now() - began).count();
  } else {
    turn = turn_of_workers(used);
  }
  const bool cut_short = turn && turn->rows > 0 && turn->rows < options_.batch_size;
  if ((!turn || cut_short) && pass_error_)
    std::rethrow_exception(std::exchange(pass_error_, nullptr));
  return turn;
}

std::optional<Turn> PipelineTurns::turn_of_this_thread(Batch& used) {
  RowRun& run = own_job_.run;
  if (reads_rows_) {
    std::optional<LazySample> lazy = advance_run(run);
    if (!lazy && run.size() > 0) return gathered_rows(run, std::move(used));
    for (std::size_t i = 0; lazy && i < run.size(); ++i) unmade_.push_back(run.lazy(i));
    if (lazy) unmade_.push_back(*std::move(lazy));
  }
  if (unmade_.empty()) {
    std::optional<LazySample> lazy = advance();
    if (!lazy) return std::nullopt;
    return made_sample(*std::move(lazy));
  }
  LazySample lazy = std::move(unmade_.front());
  unmade_.pop_front();
  return made_sample(std::move(lazy));
}

// Rows are gathered faster here than a worker can be woken, if none is at it.
void PipelineTurns::wait_for_front(std::unique_lock<std::mutex>& lock) {
  while (!is_front_ready() && !is_over()) {
    std::unique_lock<std::mutex> reading;
    if (turns_.empty() && gave_rows_ && rows_only_ && !pass_ended_)
      reading = std::unique_lock(pass_mutex_, std::try_to_lock);
    if (reading) {
      const std::int64_t reserved = reserve();
      lock.unlock();
      do_job(own_job_, std::move(reading), reserved);
      lock.lock();
    } else if (!InterruptionScope::is_open()) {
      ready_.wait(lock);
    } else {
      ready_.wait_for(lock, kInterruptionPatience);
      interruption_point();
    }
  }
}

std::optional<Turn> PipelineTurns::turn_of_workers(Batch& used) {
  std::unique_lock lock(mutex_);
  if (rows_only_ && used.size() > 0) spare_.push_back(std::move(used));
  if (!is_front_ready() && !is_over()) {
    const Clock::time_point began = Clock::now();
    ++waits_;
    wait_for_front(lock);
    waited_ += std::chrono::duration<double>(Clock::now() - began).count();
  }
  if (turns_.empty()) return std::nullopt;
  std::optional<Turn> turn = turns_.pop();
  ++taken_;
  held_ -= std::max<std::int64_t>(turn->rows, 1);
  // A worker that sleeps is woken for several jobs at once.
  const bool is_low = is_room() && held_ <= capacity_ / 2;
  lock.unlock();
  if (is_low) work_.notify_all();
  return turn;
}

}  // namespace tenon::data
