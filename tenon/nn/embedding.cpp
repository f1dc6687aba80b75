#include "tenon/nn/embedding.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor Embedding::operator()(const Tensor& ids, Context& context) {
  require(rows > 0 && width > 0, "Embedding: rows and width must be above 0, got {} and {}", rows,
          width);
  require(is_integer(ids.dtype()), "Embedding: expected integer ids, got {}\n  help: cast the ids",
          ids.type());
  if (mask_zero) {
    context.require_whole_sequence("Embedding", "with mask_zero it tells padding apart");
    require(ids.rank() == 2, "Embedding: with mask_zero ids are [batch, time], got {}", ids.type());
    context.set_mask(ids != Tensor(0));
  }
  return embedding_lookup(
      context.variable(table, "table", {context.dtype(), {rows, width}}, initializer), ids);
}

}  // namespace tenon::nn
