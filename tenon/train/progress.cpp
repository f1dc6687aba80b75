#include "tenon/train/progress.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "tenon/train/trainer.h"

namespace tenon {
namespace {

constexpr double kSecondsBetweenBars = 0.1;
constexpr double kSecondsBetweenLines = 10;
constexpr std::int64_t kBarWidth = 24;

// "1:05" or "2:03:04".
void append_clock(fmt::memory_buffer& out, double seconds) {
  const auto whole = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 3.6e6));
  const auto to = std::back_inserter(out);
  if (whole >= 3600)
    fmt::format_to(to, "{}:{:02}:{:02}", whole / 3600, whole % 3600 / 60, whole % 60);
  else
    fmt::format_to(to, "{}:{:02}", whole / 60, whole % 60);
}

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

// "17/469", or "17" of a stream that does not say its size.
void append_place(fmt::memory_buffer& line, const StepInfo& info) {
  const auto out = std::back_inserter(line);
  fmt::format_to(out, "{}", info.step_in_epoch);
  if (info.steps_in_epoch > 0) fmt::format_to(out, "/{}", info.steps_in_epoch);
}

// How much of the time a stream kept the steps waiting: "  input stall 0.3 %".
void append_stall(fmt::memory_buffer& line, double waiting, double seconds) {
  if (seconds > 0)
    fmt::format_to(std::back_inserter(line), "  input stall {:.1f} %", 100 * waiting / seconds);
}

void append_means(fmt::memory_buffer& line, const Trainer& trainer, const StepInfo& info) {
  const auto out = std::back_inserter(line);
  fmt::format_to(out, "  loss {:.4f}", info.mean_loss());
  const std::vector<nn::Metric>& metrics = trainer.options().metrics;
  const std::span<const double> means = info.mean_metrics();
  for (std::size_t i = 0; i < metrics.size() && i < means.size(); ++i)
    fmt::format_to(out, "  {} {:.4f}", metrics[i].name, means[i]);
}

}  // namespace

ProgressPrinter::ProgressPrinter(std::FILE* stream) : stream_(stream) {
  require(stream != nullptr, "print_progress: the stream is null");
  is_terminal_ = ::isatty(::fileno(stream)) == 1;
}

void ProgressPrinter::on_fit_begin(Trainer&) {
  steps_ = 0;
  unfinished_ = {};
}

bool ProgressPrinter::on_step_end(Trainer& trainer, const StepInfo& info) {
  const Clock::time_point now = Clock::now();
  if (++steps_ == 1) first_end_ = last_shown_ = now;
  unfinished_ = info;
  const double wait = is_terminal_ ? kSecondsBetweenBars : kSecondsBetweenLines;
  if (seconds_between(last_shown_, now) >= wait) {
    last_shown_ = now;
    show_step(trainer, info);
  }
  return true;
}

void ProgressPrinter::show_step(const Trainer& trainer, const StepInfo& info) {
  fmt::memory_buffer line;
  const auto out = std::back_inserter(line);
  if (is_terminal_) fmt::format_to(out, "\r");
  fmt::format_to(out, "epoch {}/{}  ", info.epoch, info.total_epochs);
  const bool has_end = info.steps_in_epoch > 0;
  if (is_terminal_ && has_end) {
    const std::int64_t full = kBarWidth * info.step_in_epoch / info.steps_in_epoch;
    fmt::format_to(out, "[{:=<{}}{:<{}}]  ", "", full, full < kBarWidth ? ">" : "",
                   kBarWidth - full);
  } else {
    fmt::format_to(out, "step ");
  }
  append_place(line, info);
  if (steps_ > 1 && info.steps_left) {
    const double per_step =
        seconds_between(first_end_, last_shown_) / static_cast<double>(steps_ - 1);
    fmt::format_to(out, "  ETA ");
    append_clock(line, per_step * static_cast<double>(*info.steps_left));
  }
  append_means(line, trainer, info);
  if (info.is_streamed) append_stall(line, info.waiting, info.epoch_seconds);
  fmt::format_to(out, "{}", is_terminal_ ? "\x1b[K" : "\n");  // clears the rest of the line
  has_bar_ = is_terminal_;
  write(line);
}

bool ProgressPrinter::on_epoch_end(Trainer&, const EpochInfo& info) {
  clear_bar();
  unfinished_ = {};
  last_shown_ = Clock::now();
  fmt::memory_buffer line;
  const auto out = std::back_inserter(line);
  fmt::format_to(out, "epoch {}/{}  step {}  loss {:.4f}", info.epoch, info.total_epochs, info.step,
                 info.loss);
  for (const auto& [name, value] : info.metrics) fmt::format_to(out, "  {} {:.4f}", name, value);
  if (info.validation_loss) {
    fmt::format_to(out, "  validation loss {:.4f}", *info.validation_loss);
    for (const auto& [name, value] : info.validation_metrics)
      fmt::format_to(out, "  {} {:.4f}", name, value);
  }
  fmt::format_to(out, "  {:.1f} s", info.seconds);
  if (info.is_streamed) append_stall(line, info.waiting, info.training);
  line.push_back('\n');
  write(line);
  return true;
}

// A fit that ends within an epoch says how far it came.
void ProgressPrinter::on_fit_end(Trainer& trainer) {
  clear_bar();
  if (unfinished_.step == 0) return;
  fmt::memory_buffer line;
  fmt::format_to(std::back_inserter(line), "epoch {}/{}  step ", unfinished_.epoch,
                 unfinished_.total_epochs);
  append_place(line, unfinished_);
  append_means(line, trainer, unfinished_);
  line.push_back('\n');
  write(line);
}

void ProgressPrinter::write(const fmt::memory_buffer& text) const {
  std::fwrite(text.data(), 1, text.size(), stream_);
  std::fflush(stream_);
}

void ProgressPrinter::note(std::string_view text) {
  clear_bar();
  fmt::print(stream_, "{}\n", text);
  std::fflush(stream_);
}

void ProgressPrinter::show(std::string_view text) {
  if (!is_terminal_) return;
  clear_bar();
  fmt::print(stream_, "{}\x1b[K", text);
  std::fflush(stream_);
  has_bar_ = true;
}

void ProgressPrinter::clear_bar() {
  if (!std::exchange(has_bar_, false)) return;
  std::fputs("\r\x1b[K", stream_);
}

std::shared_ptr<Callback> print_progress(std::FILE* stream) {
  return std::make_shared<ProgressPrinter>(stream);
}

}  // namespace tenon
