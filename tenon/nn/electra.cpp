#include "tenon/nn/electra.h"

#include "tenon/nn/loss.h"
#include "tenon/nn/masked_tokens.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor Electra::discriminate(const Tensor& ids, Context& context) {
  const Context::Scope scope = context.scope("discriminator", ids);
  const Tensor logits = discriminator(ids, context);
  require(logits.rank() == 3 && logits.extent(-1) == 1 && logits.extent(1) == ids.extent(1),
          "Electra: the discriminator gives {} for ids {}; one logit for each token expected",
          logits.type(), ids.type());
  return squeeze(logits, {-1});
}

Tensor Electra::operator()(const Tensor& x, Context& context) {
  require(is_integer(x.dtype()) && x.rank() == 2,
          "Electra: expected integer ids [batch, time], got {}", x.type());
  return discriminate(x, context);
}

Outcome Electra::learn(const Tensor& x, const Tensor& y, Context& context) {
  require(is_integer(x.dtype()) && x.rank() == 2,
          "Electra: expected integer ids [batch, time], got {}", x.type());
  require(is_integer(y.dtype()) && y.shape() == x.shape(),
          "Electra: expected labels of the shape of the ids {}, got {}\n  help: the original id "
          "where it was masked, -1 elsewhere",
          x.type(), y.type());
  const MaskedIds masked = mask_rate == 0
                               ? MaskedIds{x, cast(y, x.dtype())}
                               : mask_tokens(x, context.random_key(), mask_rate, mask_token);
  const Tensor &ids = masked.ids, &labels = masked.labels;
  const Tensor is_masked = labels >= Tensor(0);
  const Tensor guesses = [&] {
    const Context::Scope scope = context.scope("generator", ids);
    return generator(ids, context);
  }();
  require(guesses.rank() == 3 && is_float(guesses.dtype()) && guesses.extent(1) == x.extent(1),
          "Electra: the generator gives {} for ids {}; logits of each id for each token expected",
          guesses.type(), x.type());
  const WeightedSum of_generator =
      sparse_categorical_cross_entropy_from_logits.apply(guesses, labels, {});

  const Tensor fixed = stop_gradient(guesses);
  const Tensor chosen = draws && context.is_training()
                            ? random::categorical(context.random_key(), fixed)
                            : argmax(fixed, -1);
  const Tensor filled = where(is_masked, cast(chosen, x.dtype()), ids);
  const Tensor is_replaced = logical_and(is_masked, filled != labels);
  const Tensor logits = discriminate(filled, context);
  const Tensor mask = context.mask_of(x);
  const Tensor counts = mask.is_empty() ? ones_like(logits) : cast(mask, logits.dtype());
  const Tensor costs =
      (tenon::softplus(logits) - cast(is_replaced, logits.dtype()) * logits) * counts;
  context.add_loss({sum(costs) * discriminator_weight, sum(counts)});
  // A small batch may have no masked token.
  const Tensor weight = maximum(of_generator.weight, ones_like(of_generator.weight));
  // As one output for two classes, so that metrics take it for nothing else.
  return {expand_dims(logits, -1),
          {of_generator.sum, weight},
          expand_dims(cast(is_replaced, logits.dtype()), -1)};
}

}  // namespace tenon::nn
