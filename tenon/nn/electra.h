// Electra: a generator that fills masked tokens in, and a discriminator that finds which are not
// the original ones.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"
#include "tenon/nn/sequential.h"

namespace tenon::nn {

// Clark, Luong, Le, Manning 2020. x: i32 ids [batch, time], some of them masked; y: i32 of the same
// shape, the original id where it was masked and -1 elsewhere. With a mask_rate x is not masked
// yet, y does not count, and mask_tokens does it, by the context's key. The generator gives logits
// [batch, time, ids], the discriminator [batch, time, 1]. In training the generator's tokens are
// drawn from its distribution, by the context's key; in evaluation, and without `draws`, they are
// its likeliest.
//   loss = mean over masked tokens of the generator's cross entropy
//          + discriminator_weight * mean over tokens of the discriminator's binary cross entropy
// The second mean leaves padding out, if the discriminator's embedding tells a mask. No gradient
// flows through the drawn tokens. As a layer it is the discriminator: logits [batch, time], above 0
// for a token that was replaced.
struct Electra {
  static constexpr std::string_view kKind = "electra";
  double discriminator_weight = 50;
  bool draws = true;
  double mask_rate = 0;         // 0: x and y come masked
  std::int64_t mask_token = 1;  // with a mask_rate: ids are below it
  Layer generator = Sequential{};
  Layer discriminator = Sequential{};

  Tensor operator()(const Tensor& x, Context& context);
  // The prediction is the discriminator's logits for the filled-in tokens, [batch, time, 1], and
  // what metrics compare it with is which of them were replaced. UserError for ids or
  // labels of other types, and parts that give logits of other shapes.
  Outcome learn(const Tensor& x, const Tensor& y, Context& context);
  void fields(FieldVisitor& visit) {
    visit("discriminator_weight", discriminator_weight);
    visit("draws", draws);
    visit("mask_rate", mask_rate);
    visit("mask_token", mask_token);
    visit("generator", generator);
    visit("discriminator", discriminator);
  }

 private:
  Tensor discriminate(const Tensor& ids, Context& context);
};

}  // namespace tenon::nn
