// The tenon command.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <new>
#include <optional>

#include "tenon/base/interruption.h"
#include "tenon/base/text.h"
#include "tenon/cli/abbreviations.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/process_usage.h"
#include "tenon/cli/signals.h"
#include "tenon/version.h"

namespace tenon::cli {
namespace {

// A message of several lines as one.
std::string one_line(std::string_view message) {
  std::string line;
  for (const std::string_view part : split(message, '\n')) {
    const std::string_view text = trim(part);
    if (text.empty()) continue;
    if (!line.empty()) line += "; ";
    line += text;
  }
  return line;
}

int fail(int status, std::string_view message) {
  wait_if_ending();
  fmt::print(stderr, "error: {}\n", one_line(message));
  return status;
}

std::vector<std::string> names_of_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::string meant_text(const std::string& option, const CLI::App& command) {
  const std::vector<std::string> names = names_of_options(command);
  const std::string meant = meant_option(option);
  if (std::find(names.begin(), names.end(), meant) != names.end())
    return fmt::format("; did you mean {}?", in_quotes(meant));
  return did_you_mean(option, names);
}

// A positional that a command cannot do without stands there without brackets: the command itself
// says that it is missing.
class UsageFormatter final : public CLI::Formatter {
 public:
  std::string make_option_usage(const CLI::Option* option) const override {
    std::string usage = CLI::Formatter::make_option_usage(option);
    if (option->get_description().ends_with("(required)") && usage.starts_with('[') &&
        usage.ends_with(']'))
      usage = usage.substr(1, usage.size() - 2);
    return usage;
  }
};

int explain(const CLI::App& program, const CLI::ParseError& error) {
  const std::vector<CLI::App*> chosen = program.get_subcommands();
  const CLI::App& command = chosen.empty() ? program : *chosen.front();
  if (dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr) {
    fmt::print("{}", chosen.empty() ? program.help() : command.help(program.get_name()));
    return 0;
  }
  if (dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr) {
    fmt::print("{}\n", error.what());
    return 0;
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    for (const std::string& word : command.remaining(true)) {
      const std::string name = word.substr(0, word.find('='));
      const bool is_option = name.starts_with('-');
      return fail(kExitBadOption,
                  fmt::format("{}{} {}{}", chosen.empty() ? "" : command.get_name() + ": ",
                              is_option ? "unknown option" : "unexpected argument", in_quotes(name),
                              is_option ? meant_text(name, command) : ""));
    }
  }
  const std::string message = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const std::string name = message.substr(0, message.find(':'));
    return fail(kExitBadOption, name + (message.ends_with(" missing") ? ": a value is missing"
                                                                      : ": given more than once"));
  }
  return fail(kExitBadOption, message);
}

// `tenon help`, `tenon help COMMAND` and `tenon version` are --help and --version.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) return arguments;
  if (arguments[0] == "version" && arguments.size() == 1) arguments[0] = "--version";
  if (arguments[0] == "help" && arguments.size() <= 2) {
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  return arguments;
}

int run(int argc, char** argv) {
  CLI::App program("Tenon " TENON_VERSION ": trains neural networks as one compiled step");
  program.formatter(std::make_shared<UsageFormatter>());  // commands take it over
  program.name(argv[0]);  // as it was called, so that commands shown can be copied
  program.set_version_flag("--version", "tenon " TENON_VERSION);
  Action action;
  add_train(program, action);
  add_evaluate(program, action);
  add_predict(program, action);
  add_generate(program, action);
  add_report(program, action);
  add_compress(program, action);
  add_inspect(program, action);
  add_profile(program, action);
  add_bench(program, action);
  add_devices(program, action);
  add_cache(program, action);
  std::vector<std::string> commands;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; }))
    commands.push_back(command->get_name());
  std::vector<std::string> arguments = arguments_of(argc, argv);
  if (arguments.empty())
    return fail(kExitBadOption, "a command is missing: " + join(commands, ", "));
  const std::string first = arguments[0];
  if (!first.starts_with('-') &&
      std::find(commands.begin(), commands.end(), first) == commands.end())
    return fail(kExitBadOption, fmt::format("unknown command {}; known: {}{}", in_quotes(first),
                                            join(commands, ", "), did_you_mean(first, commands)));
  try {
    std::reverse(arguments.begin(), arguments.end());  // as the parser takes them
    program.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return explain(program, error);
  }
  if (!action) return fail(kExitBadOption, "a command is missing: " + join(commands, ", "));
  std::optional<InterruptionScope> scope;
  // The others say themselves what a stop leaves.
  if (first != "train" && first != "compress") {
    end_on_stop_signals();
    scope.emplace(end_requested);
  }
  const int status = action();
  if (std::fflush(stdout) != 0) return fail(kExitFailed, "cannot write the standard output");
  return status;
}

}  // namespace
}  // namespace tenon::cli

int main(int argc, char** argv) {
  using namespace tenon;
  using namespace tenon::cli;
  program_start();
  try {
    return run(argc, argv);
  } catch (const OptionError& error) {
    return fail(kExitBadOption, error.what());
  } catch (const std::bad_alloc&) {
    return fail(kExitFailed, "not enough memory");
  } catch (const std::exception& error) {
    return fail(kExitFailed, error.what());
  }
}
