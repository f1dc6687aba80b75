// The ready progress callback: what it prints to a file and to a terminal.
#include "tenon/train/progress.h"

#include <fcntl.h>
#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <functional>
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

// What is written to a terminal meanwhile.
std::string shown_on_terminal(const std::function<void(std::FILE*)>& work) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  EXPECT_GE(master, 0);
  EXPECT_EQ(::grantpt(master), 0);
  EXPECT_EQ(::unlockpt(master), 0);
  std::FILE* terminal = std::fopen(::ptsname(master), "w");
  EXPECT_NE(terminal, nullptr);
  work(terminal);
  std::fclose(terminal);
  std::string text;
  char part[4096];
  for (ssize_t count; (count = ::read(master, part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(count));
  ::close(master);
  return text;
}

TEST(PrintProgress, IsABarOnATerminal) {
  const std::string text = shown_on_terminal([](std::FILE* terminal) {
    Trainer trainer(small_model(), small_options());
    StopAfter stop(2);
    Slow slow;
    trainer.fit(
        blobs(10),
        {.epochs = 1, .batch_size = 4, .callbacks = {print_progress(terminal), &slow, &stop}});
  });
  EXPECT_NE(text.find("\repoch 1/1  [================>       ]  2/3  ETA 0:00  loss "),
            std::string::npos)
      << text;
  // A fit that ends within an epoch says how far it came.
  EXPECT_NE(text.find("\r\x1b[Kepoch 1/1  step 2/3  loss "), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\r\n")) << text;
}

// Three steps of 0.1 s, not a thousand epochs of them.
TEST(PrintProgress, TheTimeLeftIsThatOfTheStepsLeft) {
  const std::string text = shown_on_terminal([](std::FILE* terminal) {
    Trainer trainer(small_model(), small_options());
    Slow slow;
    trainer.fit(blobs(10), {.epochs = 1000,
                            .batch_size = 4,
                            .max_steps = 3,
                            .callbacks = {print_progress(terminal), &slow}});
  });
  EXPECT_NE(text.find("  2/3  ETA 0:00  loss "), std::string::npos) << text;
}

TEST(PrintProgress, ShowsALineUntilTheNextOneOnATerminalAlone) {
  const auto show = [](std::FILE* stream) {
    ProgressPrinter printer(stream);
    printer.show("compiling");
    printer.note("compiled");
  };
  EXPECT_EQ(shown_on_terminal(show), "compiling\x1b[K\r\x1b[Kcompiled\r\n");
  std::FILE* file = std::tmpfile();
  show(file);
  EXPECT_EQ(contents_of(file), "compiled\n");
  std::fclose(file);
}

TEST(StepInfo, TellsTheStepsLeft) {
  struct Left final : Callback {
    std::vector<std::int64_t> left;
    bool on_step_end(Trainer&, const StepInfo& info) override {
      left.push_back(info.steps_left.value_or(-1));
      return true;
    }
  };
  const auto left_of = [](std::int64_t epochs, std::int64_t max_steps) {
    Trainer trainer(small_model(), small_options());
    Left left;
    trainer.fit(blobs(10),
                {.epochs = epochs, .batch_size = 4, .max_steps = max_steps, .callbacks = {&left}});
    return left.left;
  };
  EXPECT_EQ(left_of(2, 0), (std::vector<std::int64_t>{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(left_of(2, 4), (std::vector<std::int64_t>{3, 2, 1, 0}));
  EXPECT_EQ(left_of(1, 100), (std::vector<std::int64_t>{2, 1, 0}));
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
