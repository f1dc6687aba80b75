#include <algorithm>
#include <cmath>

#include "tenon/models/bert_parts.h"

namespace tenon::models {
namespace {

std::int64_t quarter(std::int64_t size) { return std::max<std::int64_t>(size / 4, 1); }

}  // namespace

nn::Electra electra(const ElectraOptions& options) {
  const BertOptions large = with_sizes("electra", options.discriminator);
  BertOptions small = large;
  if (options.generator_layers != 0) small.layers = options.generator_layers;
  small.heads = options.generator_heads != 0 ? options.generator_heads : quarter(large.heads);
  small.width = options.generator_width != 0 ? options.generator_width : quarter(large.width);
  small.hidden = 4 * small.width;
  small = with_sizes("electra: generator", small);
  require(std::isfinite(options.discriminator_weight) && options.discriminator_weight >= 0,
          "electra: discriminator_weight must be finite and 0 or more, got {}",
          options.discriminator_weight);
  const SharedEmbeddings shared = shared_embeddings(large);
  nn::Sequential generator = bert_encoder(small, shared);
  add_language_head(generator, small, shared);
  nn::Sequential discriminator = bert_encoder(large, shared);
  add_token_head(discriminator, large);
  return {.discriminator_weight = options.discriminator_weight,
          .draws = options.draws,
          .mask_rate = options.mask_rate,
          .mask_token = std::max<std::int64_t>(large.vocabulary - 1, 1),
          .generator = generator,
          .discriminator = discriminator};
}

}  // namespace tenon::models
