// What the transformers of this folder share: checked sizes and their blocks.
#pragma once
#include "tenon/nn/attention.h"
#include "tenon/nn/sequential.h"

namespace tenon::models {

// UserError "MODEL: WHAT must be from 1 to 2^24, got N".
void require_size(std::string_view model, std::string_view what, std::int64_t size);
// UserError unless the heads divide the width and dropout is in [0, 1).
void require_heads(std::string_view model, std::int64_t heads, std::int64_t width, double dropout);

// Dense layers width -> hidden -> width with the activation between them.
struct FeedForward {
  std::int64_t width = 1;
  std::int64_t hidden = 4;
  nn::Activation activation = nn::gelu_tanh;
  bool use_bias = true;
  nn::Initializer initializer{};
  nn::Initializer last_initializer{};
};
// Adds the two layers, and dropout if there is any.
void add_feed_forward(nn::Sequential& model, const FeedForward& sizes, double dropout);
void add_dropout(nn::Sequential& model, double dropout);

}  // namespace tenon::models
