// Turns of a pass: batches of rows and single samples, made ahead by workers, in the pass's order.
#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "tenon/data/turn_queue.h"

namespace tenon::data {

struct TurnOptions {
  std::int64_t batch_size = 1;
  int workers = 0;
  int ahead = 2;                  // batches
  std::uint64_t ahead_bytes = 0;  // of them all, but two batches may always be ahead
  bool may_be_rows = true;        // turns may be whole batches
};

// As long as the pass gives rows of one dataset, a turn is a whole batch, gathered at once; from
// the first other sample on, a turn is one sample. For one consumer.
class PipelineTurns {
 public:
  PipelineTurns(Pass pass, const TurnOptions& options);
  ~PipelineTurns() { stop(); }
  PipelineTurns(const PipelineTurns&) = delete;
  PipelineTurns& operator=(const PipelineTurns&) = delete;

  // Passes over `count` samples, not made; how many there were. Before start().
  std::uint64_t skip(std::uint64_t count);
  void start();  // the workers; UserError if the system refuses one
  void stop();

  // The next turn; nothing at the end of the pass. `used` is not needed any more: its memory may be
  // taken for batches to come. What the pass threw is thrown here.
  std::optional<Turn> take(Batch& used);
  // In take(), until turns were made. That workers were woken is not counted.
  double seconds_waited() const { return waited_; }
  // Calls of take() that found their turn not made.
  std::int64_t waits() const { return waits_; }

 private:
  using Clock = std::chrono::steady_clock;

  // What one thread does next, in the order of the pass.
  struct Job {
    std::vector<LazySample> samples;
    RowRun run;  // if there are no samples
    Batch batch;
    std::vector<Turn> done;
  };

  std::optional<LazySample> advance();
  std::optional<LazySample> advance_run(RowRun& rows);
  void prepare(Job& job) const;
  void read(Job& job);
  void make(Job& job);
  void do_job(Job& job, std::unique_lock<std::mutex> reading, std::int64_t reserved);
  void work_until_done();
  std::int64_t reserve();
  void learn_size(const Turn& turn);
  void add_spares(const Batch& like);
  std::int64_t next_job_size() const { return rows_only_ ? options_.batch_size : at_once_; }
  bool is_room() const { return held_ + next_job_size() <= capacity_; }
  bool is_front_ready() const { return !turns_.empty() && turns_.front().has_value(); }
  bool is_over() const { return turns_.empty() && pass_ended_; }
  std::optional<Turn> turn_of_this_thread(Batch& used);
  std::optional<Turn> turn_of_workers(Batch& used);
  void wait_for_front(std::unique_lock<std::mutex>& lock);

  const TurnOptions options_;
  std::int64_t at_once_ = 1;  // samples of a job

  // The pass: one thread reads it at a time, so that the jobs are in its order.
  std::mutex pass_mutex_;
  Pass pass_;
  bool reads_rows_ = true;  // so far
  bool is_read_ = false;    // to its end
  std::exception_ptr pass_error_;

  // What follows is under this mutex, which no thread holds while it reads or makes. `turns_` are
  // those handed out and not taken yet, in the order of the pass.
  std::mutex mutex_;
  std::condition_variable work_, ready_;
  TurnQueue turns_;
  std::uint64_t taken_ = 0;         // turns that were popped
  std::int64_t held_ = 0;           // samples in turns, and those that jobs in the making may add
  std::int64_t capacity_ = 0;       // samples that may be held
  std::uint64_t sample_bytes_ = 0;  // of the largest so far
  bool rows_only_ = true;           // reads_rows_, as of the last job
  bool gave_rows_ = false;          // a turn of rows
  std::vector<Batch> spare_;        // whose memory is used again
  std::int64_t batches_ = 0;        // of rows, whose memory there is
  bool pass_ended_ = false, stopping_ = false;

  std::vector<std::thread> threads_;
  double waited_ = 0;
  std::int64_t waits_ = 0;
  Job own_job_;                    // of the consumer
  std::deque<LazySample> unmade_;  // without workers: what was read and not made yet
};

}  // namespace tenon::data
