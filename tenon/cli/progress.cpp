#include "tenon/cli/progress.h"

#include "tenon/cli/text.h"
#include "tenon/cli/train_report.h"
#include "tenon/train/trainer.h"

namespace tenon::cli {

void Progress::on_compiled(Trainer& trainer) {
  const CostReport& cost = trainer.cost();
  note(fmt::format("training step: compiled in {}{}; its buffers take {}, without evaluation",
                   duration_text(cost.compile_seconds), cost.was_cached ? " (cached)" : "",
                   memory_text(cost.memory)));
}

}  // namespace tenon::cli
