#include "tenon/train/distill.h"

namespace tenon {

nn::Layer frozen_teacher(Trainer& trainer) {
  require(trainer.is_built(),
          "frozen_teacher: the model has no weights yet; fit, build or load it first");
  nn::Layer teacher = trainer.model().clone();
  const std::vector<Variable> from = nn::variables_of(trainer.model());
  const std::vector<Variable> to = nn::variables_of(teacher);
  check(from.size() == to.size(), "a clone has {} variables, not {}", to.size(), from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!from[i].is_defined()) continue;  // of an option that is not used, such as a bias
    to[i].define("teacher/" + from[i].name(), from[i].type(), VariableKind::statistic,
                 [value = trainer.session().read(from[i])](std::uint64_t) { return value; });
  }
  return teacher;
}

}  // namespace tenon
