// Progress of a fit on standard error: a bar on a terminal, plain lines otherwise.
#pragma once
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

#include "tenon/train/trainer.h"

namespace tenon::cli {

// Showing a step allocates nothing.
class Progress final : public Callback {
 public:
  explicit Progress(std::vector<std::string> metrics);

  void on_fit_begin(Trainer& trainer) override;
  void on_compiled(Trainer& trainer) override;
  bool on_step_end(Trainer& trainer, const StepInfo& info) override;
  bool on_epoch_end(Trainer& trainer, const EpochInfo& info) override;
  void on_fit_end(Trainer& trainer) override;
  // A line of its own, whatever is being shown.
  void note(std::string_view line);

 private:
  using Clock = std::chrono::steady_clock;
  void show_step(const StepInfo& info);
  void append_means(fmt::memory_buffer& line, const StepInfo& info) const;
  void clear_bar();

  std::vector<std::string> metrics_;
  bool is_terminal_;
  bool has_bar_ = false;
  std::int64_t steps_ = 0;  // seen by this fit
  StepInfo unfinished_;     // the last step within an epoch that is not finished; step 0: none
  Clock::time_point first_end_, last_shown_;
};

}  // namespace tenon::cli
