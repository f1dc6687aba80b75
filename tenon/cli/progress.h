// Progress of commands that compile and run training steps, on standard error.
#pragma once
#include "tenon/backends/backend.h"
#include "tenon/train/progress.h"

namespace tenon::cli {

// Says what the compiled step takes before the first step runs.
class Progress final : public ProgressPrinter {
 public:
  Progress() : ProgressPrinter(stderr) {}
  void on_fit_begin(Trainer& trainer) override;
  void on_compiled(Trainer& trainer) override;

  // Of a step that no fit compiles; on a terminal also while it is compiled.
  void begin_compiling(std::string_view step = "training");
  void end_compiling(const backends::CompileReport& report, const backends::MemoryReport& memory,
                     std::string_view step = "training");
};

// For who runs a fit but shows nothing of its epochs.
class CompileProgress final : public Callback {
 public:
  explicit CompileProgress(Progress& progress) : progress_(progress) {}
  void on_fit_begin(Trainer&) override { progress_.begin_compiling(); }
  void on_compiled(Trainer& trainer) override { progress_.on_compiled(trainer); }

 private:
  Progress& progress_;
};

}  // namespace tenon::cli
