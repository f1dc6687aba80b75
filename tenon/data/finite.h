// Numbers that can be trained with: those that are finite.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "tenon/base/host_tensor.h"

namespace tenon::data {

// Where the first element that is NaN or infinite stands; none in a tensor of other than floats.
std::optional<std::int64_t> first_not_finite(const HostTensor& tensor);

// UserError "PLACE: number N is nan; only finite numbers can be trained with".
void require_finite(const HostTensor& sample, const std::string& place);

// The same of samples along the first axis: "PLACE WHAT I: number N is ...", N within the sample.
void require_finite_rows(const HostTensor& samples, const std::string& place, const char* what);

}  // namespace tenon::data
