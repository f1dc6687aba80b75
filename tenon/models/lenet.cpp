#include "tenon/models/models.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/convolution.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/pooling.h"

namespace tenon::models {
namespace {

void require_sizes(const std::vector<std::int64_t>& sizes, std::string_view what) {
  for (const std::int64_t size : sizes)
    require(size > 0, "lenet: {} must be above 0, got {}", what, size);
}

}  // namespace

nn::Sequential lenet(std::int64_t classes, const LenetOptions& options) {
  require(options.filters.size() == 2, "lenet: two numbers of filters expected, got {}",
          options.filters.size());
  require_sizes(options.filters, "filters");
  require_sizes(options.hidden, "hidden widths");
  require(classes > 0, "lenet: classes must be above 0, got {}", classes);
  const Shape& image = options.image;
  require(image.size() == 2 || image.size() == 3,
          "lenet: images of shape [height, width] or [height, width, channels] expected, got {}",
          to_string(image));
  // Halved twice, with a window of 5 in between.
  constexpr std::int64_t kLeastSide = 12;
  require(image[0] >= kLeastSide && image[1] >= kLeastSide,
          "lenet: images of at least {0} by {0} pixels expected, got {1}", kLeastSide,
          to_string(image));

  nn::Sequential model;
  if (image.size() == 2) model.add(nn::Reshape{{image[0], image[1], 1}});
  model.add(nn::Conv2D{.filters = options.filters[0],
                       .size = {5, 5},
                       .activation = options.activation,
                       .same_padding = true});
  model.add(nn::MaxPool2D{});
  model.add(
      nn::Conv2D{.filters = options.filters[1], .size = {5, 5}, .activation = options.activation});
  model.add(nn::MaxPool2D{});
  model.add(nn::Flatten{});
  for (const std::int64_t width : options.hidden) model.add(nn::Dense{width, options.activation});
  model.add(nn::Dense{classes});
  return model;
}

}  // namespace tenon::models
