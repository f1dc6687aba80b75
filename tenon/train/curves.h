// A picture of the loss and the metrics over the steps, as an SVG file.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "tenon/train/metric_table.h"

namespace tenon {

// One panel for the loss and one for each metric, side by side; training and validation as lines.
// Values that are not finite are left out.
std::string curves_svg(const MetricTable& table, const std::string& title);
// The panels one by one, without colours, for a page that gives the classes name, grid, axis, line,
// dot, train and validation theirs.
std::vector<std::string> curve_panels(const MetricTable& table);
void write_curves(const std::filesystem::path& file, const MetricTable& table,
                  const std::string& title);

}  // namespace tenon
