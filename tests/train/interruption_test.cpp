// Fits that are stopped while a step is compiled: they end in order, and what follows goes on.
#include "tenon/base/interruption.h"

#include <sys/stat.h>

#include <array>
#include <chrono>
#include <fstream>
#include <thread>

#include "tenon/train/checkpoint.h"
#include "tenon/train/time_limit.h"
#include "train_testing.h"

namespace tenon {
namespace {

namespace fs = std::filesystem;

// A compiler that is waited for until it ends by itself takes longer than this; only a hang does.
constexpr std::chrono::seconds kHang(60);

class StopWhen final : public Callback {
 public:
  explicit StopWhen(std::function<bool()> is_time) : is_time_(std::move(is_time)) {}
  bool wants_to_stop() override { return is_time_(); }
  void on_compiled(Trainer&) override {
    is_compiled = true;
    if (when_run[0]) when_run[0]();
  }
  bool on_step_end(Trainer&, const StepInfo& info) override {
    const auto step = static_cast<std::size_t>(info.step);
    if (step < when_run.size() && when_run[step]) when_run[step]();
    return true;
  }
  bool is_compiled = false;
  // To be called when so many steps were run and none of the next is compiled yet.
  std::array<std::function<void()>, 4> when_run;

 private:
  std::function<bool()> is_time_;
};

class InterruptedFit : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* old = std::getenv("TENON_CC")) compiler_before_ = old;
  }
  void TearDown() override { use_usual_compiler(); }

  // Sleeps, and says so, once send_compilers_to_sleep() was called.
  void use_sleeping_compiler(bool sleeps_at_once = true) {
    fs::remove(started());
    fs::remove(folder_ / "sleep");
    if (sleeps_at_once) send_compilers_to_sleep();
    const std::string path = folder_ / "compiler";
    std::ofstream(path) << fmt::format(
        "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo slow 1; exit 0; }}\n"
        "[ -e {} ] || exec cc \"$@\"\ntouch {}\nexec sleep 300\n",
        folder_ / "sleep", started());
    ::chmod(path.c_str(), 0755);
    ::setenv("TENON_CC", path.c_str(), 1);
  }
  void send_compilers_to_sleep() { std::ofstream file(folder_ / "sleep"); }
  void use_usual_compiler() {
    if (compiler_before_)
      ::setenv("TENON_CC", compiler_before_->c_str(), 1);
    else
      ::unsetenv("TENON_CC");
  }
  std::string started() const { return folder_ / "started"; }
  bool is_started() const { return fs::exists(started()); }

  TrainerOptions options() const {
    TrainerOptions options = small_options("cpu");
    options.cache_folder = cache();
    return options;
  }
  std::string cache() const { return folder_ / "cache"; }
  std::vector<std::string> left_in_cache() const {
    std::vector<std::string> names;
    if (fs::exists(cache()))
      for (const auto& item : fs::directory_iterator(cache()))
        if (item.path().extension() != ".so" && item.path().extension() != ".plan")
          names.push_back(item.path().filename());
    return names;
  }

  const TemporaryFolder folder_;
  std::optional<std::string> compiler_before_;
};

FitOptions three_epochs(const std::string& run = "") {
  return {.epochs = 3, .batch_size = 4, .run_folder = run};
}

