#include "tenon/backends/cpu/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tenon/base/error.h"
#include "tenon/base/interruption.h"

extern "C" char** environ;

namespace tenon::backends {

namespace {

constexpr std::size_t kLongestOutput = std::size_t{1} << 20;
// How often a process is asked whether it has ended, where the system cannot tell by itself.
constexpr int kPollMilliseconds = 5;

int open_process_descriptor(pid_t id) {
#ifdef SYS_pidfd_open
  return static_cast<int>(syscall(SYS_pidfd_open, id, 0));
#else
  (void)id;
  return -1;
#endif
}

void close_descriptor(int& descriptor) {
  if (descriptor >= 0) close(descriptor);
  descriptor = -1;
}

std::vector<char*> words_of(std::vector<std::string>& texts) {
  std::vector<char*> words;
  for (std::string& text : texts) words.push_back(text.data());
  words.push_back(nullptr);
  return words;
}

// This process's environment, with the variables in place of its own of the same names.
std::vector<char*> environment_with(std::vector<std::string>& variables) {
  std::vector<char*> words = words_of(variables);
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view own(*entry);
    const bool is_replaced = std::ranges::any_of(variables, [&](std::string_view variable) {
      return own.starts_with(variable.substr(0, variable.find('=') + 1));
    });
    if (!is_replaced) words.insert(words.end() - 1, *entry);
  }
  return words;
}

}  // namespace

Process::Process(std::vector<std::string> arguments, std::vector<std::string> variables)
    : start_(std::chrono::steady_clock::now()) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw BackendError(
        fmt::format("cannot run {}: no pipe: {}", arguments[0], std::strerror(errno)));
  fcntl(ends[0], F_SETFL, O_NONBLOCK);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, ends[1], 1);
  posix_spawn_file_actions_adddup2(&files, ends[1], 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // A group of its own: it can be killed with its children, and Ctrl-C does not reach it.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> words = words_of(arguments);
  std::vector<char*> all_variables = environment_with(variables);
  pid_t id = -1;
  const int error = posix_spawn(&id, arguments[0].c_str(), &files, &attributes, words.data(),
                                all_variables.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    throw BackendError(fmt::format("cannot run {}: {}", arguments[0], std::strerror(error)));
  }
  id_ = id;
  output_ = ends[0];
  descriptor_ = open_process_descriptor(id);
}

Process::Process(Process&& other) noexcept
    : id_(std::exchange(other.id_, -1)),
      output_(std::exchange(other.output_, -1)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      start_(other.start_) {}

Process::~Process() {
  if (id_ > 0) {
    kill_group();
    while (waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  close_descriptor(output_);
  close_descriptor(descriptor_);
}

void Process::kill_group() { kill(-id_, SIGKILL); }

// Reads what is there; false at the end of the stream.
bool Process::read_output(std::string& output) {
  char piece[4096];
  for (;;) {
    const ssize_t count = read(output_, piece, sizeof piece);
    if (count > 0) {
      const std::size_t room = kLongestOutput - output.size();
      output.append(piece, std::min(room, static_cast<std::size_t>(count)));
    } else if (count == 0) {
      return false;
    } else if (errno != EINTR) {
      return true;
    }
  }
}

ProcessResult Process::wait(std::chrono::seconds limit) {
  ProcessResult result;
  bool is_open = true;
  int status = 0;
  pid_t ended = 0;
  for (;;) {
    interruption_point();
    if (is_open) is_open = read_output(result.output);
    ended = waitpid(id_, &status, WNOHANG);
    if (ended != 0 && !(ended < 0 && errno == EINTR)) break;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        start_ + limit - std::chrono::steady_clock::now());
    if (left.count() <= 0 && !result.timed_out) {
      result.timed_out = true;
      kill_group();
    }
    const std::int64_t most = InterruptionScope::is_open() ? kInterruptionPatience.count() : 1000;
    const int patience = descriptor_ < 0 || result.timed_out
                             ? kPollMilliseconds
                             : static_cast<int>(std::min<std::int64_t>(left.count() + 1, most));
    pollfd watched[2] = {{is_open ? output_ : -1, POLLIN, 0}, {descriptor_, POLLIN, 0}};
    poll(watched, 2, patience);
  }
  if (is_open) read_output(result.output);
  id_ = -1;
  // A host that ignores SIGCHLD reaps its children by itself: then there is no status to see, and
  // what the program should have made tells how it ended.
  if (ended < 0) status = 0;
  result.exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

std::string shell_command(const std::vector<std::string>& arguments) {
  std::string line;
  for (const std::string& argument : arguments) {
    if (!line.empty()) line += ' ';
    const bool is_plain = !argument.empty() && std::ranges::all_of(argument, [](unsigned char c) {
      return std::isalnum(c) != 0 || std::strchr("_-+=./,:@%", c) != nullptr;
    });
    if (is_plain) {
      line += argument;
      continue;
    }
    line += '\'';
    for (const char c : argument) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

}  // namespace tenon::backends
