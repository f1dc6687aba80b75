// Ctrl-C and termination, turned into a question that a training loop asks.
#pragma once
#include <filesystem>
#include <stop_token>

namespace tenon::cli {

// From now on the first SIGINT or SIGTERM makes stop_requested() true, stops the token and says so
// on standard error. The second one ends the process at once, with its compilers, their files and
// the run folder if it is empty and was not there at this call.
std::stop_token catch_stop_signals(const std::filesystem::path& run_folder);
bool stop_requested();
// For commands that leave nothing half made: the first signal ends the process, with its compilers
// and their files; exit status 130.
void end_on_stop_signals();
// Whether one has; work that can be interrupted is, so that it removes what is its own.
bool end_requested();
// For who is about to report an error or a stop: does not return if it is one of ending at once.
void wait_if_ending();

}  // namespace tenon::cli
