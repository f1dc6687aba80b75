// The promises about numbers, for every model of `tenon train`: the same bits however it is run.
#include <cmath>
#include <csignal>
#include <optional>

#include "tenon/base/cpu_info.h"
#include "tenon/base/environment.h"
#include "tenon/base/error.h"
#include "tenon/base/threefry.h"
#include "tenon/train/metric_table.h"
#include "tests/end_to_end/run_difference.h"
#include "tests/end_to_end/training_runs.h"

namespace tenon {
namespace {

namespace fs = std::filesystem;

const Variant kBase{.name = "base"};
const Variant kBaseF64{.name = "base-f64", .dtype = "f64", .cache = "cache-f64"};
const Variant kAvx2{.name = "avx2", .vector_bytes = 32, .cache = "cache-avx2"};

std::optional<std::string> installed_clang() {
  for (const char* name : {"clang", "clang-14"})
    for (const fs::path& folder : environment::program_folders())
      if (fs::exists(folder / name)) return name;
  return std::nullopt;
}

Variant clang_variant() {
  return {.name = "clang", .compiler = installed_clang().value_or(""), .cache = "cache-clang"};
}

class Numbers : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    try {
      runs_ = &ModelRuns::of(GetParam(), ModelRuns::Length::whole);
    } catch (const UserError& error) {
      FAIL() << error.what();
    }
    // What must compile does so while other runs are compared.
    runs_->start(kBase);
    runs_->start(kBaseF64);
    runs_->start(kAvx2);
    if (installed_clang()) runs_->start(clang_variant());
    ASSERT_EQ(runs_->start(kBase).wait(), 0) << runs_->start(kBase).errors();
    ASSERT_EQ(runs_->start(kBaseF64).wait(), 0) << runs_->start(kBaseF64).errors();
  }

  void expect_same_bits(const Variant& base, const Variant& variant) {
    const std::string run = runs_->run(variant);
    if (runs_->start(variant).wait() != 0) return;  // which is a failure already
    EXPECT_EQ(first_difference(runs_->run(base), run), "") << variant.name;
  }

  // `tenon cache` for the folder of compiled code of a variant.
  nlohmann::json run_cache(const Variant& variant, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"cache", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const std::string out = runs_->folder_of(kBase) + "/cache.out";
    EXPECT_EQ(cli::exit_status(cli::start_tenon(arguments, out, out + ".err",
                                                {"TENON_CACHE_DIR=" + runs_->cache_of(variant)})),
              0);
    return nlohmann::json::parse(io::read_text_file(out));
  }

  ModelRuns* runs_ = nullptr;
};

// Equal bits of nothing would prove nothing.
TEST_P(Numbers, AreThoseOfATrainingThatLearns) {
  for (const Variant& variant : {kBase, kBaseF64}) {
    const MetricTable table =
        read_metrics_csv(fs::path(runs_->run(variant)) / "metrics.csv", 1000, {"accuracy"});
    ASSERT_EQ(table.rows.size(), 33u);  // a row for each step, and three of validation
    EXPECT_EQ(table.rows.back().step, ModelRuns::kSteps);
    EXPECT_TRUE(table.rows.back().is_validation);
    for (std::size_t row = 0; row < table.rows.size(); ++row)
      EXPECT_TRUE(std::isfinite(table.values_of(row)[0])) << row;
    EXPECT_LT(table.values_of(32)[0], 0.8 * table.values_of(0)[0]);
  }
  EXPECT_NE(first_difference(runs_->run(kBase), runs_->run(kBaseF64)), "");
}

TEST_P(Numbers, DoNotDependOnThreads) {
  for (const Variant& base : {kBase, kBaseF64}) {
    EXPECT_TRUE(runs_->uses_threads(base)) << "the sizes are too small to test threads";
    for (const int threads : {2, 3, 7, 16}) {
      Variant variant = base;
      variant.name = fmt::format("{}-threads-{}", base.name, threads);
      variant.threads = threads;
      expect_same_bits(base, variant);
    }
  }
}

TEST_P(Numbers, DoNotDependOnWorkers) {
  for (const char* workers : {"0", "1", "3"})
    expect_same_bits(kBase, {.name = fmt::format("workers-{}", workers),
                             .cache = "cache-workers",
                             .more = {"--workers", workers}});
}

