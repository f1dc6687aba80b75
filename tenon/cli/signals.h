// Ctrl-C and termination, turned into a question that a training loop asks.
#pragma once

namespace tenon::cli {

// From now on the first SIGINT or SIGTERM only makes stop_requested() true; the second one ends the
// process as usual.
void catch_stop_signals();
bool stop_requested();

}  // namespace tenon::cli
