// CsvLog: a callback that writes a row of losses and metrics for each epoch.
#pragma once
#include <string>
#include <vector>

#include "tenon/train/events.h"

namespace tenon {

// The columns are epoch, step, loss, the metrics, validation_loss and validation_METRIC (if the
// first epoch is validated), and seconds. The file is whole after every epoch. UserError naming the
// file if it cannot be written.
class CsvLog final : public Callback {
 public:
  // A file that is there is replaced. With `append`, the rows of a run that goes on are kept, up to
  // the epoch that comes; UserError if its columns are others.
  explicit CsvLog(std::string file, bool append = false);
  bool on_epoch_end(Trainer& trainer, const EpochInfo& info) override;

 private:
  void begin(const EpochInfo& info);
  std::string file_;
  bool append_ = false;
  bool is_validated_ = false;
  std::string text_;  // of the whole file; empty before the first row
};

}  // namespace tenon
