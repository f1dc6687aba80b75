#include "tenon/backends/cpu/compiler.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <numeric>

#include "tenon/backends/cpu/process.h"
#include "tenon/base/cpu_info.h"
#include "tenon/base/environment.h"
#include "tenon/base/error.h"
#include "tenon/base/text.h"

namespace tenon::backends {

namespace {

constexpr std::chrono::seconds kVersionLimit(20);
constexpr std::string_view kInstallHelp =
    "  help: install one (on Debian: apt-get install gcc), or set TENON_CC to its path";

std::chrono::seconds compile_limit() {
  return std::chrono::seconds(environment::compile_seconds());
}

bool is_program(const std::filesystem::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

std::optional<std::filesystem::path> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos)
    return is_program(name) ? std::optional<std::filesystem::path>(name) : std::nullopt;
  for (const std::filesystem::path& folder : environment::program_folders())
    if (is_program(folder / name)) return folder / name;
  return std::nullopt;
}

std::filesystem::path find_compiler_path() {
  if (const auto chosen = environment::compiler()) {
    if (const auto path = find_program(*chosen)) return *path;
    throw BackendError(fmt::format("TENON_CC is {}, which is not a program that can be run\n{}",
                                   in_quotes(*chosen, 200), kInstallHelp));
  }
  for (const char* name : {"cc", "gcc", "clang"})
    if (const auto path = find_program(name)) return *path;
  throw BackendError(
      fmt::format("no C compiler: none of cc, gcc and clang is in PATH; device \"cpu\" compiles "
                  "each step with one\n{}",
                  kInstallHelp));
}

std::string read_version(const std::filesystem::path& path) {
  const auto limit = std::min(kVersionLimit, compile_limit());
  const ProcessResult result = Process({path.string(), "--version"}).wait(limit);
  if (result.exit_status != 0 || result.timed_out)
    throw BackendError(
        fmt::format("{} --version {}: it is not a working C compiler\n{}", path.string(),
                    result.timed_out ? fmt::format("did not end within {} s", limit.count())
                                     : fmt::format("ended with status {}", result.exit_status),
                    kInstallHelp));
  return std::string(trim(split(result.output, '\n')[0]));
}

void write_source(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file)
    throw BackendError(fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
}

// The head of what a compiler printed: the first error is what matters.
std::string first_lines(const std::string& text, std::size_t count) {
  std::string head;
  for (const std::string_view line : split(trim(text), '\n')) {
    if (count-- == 0) return head + "\n    ...";
    head += fmt::format("\n    {}", line);
  }
  return head;
}

void require_success(const ProcessResult& result, const std::vector<std::string>& command,
                     const std::filesystem::path& source, const std::filesystem::path& made) {
  const bool is_made = std::filesystem::exists(made);
  if (result.exit_status == 0 && !result.timed_out && is_made) return;
  std::string how = "made no file", help;
  if (result.exit_status != 0) how = fmt::format("failed with status {}", result.exit_status);
  const int signal = result.exit_status - 128;
  if (signal > 0 && signal < NSIG)
    how = fmt::format("was killed by signal {} ({})", signal, strsignal(signal));
  // What a compiler says, in its own name, when one of its parts was killed.
  if (signal == SIGKILL || result.output.find("Killed") != std::string::npos)
    help = "\n  help: systems kill programs when memory runs out; end others that use much of it";
  if (result.timed_out) {
    how = fmt::format("did not end within {} s", compile_limit().count());
    help = "\n  help: TENON_COMPILE_SECONDS sets the limit";
  }
  throw BackendError(fmt::format("the C compiler {}\n  source: {}\n  command: {}\n  output:{}{}",
                                 how, source.string(), shell_command(command),
                                 first_lines(result.output, 20), help));
}

// What takes longest goes first, so that the last ones end together. The first text is not
// optimised.
std::vector<std::size_t> longest_first(const std::vector<std::string>& sources) {
  constexpr std::size_t kTimesFaster = 8;
  std::vector<std::size_t> order(sources.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t i) {
    return i == 0 ? sources[i].size() / kTimesFaster : sources[i].size();
  });
  return order;
}

// Little text compiles in no time, and the short loops of small steps gain by being unrolled.
bool is_short(const std::vector<std::string>& sources) {
  constexpr std::size_t kShort = 64 * 1024;
  std::size_t length = 0;
  for (const std::string& source : sources) length += source.size();
  return length <= kShort;
}

}  // namespace

