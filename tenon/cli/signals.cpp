#include "tenon/cli/signals.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

#include "tenon/backends/cpu/work_folder.h"
#include "tenon/base/interruption.h"
#include "tenon/cli/commands.h"

namespace tenon::cli {
namespace {

namespace fs = std::filesystem;

std::atomic<bool> is_stopping = false, is_ending = false, has_failed = false;
int signal_pipe[2] = {-1, -1};  // one byte for each signal

// A handler may do little; the watcher does the rest.
extern "C" void note_stop_signal(int) {
  const char byte = 0;
  [[maybe_unused]] const ssize_t written = ::write(signal_pipe[1], &byte, 1);
}

void say(const char* line) {
  std::fprintf(stderr, "%s%s\n", ::isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : "", line);
  std::fflush(stderr);
}

// Compilers are the only children, each the first of a process group.
void kill_compilers() {
  std::error_code ignored;
  for (const fs::directory_entry& thread : fs::directory_iterator("/proc/self/task", ignored)) {
    std::ifstream children(thread.path() / "children");
    for (pid_t child = 0; children >> child;)
      if (child > 1) ::kill(-child, SIGKILL);
  }
}

void wait_for_signal() {
  char byte = 0;
  while (::read(signal_pipe[0], &byte, 1) != 1) {
  }
}

// A compile that is given up, or whose compiler is gone, takes a moment in which files are still
// written.
void wait_for_failure() {
  constexpr int kMostTurns = 200;
  for (int turn = 0; turn < kMostTurns && !has_failed; ++turn)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

// Where nothing is compiled, nothing will fail.
void wait_for_failure_of_compile() {
  std::this_thread::sleep_for(2 * kInterruptionPatience);
  if (backends::has_own_work_folders()) wait_for_failure();
}

void watch(std::stop_source stop, const fs::path& made_folder) {
  wait_for_signal();
  say("stopping when the step that runs now is done; Ctrl-C again ends at once");
  // After the line, which must not follow what is said of the end.
  is_stopping = true;
  stop.request_stop();
  wait_for_signal();
  is_ending = true;
  kill_compilers();
  wait_for_failure();
  backends::remove_own_work_folders();
  if (!made_folder.empty()) ::rmdir(made_folder.c_str());  // only if it is empty
  say("ended at once; nothing was saved since the last checkpoint");
  ::_exit(kExitInterrupted);
}

void watch_for_end() {
  wait_for_signal();
  is_ending = true;
  kill_compilers();
  wait_for_failure_of_compile();
  kill_compilers();  // one may have been about to start
  backends::remove_own_work_folders();
  say("stopped");
  ::_exit(kExitInterrupted);
}

void install_handler() {
  struct sigaction action {};
  action.sa_handler = note_stop_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

std::stop_token catch_stop_signals(const fs::path& run_folder) {
  const std::stop_source stop;
  if (::pipe(signal_pipe) != 0) return stop.get_token();  // signals end the process as usual
  std::error_code error;
  const bool is_made = !run_folder.empty() && !fs::exists(run_folder, error);
  std::thread(watch, stop, is_made ? run_folder : fs::path()).detach();
  install_handler();
  return stop.get_token();
}

bool stop_requested() { return is_stopping; }

void end_on_stop_signals() {
  if (::pipe(signal_pipe) != 0) return;  // signals end the process as usual
  std::thread(watch_for_end).detach();
  install_handler();
}

bool end_requested() { return is_ending; }

void wait_if_ending() {
  has_failed = is_ending.load();
  while (is_ending) ::pause();
}

}  // namespace tenon::cli
