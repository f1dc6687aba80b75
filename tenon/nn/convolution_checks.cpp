#include "tenon/nn/convolution_checks.h"

namespace tenon::nn {
namespace {

void require_float_input(const Tensor& x, std::string_view layer) {
  require(is_float(x.dtype()),
          "{}: input must be float, got {}\n  help: cast it; scaling images to [0, 1] does", layer,
          x.type());
}

}  // namespace

std::array<std::int64_t, 2> both_axes(const std::vector<std::int64_t>& values,
                                      std::string_view layer, std::string_view what) {
  require(values.size() == 1 || values.size() == 2, "{}: {} takes one or two numbers, got {}",
          layer, what, values.size());
  for (const std::int64_t value : values) require_positive(value, layer, what);
  return {values.front(), values.back()};
}

void require_positive(std::int64_t value, std::string_view layer, std::string_view what) {
  require(value > 0, "{}: {} must be above 0, got {}", layer, what, value);
}

void require_image(const Tensor& x, std::string_view layer) {
  require_float_input(x, layer);
  require(
      x.rank() == 4, "{}: expected input [batch, height, width, channels], got {}{}", layer,
      x.type(),
      x.rank() == 3
          ? fmt::format("\n  help: put nn::Reshape{{{{{}, {}, 1}}}} first to give grey images a "
                        "channel axis; expand_dims(x, 0) adds a batch axis",
                        x.extent(1), x.extent(2))
          : "");
}

void require_sequence(const Tensor& x, std::string_view layer) {
  require_float_input(x, layer);
  require(x.rank() == 3, "{}: expected input [batch, length, channels], got {}{}", layer, x.type(),
          x.rank() == 2 ? "\n  help: expand_dims(x, -1) gives a signal one channel" : "");
}

void require_groups(std::int64_t groups, std::int64_t channels, std::int64_t filters,
                    std::string_view layer) {
  require(groups > 0 && channels % groups == 0 && filters % groups == 0,
          "{}: {} groups do not divide {} input channels and {} filters", layer, groups, channels,
          filters);
}

}  // namespace tenon::nn
