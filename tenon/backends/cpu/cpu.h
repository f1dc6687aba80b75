// The cpu backend: whole steps as generated C, compiled by the system's compiler.
#pragma once
#include "tenon/backends/backend.h"

namespace tenon::backends {

// UserError if TENON_THREADS is no number of threads. The compiler is looked for at the first
// compile(), not here. Executables may be used from several threads; a Step runs once at a time.
std::unique_ptr<Backend> open_cpu(const BackendOptions& options);

}  // namespace tenon::backends
