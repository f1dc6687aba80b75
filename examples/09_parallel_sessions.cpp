// Lesson 9: independent sessions in parallel threads share nothing and agree.
#include <tenon/tenon.h>

#include <cstdio>
#include <thread>
#include <vector>

int main() {
  std::vector<tenon::HostTensor> results(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < results.size(); ++i)
    threads.emplace_back([&results, i] {
      const tenon::Variable counter(tenon::make_scalar(0.0f), "counter");
      tenon::Session session("cpu", {.threads = 1});
      const tenon::Tensor next = tenon::Tensor(counter) + 1.0f;
      for (int step = 0; step < 100; ++step)
        session.run({next}, {}, std::vector{tenon::assign(counter, next)});
      results[i] = session.read(counter);
    });
  for (std::thread& thread : threads) thread.join();
  for (const tenon::HostTensor& result : results) std::puts(tenon::to_string(result).c_str());
}
