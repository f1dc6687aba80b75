// Inputs for any graph: ordinary values, with zeros of both signs, infinities and NaNs among them.
#pragma once
#include <cmath>
#include <limits>
#include <vector>

#include "tenon/base/scalar_convert.h"
#include "tenon/base/threefry.h"
#include "tenon/ir/graph.h"

namespace tenon::fuzz {

inline std::vector<HostTensor> random_inputs(const ir::Graph& graph, std::uint64_t seed) {
  ThreefrySequence random{seed};
  std::vector<HostTensor> tensors;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<double> special = {0.0, -0.0, 1, -1, kInfinity, -kInfinity, std::nan("")};
  for (const ir::Input& input : graph.inputs()) {
    HostTensor tensor(input.type);
    with_element_type(input.type.dtype, [&]<class T>(TypeTag<T>) {
      for (T& element : tensor.as<T>()) {
        double value = static_cast<double>(random.below(8001)) / 1000 - 4;
        if (is_float(input.type.dtype) && random.below(12) == 0)
          value = special[random.below(special.size())];
        if (is_integer(input.type.dtype)) value = std::floor(value * 3);
        element = is_boolean(input.type.dtype) ? convert_element<T>(std::floor(value / 4) + 1)
                                               : convert_element<T>(value);
      }
    });
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace tenon::fuzz