TEST_P(Numbers, AreTheSameAgain) {
  for (const Variant& base : {kBase, kBaseF64}) {
    Variant variant = base;
    variant.name += "-again";
    expect_same_bits(base, variant);
  }
}

TEST_P(Numbers, AreTheSameAfterTheCacheIsCleared) {
  Variant cleared = kBase;
  cleared.name = cleared.cache = "cleared";
  fs::copy(runs_->cache_of(kBase), runs_->cache_of(cleared));
  const auto removed = run_cache(cleared, {"--clear"})["entries"].get<int>();
  EXPECT_GT(removed, 0);
  EXPECT_TRUE(fs::is_empty(runs_->cache_of(cleared)));
  expect_same_bits(kBase, cleared);
  EXPECT_EQ(run_cache(cleared, {})["entries"].get<int>(), removed);  // compiled anew
}

TEST_P(Numbers, AreTheSameFromGccAndClang) {
  if (!installed_clang()) GTEST_SKIP() << "clang is not installed";
  expect_same_bits(kBase, clang_variant());
}

TEST_P(Numbers, AreTheSameFromAvx2AndAvx512) {
  expect_same_bits(kBase, kAvx2);
  const bool is_same_code = runs_->sources_of(kBase) == runs_->sources_of(kAvx2);
  EXPECT_EQ(is_same_code, cpu_info().vector_bytes < 64);
  if (is_same_code) fmt::print("no AVX-512 on this machine: both runs are of the same code\n");
}

