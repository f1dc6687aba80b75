// The reference backend: interprets the graph, slowly and obviously.
#pragma once
#include "tenon/backends/backend.h"

namespace tenon::backends {

std::unique_ptr<Backend> open_reference();

}  // namespace tenon::backends
