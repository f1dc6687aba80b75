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
  report.memory_bytes = cost.compile_memory_bytes;
  end_compiling(report, cost.memory);
}

void Progress::begin_compiling(std::string_view step) {
  show(fmt::format("compiling the {} step; Ctrl-C gives it up", step));
}

namespace {

// Only where it is what takes most, and more than what lies between pieces of memory.
std::string compile_memory_text(const backends::CompileReport& report,
                                const backends::MemoryReport& memory) {
  constexpr std::int64_t kLeast = 1 << 20;
  if (memory.state + report.memory_bytes <= memory.total() + kLeast) return {};
  return fmt::format("; making it took {} more than the state, which are free again",
                     bytes_text(report.memory_bytes));
}

}  // namespace

void Progress::end_compiling(const backends::CompileReport& report,
                             const backends::MemoryReport& memory, std::string_view step) {
  note(fmt::format("{} step: compiled in {}{}; its buffers take {}, without evaluation{}", step,
                   duration_text(report.seconds), report.was_cached ? " (cached)" : "",
                   memory_text(memory), compile_memory_text(report, memory)));
}

}  // namespace tenon::cli
