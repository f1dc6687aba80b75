#include "tenon/nn/embedding.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor Embedding::operator()(const Tensor& ids, Context& context) {
  require(rows > 0 && width > 0, "Embedding: rows and width must be above 0, got {} and {}", rows,
          width);
  require(is_integer(ids.dtype()), "Embedding: expected integer ids, got {}\n  help: cast the ids",
          ids.type());
  return embedding_lookup(
      context.variable(table, "table", {context.dtype(), {rows, width}}, initializer), ids);
}

}  // namespace tenon::nn
