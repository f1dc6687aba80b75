#include "tenon/cli/report_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tenon::cli {

std::string histogram_svg(const Histogram& histogram, std::string_view bar_class,
                          const std::string& label) {
  if (histogram.counts.empty()) return "";
  constexpr double kWidth = 300, kHeight = 84, kBase = 66;
  const auto most = static_cast<double>(*std::ranges::max_element(histogram.counts));
  const double step = kWidth / static_cast<double>(histogram.counts.size());
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"histogram\" viewBox=\"0 0 {:.0f} {:.0f}\" "
      "role=\"img\" aria-label=\"{}\">\n",
      kWidth, kHeight, label);
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    if (histogram.counts[i] == 0) continue;
    // A single value among many can still be seen.
    const double height =
        std::max(1.0, static_cast<double>(histogram.counts[i]) / most * (kBase - 4));
    out += fmt::format(
        "<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\"><title>"
        "{:.4g} to {:.4g}: {}</title></rect>\n",
        bar_class, static_cast<double>(i) * step, kBase - height, std::max(step - 1, 0.5), height,
        histogram.edges[i], histogram.edges[i + 1], histogram.counts[i]);
  }
  out += fmt::format(
      "<line class=\"axis\" x1=\"0\" y1=\"{0}\" x2=\"{1:.0f}\" y2=\"{0}\"/>\n"
      "<text x=\"0\" y=\"{2}\">{3:.4g}</text><text x=\"{1:.0f}\" y=\"{2}\" text-anchor=\"end\">"
      "{4:.4g}</text></svg>\n",
      kBase, kWidth, kHeight - 4, histogram.edges.front(), histogram.edges.back());
  return out;
}

std::string scatter_svg(const std::vector<std::pair<double, double>>& points) {
  constexpr double kLargest = 1e100;  // what is larger has no place on an axis
  constexpr double kSide = 320, kMargin = 44;
  const auto is_shown = [](double value) { return std::abs(value) < kLargest; };
  double low = 0, high = 0;
  bool is_first = true;
  for (const auto& [truth, found] : points) {
    if (!is_shown(truth) || !is_shown(found)) continue;
    low = is_first ? std::min(truth, found) : std::min({low, truth, found});
    high = is_first ? std::max(truth, found) : std::max({high, truth, found});
    is_first = false;
  }
  if (is_first) return "";
  if (low == high) {
    const double reach = std::max(0.5, std::abs(low) * 1e-6);
    low -= reach;
    high += reach;
  }
  const auto across = [&](double value) { return kMargin + (value - low) / (high - low) * kSide; };
  const auto down = [&](double value) { return 8 + (high - value) / (high - low) * kSide; };
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"scatter\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "role=\"img\" aria-label=\"predictions over truths\">\n"
      "<rect class=\"axis\" x=\"{2}\" y=\"8\" width=\"{3}\" height=\"{3}\"/>\n"
      "<line class=\"diagonal\" x1=\"{2}\" y1=\"{4}\" x2=\"{5}\" y2=\"8\"/>\n",
      kSide + kMargin + 12, kSide + 48, kMargin, kSide, kSide + 8, kSide + kMargin);
  for (const auto& [truth, found] : points)
    if (is_shown(truth) && is_shown(found))
      out += fmt::format(
          "<circle class=\"point\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>truth {:.5g}, "
          "predicted {:.5g}</title></circle>\n",
          across(truth), down(found), truth, found);
  out += fmt::format(
      "<text x=\"{0}\" y=\"{1}\">{2:.4g}</text><text x=\"{3}\" y=\"{1}\" "
      "text-anchor=\"end\">{4:.4g}"
      "</text><text x=\"{5}\" y=\"{1}\" text-anchor=\"middle\">truth</text>\n"
      "<text transform=\"translate(14 {6}) rotate(-90)\" text-anchor=\"middle\">predicted</text>"
      "</svg>\n",
      kMargin, kSide + 26, low, kMargin + kSide, high, kMargin + kSide / 2, 8 + kSide / 2);
  return out;
}

}  // namespace tenon::cli
