#include "tenon/optim/accumulation.h"

#include "tenon/tensor/functions.h"

namespace tenon::optim {

Accumulation::Accumulation(std::int64_t steps) : steps_(steps) {
  if (!is_on()) return;
  count_.define("optimizer/micro_batches", {DType::i64, {}}, VariableKind::optimizer,
                [](std::uint64_t) { return make_scalar(std::int64_t{0}); });
  weight_.define("optimizer/summed_weight", {DType::f64, {}}, VariableKind::optimizer,
                 [](std::uint64_t) { return make_scalar(0.0); });
}

std::vector<Variable> Accumulation::state() const {
  if (!is_on()) return {};
  return {count_, weight_};
}

Accumulation::Result Accumulation::add(std::span<const Tensor> gradients, const Tensor& loss_weight,
                                       std::span<const Variable> sums) const {
  require(loss_weight.rank() == 0, "the weight of a loss must be a scalar, got {}",
          loss_weight.type());
  const Tensor count = Tensor(count_) + 1;
  const Tensor weight = Tensor(weight_) + cast(loss_weight, DType::f64);
  // Batches whose weights are all 0 have gradients of 0.
  const Tensor divisor = where(weight == 0.0, ones_like(weight), weight);
  Result result;
  result.is_due = count >= steps_;
  const auto begin_anew = [&](const Variable& variable, const Tensor& next) {
    const Tensor zero = cast(0, variable.type().dtype);
    result.updates.push_back(assign(variable, where(result.is_due, zero, next)));
  };
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const DType dtype = gradients[i].dtype();
    const Tensor sum = Tensor(sums[i]) + gradients[i] * cast(loss_weight, dtype);
    result.gradients.push_back(sum / cast(divisor, dtype));
    begin_anew(sums[i], sum);
  }
  begin_anew(count_, count);
  begin_anew(weight_, weight);
  return result;
}

}  // namespace tenon::optim
