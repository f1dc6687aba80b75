#include "tenon/train/checkpoint.h"

#include <sys/wait.h>

#include <csignal>
#include <random>

#include "tenon/io/safetensors.h"
#include "train_testing.h"

namespace tenon {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSteps = 9;  // three epochs of three, the last of two samples

data::Dataset run_data() { return blobs(10); }

FitOptions run_options(const std::string& folder) {
  FitOptions options;
  options.epochs = 3;
  options.batch_size = 4;
  options.validation = blobs(5);
  options.run_folder = folder;
  return options;
}

Trainer new_trainer(const std::string& device = "reference") {
  return Trainer(model_with_state(), small_options(device));
}

// The run's final files after a fit that nothing interrupted.
struct FinalFiles {
  std::string model, state, metrics;
  bool operator==(const FinalFiles&) const = default;
};

FinalFiles files_in(const std::string& folder) {
  const RunFiles files{folder};
  return {io::read_text_file(files.model()), io::read_text_file(files.state()),
          io::read_text_file(files.metrics())};
}

FinalFiles uninterrupted(const std::string& device = "reference") {
  const TemporaryFolder folder;
  Trainer trainer = new_trainer(device);
  trainer.fit(run_data(), run_options(folder / "run"));
  return files_in(folder / "run");
}

void resume(const std::string& folder, std::vector<std::string>* lines = nullptr,
            const std::string& device = "reference") {
  TrainerOptions options = small_options(device);
  if (lines != nullptr) options.log = [lines](std::string_view line) { lines->emplace_back(line); };
  Trainer trainer(model_with_state(), options);
  FitOptions fit = run_options(folder);
  fit.resume = true;
  trainer.fit(run_data(), fit);
}

TEST(Resume, AfterAnyStepEndsWithTheSameBits) {
  const FinalFiles expected = uninterrupted();
  for (std::int64_t stop = 1; stop <= kSteps; ++stop) {
    const TemporaryFolder folder;
    StopAfter callback(stop);
    FitOptions options = run_options(folder / "run");
    options.callbacks = {&callback};
    Trainer trainer = new_trainer();
    trainer.fit(run_data(), options);
    EXPECT_EQ(trainer.steps_done(), stop);
    resume(folder / "run");
    EXPECT_EQ(files_in(folder / "run"), expected) << stop;
  }
}

TEST(Resume, OnTheCpuDeviceEndsWithTheSameBits) {
  const FinalFiles expected = uninterrupted("cpu");
  const TemporaryFolder folder;
  StopAfter callback(5);
  FitOptions options = run_options(folder / "run");
  options.callbacks = {&callback};
  Trainer trainer = new_trainer("cpu");
  trainer.fit(run_data(), options);
  resume(folder / "run", nullptr, "cpu");
  EXPECT_EQ(files_in(folder / "run"), expected);
}

TEST(Resume, OfAFinishedRunChangesNothing) {
  const TemporaryFolder folder;
  Trainer trainer = new_trainer();
  trainer.fit(run_data(), run_options(folder / "run"));
  const FinalFiles expected = files_in(folder / "run");
  std::vector<std::string> lines;
  resume(folder / "run", &lines);
  EXPECT_EQ(files_in(folder / "run"), expected);
  EXPECT_EQ(lines.front(),
            fmt::format("resumed {} at step 9: its 3 epochs are done, nothing is left to do",
                        folder / "run"));
}

TEST(Resume, WithMoreEpochsGoesOn) {
  const FinalFiles expected = uninterrupted();
  const TemporaryFolder folder;
  FitOptions options = run_options(folder / "run");
  options.epochs = 1;
  Trainer trainer = new_trainer();
  trainer.fit(run_data(), options);
  resume(folder / "run");
  EXPECT_EQ(files_in(folder / "run"), expected);
}

TEST(Resume, WithoutARunStartsOne) {
  const TemporaryFolder folder;
  std::vector<std::string> lines;
  resume(folder / "run", &lines);
  EXPECT_EQ(lines.front(), fmt::format("{} holds no run yet; starting one", folder / "run"));
  EXPECT_EQ(files_in(folder / "run"), uninterrupted());
}

TEST(Resume, WithoutTheDescriptionIsRefused) {
  const TemporaryFolder folder;
  new_trainer().fit(run_data(), run_options(folder / "run"));
  const RunFiles files{folder / "run"};
  const std::string model = io::read_text_file(files.model());
  fs::remove(files.description());
  EXPECT_EQ(error_of([&] { resume(folder / "run"); }),
            fmt::format("{} holds model.safetensors but no run.json: the run cannot go on\n"
                        "  help: put run.json back, replace the run (overwrite), or choose another "
                        "folder",
                        folder / "run"));
  EXPECT_EQ(io::read_text_file(files.model()), model);
}

TEST(Resume, BeforeTheFirstCheckpointStartsAgain) {
  const TemporaryFolder folder;
  new_trainer().fit(run_data(), run_options(folder / "run"));
  const RunFiles files{folder / "run"};
  fs::rename(files.state(), files.next_state());
  for (const fs::path& file : {files.model(), files.metrics(), files.curves()}) fs::remove(file);
  resume(folder / "run");
  EXPECT_EQ(files_in(folder / "run"), uninterrupted());
  EXPECT_FALSE(fs::exists(files.next_state()));
}

TEST(Resume, WithoutTheStateIsRefused) {
  const TemporaryFolder folder;
  new_trainer().fit(run_data(), run_options(folder / "run"));
  fs::remove(RunFiles{folder / "run"}.state());
  EXPECT_EQ(error_of([&] { resume(folder / "run"); }),
            fmt::format("{0}/state.safetensors is missing: the run cannot go on\n  help: train in "
                        "another folder with the weights of {0}/model.safetensors as initial ones",
                        folder / "run"));
}

TEST(Resume, WithLessThanIsDoneIsRefused) {
  const TemporaryFolder folder;
  FitOptions options = run_options(folder / "run");
  options.max_steps = 4;
  new_trainer().fit(run_data(), options);
  options.resume = true;
  options.max_steps = 3;
  EXPECT_EQ(
      error_of([&] { new_trainer().fit(run_data(), options); }),
      fmt::format("{}: the run cannot go on: 4 steps are done, max_steps is 3", folder / "run"));
  options.max_steps = 0;
  options.epochs = 1;
  EXPECT_EQ(
      error_of([&] { new_trainer().fit(run_data(), options); }),
      fmt::format("{}: the run cannot go on: 2 epochs are begun, 1 asked for", folder / "run"));
}

// A process that is killed at random moments, again and again, until the run is done.
TEST(Kill, AtAnyMomentResumesToTheSameBits) {
  const FinalFiles expected = uninterrupted();
  std::mt19937 random(7);
  for (int round = 0; round < 4; ++round) {
    const TemporaryFolder folder;
    int kills = 0;
    for (;;) {
      const pid_t child = ::fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        FitOptions options = run_options(folder / "run");
        options.resume = true;
        options.checkpoint_every = 1;
        new_trainer().fit(run_data(), options);
        ::_exit(0);
      }
      // The longer it takes, the longer a child lives: the run must end.
      ::usleep(std::uniform_int_distribution<useconds_t>(1000, 30000 + 8000u * kills)(random));
      ::kill(child, SIGKILL);
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      if (WIFEXITED(status)) {
        ASSERT_EQ(WEXITSTATUS(status), 0);
        break;
      }
      ++kills;
    }
    EXPECT_EQ(files_in(folder / "run"), expected) << "after " << kills << " kills";
    for (const auto& entry : fs::directory_iterator(folder / "run"))
      EXPECT_FALSE(entry.path().string().ends_with(".tmp")) << entry.path();
  }
}

