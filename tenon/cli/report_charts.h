// Pictures of a report as SVG elements, coloured by the classes of its style sheet.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tenon/train/histogram.h"

namespace tenon::cli {

// Bars with the ends of the axis below; `label` says what it is of to those who cannot see it, and
// is fit for an attribute. Empty without finite values.
std::string histogram_svg(const Histogram& histogram, std::string_view bar_class,
                          const std::string& label);

// Predictions (up) over truths (across), with the line on which they are equal. Points that are not
// finite are left out; empty without others.
std::string scatter_svg(const std::vector<std::pair<double, double>>& points);

}  // namespace tenon::cli
