// Progress of `tenon train` on standard error.
#pragma once
#include "tenon/train/progress.h"

namespace tenon::cli {

// Says what the compiled step takes before the first step runs.
class Progress final : public ProgressPrinter {
 public:
  Progress() : ProgressPrinter(stderr) {}
  void on_compiled(Trainer& trainer) override;
};

}  // namespace tenon::cli
