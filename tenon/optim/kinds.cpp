#include <array>

#include "tenon/base/unknown_name.h"
#include "tenon/optim/adadelta.h"
#include "tenon/optim/adafactor.h"
#include "tenon/optim/adagrad.h"
#include "tenon/optim/adam.h"
#include "tenon/optim/adamax.h"
#include "tenon/optim/adamw.h"
#include "tenon/optim/gradient_descent.h"
#include "tenon/optim/lamb.h"
#include "tenon/optim/lion.h"
#include "tenon/optim/muon.h"
#include "tenon/optim/nadam.h"
#include "tenon/optim/optimizer.h"
#include "tenon/optim/rmsprop.h"

namespace tenon::optim {
namespace {

template <class R>
constexpr OptimizerKind kind_of() {
  return {R::kKind, [](UpdateOptions options) { return Optimizer(R{}, options); }};
}

constexpr std::array kKinds = {
    kind_of<Adam>(),     kind_of<AdamW>(), kind_of<Sgd>(),     kind_of<GradientDescent>(),
    kind_of<Adamax>(),   kind_of<NAdam>(), kind_of<RmsProp>(), kind_of<Adagrad>(),
    kind_of<Adadelta>(), kind_of<Lion>(),  kind_of<Lamb>(),    kind_of<Adafactor>(),
    kind_of<Muon>(),
};

}  // namespace

std::span<const OptimizerKind> optimizer_kinds() { return kKinds; }

Optimizer make_optimizer(std::string_view kind, UpdateOptions options) {
  std::vector<std::string_view> known;
  for (const OptimizerKind& each : kKinds) {
    if (each.kind == kind) return each.make(options);
    known.push_back(each.kind);
  }
  throw_unknown("optimizer", kind, known);
}

}  // namespace tenon::optim
