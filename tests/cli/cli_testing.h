// Helpers of the command line tests: runs the program, gives what it printed and its status.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tenon/io/file.h"

namespace tenon::cli {

// A folder that is removed with its content at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tenon_cli_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

struct Outcome {
  int status = -1;  // of the exit; 128 + the signal if one ended it
  std::string out, err;
};

// Starts the program with its output going to the two files; `environment` holds NAME=value.
inline pid_t start_tenon(const std::vector<std::string>& arguments, const std::string& out,
                         const std::string& err, const std::vector<std::string>& environment = {}) {
  std::vector<char*> argv{const_cast<char*>("tenon")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  for (const std::string& variable : environment) ::putenv(const_cast<char*>(variable.c_str()));
  const int flags = O_WRONLY | O_CREAT | O_TRUNC;
  ::dup2(::open(out.c_str(), flags, 0600), STDOUT_FILENO);
  ::dup2(::open(err.c_str(), flags, 0600), STDERR_FILENO);
  ::execv(TENON_CLI, argv.data());
  ::_exit(127);
}

inline int exit_status(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline Outcome run_tenon(const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  const pid_t child = start_tenon(arguments, folder / "out", folder / "err");
  Outcome outcome;
  outcome.status = exit_status(child);
  outcome.out = io::read_text_file(folder / "out");
  outcome.err = io::read_text_file(folder / "err");
  return outcome;
}

// A file of bytes in the format of MNIST's.
inline void write_idx(const std::string& file, const std::vector<std::uint16_t>& shape,
                      const std::vector<unsigned char>& data) {
  std::string bytes("\0\0\x08", 3);
  bytes += static_cast<char>(shape.size());
  for (const std::uint16_t extent : shape)
    bytes += std::string("\0\0", 2) + static_cast<char>(extent >> 8) + static_cast<char>(extent);
  bytes.append(data.begin(), data.end());
  io::write_file_atomically(file, bytes);
}

// Two columns around (0, 0), (4, 0), (0, 4) and the class, with a header.
inline void write_points(const std::string& file, int rows) {
  std::string text = "across,down,class\n";
  for (int i = 0; i < rows; ++i)
    text += fmt::format("{},{},{}\n", (i % 3 == 1 ? 4 : 0) + (i * 7 % 11) / 11.0,
                        (i % 3 == 2 ? 4 : 0) + (i * 5 % 11) / 11.0, i % 3);
  io::write_file_atomically(file, text);
}

// A short training on points, on the device that needs no compiler.
inline std::vector<std::string> train_arguments(const std::string& data, const std::string& out,
                                                const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {
      "train",  "--model",     "mlp",       "--hidden", "4",
      "--data", "csv:" + data, "--epochs",  "2",        "--batch-size",
      "8",      "--device",    "reference", "--out",    out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace tenon::cli
