// The options that say which model is built, and the model they say.
#pragma once
#include "tenon/cli/options.h"
#include "tenon/nn/layer.h"

namespace tenon::cli {

struct ModelOptions {
  std::string model;  // as models::make_model takes it
  std::optional<std::vector<std::int64_t>> hidden;
  std::optional<std::vector<std::int64_t>> filters;
  std::string activation;  // empty: the model's own
};

// --model, --hidden, --filters and --activation; the first may be one that the command needs.
void add_model_options(CLI::App& app, ModelOptions& options, Need need);
// The network with all its options, as models::make_model takes it: "mlp:hidden=128/64".
std::string model_text(const ModelOptions& options);
// The model for inputs of this row type. OptionError if an option is not one of the model's, or the
// model does not take such inputs.
// The options with the rate of the sounds of wav:FOLDER, for speech-commands. OptionError if they
// name another rate.
ModelOptions with_sound_rate(ModelOptions options, const std::string& data);

nn::Layer make_model(const ModelOptions& options, const TensorType& row, std::int64_t outputs);
// What the model gives for one sample, traced in inference: [1, ...]. Ids stay integers, all else
// is `dtype`.
Tensor trace_one_sample(const nn::Layer& model, const TensorType& row, DType dtype);

}  // namespace tenon::cli
