// What convolution layers ask of their input and attributes.
#pragma once
#include <array>
#include <string_view>
#include <vector>

#include "tenon/tensor/tensor.h"

namespace tenon::nn {

// One number serves both axes. UserError for other counts or numbers below 1.
std::array<std::int64_t, 2> both_axes(const std::vector<std::int64_t>& values,
                                      std::string_view layer, std::string_view what);
// UserError unless the number is above 0.
void require_positive(std::int64_t value, std::string_view layer, std::string_view what);
// UserError unless x is a float [batch, height, width, channels] or [batch, length, channels].
void require_image(const Tensor& x, std::string_view layer);
void require_sequence(const Tensor& x, std::string_view layer);
// UserError unless the groups divide both.
void require_groups(std::int64_t groups, std::int64_t channels, std::int64_t filters,
                    std::string_view layer);

}  // namespace tenon::nn
