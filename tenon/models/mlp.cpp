#include "tenon/models/models.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/dense.h"

namespace tenon::models {

nn::Sequential mlp(const std::vector<std::int64_t>& hidden, std::int64_t outputs,
                   nn::Activation activation) {
  nn::Sequential model{nn::Flatten{}};
  for (const std::int64_t width : hidden) {
    require(width > 0, "mlp: hidden widths must be above 0, got {}", width);
    model.add(nn::Dense{width, activation});
  }
  require(outputs > 0, "mlp: outputs must be above 0, got {}", outputs);
  model.add(nn::Dense{outputs});
  return model;
}

}  // namespace tenon::models
