#include "tenon/models/transformer_blocks.h"

#include "tenon/nn/basic_layers.h"
#include "tenon/nn/dense.h"

namespace tenon::models {

void require_size(std::string_view model, std::string_view what, std::int64_t size) {
  constexpr std::int64_t kMost = 1 << 24;
  require(size >= 1 && size <= kMost, "{}: {} must be from 1 to {}, got {}", model, what, kMost,
          size);
}

void require_heads(std::string_view model, std::int64_t heads, std::int64_t width, double dropout) {
  require_size(model, "heads", heads);
  require_size(model, "width", width);
  require(width % heads == 0, "{}: {} heads do not divide the width {}", model, heads, width);
  require(dropout >= 0 && dropout < 1, "{}: dropout must be in [0, 1), got {}", model, dropout);
}

void add_dropout(nn::Sequential& model, double dropout) {
  if (dropout > 0) model.add(nn::Dropout{dropout});
}

void add_feed_forward(nn::Sequential& model, const FeedForward& sizes, double dropout) {
  model.add(nn::Dense{.units = sizes.hidden,
                      .activation = sizes.activation,
                      .use_bias = sizes.use_bias,
                      .kernel_initializer = sizes.initializer});
  model.add(nn::Dense{.units = sizes.width,
                      .use_bias = sizes.use_bias,
                      .kernel_initializer = sizes.last_initializer});
  add_dropout(model, dropout);
}

}  // namespace tenon::models
