#include "tenon/train/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tenon/io/file.h"

namespace tenon {
namespace {

// All lengths in pixels.
constexpr double kPanelWidth = 420, kPanelHeight = 260;
constexpr double kLeft = 64, kTop = 64, kRight = 24, kBottom = 56;
// What a file by itself looks like; the classes are those of curve_panels.
constexpr std::string_view kCurveStyle =
    "text { fill: #333 } .title { font-size: 16px; font-weight: bold } .name { font-size: 14px } "
    ".grid { stroke: #e4e4e4 } .axis { stroke: #333; fill: none } "
    ".line { fill: none; stroke-width: 2 } .train { stroke: #1f77b4 } "
    ".validation { stroke: #d95f02; stroke-dasharray: 6 3 } .dot { stroke: none } "
    ".dot.train { fill: #1f77b4 } .dot.validation { fill: #d95f02 }";
constexpr std::size_t kMostPoints = 1500;  // of one line; more cannot be seen
constexpr double kLargestShown = 1e100;    // what is larger has no place on an axis
constexpr int kMostTicks = 20;

struct CurvePoint {
  double x, y;
};

struct CurveRange {
  double low, high;
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

// 1, 2 or 5 times a power of ten: about `count` steps in the extent.
double nice_step(double extent, int count) {
  const double raw = extent / count;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (raw <= factor * power) return factor * power;
  return 10 * power;
}

std::vector<double> ticks_in(CurveRange range, int count) {
  const double step = nice_step(range.high - range.low, count);
  std::vector<double> ticks;
  const double first = std::ceil(range.low / step - 1e-9);
  for (int i = 0; i < kMostTicks && (first + i) * step <= range.high + 1e-9 * step; ++i)
    ticks.push_back((first + i) * step);
  return ticks;
}

std::string tick_text(double value) {
  if (std::abs(value) < 1e-12) return "0";
  return std::abs(value) >= 1e5 ? fmt::format("{:.3g}", value) : fmt::format("{:.6g}", value);
}

std::vector<CurvePoint> points_of(const MetricTable& table, std::size_t column,
                                  bool is_validation) {
  std::vector<CurvePoint> points;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const double value = table.values_of(i)[column];
    if (table.rows[i].is_validation == is_validation && std::abs(value) < kLargestShown)
      points.push_back({static_cast<double>(table.rows[i].step), value});
  }
  if (points.size() <= kMostPoints) return points;
  // Means of equally many neighbours.
  std::vector<CurvePoint> fewer;
  const std::size_t group = (points.size() + kMostPoints - 1) / kMostPoints;
  for (std::size_t i = 0; i < points.size(); i += group) {
    const std::size_t end = std::min(points.size(), i + group);
    double sum = 0;
    for (std::size_t j = i; j < end; ++j) sum += points[j].y;
    fewer.push_back({points[end - 1].x, sum / static_cast<double>(end - i)});
  }
  return fewer;
}

class CurvePanel {
 public:
  CurvePanel(std::string& out, double left, std::vector<CurvePoint> train,
             std::vector<CurvePoint> validation)
      : out_(out), left_(left), train_(std::move(train)), validation_(std::move(validation)) {
    bool is_first = true;
    for (const auto* line : {&train_, &validation_})
      for (const CurvePoint& point : *line) {
        y_ = is_first ? CurveRange{point.y, point.y}
                      : CurveRange{std::min(y_.low, point.y), std::max(y_.high, point.y)};
        x_.high = is_first ? point.x : std::max(x_.high, point.x);
        is_first = false;
      }
    x_.low = 0;
    if (x_.high <= 0) x_.high = 1;
    const double size = std::max(std::abs(y_.low), std::abs(y_.high));
    const double margin = y_.high > y_.low
                              ? std::max({0.06 * (y_.high - y_.low), 1e-4 * size, 1e-9})
                              : std::max(0.1 * size, 1e-3);
    // Losses and rates do not go below zero unless the values do.
    const bool keeps_sign = y_.low >= 0;
    y_ = {y_.low - margin, y_.high + margin};
    if (keeps_sign) y_.low = std::max(y_.low, 0.0);
  }

