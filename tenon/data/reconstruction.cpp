#include "tenon/data/reconstruction.h"

namespace tenon::data {

Dataset with_own_targets(const Dataset& dataset, const Normalization& normalization) {
  const Array& x = dataset.x();
  require(is_float(x.dtype()) || x.dtype() == DType::u8,
          "{}: samples of {} cannot be reconstructed; numbers or bytes are needed", dataset.name(),
          x.dtype());
  const bool is_ready = is_float(x.dtype()) && normalization.kind == NormalizationKind::none;
  Dataset result(dataset.name(), x, is_ready ? x : Array(normalization.apply(x.view())));
  return dataset.has_weights() ? result.with_weights(dataset.weights().tensor()) : result;
}

}  // namespace tenon::data