TEST_F(InterruptedFit, IsStoppedWithoutAStepByItsToken) {
  const data::Dataset data = blobs(12);
  Trainer usual(model_with_state(), options());
  usual.fit(data, three_epochs());

  use_sleeping_compiler();
  std::stop_source stop;
  std::thread asker([&] {
    while (!is_started()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop.request_stop();
  });
  TrainerOptions elsewhere = options();
  elsewhere.cache_folder = folder_ / "other_cache";
  Trainer trainer(model_with_state(), elsewhere);
  StopWhen never([] { return false; });
  FitOptions fit = three_epochs(folder_ / "run");
  fit.callbacks = {&never};
  fit.stop = stop.get_token();
  const auto start = std::chrono::steady_clock::now();
  const History history = trainer.fit(data, fit);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kHang);
  asker.join();
  EXPECT_TRUE(history.stopped);
  EXPECT_EQ(history.steps, 0);
  EXPECT_TRUE(history.epochs.empty());
  EXPECT_FALSE(never.is_compiled);
  EXPECT_EQ(trainer.steps_done(), 0);
  EXPECT_TRUE(fs::is_empty(elsewhere.cache_folder));
  const RunFiles files{folder_ / "run"};
  for (const fs::path& file : {files.model(), files.state(), files.description()})
    EXPECT_TRUE(fs::exists(file)) << file;

  use_usual_compiler();
  // In the same session, and as a run that goes on.
  EXPECT_FALSE(trainer.fit(data, three_epochs()).stopped);
  EXPECT_EQ(trainer.predict(data.x()), usual.predict(data.x()));
  Trainer resumed(model_with_state(), options());
  FitOptions again = three_epochs(folder_ / "run");
  again.resume = true;
  EXPECT_EQ(resumed.fit(data, again).steps, 9);
  EXPECT_EQ(resumed.predict(data.x()), usual.predict(data.x()));
}

TEST_F(InterruptedFit, IsStoppedByItsTimeLimit) {
  use_sleeping_compiler();
  const data::Dataset data = blobs(12);
  Trainer trainer(small_model(), options());
  TimeLimit limit(0.2);
  FitOptions fit = three_epochs();
  fit.callbacks = {&limit};
  const auto start = std::chrono::steady_clock::now();
  const History history = trainer.fit(data, fit);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kHang);
  EXPECT_TRUE(history.stopped && limit.is_reached());
  EXPECT_EQ(history.steps, 0);
  EXPECT_EQ(left_in_cache(), std::vector<std::string>());

  use_usual_compiler();
  Trainer usual(small_model(), options());
  TimeLimit far(1e6);
  fit.callbacks = {&far};
  EXPECT_EQ(trainer.fit(data, fit).steps, 9);
  EXPECT_FALSE(far.is_reached());
  usual.fit(data, three_epochs());
  EXPECT_EQ(trainer.predict(data.x()), usual.predict(data.x()));
}

// What is compiled after the first step: the short last batch, and the validation.
TEST_F(InterruptedFit, KeepsTheStepsThatWereRun) {
  const data::Dataset data = blobs(10), held_out = blobs(7);
  const auto fit_options = [&](const std::string& run) {
    FitOptions fit = three_epochs(folder_ / run);
    fit.validation = held_out;
    return fit;
  };
  Trainer usual(small_model(), options());
  usual.fit(data, fit_options("usual"));
  for (const std::int64_t steps : {1, 3}) {
    const std::string run = fmt::format("run{}", steps);
    use_sleeping_compiler(false);
    TrainerOptions elsewhere = options();
    elsewhere.cache_folder = folder_ / (run + "_cache");
    Trainer trainer(small_model(), elsewhere);
    StopWhen started([this] { return is_started(); });
    started.when_run[steps == 1 ? 0 : 3] = [this] { send_compilers_to_sleep(); };
    FitOptions fit = fit_options(run);
    fit.callbacks = {&started};
    const History history = trainer.fit(data, fit);
    EXPECT_TRUE(started.is_compiled);
    EXPECT_TRUE(history.stopped);
    EXPECT_EQ(history.steps, steps);
    EXPECT_TRUE(history.epochs.empty());

    use_usual_compiler();
    Trainer resumed(small_model(), options());
    FitOptions again = fit_options(run);
    again.resume = true;
    EXPECT_EQ(resumed.fit(data, again).steps, 9 - steps);
    EXPECT_EQ(resumed.predict(data.x()), usual.predict(data.x()));
    EXPECT_EQ(io::read_text_file(RunFiles{folder_ / run}.metrics()),
              io::read_text_file(RunFiles{folder_ / "usual"}.metrics()));
  }
}

