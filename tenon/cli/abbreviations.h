// What users of Keras and PyTorch type for a name: for "did you mean".
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace tenon::cli {

// "--lr" is "--learning-rate"; "" if it is none that is known.
std::string meant_option(std::string_view option);

// Names with numbers after them keep those: "mse" is "mean_squared_error". "" if it is none.
std::string meant_loss(std::string_view name);
std::string meant_metric(std::string_view name);

// Calls check(); its UserError ends with the name that was meant, if there is one.
void check_name(const std::function<void()>& check, const std::string& meant);

}  // namespace tenon::cli
