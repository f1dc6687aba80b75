#include "tenon/cli/kernel_times.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "tenon/base/text.h"
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

// A line of the table or an object of the totals.
struct Total {
  std::string name;             // of the kernel, or path of the layer
  std::string location;         // of the layer, if it is known
  std::vector<std::string> of;  // paths of a kernel's layers, or kernels of a layer; once each
  std::int64_t launches = 0;
  WorkTime work;
};

std::vector<Total> totals_of(const std::vector<KernelRow>& rows, RowOf row_of) {
  std::vector<Total> totals;
  std::map<std::string, std::size_t> known;
  for (const KernelRow& row : rows) {
    const backends::LaunchInfo& info = *row.info;
    const bool is_layer = row_of == RowOf::layer;
    const std::string layer = info.parts.empty() ? "" : info.parts.front().path;
    const std::string& name = is_layer ? layer : info.kernel;
    const auto [at, is_new] = known.try_emplace(name, totals.size());
    if (is_new)
      totals.push_back(
          {name, is_layer && !layer.empty() ? info.parts.front().location : "", {}, 0, {}});
    Total& total = totals[at->second];
    const std::string& part = is_layer ? info.kernel : layer;
    if (!part.empty() && std::ranges::find(total.of, part) == total.of.end())
      total.of.push_back(part);
    ++total.launches;
    total.work.add(row.work);
  }
  std::ranges::stable_sort(totals, std::greater(),
                           [](const Total& total) { return total.work.seconds; });
  return totals;
}

std::string total_label(const Total& total, RowOf row_of) {
  std::string text = total.name.empty() ? "of no layer" : total.name;
  if (!total.location.empty()) text += fmt::format(" ({})", total.location);
  if (row_of == RowOf::kernel)
    text += fmt::format(", {} {}", total.launches, total.launches == 1 ? "launch" : "launches");
  return total.of.empty() ? text : text + ": " + cut(join(total.of, ", "), 60);
}

std::string header_of(RowOf row_of) {
  switch (row_of) {
    case RowOf::launch: return "kernel, its layer: what it makes";
    case RowOf::kernel: return "kernel: layers that it is for";
    case RowOf::layer: break;
  }
  return "layer: its kernels";
}

TimesJson work_json(const WorkTime& work) {
  return {{"calls", work.calls},
          {"seconds", work.seconds},
          {"flops", work.flops},
          {"bytes", work.bytes},
          {"roof_seconds", work.roof}};
}

}  // namespace

void WorkTime::add(const WorkTime& other) {
  seconds += other.seconds;
  calls += other.calls;
  flops += other.flops;
  bytes += other.bytes;
  roof += other.roof;
}

std::vector<KernelRow> kernel_rows(const CompiledStep& step, const LaunchSamples& samples,
                                   const backends::Peaks& peaks) {
  std::vector<KernelRow> rows;
  for (std::size_t i = 0; i < step.launches().size(); ++i) {
    const backends::LaunchInfo& info = step.launches()[i];
    const double calls = samples.calls(i);
    const double least =
        std::max(info.flops / peaks.flops_per_second, info.bytes / peaks.bytes_per_second);
    rows.push_back({&info,
                    {samples.median_seconds(i), calls, calls * info.flops, calls * info.bytes,
                     calls * least}});
  }
  std::ranges::stable_sort(rows, std::greater(),
                           [](const KernelRow& row) { return row.work.seconds; });
  return rows;
}

std::string kernel_table(const std::vector<KernelRow>& rows, RowOf row_of, std::size_t shown,
                         double total) {
  std::vector<std::pair<WorkTime, std::string>> lines;
  if (row_of == RowOf::launch)
    for (const KernelRow& row : rows)
      lines.emplace_back(row.work, fmt::format("{}{}: {}", row.info->kernel, place_text(*row.info),
                                               cut(row.info->writes, 50)));
  else
    for (const Total& row : totals_of(rows, row_of))
      lines.emplace_back(row.work, total_label(row, row_of));
  std::string text =
      fmt::format("{:>10} {:>6} {:>6} {:>9} {:>9} {:>9} {:>9} {:>6}  {}\n", "time", "part", "calls",
                  "FLOP", "bytes", "GFLOP/s", "GB/s", "roof", header_of(row_of));
  for (std::size_t i = 0; i < std::min(shown, lines.size()); ++i) {
    const auto& [work, label] = lines[i];
    const double seconds = std::max(work.seconds, 1e-12);
    text +=
        fmt::format("{:>10} {:>5.1f}% {:>6.0f} {:>9} {:>9} {:>9.1f} {:>9.1f} {:>5.0f}%  {}\n",
                    duration_text(work.seconds), 100 * work.seconds / total, work.calls,
                    scaled_text(work.flops), scaled_text(work.bytes), work.flops / seconds * 1e-9,
                    work.bytes / seconds * 1e-9, 100 * work.roof / seconds, label);
  }
  if (lines.size() > shown) {
    double rest = 0;
    for (std::size_t i = shown; i < lines.size(); ++i) rest += lines[i].first.seconds;
    text += fmt::format("{:>10} {:>5.1f}%  {} more; --rows {} shows them\n", duration_text(rest),
                        100 * rest / total, lines.size() - shown, lines.size());
  }
  return text;
}

TimesJson kernels_json(const std::vector<KernelRow>& rows) {
  TimesJson kernels = TimesJson::array();
  for (const KernelRow& row : rows) {
    kernels.push_back(work_json(row.work));
    kernels.back().update({{"kernel", row.info->kernel},
                           {"layers", parts_json(*row.info)},
                           {"reads", row.info->reads},
                           {"writes", row.info->writes},
                           {"parallel", row.info->is_parallel}});
  }
  return kernels;
}

TimesJson totals_json(const std::vector<KernelRow>& rows, RowOf row_of) {
  TimesJson totals = TimesJson::array();
  for (const Total& total : totals_of(rows, row_of)) {
    totals.push_back(work_json(total.work));
    TimesJson& json = totals.back();
    json["launches"] = total.launches;
    json[row_of == RowOf::layer ? "layer" : "kernel"] =
        total.name.empty() ? TimesJson() : TimesJson(total.name);
    json[row_of == RowOf::layer ? "kernels" : "layers"] = total.of;
    if (row_of == RowOf::layer)
      json["location"] = total.location.empty() ? TimesJson() : TimesJson(total.location);
  }
  return totals;
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
