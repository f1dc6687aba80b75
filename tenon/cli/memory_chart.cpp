#include "tenon/cli/memory_chart.h"

#include <algorithm>

#include "tenon/base/text.h"
#include "tenon/cli/report_page.h"

namespace tenon::cli {
namespace {

// All lengths in pixels.
constexpr double kWidth = 1100, kHeight = 640, kLeft = 90, kRight = 30, kTop = 96, kBottom = 60;
constexpr double kPlotWidth = kWidth - kLeft - kRight, kPlotHeight = kHeight - kTop - kBottom;
constexpr int kTicks = 5;
constexpr double kLongPart =
    0.25;  // of the launches: alive for longer is kept for the backward pass
constexpr std::string_view kStyle =
    "text { fill: #333; font: 13px sans-serif } .title { font-size: 16px; font-weight: bold } "
    ".grid { stroke: #e4e4e4 } .axis { stroke: #333 } rect { stroke: #fff; stroke-width: 0.4 } "
    ".long { fill: #4f86c6 } .short { fill: #e59b4c } .scratch { fill: #a9a9a9 } "
    ".live { fill: none; stroke: #222; stroke-width: 1.5 } "
    ".peak { stroke: #b3261e; stroke-dasharray: 5 4 } .note { fill: #b3261e }";

class MemoryChart {
 public:
  MemoryChart(const backends::StepMemory& memory, std::string_view title)
      : map_(memory.map), report_(memory.report), title_(title), live_(map_.live_bytes()) {}

  std::string draw() {
    add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
        "width=\"{0:.0f}\" height=\"{1:.0f}\">\n<style>{2}</style>\n"
        "<rect x=\"0\" y=\"0\" width=\"{0:.0f}\" height=\"{1:.0f}\" fill=\"#fff\"/>\n",
        kWidth, kHeight, kStyle);
    draw_heading();
    draw_axes();
    for (const backends::MemoryUse& use : map_.uses) draw_use(use);
    draw_live();
    return std::move(out_) + "</svg>\n";
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  double x(double launch) const {
    return kLeft + kPlotWidth * launch / std::max<double>(1, static_cast<double>(live_.size()));
  }
  double y(std::int64_t bytes) const {
    const auto all = static_cast<double>(std::max<std::int64_t>(map_.arena_bytes, 1));
    return kTop + kPlotHeight * (1 - static_cast<double>(bytes) / all);
  }

  void draw_heading() {
    add("<text class=\"title\" x=\"{:.0f}\" y=\"26\">{}</text>\n", kLeft, html_text(title_));
    add("<text x=\"{:.0f}\" y=\"48\">{} in all: weights, optimizer and counters {}; data {}; "
        "activations, gradients and workspace {}, shown below</text>\n",
        kLeft, bytes_text(report_.total()), bytes_text(report_.state),
        bytes_text(report_.inputs + report_.results + report_.constants),
        bytes_text(report_.arena));
    double left = kLeft;
    for (const auto& [kind, text] : {std::pair{"long", "kept for more than a quarter of the step"},
                                     {"short", "shorter"},
                                     {"scratch", "scratch of a launch"}}) {
      add("<rect class=\"{}\" x=\"{:.0f}\" y=\"62\" width=\"14\" height=\"14\"/>"
          "<text x=\"{:.0f}\" y=\"74\">{}</text>\n",
          kind, left, left + 20, text);
      left += 36 + 7.2 * static_cast<double>(std::string_view(text).size());
    }
    add("<line class=\"live\" x1=\"{:.0f}\" y1=\"69\" x2=\"{:.0f}\" y2=\"69\"/>"
        "<text x=\"{:.0f}\" y=\"74\">alive</text>\n",
        left, left + 20, left + 26);
  }

  void draw_axes() {
    for (int i = 0; i <= kTicks; ++i) {
      const std::int64_t bytes = map_.arena_bytes * i / kTicks;
      add("<line class=\"grid\" x1=\"{0:.0f}\" x2=\"{1:.0f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
          "<text x=\"{3:.0f}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
          kLeft, kWidth - kRight, y(bytes), kLeft - 8, y(bytes) + 4, bytes_text(bytes));
    }
    add("<line class=\"axis\" x1=\"{0:.0f}\" x2=\"{1:.0f}\" y1=\"{2:.0f}\" y2=\"{2:.0f}\"/>"
        "<text x=\"{3:.0f}\" y=\"{4:.0f}\" text-anchor=\"middle\">launches of the step, 1 to "
        "{5}</text>\n",
        kLeft, kWidth - kRight, kTop + kPlotHeight, kLeft + kPlotWidth / 2, kHeight - 18,
        live_.size());
  }

  void draw_use(const backends::MemoryUse& use) {
    const double length = static_cast<double>(use.last) - use.first + 1;
    const bool is_long = length > kLongPart * static_cast<double>(live_.size());
    const double top = y(use.offset + use.bytes);
    add("<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\">"
        "<title>{}: {}, launches {} to {}</title></rect>\n",
        use.is_scratch ? "scratch"
        : is_long      ? "long"
                       : "short",
        x(use.first), top, x(use.first + length) - x(use.first), y(use.offset) - top,
        html_text(use.value), bytes_text(use.bytes), use.first + 1, use.last + 1);
  }

  void draw_live() {
    if (live_.empty()) return;
    add("<path class=\"live\" d=\"M{:.1f} {:.1f}", x(0), y(live_[0]));
    for (std::size_t i = 0; i < live_.size(); ++i)
      add(" V{:.2f} H{:.2f}", y(live_[i]), x(static_cast<double>(i) + 1));
    const std::uint32_t peak = map_.peak();
    const double at = y(live_[peak]);
    add("\"/>\n<line class=\"peak\" x1=\"{0:.0f}\" x2=\"{1:.0f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"note\" x=\"{1:.0f}\" y=\"{3:.1f}\" text-anchor=\"end\">{4} alive at launch "
        "{5}, {6}</text>\n",
        kLeft, kWidth - kRight, at, kTop - 6, bytes_text(live_[peak]), peak + 1,
        html_text(map_.launches[peak]));
  }

  const backends::MemoryMap& map_;
  const backends::MemoryReport& report_;
  std::string_view title_;
  std::vector<std::int64_t> live_;
  std::string out_;
};

}  // namespace

std::string memory_svg(const backends::StepMemory& memory, std::string_view title) {
  return MemoryChart(memory, title).draw();
}

}  // namespace tenon::cli
