// Where the time of a step went: its kernels with their work, as a table, as JSON and as a trace.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tenon/backends/cpu/peaks.h"
#include "tenon/cli/launch_samples.h"

namespace tenon::cli {

// Of launches, in one step.
struct WorkTime {
  double seconds = 0;
  double calls = 0;
  double flops = 0;
  double bytes = 0;
  double roof = 0;  // least seconds that flops and bytes allow, call by call
  void add(const WorkTime& other);
};
// One launch of a step.
struct KernelRow {
  const backends::LaunchInfo* info = nullptr;
  WorkTime work;  // the time is the median
};
// Longest first.
std::vector<KernelRow> kernel_rows(const CompiledStep& step, const LaunchSamples& samples,
                                   const backends::Peaks& peaks);
// What a row of the table is: each launch, all launches of one kernel, or all kernels of a layer
// (of several layers, the first: the one whose contraction it has).
enum class RowOf { launch, kernel, layer };

// The first `shown` rows, longest first; `total`: seconds of all.
std::string kernel_table(const std::vector<KernelRow>& rows, RowOf row_of, std::size_t shown,
                         double total);
nlohmann::json kernels_json(const std::vector<KernelRow>& rows);
// The totals by kernel, or by layer.
nlohmann::json totals_json(const std::vector<KernelRow>& rows, RowOf row_of);
// The last step as Chrome's trace events ("Trace Event Format"), which Perfetto opens.
void write_trace(const std::string& file, const CompiledStep& step);

}  // namespace tenon::cli
