#include "tenon/train/tensorboard.h"

#include <filesystem>

#include "tenon/io/event_file.h"
#include "tenon/session/graph_faults.h"
#include "tenon/train/histogram.h"
#include "tenon/train/trainer.h"

namespace tenon {
namespace {

io::EventHistogram event_histogram(const Histogram& histogram) {
  io::EventHistogram result;
  result.min = histogram.min;
  result.max = histogram.max;
  result.count = static_cast<double>(histogram.count);
  result.sum = histogram.sum;
  result.sum_of_squares = histogram.sum_of_squares;
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    result.limits.push_back(histogram.edges[i + 1]);
    result.counts.push_back(static_cast<double>(histogram.counts[i]));
  }
  return result;
}

// As Markdown that shows the text as it is.
std::string preformatted(const std::string& text) {
  std::string result = "    ";
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "    ";
  }
  return result;
}

}  // namespace

TensorBoardLog::TensorBoardLog(std::string folder, TensorBoardOptions options)
    : folder_(std::move(folder)), options_(options) {
  require(options_.every >= 0, "TensorBoardLog: every must not be negative, got {}",
          options_.every);
  require(options_.histograms_every >= 0,
          "TensorBoardLog: histograms_every must not be negative, got {}",
          options_.histograms_every);
}

TensorBoardLog::~TensorBoardLog() = default;

io::EventFile& TensorBoardLog::train_file(Trainer& trainer, std::int64_t first_step) {
  if (train_) return *train_;
  train_ = std::make_unique<io::EventFile>(std::filesystem::path(folder_) / "train");
  first_step_ = first_step;
  rate_ = trainer.options().optimizer.learning_rate();
  if (first_step_ > 1) train_->add_restart(first_step_);
  train_->add_text(first_step_, "model", preformatted(trainer.summary()));
  if (options_.graph)
    train_->add_text(first_step_, "graph",
                     preformatted(graph_text(trainer.step_graph(trainer.training().batch_size))));
  return *train_;
}

bool TensorBoardLog::on_step_end(Trainer& trainer, const StepInfo& info) {
  io::EventFile& file = train_file(trainer, info.step);
  if (options_.every == 0 || info.step % options_.every != 0) return true;
  file.add_scalar(info.step, "step/loss", info.loss());
  file.add_scalar(info.step, "step/seconds", info.seconds);
  trainer.session().read(rate_, rate_span_);
  file.add_scalar(info.step, "step/learning_rate", rate_value_.as<double>()[0]);
  return true;
}

io::EventFile& TensorBoardLog::validation_file() {
  if (validation_) return *validation_;
  validation_ = std::make_unique<io::EventFile>(std::filesystem::path(folder_) / "validation");
  if (first_step_ > 1) validation_->add_restart(first_step_);
  return *validation_;
}

bool TensorBoardLog::on_validation_end(Trainer& trainer, const ValidationInfo& info) {
  train_file(trainer, info.step);
  io::EventFile& file = validation_file();
  file.add_scalar(info.step, "step/loss", info.loss);
  for (const auto& [name, value] : info.metrics) file.add_scalar(info.step, "step/" + name, value);
  file.flush();
  return true;
}

bool TensorBoardLog::on_epoch_end(Trainer& trainer, const EpochInfo& info) {
  io::EventFile& file = train_file(trainer, info.step);
  file.add_scalar(info.step, "epoch/loss", info.loss);
  for (const auto& [name, value] : info.metrics) file.add_scalar(info.step, "epoch/" + name, value);
  file.add_scalar(info.step, "epoch/seconds", info.seconds);
  if (options_.histograms_every > 0 && info.epoch % options_.histograms_every == 0)
    add_weights(trainer, info.step);
  file.flush();
  if (!info.validation_loss) return true;
  io::EventFile& validation = validation_file();
  validation.add_scalar(info.step, "epoch/loss", *info.validation_loss);
  for (const auto& [name, value] : info.validation_metrics)
    validation.add_scalar(info.step, "epoch/" + name, value);
  validation.flush();
  return true;
}

void TensorBoardLog::add_weights(Trainer& trainer, std::int64_t step) {
  for (const Variable& weight : trainer.weights())
    train_->add_histogram(step, "weights/" + weight.name(),
                          event_histogram(histogram_of(trainer.session().read(weight))));
}

void TensorBoardLog::on_fit_end(Trainer&) {
  if (train_) train_->flush();
  // Another fit of the same callback goes on in files of its own.
  train_.reset();
  validation_.reset();
}

}  // namespace tenon
