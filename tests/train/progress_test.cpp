// The ready progress callback: what it prints to a file and to a terminal.
#include "tenon/train/progress.h"

#include <fcntl.h>
#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <regex>
#include <thread>

#include "tenon/train/trainer_state.h"
#include "train_testing.h"

namespace tenon {
namespace {

std::string without_times(const std::string& text) {
  return std::regex_replace(text, std::regex("[0-9.e+-]+ (s|ms/step)"), "T $1");
}

std::string contents_of(std::FILE* file) {
  std::rewind(file);
  std::string text;
  for (int c; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
  return text;
}

TEST(PrintProgress, IsALineForEachEpochInAFile) {
  std::FILE* file = std::tmpfile();
  TrainerOptions options = small_options();
  Trainer trainer(small_model(), options);
  const History history = trainer.fit(
      blobs(10),
      {.epochs = 2, .batch_size = 4, .validation = blobs(5), .callbacks = {print_progress(file)}});
  std::string expected;
  for (const EpochRecord& epoch : history.epochs)
    expected += fmt::format(
        "epoch {}/2  step {}  loss {:.4f}  accuracy {:.4f}  validation loss {:.4f}  accuracy "
        "{:.4f}  "
        "T s\n",
        epoch.epoch, 3 * epoch.epoch, epoch.train.loss, epoch.train["accuracy"],
        epoch.validation->loss, (*epoch.validation)["accuracy"]);
  EXPECT_EQ(without_times(contents_of(file)), expected);
  std::fclose(file);
}

// Waits, so that the steps of small models are slow enough to be shown.
struct Slow final : Callback {
  bool on_step_end(Trainer&, const StepInfo&) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    return true;
  }
};

TEST(PrintProgress, IsABarOnATerminal) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(master, 0);
  ASSERT_EQ(::grantpt(master), 0);
  ASSERT_EQ(::unlockpt(master), 0);
  std::FILE* terminal = std::fopen(::ptsname(master), "w");
  ASSERT_NE(terminal, nullptr);
  TrainerOptions options = small_options();
  Trainer trainer(small_model(), options);
  StopAfter stop(2);
  Slow slow;
  trainer.fit(
      blobs(10),
      {.epochs = 1, .batch_size = 4, .callbacks = {print_progress(terminal), &slow, &stop}});
  std::fclose(terminal);
  std::string text;
  char part[4096];
  for (ssize_t count; (count = ::read(master, part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(count));
  ::close(master);
  EXPECT_NE(text.find("\repoch 1/1  [================>       ]  2/3  ETA 0:00  loss "),
            std::string::npos)
      << text;
  // A fit that ends within an epoch says how far it came.
  EXPECT_NE(text.find("\r\x1b[Kepoch 1/1  step 2/3  loss "), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\r\n")) << text;
}

TEST(PrintProgress, NeedsAStream) {
  EXPECT_EQ(error_of([] { print_progress(nullptr); }), "print_progress: the stream is null");
}

TEST(Progress, AWaitForTheEvaluationStepIsTold) {
  EXPECT_EQ(evaluation_note({.seconds = 2.5}), "evaluation step: compiled in 2.50 s");
  EXPECT_EQ(evaluation_note({.seconds = 0.9}), "");
}

}  // namespace
}  // namespace tenon
