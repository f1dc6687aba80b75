#include "tenon/cli/progress.h"

#include "tenon/cli/text.h"
#include "tenon/cli/train_report.h"
#include "tenon/train/trainer.h"

namespace tenon::cli {

void Progress::on_fit_begin(Trainer& trainer) {
  ProgressPrinter::on_fit_begin(trainer);
  begin_compiling();
}

void Progress::on_compiled(Trainer& trainer) {
  const CostReport& cost = trainer.cost();
  backends::CompileReport report;
  report.seconds = cost.compile_seconds;
  report.was_cached = cost.was_cached;
  end_compiling(report, cost.memory);
}

void Progress::begin_compiling(std::string_view step) {
  show(fmt::format("compiling the {} step; Ctrl-C gives it up", step));
}

void Progress::end_compiling(const backends::CompileReport& report,
                             const backends::MemoryReport& memory, std::string_view step) {
  note(fmt::format("{} step: compiled in {}{}; its buffers take {}, without evaluation", step,
                   duration_text(report.seconds), report.was_cached ? " (cached)" : "",
                   memory_text(memory)));
}

}  // namespace tenon::cli
