#include "tenon/cli/kernel_times.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "tenon/cli/text.h"
#include "tenon/io/file.h"

namespace tenon::cli {
namespace {

using TimesJson = nlohmann::json;

// At most so many characters, the rest as dots.
std::string cut(const std::string& text, std::size_t length) {
  if (text.size() <= length) return text;
  return text.substr(0, length - 3) + "...";
}

// ", residual_7/sequential/dense (model.cpp:31) and 1 more"; nothing for what is of no part.
std::string place_text(const backends::LaunchInfo& info) {
  if (info.parts.empty()) return "";
  std::string text = ", " + info.parts.front().path;
  if (!info.parts.front().location.empty())
    text += fmt::format(" ({})", info.parts.front().location);
  if (info.parts.size() > 1) text += fmt::format(" and {} more", info.parts.size() - 1);
  return text;
}

TimesJson parts_json(const backends::LaunchInfo& info) {
  TimesJson parts = TimesJson::array();
  for (const backends::LaunchInfo::Part& part : info.parts)
    parts.push_back({{"path", part.path},
                     {"location", part.location.empty() ? TimesJson() : TimesJson(part.location)}});
  return parts;
}

}  // namespace

std::vector<KernelRow> kernel_rows(const CompiledStep& step,
                                   const std::vector<backends::LaunchTime>& before, double steps,
                                   const backends::Peaks& peaks) {
  std::vector<KernelRow> rows;
  for (std::size_t i = 0; i < step.launches().size(); ++i) {
    const backends::LaunchInfo& info = step.launches()[i];
    const backends::LaunchTime& time = step.launch_times()[i];
    KernelRow row{&info, (time.seconds - before[i].seconds) / steps,
                  static_cast<double>(time.calls - before[i].calls) / steps, 0};
    row.roof = row.calls *
               std::max(info.flops / peaks.flops_per_second, info.bytes / peaks.bytes_per_second);
    rows.push_back(row);
  }
  std::ranges::stable_sort(rows, std::greater(), &KernelRow::seconds);
  return rows;
}

std::string kernel_table(const std::vector<KernelRow>& rows, std::size_t shown, double total) {
  std::string text =
      fmt::format("{:>10} {:>6} {:>6} {:>9} {:>9} {:>9} {:>9} {:>6}  {}\n", "time", "part", "calls",
                  "FLOP", "bytes", "GFLOP/s", "GB/s", "roof", "kernel, its layer: what it makes");
  for (std::size_t i = 0; i < std::min(shown, rows.size()); ++i) {
    const KernelRow& row = rows[i];
    const double seconds = std::max(row.seconds, 1e-12);
    text += fmt::format(
        "{:>10} {:>5.1f}% {:>6.0f} {:>9} {:>9} {:>9.1f} {:>9.1f} {:>5.0f}%  {}{}: {}\n",
        duration_text(row.seconds), 100 * row.seconds / total, row.calls, scaled_text(row.flops()),
        scaled_text(row.bytes()), row.flops() / seconds * 1e-9, row.bytes() / seconds * 1e-9,
        100 * row.roof / seconds, row.info->kernel, place_text(*row.info),
        cut(row.info->writes, 50));
  }
  if (rows.size() > shown) {
    double rest = 0;
    for (std::size_t i = shown; i < rows.size(); ++i) rest += rows[i].seconds;
    text += fmt::format("{:>10} {:>5.1f}%  {} more; --rows {} shows them\n", duration_text(rest),
                        100 * rest / total, rows.size() - shown, rows.size());
  }
  return text;
}

TimesJson kernels_json(const std::vector<KernelRow>& rows) {
  TimesJson kernels = TimesJson::array();
  for (const KernelRow& row : rows)
    kernels.push_back({{"kernel", row.info->kernel},
                       {"layers", parts_json(*row.info)},
                       {"reads", row.info->reads},
                       {"writes", row.info->writes},
                       {"calls", row.calls},
                       {"seconds", row.seconds},
                       {"flops", row.flops()},
                       {"bytes", row.bytes()},
                       {"roof_seconds", row.roof},
                       {"parallel", row.info->is_parallel}});
  return kernels;
}

void write_trace(const std::string& file, const CompiledStep& step) {
  TimesJson events = TimesJson::array();
  for (const backends::LaunchEvent& event : step.last_launches()) {
    const backends::LaunchInfo& info = step.launches()[event.launch];
    events.push_back({{"name", info.writes},
                      {"cat", info.kernel},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", event.begin * 1e6},
                      {"dur", (event.end - event.begin) * 1e6},
                      {"args",
                       {{"kernel", info.kernel},
                        {"layers", parts_json(info)},
                        {"reads", info.reads},
                        {"flops", info.flops},
                        {"bytes", info.bytes},
                        {"parallel", info.is_parallel}}}});
  }
  io::write_file_atomically(
      file, TimesJson{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}}.dump(
                -1, ' ', false, TimesJson::error_handler_t::replace));
}

}  // namespace tenon::cli