// The folder after step 5, and the files that step 6's checkpoint would write.
class InterruptedCheckpoint : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [name, steps] : {std::pair{"run", 5}, std::pair{"later", 6}}) {
      StopAfter callback(steps);
      FitOptions options = run_options(folder_ / name);
      options.callbacks = {&callback};
      Trainer trainer = new_trainer();
      trainer.fit(run_data(), options);
    }
  }
  void expect_resumed_at(std::int64_t step) {
    std::vector<std::string> lines;
    resume(folder_ / "run", &lines);
    ASSERT_FALSE(lines.empty());
    EXPECT_TRUE(lines.front().find(fmt::format("at step {} ", step)) != std::string::npos)
        << lines.front();
    EXPECT_EQ(files_in(folder_ / "run"), uninterrupted());
    EXPECT_FALSE(fs::exists(run_.next_state()));
  }
  const TemporaryFolder folder_;
  const RunFiles run_{folder_ / "run"};
  const RunFiles later_{folder_ / "later"};
};

TEST_F(InterruptedCheckpoint, WithTheNextStateOnlyIsTakenBack) {
  fs::copy_file(later_.state(), run_.next_state());
  expect_resumed_at(5);
}

TEST_F(InterruptedCheckpoint, WithTheNewModelIsFinished) {
  fs::copy_file(later_.state(), run_.next_state());
  fs::copy_file(later_.model(), run_.model(), fs::copy_options::overwrite_existing);
  Trainer read_only = load(folder_ / "run", "reference");
  EXPECT_EQ(read_only.steps_done(), 6);
  EXPECT_TRUE(fs::exists(run_.next_state()));  // loading writes nothing
  // The rows of metrics.csv that step 6 added are there before its checkpoint.
  fs::copy_file(later_.metrics(), run_.metrics(), fs::copy_options::overwrite_existing);
  expect_resumed_at(6);
}

