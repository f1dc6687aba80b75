#include "tenon/base/thread_pool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tenon/base/error.h"

namespace tenon {
namespace {

struct Marks {
  explicit Marks(std::int64_t grid) : counts(static_cast<std::size_t>(grid)) {}
  static void add(void* context, std::int64_t first, std::int64_t last) {
    auto& marks = *static_cast<Marks*>(context);
    for (std::int64_t i = first; i < last; ++i) ++marks.counts[static_cast<std::size_t>(i)];
  }
  bool all_equal(int expected) const {
    return std::ranges::all_of(counts, [&](const auto& n) { return n.load() == expected; });
  }
  std::vector<std::atomic<int>> counts;
};

TEST(ThreadPool, CoversTheGridOnce) {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::int64_t grid : {0, 1, 2, 3, 5, 7, 8, 29, 1000}) {
      Marks marks(grid);
      for (int repeat = 0; repeat < 20; ++repeat) pool.parallel(grid, Marks::add, &marks);
      EXPECT_TRUE(marks.all_equal(20)) << threads << " threads, grid " << grid;
    }
  }
}

TEST(ThreadPool, ManyShortJobs) {
  ThreadPool pool(3);
  Marks marks(12);
  for (int repeat = 0; repeat < 20000; ++repeat) pool.parallel(12, Marks::add, &marks);
  EXPECT_TRUE(marks.all_equal(20000));
}

TEST(ThreadPool, ThreadsThatSleepWakeUpOrAreNotNeeded) {
  ThreadPool pool(2, std::chrono::microseconds(0));
  Marks marks(64);
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    pool.parallel(64, Marks::add, &marks);
  }
  EXPECT_TRUE(marks.all_equal(50));
}

TEST(ThreadPool, OneThreadMeansTheCaller) {
  ThreadPool pool(1);
  std::thread::id worker;
  pool.parallel(
      100,
      [](void* context, std::int64_t, std::int64_t) {
        *static_cast<std::thread::id*>(context) = std::this_thread::get_id();
      },
      &worker);
  EXPECT_EQ(worker, std::this_thread::get_id());
}

TEST(ThreadPool, SeveralThreadsTakePart) {
  ThreadPool pool(2);
  // Each of the two chunks' owners waits for the other: only two threads can finish this.
  struct Meeting {
    std::atomic<int> present = 0;
  } meeting;
  pool.parallel(
      2,
      [](void* context, std::int64_t, std::int64_t) {
        auto& present = static_cast<Meeting*>(context)->present;
        ++present;
        while (present < 2) std::this_thread::yield();
      },
      &meeting);
  EXPECT_EQ(meeting.present, 2);
}

TEST(ThreadPool, NestedUseRunsInTheCaller) {
  struct Context {
    ThreadPool pool{3};
    Marks marks{10};
  } context;
  context.pool.parallel(
      8,
      [](void* pointer, std::int64_t first, std::int64_t last) {
        auto& outer = *static_cast<Context*>(pointer);
        for (std::int64_t i = first; i < last; ++i)
          outer.pool.parallel(10, Marks::add, &outer.marks);
      },
      &context);
  EXPECT_TRUE(context.marks.all_equal(8));
}

TEST(ThreadPool, SeveralCallersAtOnce) {
  ThreadPool pool(3);
  Marks marks(40);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 500; ++repeat) pool.parallel(40, Marks::add, &marks);
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_TRUE(marks.all_equal(2000));
}

TEST(ThreadPool, GridsBeyond32Bits) {
  ThreadPool pool(2);
  std::atomic<std::int64_t> total = 0;
  constexpr std::int64_t kGrid = std::int64_t{1} << 62;
  pool.parallel(
      kGrid,
      [](void* context, std::int64_t first, std::int64_t last) {
        *static_cast<std::atomic<std::int64_t>*>(context) += last - first;
      },
      &total);
  EXPECT_EQ(total, kGrid);
}

TEST(ThreadPool, WorksInAForkedChildWithoutItsThreads) {
  ThreadPool pool(2);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Marks marks(50);
    pool.parallel(50, Marks::add, &marks);
    _exit(marks.all_equal(1) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(ThreadPool, RefusesBadCounts) {
  for (const int threads : {0, -3, 1025}) {
    try {
      ThreadPool pool(threads);
      ADD_FAILURE() << "no error for " << threads;
    } catch (const UserError& error) {
      EXPECT_EQ(error.what(),
                fmt::format("a thread pool needs from 1 to 1024 threads, not {}", threads));
    }
  }
}

}  // namespace
}  // namespace tenon
