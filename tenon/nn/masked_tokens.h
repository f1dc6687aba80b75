// MaskedTokens: a network learns to fill in tokens that are masked anew in every step.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"
#include "tenon/nn/sequential.h"

namespace tenon::nn {

struct MaskedIds {
  Tensor ids;     // with some masked
  Tensor labels;  // the original id of those that were chosen, -1 elsewhere
};
// Each of the integer ids [batch, time] is chosen with probability `rate`; of the chosen ones 80 %
// become mask_token, 10 % an id below mask_token drawn at random, and 10 % stay. Devlin et al.
// 2019. UserError unless rate is in (0, 1) and mask_token above 0.
MaskedIds mask_tokens(const Tensor& ids, const Tensor& key, double rate, std::int64_t mask_token);

// As a layer it is `model`, which maps ids to logits [batch, time, vocabulary]. It learns from ids
// alone: its loss is the cross entropy of the chosen tokens, whatever the labels are, and metrics
// are of those tokens, too. Ids are below mask_token, and the vocabulary has it. In evaluation too
// tokens are masked, by the context's key.
struct MaskedTokens {
  static constexpr std::string_view kKind = "masked_tokens";
  double rate = 0.15;
  std::int64_t mask_token = 1;
  Layer model = Sequential{};

  Tensor operator()(const Tensor& x, Context& context) { return model.call_as_root(x, context); }
  Outcome learn(const Tensor& x, const Tensor& y, Context& context);
  void fields(FieldVisitor& visit) {
    visit("rate", rate);
    visit("mask_token", mask_token);
    visit("model", model);
  }
};

}  // namespace tenon::nn
