#include "tenon/cli/progress.h"

#include "tenon/cli/text.h"
#include "tenon/cli/train_report.h"
#include "tenon/train/trainer.h"

namespace tenon::cli {

void Progress::on_compiled(Trainer& trainer) {
  const CostReport& cost = trainer.cost();
  note(fmt::format("training step: compiled in {}; its buffers take {}",
                   duration_text(cost.compile_seconds), memory_text(cost.memory)));
}

}  // namespace tenon::cli
