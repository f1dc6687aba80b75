// CsvLog: a callback that writes a row of losses and metrics for each epoch.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tenon/train/events.h"

namespace tenon {

// The columns are epoch, step, loss, the metrics, validation_loss and validation_METRIC (if the
// first epoch is validated), and seconds. The file is whole after every epoch; its folder is made
// if it is not there. UserError naming the file before the first step if it cannot be written, or
// holds something else than such a log.
class CsvLog final : public Callback {
 public:
  // A log that is there is replaced. With `append`, the rows of a run that goes on are kept, up to
  // the epoch that comes, with the columns they have; UserError if its metrics are others.
  explicit CsvLog(std::string file, bool append = false);
  void on_fit_begin(Trainer& trainer) override;
  bool on_epoch_end(Trainer& trainer, const EpochInfo& info) override;

 private:
  std::string header(bool is_validated) const;
  std::string file_;
  bool append_ = false;
  std::vector<std::string> metrics_;
  std::optional<bool> is_validated_;
  std::vector<std::pair<std::int64_t, std::string>> rows_;  // that are there, by epoch
  std::string text_;  // of the whole file; empty before the first row
};

}  // namespace tenon
