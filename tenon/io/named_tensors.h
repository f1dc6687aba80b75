// Tensors by name, in the order of their names: what files with several tensors hold.
#pragma once
#include <functional>
#include <map>
#include <string>

#include "tenon/base/host_tensor.h"

namespace tenon::io {

using NamedTensors = std::map<std::string, HostTensor, std::less<>>;

}  // namespace tenon::io