int rows_in(const std::string& file) {
  if (!fs::exists(file)) return 0;
  const std::string text = io::read_text_file(file);
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

struct Kills {
  int count = 0;
  std::string lines;  // what all processes told

  // Whether one of them went on from the middle of a run of so many steps.
  bool resumes_within(const std::string& run, int steps) const {
    for (int step = 1; step < steps; ++step)
      if (lines.find(fmt::format("resumed {} at step {} ", run, step)) != std::string::npos)
        return true;
    return false;
  }
};

// Kills a run of so many steps first between two of them, then at any moments until one process
// gets to the end.
Kills run_with_kills(ModelRuns& runs, const Variant& killed, int steps) {
  const std::string metrics = runs.run_of(killed) + "/metrics.csv";
  ThreefrySequence random{3};
  Kills kills;
  for (int attempt = 0; attempt < 100; ++attempt) {
    const pid_t process = runs.start(killed).process();
    if (kills.count == 0) {
      const auto rows = static_cast<int>(3 + random.below(2 * steps / 5));
      siginfo_t ended{};
      while (rows_in(metrics) < rows && ended.si_pid == 0) {
        ::usleep(200);
        ::waitid(P_PID, static_cast<id_t>(process), &ended, WEXITED | WNOHANG | WNOWAIT);
      }
    } else {
      // The longer it takes, the longer a process lives: the run must end.
      ::usleep(static_cast<useconds_t>(1000 + random.below(100'000 + 50'000 * kills.count)));
    }
    ::kill(process, SIGKILL);
    const int status = runs.start(killed).wait();
    kills.lines += runs.start(killed).errors();
    if (status == 0 && kills.count > 0) break;
    EXPECT_TRUE(status == 0 || status == 128 + SIGKILL) << kills.lines;
    if (testing::Test::HasFailure()) break;
    runs.forget(killed);
    if (kills.count == 0 && rows_in(metrics) > steps) {
      fs::remove_all(runs.run_of(killed));  // too late to resume anything
      continue;
    }
    ++kills.count;
  }
  EXPECT_GT(kills.count, 0);
  return kills;
}

TEST_P(Numbers, AreTheSameAfterKills) {
  // With workers, which are then in the middle of batches to come.
  const Variant killed{.name = "killed",
                       .cache = "cache-workers",
                       .more = {"--resume", "--checkpoint-every", "1", "--workers", "2"}};
  const Kills kills = run_with_kills(*runs_, killed, ModelRuns::kSteps);
  expect_same_bits(kBase, killed);
  EXPECT_TRUE(kills.resumes_within(runs_->run_of(killed), ModelRuns::kSteps)) << kills.lines;
}

std::string test_name(const testing::TestParamInfo<std::string>& model) {
  std::string name = model.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, Numbers, testing::Values("mlp", "lenet"), test_name);

// At these sizes other networks have nothing whose second computation saves memory: the step would
// be the same one.
bool recomputes_something(const std::string& model) {
  for (const char* other :
       {"mlp", "linear-regression", "logistic-regression", "speech-commands", "char-lstm"})
    if (model == other) return false;
  return true;
}

std::int64_t arena_bytes(const std::string& run) {
  return nlohmann::json::parse(io::read_text_file(run + "/cost.json"))
      .at("step_buffer_bytes")
      .at("arena")
      .get<std::int64_t>();
}

// What every model is made of is the same as what those two are; that its own layers keep the
// promises, training ones with random numbers too, is seen in a few steps.
class NumbersOfEveryModel : public testing::TestWithParam<std::string> {};

TEST_P(NumbersOfEveryModel, AreTheSameWithThreadsAndAfterAPause) {
  ModelRuns* runs = nullptr;
  try {
    runs = &ModelRuns::of(GetParam(), ModelRuns::Length::brief);
  } catch (const UserError& error) {
    FAIL() << error.what();
  }
  const std::string base = runs->run(kBase);
  ASSERT_EQ(runs->start(kBase).wait(), 0) << runs->start(kBase).errors();
  const MetricTable table = read_metrics_csv(fs::path(base) / "metrics.csv", 1000, {});
  ASSERT_EQ(table.rows.size(), static_cast<std::size_t>(ModelRuns::kBriefSteps));
  for (std::size_t row = 0; row < table.rows.size(); ++row)
    EXPECT_TRUE(std::isfinite(table.values_of(row)[0])) << row;
  EXPECT_TRUE(runs->uses_threads(kBase)) << "the sizes are too small to test threads";
  Variant threads{.name = "threads-3"};
  threads.threads = 3;
  EXPECT_EQ(first_difference(base, runs->run(threads)), "");

  // What is computed again is what it was.
  if (recomputes_something(GetParam())) {
    Variant again{.name = "recompute", .cache = "cache-recompute"};
    again.more = {"--recompute", "full"};
    EXPECT_EQ(first_difference(base, runs->run(again)), "");
    EXPECT_LT(arena_bytes(runs->run(again)), arena_bytes(base));
  }

  // In the middle of the second epoch.
  Variant paused{.name = "paused"};
  paused.more = {"--max-steps", "4"};
  const std::string run = runs->run(paused);
  EXPECT_NE(first_difference(base, run), "");
  runs->forget(paused);
  paused.more = {"--resume"};
  EXPECT_EQ(first_difference(base, runs->run(paused)), "");
}

// Dropout, augmentation, workers and kills at once: whatever draws a number knows where it stands.
TEST(NumbersOfRandomLayers, AreTheSameWithWorkersAndAfterKills) {
  ModelRuns& runs = ModelRuns::of("vit", ModelRuns::Length::brief);
  const std::string base = runs.run(kBase);
  ASSERT_EQ(runs.start(kBase).wait(), 0) << runs.start(kBase).errors();
  const Variant workers{.name = "workers-2", .cache = "cache-workers", .more = {"--workers", "2"}};
  EXPECT_EQ(first_difference(base, runs.run(workers)), "");
  const Variant killed{.name = "killed",
                       .cache = "cache-workers",
                       .more = {"--resume", "--checkpoint-every", "1", "--workers", "2"}};
  const Kills kills = run_with_kills(runs, killed, ModelRuns::kBriefSteps);
  EXPECT_EQ(first_difference(base, runs.run(killed)), "");
  EXPECT_TRUE(kills.resumes_within(runs.run_of(killed), ModelRuns::kBriefSteps)) << kills.lines;
}

INSTANTIATE_TEST_SUITE_P(Models, NumbersOfEveryModel, testing::ValuesIn(offered_models()),
                         test_name);

TEST(OfferedModels, AreReadFromTheHelp) {
  const std::vector<std::string> models = offered_models();
  EXPECT_EQ(std::count(models.begin(), models.end(), "mlp"), 1);
  EXPECT_EQ(std::count(models.begin(), models.end(), "lenet"), 1);
}

}  // namespace
}  // namespace tenon
