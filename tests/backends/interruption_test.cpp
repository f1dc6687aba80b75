// Compiles that are given up: nothing of them stays, and later ones work.
#include "tenon/base/interruption.h"

#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tenon/backends/cpu/code_cache.h"
#include "tenon/backends/cpu/cpu.h"
#include "tenon/backends/cpu/process.h"
#include "tenon/base/cpu_info.h"
#include "tenon/ir/build.h"
#include "tests/backends/backends_testing.h"

namespace tenon::backends {
namespace {

namespace fs = std::filesystem;

// A program that is waited for until it ends by itself takes longer than this; only a hang does.
constexpr std::chrono::seconds kHang(60);

std::vector<std::string> lines_of(const fs::path& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// There may be a zombie of a grandchild that nobody reaps here.
bool is_running(const std::string& id) {
  std::ifstream file("/proc/" + id + "/stat");
  std::string stat;
  std::getline(file, stat);
  const std::size_t end = stat.rfind(')');
  return end != std::string::npos && stat.size() > end + 2 && stat[end + 2] != 'Z' &&
         stat[end + 2] != 'X';
}

class Interruption : public testing::Test {
 protected:
  // A compiler that says in `started` which process it is and which one it waits for.
  fs::path sleeping_compiler() {
    const fs::path path = folder_.path() / "compiler";
    std::ofstream(path) << fmt::format(
        "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo slow 1; exit 0; }}\n"
        "echo half > \"${{TMPDIR:-/tmp}}/half-made\"\n"
        "sleep 300 &\necho \"$$\n$!\" >> {}\nwait\n",
        started().string());
    chmod(path.c_str(), 0755);
    return path;
  }
  fs::path started() const { return folder_.path() / "started"; }
  fs::path cache() const { return folder_.path() / "cache"; }
  std::unique_ptr<Backend> open() { return open_cpu(BackendOptions{1, cache().string()}); }
  // Interrupted once as many compilers run.
  template <class F>
  void expect_interrupted(F work, std::size_t compilers = 1) {
    const auto start = std::chrono::steady_clock::now();
    const InterruptionScope scope([&] { return lines_of(started()).size() >= 2 * compilers; });
    EXPECT_THROW(work(), Interrupted);
    EXPECT_LT(std::chrono::steady_clock::now() - start, kHang);
    // What is killed takes a moment to be gone.
    for (const std::string& id : lines_of(started()))
      while (is_running(id)) {
        ASSERT_LT(std::chrono::steady_clock::now() - start, kHang) << id << " runs on";
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    EXPECT_TRUE(!fs::exists(cache()) || fs::is_empty(cache()));
  }

  TemporaryFolder folder_;
};

ir::Graph sum_of_squares(std::int64_t size) {
  ir::Builder b;
  const ir::Value x = b.input({"x", {DType::f32, {size}}, ir::Role::data, {}});
  const ir::Value sum = ir::reduce_sum(b, ir::multiply(b, x, x), {0});
  return std::move(b).finish({sum});
}
HostTensor ones(std::int64_t size) {
  HostTensor x({DType::f32, {size}});
  std::ranges::fill(x.as<float>(), 1.0f);
  return x;
}

TEST_F(Interruption, EndsAProcessThatIsWaitedFor) {
  const std::string script = "sleep 300 & echo \"$$\n$!\" > " + started().string() + "; wait";
  expect_interrupted([&] { Process({"/bin/sh", "-c", script}).wait(std::chrono::seconds(200)); });
}

TEST_F(Interruption, LeavesNothingOfACompileAndTheNextOneWorks) {
  const std::unique_ptr<Backend> backend = open();
  const ir::Graph graph = sum_of_squares(50);
  {
    const std::string compiler = sleeping_compiler().string();
    const ScopedVariable chosen("TENON_CC", compiler.c_str());
    expect_interrupted([&] { backend->compile(graph, {}); });
  }
  EXPECT_EQ(run_graph(*backend, graph, {ones(50)})[0].as<float>()[0], 50);
  std::size_t entries = 0;
  for (const auto& item : fs::directory_iterator(cache())) {
    if (item.path().extension() == ".plan") continue;  // the record of the plan
    EXPECT_EQ(item.path().extension(), ".so");
    ++entries;
  }
  EXPECT_EQ(entries, 1u);
  const std::unique_ptr<Backend> other = open();
  EXPECT_TRUE(other->compile(graph, {})->report().was_cached);
}

TEST_F(Interruption, LeavesNothingInTheTemporaryFolder) {
  const fs::path temporary = folder_.path() / "temporary";
  fs::create_directory(temporary);
  const ScopedVariable where("TMPDIR", temporary.c_str());
  const std::string compiler = sleeping_compiler().string();
  const ScopedVariable chosen("TENON_CC", compiler.c_str());
  expect_interrupted([&] { open()->compile(sum_of_squares(51), {}); });
  EXPECT_TRUE(fs::is_empty(temporary));
  // The cache folder cannot be used: a file has its name.
  fs::remove(started());
  std::ofstream(folder_.path() / "file") << "no folder";
  const std::unique_ptr<Backend> backend =
      open_cpu(BackendOptions{1, (folder_.path() / "file" / "cache").string()});
  expect_interrupted([&] { backend->compile(sum_of_squares(51), {}); });
  EXPECT_TRUE(fs::is_empty(temporary));
}

// No compiler that waits for its turn is started any more.
TEST_F(Interruption, EndsAllCompilersOfSeveralSources) {
  const std::string compiler = sleeping_compiler().string();
  const ScopedVariable chosen("TENON_CC", compiler.c_str());
  const auto at_once = static_cast<std::size_t>(usable_cores()) + 1;
  const std::vector<std::string> sources(2 * at_once + 1, "int nothing;\n");
  expect_interrupted([&] { build_code(sources, cache(), {}); }, at_once);
  EXPECT_EQ(lines_of(started()).size(), 2 * at_once);
}

TEST_F(Interruption, IsHeardBeforeTheCompilerIsStarted) {
  const std::string compiler = sleeping_compiler().string();
  const ScopedVariable chosen("TENON_CC", compiler.c_str());
  const std::unique_ptr<Backend> backend = open();
  const InterruptionScope scope([] { return true; });
  EXPECT_THROW(backend->compile(sum_of_squares(52), {}), Interrupted);
  EXPECT_THROW(backend->plan(sum_of_squares(52)), Interrupted);
  EXPECT_FALSE(fs::exists(started()));
}

// One thread compiles a graph, another one waits for it.
TEST_F(Interruption, EndsTheWaitForAnotherThreadsCompile) {
  const std::string compiler = sleeping_compiler().string();
  const ScopedVariable chosen("TENON_CC", compiler.c_str());
  const std::unique_ptr<Backend> backend = open();
  const ir::Graph graph = sum_of_squares(53);
  std::atomic<bool> is_over = false, is_first_interrupted = false;
  std::thread first([&] {
    const InterruptionScope scope([&] { return is_over.load(); });
    try {
      backend->compile(graph, {});
    } catch (const Interrupted&) {
      is_first_interrupted = true;
    }
  });
  while (lines_of(started()).size() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto start = std::chrono::steady_clock::now();
  {
    int questions = 0;
    const InterruptionScope scope([&] { return ++questions > 20; });
    EXPECT_THROW(backend->compile(graph, {}), Interrupted);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, kHang);
  EXPECT_EQ(lines_of(started()).size(), 2u);
  is_over = true;
  first.join();
  EXPECT_TRUE(is_first_interrupted);
}

}  // namespace
}  // namespace tenon::backends
