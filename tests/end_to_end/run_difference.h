// Where the files of two runs differ, in words.
#pragma once
#include <filesystem>
#include <string>

namespace tenon {

// The first tensor and element that differ in model.safetensors, then in state.safetensors, then
// the first line of metrics.csv; "" if the three files hold the same bytes.
// UserError if one of them cannot be read.
std::string first_difference(const std::filesystem::path& expected_run,
                             const std::filesystem::path& run);

}  // namespace tenon