TEST_F(InterruptedFit, WithinAnEpochsValidationGoesOnLater) {
  const data::Dataset data = blobs(12);
  Trainer usual(small_model(), options());
  usual.fit(data, three_epochs());
  use_sleeping_compiler(false);
  TrainerOptions elsewhere = options();
  elsewhere.cache_folder = folder_ / "other_cache";
  Trainer trainer(small_model(), elsewhere);
  StopWhen started([this] { return is_started(); });
  started.when_run[2] = [this] { send_compilers_to_sleep(); };
  FitOptions fit = three_epochs(folder_ / "run");
  fit.validation = blobs(7);
  fit.validate_every = 2;
  fit.callbacks = {&started};
  EXPECT_EQ(trainer.fit(data, fit).steps, 2);
  use_usual_compiler();
  fit.callbacks.clear();
  fit.resume = true;
  Trainer resumed(small_model(), options());
  EXPECT_EQ(resumed.fit(data, fit).steps, 7);
  EXPECT_EQ(resumed.predict(data.x()), usual.predict(data.x()));
}

TEST_F(InterruptedFit, TriesNoBatchAfterAStop) {
  use_sleeping_compiler();
  Trainer trainer(small_model(), options());
  StopWhen started([this] { return is_started(); });
  FitOptions fit = three_epochs();
  fit.validation = blobs(8);
  fit.sanity_batches = 1;
  fit.callbacks = {&started};
  const History history = trainer.fit(blobs(12), fit);
  EXPECT_TRUE(history.stopped);
  EXPECT_EQ(history.steps, 0);
}

// Wherever tracing and the passes were when they were given up, what follows has the usual bits.
TEST_F(InterruptedFit, AtAnyPointLeavesNothingHalfMade) {
  const data::Dataset data = blobs(12);
  std::vector<nn::Layer> layers;
  for (int i = 0; i < 12; ++i) layers.emplace_back(nn::Dense{8, nn::relu});
  layers.emplace_back(nn::Dense{3});
  const nn::Sequential model(layers);
  for (const std::string& device : tested_devices()) {
    Trainer usual(nn::Layer(model).clone(), small_options(device));
    usual.fit(data, three_epochs());
    for (int last = 1; last < 8; ++last) {
      Trainer trainer(nn::Layer(model).clone(), small_options(device));
      int questions = 0;
      StopWhen asked([&] { return ++questions >= last; });
      FitOptions fit = three_epochs();
      fit.callbacks = {&asked};
      const History history = trainer.fit(data, fit);
      EXPECT_TRUE(history.stopped);
      if (history.steps > 0) break;
      trainer.fit(data, three_epochs());
      EXPECT_EQ(trainer.predict(data.x()), usual.predict(data.x())) << device << last;
    }
    Trainer fresh(nn::Layer(model).clone(), small_options(device));
    {
      const InterruptionScope scope([] { return true; });
      EXPECT_THROW(fresh.build(data), Interrupted);
    }
    fresh.fit(data, three_epochs());
    EXPECT_EQ(fresh.predict(data.x()), usual.predict(data.x())) << device;
  }
}

// A host's own scope: a fit within it is stopped, everything else that compiles throws.
TEST_F(InterruptedFit, IsStoppedByAScopeAroundIt) {
  const data::Dataset data = blobs(12);
  Trainer trainer(small_model(), options());
  trainer.build(data);
  {
    const InterruptionScope scope([] { return true; });
    const History history = trainer.fit(data, three_epochs());
    EXPECT_TRUE(history.stopped);
    EXPECT_EQ(history.steps, 0);
    EXPECT_THROW(trainer.evaluate(data), Interrupted);
    EXPECT_THROW(trainer.predict(data.x()), Interrupted);
  }
  Trainer usual(small_model(), options());
  usual.build(data);
  EXPECT_EQ(trainer.evaluate(data).loss, usual.evaluate(data).loss);
  EXPECT_EQ(trainer.predict(data.x()), usual.predict(data.x()));
}

}  // namespace
}  // namespace tenon