Compiler find_compiler() {
  // Asking for the version starts a process: once for each compiler and change of it is enough.
  static std::mutex mutex;
  static std::map<std::string, std::string> versions;
  const std::filesystem::path path = find_compiler_path();
  struct stat status {};
  stat(path.c_str(), &status);
  const std::string file = fmt::format("{} {}", status.st_size, status.st_mtim.tv_sec);
  const std::string key = fmt::format("{} {} {}", path.string(), status.st_ino, file);
  const std::lock_guard lock(mutex);
  const auto known = versions.find(key);
  if (known != versions.end()) return {path, known->second, file};
  return {path, versions[key] = read_version(path), file};
}

std::vector<std::string> common_flags(const Compiler& compiler) {
  // The arena holds values of different types at one address over time: no aliasing by type.
  std::vector<std::string> flags = {"-std=gnu11",
                                    "-march=native",
                                    "-ffp-contract=off",
                                    "-fno-math-errno",
                                    "-fno-trapping-math",
                                    "-fno-strict-aliasing",
                                    "-fPIC",
                                    "-fno-semantic-interposition",
                                    "-fvisibility=hidden",
                                    "-w"};
  if (compiler.version.find("clang") == std::string::npos)
    flags.emplace_back("-fvect-cost-model=dynamic");
  if (environment::vector_bytes() < cpu_info().vector_bytes)
    flags.push_back("-mno-avx512f");
  else if (cpu_info().vector_bytes == 64)
    flags.push_back("-mprefer-vector-width=512");  // contractions use such vectors anyway
  return flags;
}

std::vector<std::string> compiler_flags(const Compiler& compiler,
                                        const std::vector<std::string>& sources) {
  std::vector<std::string> flags = common_flags(compiler);
  // -O3 takes a quarter longer and its steps are no faster, once -O2 of gcc makes vectors of all
  // loops that gain by it, as other compilers do.
  flags.emplace_back(is_short(sources) ? "-O3" : "-O2");
  return flags;
}

Compilation compile_sources(const Compiler& compiler, const std::vector<std::string>& sources,
                            const std::filesystem::path& folder) {
  Compilation compilation;
  compilation.library = folder / "step.so";
  // A compiler that is killed leaves its temporary files: they go with the folder.
  const std::vector<std::string> variables = {"TMPDIR=" + folder.string()};
  std::vector<std::string> common = {compiler.path.string()};
  for (std::string& flag : compiler_flags(compiler, sources)) common.push_back(std::move(flag));

  std::vector<std::filesystem::path> texts;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    texts.push_back(folder / (i == 0 ? std::string("step.c") : fmt::format("step_{}.c", i)));
    write_source(texts.back(), sources[i]);
  }
  if (sources.size() == 1) {
    std::vector<std::string> command = common;
    for (const std::string& word : {std::string("-shared"), std::string("-o"),
                                    compilation.library.string(), texts[0].string()})
      command.push_back(word);
    require_success(Process(command, variables).wait(compile_limit()), command, texts[0],
                    compilation.library);
    compilation.commands = {command};
    return compilation;
  }
  std::vector<Process> running;
  std::vector<std::string> link = common;
  link.insert(link.end(), {"-shared", "-o", compilation.library.string()});
  for (const std::filesystem::path& text : texts) {
    const std::string object = std::filesystem::path(text).replace_extension(".o").string();
    std::vector<std::string> command = common;
    // The first of several texts only calls what the others hold: optimised, it would take a third
    // of the whole time, for nothing.
    if (&text == &texts.front()) command.emplace_back("-O0");
    command.insert(command.end(), {"-c", "-o", object, text.string()});
    compilation.commands.push_back(command);
    link.push_back(object);
  }
  // One more at a time than there are cores, so that none is idle while the oldest is waited for:
  // `running` is a queue.
  const auto at_once = static_cast<std::size_t>(usable_cores()) + 1;
  const std::vector<std::size_t> order = longest_first(sources);
  const auto finish = [&](std::size_t nth) {
    const std::size_t i = order[nth];
    const std::filesystem::path object = std::filesystem::path(texts[i]).replace_extension(".o");
    require_success(running[nth].wait(compile_limit()), compilation.commands[i], texts[i], object);
  };
  std::size_t finished = 0;
  for (std::size_t nth = 0; nth < texts.size(); ++nth) {
    if (nth - finished == at_once) finish(finished++);
    running.emplace_back(compilation.commands[order[nth]], variables);
  }
  while (finished < texts.size()) finish(finished++);
  compilation.commands.push_back(link);
  require_success(Process(link, variables).wait(compile_limit()), link, texts[0],
                  compilation.library);
  return compilation;
}

}  // namespace tenon::backends