TEST_F(InterruptedCheckpoint, LeavesNoTemporaryFiles) {
  const std::string mine = (run_.folder / ".model.safetensors.0123456789abcdef.tmp").string();
  const std::string other = (run_.folder / ".notes.0123456789abcdef.tmp").string();
  io::write_file_atomically(mine, "half");
  io::write_file_atomically(other, "not ours");
  expect_resumed_at(5);
  EXPECT_FALSE(fs::exists(mine));
  EXPECT_TRUE(fs::exists(other));
}

TEST(Kill, InTheFirstCheckpointLeavesNothingInTheWay) {
  const TemporaryFolder folder;
  const RunFiles files{folder / "run"};
  const std::string left = (files.folder / ".state.next.safetensors.0123456789abcdef.tmp").string();
  for (const char* how : {"new", "resume", "overwrite"}) {
    fs::remove_all(files.folder);
    io::make_folders(files.folder);
    io::write_file_atomically(left, "half");
    FitOptions options = run_options(folder / "run");
    options.resume = std::string_view(how) == "resume";
    options.overwrite = std::string_view(how) == "overwrite";
    new_trainer().fit(run_data(), options);
    EXPECT_FALSE(fs::exists(left)) << how;
    EXPECT_EQ(files_in(folder / "run"), uninterrupted()) << how;
  }
}

TEST_F(InterruptedCheckpoint, MetricsAfterItAreDropped) {
  std::string metrics = io::read_text_file(run_.metrics());
  metrics += "6,2,train,0.5,0.5\n6,2,validation,0.5,0.5\n7,3,tra";
  io::write_file_atomically(run_.metrics(), metrics);
  expect_resumed_at(5);
}

TEST_F(InterruptedCheckpoint, FilesOfTwoMomentsAreRefused) {
  fs::copy_file(later_.model(), run_.model(), fs::copy_options::overwrite_existing);
  EXPECT_EQ(error_of([&] { resume(folder_ / "run"); }),
            fmt::format("{0}/state.safetensors is not of the same checkpoint as "
                        "{0}/model.safetensors: the run cannot go on\n  help: train in another "
                        "folder with these weights as initial ones",
                        folder_ / "run"));
}

TEST_F(InterruptedCheckpoint, DamagedFilesAreRefused) {
  for (const fs::path& file : {run_.model(), run_.state(), run_.description()}) {
    const std::string whole = io::read_text_file(file);
    for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 40) {
      io::write_file_atomically(file, whole.substr(0, length));
      const std::string message = error_of([&] { resume(folder_ / "run"); });
      EXPECT_TRUE(message.find(file.filename().string()) != std::string::npos) << message;
    }
    std::string flipped = whole;
    flipped[flipped.size() - 2] = static_cast<char>(flipped[flipped.size() - 2] ^ 1);
    io::write_file_atomically(file, flipped);
    error_of([&] { resume(folder_ / "run"); });
    io::write_file_atomically(file, whole);
  }
  expect_resumed_at(5);
}

