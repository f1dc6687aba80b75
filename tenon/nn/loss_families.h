// The losses that find_loss makes, by family.
#pragma once
#include "tenon/nn/loss.h"

namespace tenon::nn {

// By the name without options. UserError naming the option that does not hold.
Loss make_cross_entropy(const std::string& name, const CrossEntropyOptions& options);
Loss make_focal(const std::string& name, double gamma, double alpha);
Loss make_kl_divergence(const std::string& name);
Loss make_mean_error(const std::string& name);  // mean_squared_error, mean_absolute_error
Loss make_cosine_similarity();
Loss make_hinge();
Loss make_entropy(const std::string& name);

// Whether a name is one of several losses: "A + 0.1 * B".
bool names_combination(std::string_view name);
Loss parse_combination(std::string_view name);

}  // namespace tenon::nn
