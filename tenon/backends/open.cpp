// The one place that knows all backends by name.
#include "tenon/backends/cpu/cpu.h"
#include "tenon/backends/reference/reference.h"
#include "tenon/base/text.h"

namespace tenon::backends {

std::vector<std::string> device_names() { return {"cpu", "reference"}; }

std::unique_ptr<Backend> open(std::string_view device, const BackendOptions& options) {
  require(options.threads >= 0 && options.threads <= 1024,
          "threads: expected a number from 1 to 1024, or 0 for all usable cores, got {}",
          options.threads);
  if (device == "cpu") return open_cpu(options);
  if (device == "reference") return open_reference();
  const std::vector<std::string> names = device_names();
  throw UserError(fmt::format("unknown device {}; known devices: {}{}", in_quotes(device),
                              join(names, ", "), did_you_mean(device, names)));
}

}  // namespace tenon::backends