  void draw(std::string_view name) {
    put("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"name\">{}</text>\n", left_, kTop - 12,
        escaped(name));
    draw_axes();
    draw_line(train_, "train");
    draw_line(validation_, "validation");
  }

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  double across(double x) const { return left_ + (x - x_.low) / (x_.high - x_.low) * kPanelWidth; }
  double down(double y) const { return kTop + (y_.high - y) / (y_.high - y_.low) * kPanelHeight; }

  void draw_axes() {
    const double bottom = kTop + kPanelHeight, right = left_ + kPanelWidth;
    for (const double tick : ticks_in(y_, 5)) {
      put("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"grid\"/>\n", left_,
          down(tick), right, down(tick));
      put("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left_ - 8,
          down(tick) + 4, tick_text(tick));
    }
    for (const double tick : ticks_in(x_, 5)) {
      put("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"axis\"/>\n",
          across(tick), bottom, across(tick), bottom + 5);
      put("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", across(tick),
          bottom + 20, tick_text(tick));
    }
    put("<polyline points=\"{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}\" class=\"axis\"/>\n", left_,
        kTop, left_, bottom, right, bottom);
    put("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">step</text>\n",
        left_ + kPanelWidth / 2, bottom + 40);
  }

  void draw_line(const std::vector<CurvePoint>& points, std::string_view split) {
    if (points.empty()) return;
    put("<polyline class=\"line {}\" points=\"", split);
    for (const CurvePoint& point : points) put("{:.1f},{:.1f} ", across(point.x), down(point.y));
    put("\"/>\n");
    constexpr std::size_t kFew = 40;
    if (points.size() > kFew) return;
    for (const CurvePoint& point : points)
      put("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\" class=\"dot {}\"><title>step {:.0f}: "
          "{:.6g}</title></circle>\n",
          across(point.x), down(point.y), split, point.x, point.y);
  }

  std::string& out_;
  double left_;
  std::vector<CurvePoint> train_, validation_;
  CurveRange x_{0, 1}, y_{0, 1};
};

void draw_legend(std::string& out, double right, bool has_validation) {
  const auto entry = [&](double x, std::string_view name) {
    fmt::format_to(std::back_inserter(out),
                   "<line x1=\"{:.1f}\" y1=\"28\" x2=\"{:.1f}\" y2=\"28\" class=\"line {}\"/>\n"
                   "<text x=\"{:.1f}\" y=\"32\">{}</text>\n",
                   x, x + 24, name, x + 30, name);
  };
  entry(right - 190, "train");
  if (has_validation) entry(right - 100, "validation");
}

std::string panel_name(const MetricTable& table, std::size_t column) {
  return column == 0 ? "loss" : table.metrics[column - 1];
}

}  // namespace

std::string curves_svg(const MetricTable& table, const std::string& title) {
  const auto panels = static_cast<double>(table.width());
  const double width = panels * (kLeft + kPanelWidth + kRight);
  const double height = kTop + kPanelHeight + kBottom;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<style>{4}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"{2:.0f}\" y=\"30\" class=\"title\">{3}</text>\n",
      width, height, kLeft, escaped(title), kCurveStyle);
  draw_legend(out, width - kRight,
              std::ranges::any_of(table.rows, &MetricTable::Row::is_validation));
  for (std::size_t column = 0; column < table.width(); ++column) {
    const double left = kLeft + static_cast<double>(column) * (kLeft + kPanelWidth + kRight);
    CurvePanel(out, left, points_of(table, column, false), points_of(table, column, true))
        .draw(panel_name(table, column));
  }
  return out + "</svg>\n";
}

std::vector<std::string> curve_panels(const MetricTable& table) {
  constexpr double kWidth = kLeft + kPanelWidth + kRight, kCut = kTop - 30;  // no title above
  std::vector<std::string> panels;
  for (std::size_t column = 0; column < table.width(); ++column) {
    const std::string name = panel_name(table, column);
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 {:.0f} {:.0f} {:.0f}\" role=\"img\" "
        "aria-label=\"{}\">\n",
        kCut, kWidth, kTop - kCut + kPanelHeight + kBottom, escaped(name));
    CurvePanel(out, kLeft, points_of(table, column, false), points_of(table, column, true))
        .draw(name);
    panels.push_back(out + "</svg>\n");
  }
  return panels;
}

void write_curves(const std::filesystem::path& file, const MetricTable& table,
                  const std::string& title) {
  io::write_file_atomically(file, curves_svg(table, title));
}

}  // namespace tenon
