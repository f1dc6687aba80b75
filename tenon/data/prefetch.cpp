#include "tenon/data/prefetch.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "tenon/data/epoch_order.h"

namespace tenon::data {

// A batch's number from the prefetcher's start is its ticket; ticket t lives in slot t % depth,
// which is free once ticket t - depth has been given back.
struct Prefetcher::Shared {
  struct Slot {
    Batch batch;
    Batch spare;  // of the other size: short batches and full ones keep their own memory
    std::exception_ptr error;
    bool ready = false;
  };

  Dataset dataset;
  std::int64_t batch_size;
  BatchOptions batch_options;
  PrefetchOptions options;
  std::int64_t per_epoch = 0;
  std::uint64_t tickets = 0;  // in all

  std::mutex mutex;
  std::condition_variable work, ready;
  bool stopping = false;
  std::uint64_t next_ticket = 0;  // to hand out
  std::uint64_t taken = 0;        // by the consumer
  std::uint64_t returned = 0;     // by the consumer
  std::vector<std::int64_t> order;
  std::optional<std::uint64_t> ordered_epoch;
  std::vector<Slot> slots;
  std::vector<std::thread> threads;

  Shared(Dataset d, std::int64_t size, const BatchOptions& b, PrefetchOptions o)
      : dataset(std::move(d)), batch_size(size), batch_options(b), options(std::move(o)) {}

  // Under the mutex: the samples of this ticket.
  void write_indices(std::uint64_t ticket, std::vector<std::int64_t>& indices) {
    const std::uint64_t number = ticket + static_cast<std::uint64_t>(options.first_batch);
    const std::uint64_t epoch =
        batch_options.epoch + number / static_cast<std::uint64_t>(per_epoch);
    if (ordered_epoch != epoch) {
      fill_epoch_order(order, batch_options.seed, epoch, batch_options.shuffle);
      ordered_epoch = epoch;
    }
    const auto first =
        static_cast<std::int64_t>(number % static_cast<std::uint64_t>(per_epoch)) * batch_size;
    const std::int64_t last = std::min(first + batch_size, dataset.size());
    indices.assign(order.begin() + first, order.begin() + last);
  }

  std::uint64_t global_number(std::uint64_t ticket) const {
    return batch_options.epoch * static_cast<std::uint64_t>(per_epoch) +
           static_cast<std::uint64_t>(options.first_batch) + ticket;
  }

  void make_batch(Slot& slot, std::uint64_t ticket) {
    const auto rows = slot.batch.size();
    if (!slot.batch.x.shape().empty() && slot.batch.x.shape().front() != rows) {
      slot.batch.indices.swap(slot.spare.indices);
      std::swap(slot.batch, slot.spare);
    }
    fill_batch(dataset, slot.batch.indices, slot.batch);
    if (options.transform) options.transform(slot.batch, global_number(ticket));
  }

  void work_until_done() {
    std::unique_lock lock(mutex);
    for (;;) {
      work.wait(lock, [&] {
        return stopping || next_ticket >= tickets || next_ticket - returned < slots.size();
      });
      if (stopping || next_ticket >= tickets) return;
      const std::uint64_t ticket = next_ticket++;
      Slot& slot = slots[static_cast<std::size_t>(ticket % slots.size())];
      try {
        write_indices(ticket, slot.batch.indices);
        lock.unlock();
        make_batch(slot, ticket);
      } catch (...) {
        slot.error = std::current_exception();
      }
      if (!lock.owns_lock()) lock.lock();
      slot.ready = true;
      ready.notify_one();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    work.notify_all();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }
};

Prefetcher::Prefetcher(Dataset dataset, std::int64_t batch_size, const BatchOptions& batch_options,
                       PrefetchOptions options) {
  const std::int64_t per_epoch =
      batch_count(dataset.size(), batch_size, batch_options.drop_remainder);
  constexpr int kMost = 1024;
  require(options.depth >= 1 && options.depth <= kMost,
          "prefetch: a depth of {}; 1 to {} is possible", options.depth, kMost);
  require(options.threads >= 1 && options.threads <= kMost,
          "prefetch: {} threads; 1 to {} are possible", options.threads, kMost);
  require(options.epochs >= 0, "prefetch: {} epochs", options.epochs);
  require(options.first_batch >= 0 && options.first_batch <= per_epoch,
          "prefetch: first batch {} of {}", options.first_batch, per_epoch);
  const std::int64_t total = checked_multiply(per_epoch, options.epochs, "prefetch: batches");

  shared_ =
      std::make_unique<Shared>(std::move(dataset), batch_size, batch_options, std::move(options));
  Shared& shared = *shared_;
  shared.per_epoch = per_epoch;
  shared.tickets =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, total - shared.options.first_batch));
  shared.order.resize(static_cast<std::size_t>(shared.dataset.size()));
  shared.slots.resize(static_cast<std::size_t>(shared.options.depth));
  shared.threads.reserve(static_cast<std::size_t>(shared.options.threads));
  try {
    for (int i = 0; i < shared.options.threads; ++i)
      shared.threads.emplace_back([&shared] { shared.work_until_done(); });
  } catch (const std::system_error& error) {
    shared.stop();
    throw UserError(
        fmt::format("prefetch: cannot start {} threads: {}", shared.options.threads, error.what()));
  }
}

Prefetcher::~Prefetcher() { shared_->stop(); }

std::int64_t Prefetcher::batches_per_epoch() const { return shared_->per_epoch; }

Batch* Prefetcher::next() {
  Shared& shared = *shared_;
  std::unique_lock lock(shared.mutex);
  if (shared.returned < shared.taken) {
    ++shared.returned;
    shared.work.notify_one();
  }
  if (shared.taken == shared.tickets) return nullptr;
  Shared::Slot& slot = shared.slots[static_cast<std::size_t>(shared.taken % shared.slots.size())];
  shared.ready.wait(lock, [&] { return slot.ready; });
  slot.ready = false;
  ++shared.taken;
  if (slot.error == nullptr) return &slot.batch;
  const std::exception_ptr error = std::exchange(slot.error, nullptr);
  shared.tickets = shared.taken;  // what other threads still make is dropped
  shared.work.notify_all();
  lock.unlock();
  std::rethrow_exception(error);
}

}  // namespace tenon::data
