// The subcommands: each adds itself to the program and, when chosen, sets what to run.
#pragma once
#include <functional>

#include "tenon/cli/options.h"

namespace tenon::cli {

// What the chosen subcommand does after all options are parsed; gives the exit status.
using Action = std::function<int()>;

inline constexpr int kExitFailed = 1;     // a file, a folder, a compiler
inline constexpr int kExitBadOption = 2;  // the command line
inline constexpr int kExitInterrupted = 130;

void add_train(CLI::App& program, Action& action);
void add_evaluate(CLI::App& program, Action& action);
void add_predict(CLI::App& program, Action& action);
void add_generate(CLI::App& program, Action& action);
void add_report(CLI::App& program, Action& action);
void add_compress(CLI::App& program, Action& action);
void add_inspect(CLI::App& program, Action& action);
void add_profile(CLI::App& program, Action& action);
void add_bench(CLI::App& program, Action& action);
void add_devices(CLI::App& program, Action& action);
void add_cache(CLI::App& program, Action& action);

}  // namespace tenon::cli
