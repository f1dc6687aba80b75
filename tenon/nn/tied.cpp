#include "tenon/nn/tied.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor TiedDense::operator()(const Tensor& x, Context& context) {
  require(units > 0, "TiedDense: units must be above 0, got {}", units);
  require(is_float(x.dtype()) && x.rank() >= 2,
          "TiedDense: expected a float input [batch, ..., width], got {}", x.type());
  if (table.is_defined())
    require(table.shape() == Shape({units, x.extent(-1)}),
            "TiedDense: {} units of width {} cannot share \"{}\", which is {}\n  help: units are "
            "the embedding's rows; a Dense layer before this one gives its width",
            units, x.extent(-1), table.name(), table.type());
  const Tensor rows =
      context.variable(table, "table", {x.dtype(), {units, x.extent(-1)}}, table_initializer);
  const Tensor y = matmul(x, transpose(rows));
  if (!use_bias) return y;
  return y + context.variable(bias, "bias", {x.dtype(), {units}}, bias_initializer);
}

}  // namespace tenon::nn
