#include "tenon/nn/masked_tokens.h"

#include "tenon/nn/loss.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {

MaskedIds mask_tokens(const Tensor& ids, const Tensor& key, double rate, std::int64_t mask_token) {
  constexpr double kMaskedShare = 0.8, kRandomShare = 0.1;
  constexpr std::int64_t kMostTokens = 1 << 24;
  require(is_signed(ids.dtype()) && ids.rank() == 2,
          "mask_tokens: expected signed integer ids [batch, time], got {}", ids.type());
  require(rate > 0 && rate < 1, "mask_tokens: rate must be above 0 and below 1, got {}", rate);
  require(mask_token > 0 && mask_token <= kMostTokens,
          "mask_tokens: mask_token must be from 1 to {}, got {}", kMostTokens, mask_token);
  const std::vector<Tensor> keys = random::split_key(key, 3);
  const Tensor is_chosen = random::uniform(keys[0], ids.shape()) < rate;
  const Tensor fate = random::uniform(keys[1], ids.shape());
  const Tensor other = cast(random::randint(keys[2], ids.shape(), 0, mask_token), ids.dtype());
  const Tensor changed = where(fate < kMaskedShare, full_like(ids, static_cast<double>(mask_token)),
                               where(fate < kMaskedShare + kRandomShare, other, ids));
  return {where(is_chosen, changed, ids), where(is_chosen, ids, full_like(ids, -1))};
}

Outcome MaskedTokens::learn(const Tensor& x, const Tensor&, Context& context) {
  const MaskedIds masked = mask_tokens(x, context.random_key(), rate, mask_token);
  const Tensor logits = model.call_as_root(masked.ids, context);
  require(logits.rank() == 3 && logits.extent(-1) > mask_token,
          "MaskedTokens: the model gives {} for ids {}; logits [batch, time, vocabulary] of more "
          "than mask_token {} ids expected",
          logits.type(), x.type(), mask_token);
  const WeightedSum loss =
      sparse_categorical_cross_entropy_from_logits.apply(logits, masked.labels, {});
  // A small batch may have no masked token; its loss is 0.
  return {logits, {loss.sum, maximum(loss.weight, ones_like(loss.weight))}, masked.labels};
}

}  // namespace tenon::nn
