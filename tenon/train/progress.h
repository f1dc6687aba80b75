// Progress of a fit for people: a callback that writes a line for each epoch, and a bar on a
// terminal.
#pragma once
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string_view>

#include "tenon/train/events.h"

namespace tenon {

// For each epoch
//   epoch 1/12  step 469  loss 0.5034  accuracy 0.8216  validation loss 0.4321  accuracy
//   0.8450  1.2 s
// and while it runs, on a terminal, a bar that moves with the steps, with the time left; elsewhere
// the same without the bar, every 10 seconds. A fit that ends within an epoch says how far it came.
// Showing a step allocates nothing.
class ProgressPrinter : public Callback {
 public:
  // The stream must outlive the fits. UserError if it is null.
  explicit ProgressPrinter(std::FILE* stream);

  void on_fit_begin(Trainer& trainer) override;
  bool on_step_end(Trainer& trainer, const StepInfo& info) override;
  bool on_epoch_end(Trainer& trainer, const EpochInfo& info) override;
  void on_fit_end(Trainer& trainer) override;
  // A line of its own, whatever is being shown.
  void note(std::string_view line);
  // On a terminal, where the bar would be, until there is something else to show.
  void show(std::string_view text);
  // Nothing is left of what was shown, and the next output begins a line.
  void clear_bar();

 private:
  using Clock = std::chrono::steady_clock;
  void show_step(const Trainer& trainer, const StepInfo& info);
  void write(const fmt::memory_buffer& text) const;

  std::FILE* stream_;
  bool is_terminal_;
  bool has_bar_ = false;
  std::int64_t steps_ = 0;  // seen by this fit
  StepInfo unfinished_;     // the last step within an epoch that is not finished; step 0: none
  Clock::time_point first_end_, last_shown_;
};

// A ProgressPrinter for FitOptions::callbacks.
std::shared_ptr<Callback> print_progress(std::FILE* stream = stdout);

}  // namespace tenon
