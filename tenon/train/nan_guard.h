// NanGuard: a callback that stops at the first number that is not finite and says which op made it.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tenon/base/host_tensor.h"
#include "tenon/tensor/variable.h"
#include "tenon/train/events.h"

namespace tenon {

// After each step it looks at the loss and at every weight. If one is NaN or infinite, the batch is
// run again from the state before the step by the reference interpreter, forward, backward and
// update, and followed from the bad value back to the op that made it of good ones: finding() tells
// the op, its operands, and the layer it belongs to. The state before the step is put back, so that
// what is saved is sound, and the fit ends.
//
// For finding a fault, not for every day: the state is copied to the host after each step. The
// batch is run again in the Trainer's element type without augmentations inside the step; a value
// that is finite there is said to be so.
class NanGuard final : public Callback {
 public:
  void on_fit_begin(Trainer& trainer) override;
  void on_compiled(Trainer& trainer) override;
  bool on_step_end(Trainer& trainer, const StepInfo& info) override;

  // What stopped the last fit: several lines, the first "step S (epoch E): ..."; empty if nothing
  // did. TrainerOptions::log is told, too.
  const std::string& finding() const { return finding_; }

 private:
  // A variable's value in memory that is used again for every step.
  struct Kept {
    explicit Kept(const Variable& of) : variable(of), value(of.type()), span(value) {}
    Variable variable;
    HostTensor value;
    HostSpan span;  // of `value`, whose bytes stay where they are
  };
  void keep_state(Trainer& trainer);
  void put_back(Trainer& trainer) const;
  // The state before the step that is running, the weights first, and the weights after it.
  std::vector<Kept> before_, after_;
  std::string finding_;
};

}  // namespace tenon
