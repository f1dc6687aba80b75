// TensorBoardLog: a callback that writes event files for TensorBoard.
#pragma once
#include <memory>
#include <string>

#include "tenon/base/host_tensor.h"
#include "tenon/tensor/variable.h"
#include "tenon/train/events.h"

namespace tenon {

namespace io {
class EventFile;
}

struct TensorBoardOptions {
  std::int64_t every = 1;             // steps between scalars of a step; 0: none
  std::int64_t histograms_every = 1;  // epochs between histograms of the weights; 0: none
  bool graph = false;                 // the compiled training step, as text
};

// In FOLDER/train: step/loss, step/seconds and step/learning_rate of every so many steps;
// epoch/loss, epoch/seconds and each metric of every epoch; weights/PATH, the histogram of each
// weight in 30 bins, from its finite values; the model's summary as text. In FOLDER/validation:
// epoch/loss and the metrics, under the same names, so that TensorBoard draws both in one chart. A
// run that goes on writes further files, and what earlier ones say of the steps that are done again
// is forgotten.
//   tensorboard --logdir FOLDER
// UserError naming the file if one cannot be written.
class TensorBoardLog final : public Callback {
 public:
  // UserError for a negative number.
  explicit TensorBoardLog(std::string folder, TensorBoardOptions options = {});
  ~TensorBoardLog() override;

  bool on_step_end(Trainer& trainer, const StepInfo& info) override;
  bool on_validation_end(Trainer& trainer, const ValidationInfo& info) override;
  bool on_epoch_end(Trainer& trainer, const EpochInfo& info) override;
  void on_fit_end(Trainer& trainer) override;

 private:
  io::EventFile& train_file(Trainer& trainer, std::int64_t first_step);
  io::EventFile& validation_file();
  void add_weights(Trainer& trainer, std::int64_t step);

  std::string folder_;
  TensorBoardOptions options_;
  std::int64_t first_step_ = 0;  // of this fit
  std::unique_ptr<io::EventFile> train_, validation_;
  // The learning rate, read into memory that is used again.
  Variable rate_;
  HostTensor rate_value_ = make_scalar(0.0);
  HostSpan rate_span_{rate_value_};
};

}  // namespace tenon
