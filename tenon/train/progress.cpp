#include "tenon/train/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <iterator>

#include "tenon/train/trainer.h"

namespace tenon {
namespace {

constexpr double kSecondsBetweenBars = 0.1;
constexpr std::int64_t kBarWidth = 24;

// Showing a step allocates nothing: a line fits the buffer.
class ProgressPrinter final : public Callback {
 public:
  explicit ProgressPrinter(std::FILE* stream)
      : stream_(stream), is_terminal_(::isatty(::fileno(stream)) == 1) {}

  bool on_step_end(Trainer& trainer, const StepInfo& info) override {
    if (info.step_in_epoch == 1 || first_step_ == 0) first_step_ = info.step_in_epoch;
    steps_ = info.step_in_epoch;
    steps_in_epoch_ = info.steps_in_epoch;
    seconds_ = steps_ == first_step_ ? info.seconds : seconds_ + info.seconds;
    const Clock::time_point now = Clock::now();
    if (!is_terminal_ || std::chrono::duration<double>(now - shown_).count() < kSecondsBetweenBars)
      return true;
    shown_ = now;
    fmt::memory_buffer line;
    begin_line(line, info.epoch, info.total_epochs, seconds_);
    const auto out = std::back_inserter(line);
    fmt::format_to(out, "  loss {:.4f}", info.mean_loss);
    const std::vector<nn::Metric>& metrics = trainer.options().metrics;
    for (std::size_t i = 0; i < metrics.size() && i < info.mean_metrics.size(); ++i)
      fmt::format_to(out, "  {} {:.4f}", metrics[i].name, info.mean_metrics[i]);
    is_bar_open_ = true;
    write(line);
    return true;
  }

  bool on_epoch_end(Trainer&, const EpochInfo& info) override {
    fmt::memory_buffer line;
    begin_line(line, info.epoch, info.total_epochs, info.seconds);
    const auto out = std::back_inserter(line);
    fmt::format_to(out, "  loss {:.4f}", info.loss);
    for (const auto& [name, value] : info.metrics) fmt::format_to(out, "  {} {:.4f}", name, value);
    if (info.validation_loss) {
      fmt::format_to(out, "  validation loss {:.4f}", *info.validation_loss);
      for (const auto& [name, value] : info.validation_metrics)
        fmt::format_to(out, "  {} {:.4f}", name, value);
    }
    fmt::format_to(out, "\n");
    is_bar_open_ = false;
    first_step_ = 0;
    write(line);
    return true;
  }

  // A fit that is stopped within an epoch leaves its last bar on a line of its own.
  void on_fit_end(Trainer&) override {
    if (is_bar_open_) std::fputs("\n", stream_);
    is_bar_open_ = false;
    first_step_ = 0;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void begin_line(fmt::memory_buffer& line, std::int64_t epoch, std::int64_t epochs,
                  double seconds) const {
    const auto out = std::back_inserter(line);
    if (is_terminal_) fmt::format_to(out, "\r\x1b[K");  // clears the line
    const std::int64_t full = kBarWidth * steps_ / std::max<std::int64_t>(steps_in_epoch_, 1);
    fmt::format_to(out, "epoch {}/{}  {}/{} [{:=<{}}{:.<{}}]  {:.1f} s  {:.3g} ms/step", epoch,
                   epochs, steps_, steps_in_epoch_, "", full, "", kBarWidth - full, seconds,
                   1e3 * seconds_ / static_cast<double>(steps_ - first_step_ + 1));
  }

  void write(const fmt::memory_buffer& line) const {
    std::fwrite(line.data(), 1, line.size(), stream_);
    std::fflush(stream_);
  }

  std::FILE* stream_;
  bool is_terminal_;
  bool is_bar_open_ = false;
  std::int64_t steps_ = 0, steps_in_epoch_ = 0;  // of the epoch
  std::int64_t first_step_ = 0;                  // that this fit ran in the epoch; 0 before it
  double seconds_ = 0;                           // of those steps
  Clock::time_point shown_{};
};

}  // namespace

std::shared_ptr<Callback> print_progress(std::FILE* stream) {
  require(stream != nullptr, "print_progress: the stream is null");
  return std::make_shared<ProgressPrinter>(stream);
}

}  // namespace tenon
