// Where the time of a step went: its kernels with their work, as a table, as JSON and as a trace.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tenon/backends/cpu/peaks.h"
#include "tenon/session/session.h"

namespace tenon::cli {

// All launches of one kernel on values of one name, per step.
struct KernelRow {
  const backends::LaunchInfo* info = nullptr;
  double seconds = 0;
  double calls = 0;
  double roof = 0;  // least seconds that flops and bytes allow
  double flops() const { return calls * info->flops; }
  double bytes() const { return calls * info->bytes; }
};

// Longest first, of `steps` runs. `before`: the times of all launches when those began.
std::vector<KernelRow> kernel_rows(const CompiledStep& step,
                                   const std::vector<backends::LaunchTime>& before, double steps,
                                   const backends::Peaks& peaks);
// The first `shown` rows; `total`: seconds of a step.
std::string kernel_table(const std::vector<KernelRow>& rows, std::size_t shown, double total);
nlohmann::json kernels_json(const std::vector<KernelRow>& rows);
// The last step as Chrome's trace events ("Trace Event Format"), which Perfetto opens.
void write_trace(const std::string& file, const CompiledStep& step);

}  // namespace tenon::cli