TEST_F(InterruptedCheckpoint, AnotherTaskIsRefusedByName) {
  const std::string file = run_.description().string();
  const auto message = [&](const TrainerOptions& options, const FitOptions& fit,
                           const data::Dataset& data) {
    return error_of([&] { Trainer(model_with_state(), options).fit(data, fit); });
  };
  FitOptions fit = run_options(folder_ / "run");
  fit.resume = true;
  FitOptions larger = fit;
  larger.batch_size = 5;
  EXPECT_EQ(message(small_options(), larger, run_data()),
            file + ": the run cannot go on: training/batch_size was 4, now it is 5");
  TrainerOptions other = small_options();
  other.seed = 2;
  EXPECT_EQ(message(other, fit, run_data()),
            file + ": the run cannot go on: seed was 1, now it is 2");
  other = small_options();
  other.optimizer = optim::Adam{.learning_rate = 0.125};
  EXPECT_EQ(message(other, fit, run_data()),
            file + ": the run cannot go on: optimizer/learning_rate was 0.05, now it is 0.125");
  HostTensor changed = run_data().x().tensor();
  changed.as<float>()[3] += 1;
  EXPECT_EQ(
      message(small_options(), fit,
              data::Dataset("blobs", std::move(changed), run_data().y(), run_data().class_names())),
      file +
          ": the run cannot go on: its data has changed (other samples, labels, weights or order, "
          "or made by workers then and not now)");
}

TEST(RunFolder, AnotherRunIsRefusedUnlessReplaced) {
  const TemporaryFolder folder;
  FitOptions options = run_options(folder / "run");
  new_trainer().fit(run_data(), options);
  const FinalFiles before = files_in(folder / "run");
  EXPECT_EQ(error_of([&] { new_trainer().fit(run_data(), options); }),
            fmt::format("{} holds a run already\n  help: resume it, overwrite it, or choose "
                        "another folder",
                        folder / "run"));
  EXPECT_EQ(files_in(folder / "run"), before);
  options.overwrite = true;
  options.epochs = 1;
  new_trainer().fit(run_data(), options);
  EXPECT_NE(files_in(folder / "run").model, before.model);
}

TEST(RunFolder, TwoTrainersAtOnceAreRefused) {
  const TemporaryFolder folder;
  const RunLock lock(folder / "run");
  EXPECT_EQ(error_of([&] { new_trainer().fit(run_data(), run_options(folder / "run")); }),
            fmt::format("another process is training in {}", folder / "run"));
}

TEST(RunFolder, OfAFailedStartIsRemoved) {
  const TemporaryFolder folder;
  { const RunLock lock(folder / "empty"); }
  EXPECT_FALSE(fs::exists(folder / "empty"));
  fs::create_directory(folder / "mine");
  { const RunLock lock(folder / "mine"); }
  EXPECT_TRUE(fs::exists(folder / "mine"));
}

TEST(RunFolder, NoEpochsWriteTheInitialWeights) {
  const TemporaryFolder folder;
  FitOptions options = run_options(folder / "run");
  options.epochs = 0;
  Trainer trainer = new_trainer();
  const History history = trainer.fit(run_data(), options);
  EXPECT_EQ(history.steps, 0);
  EXPECT_FALSE(history.stopped);
  const auto read = io::read_safetensors(RunFiles{folder / "run"}.model());
  ASSERT_EQ(read.tensors.size(), trainer.weights().size());
  for (const Variable& weight : trainer.weights())
    EXPECT_EQ(read.tensors.at(weight.name()), weight.initial_value(1));
  EXPECT_EQ(io::read_text_file(RunFiles{folder / "run"}.metrics()),
            "step,epoch,split,loss,accuracy\n");
  // Going on from there equals having begun there.
  resume(folder / "run");
  EXPECT_EQ(files_in(folder / "run"), uninterrupted());
}

TEST(RunFolder, MaxStepsCountFromTheBeginningOfTheRun) {
  const TemporaryFolder folder;
  FitOptions options = run_options(folder / "run");
  options.max_steps = 5;
  StopAfter callback(2);
  options.callbacks = {&callback};
  new_trainer().fit(run_data(), options);
  options.callbacks = {};
  options.resume = true;
  Trainer trainer = new_trainer();
  EXPECT_EQ(trainer.fit(run_data(), options).steps, 3);
  EXPECT_EQ(trainer.steps_done(), 5);
}

}  // namespace
}  // namespace tenon
