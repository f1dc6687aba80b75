// The catalog's entries for fully connected networks and lenet.
#include "tenon/models/catalog_entries.h"
#include "tenon/models/models.h"

namespace tenon::models {

nn::Layer mlp_of(PartName& part, const Request& request) {
  require_numbers(part, request);
  return mlp(whole_options(part, "hidden", {128, 64}), request.outputs,
             request.activation.value_or(nn::relu));
}

nn::Layer lenet_of(PartName& part, const Request& request) {
  require_numbers(part, request);
  LenetOptions options;
  options.filters = whole_options(part, "filters", options.filters);
  options.hidden = whole_options(part, "hidden", options.hidden);
  options.activation = request.activation.value_or(options.activation);
  options.image = request.sample.shape;
  return lenet(request.outputs, options);
}

nn::Layer linear_of(PartName& part, const Request& request) {
  require_numbers(part, request);
  require_no_activation(part, request);
  return mlp({}, request.outputs);
}

}  // namespace tenon::models
