// Runs other programs: no shell, output captured, time limited.
#pragma once
#include <chrono>
#include <string>
#include <vector>

namespace tenon::backends {

struct ProcessResult {
  int exit_status = 0;  // 128 + signal if it was killed
  bool timed_out = false;
  std::string output;  // standard output and standard error together, at most 1 MiB
};

// A program that runs beside this one. It is killed with all it started if it is not waited for.
class Process {
 public:
  // arguments[0] is the path of the program. `variables` ("NAME=value") join this process's
  // environment, in place of those of the same name. BackendError if it cannot be started.
  explicit Process(std::vector<std::string> arguments, std::vector<std::string> variables = {});
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  // Waits for its end, or kills it when the limit (counted from its start) is reached. While it
  // waits it can be interrupted (base/interruption.h): the destructor then ends the program.
  ProcessResult wait(std::chrono::seconds limit);

 private:
  bool read_output(std::string& output);
  void kill_group();

  int id_ = -1;
  int output_ = -1;      // read end of its standard output and error
  int descriptor_ = -1;  // becomes readable when it ends; -1 where the system has no such thing
  std::chrono::steady_clock::time_point start_;
};

// The arguments as a line that can be pasted into a shell.
std::string shell_command(const std::vector<std::string>& arguments);

}  // namespace tenon::backends
