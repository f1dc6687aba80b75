#include "tenon/cli/model_options.h"

#include "tenon/models/models.h"
#include "tenon/nn/activation.h"

namespace tenon::cli {

void add_model_options(CLI::App& app, ModelOptions& options, Need need) {
  add_choice(app, "--model", options.model, {"mlp", "lenet"}, help_text("the network", need));
  add_counts(app, "--hidden", options.hidden,
             "widths of the hidden layers, or none (mlp: 128,64; lenet: 120,84)");
  add_counts(app, "--filters", options.filters, "filters of lenet's two convolutions (6,16)");
  add_checked(
      app, "--activation", options.activation,
      [](const std::string& text) { nn::parse_activation(text); },
      "activation of the hidden layers (relu)");
}

nn::Sequential make_model(const ModelOptions& options, const TensorType& row,
                          std::int64_t outputs) {
  const nn::Activation activation = nn::parse_activation(options.activation);
  if (is_integer(row.dtype) && row.dtype != DType::u8)
    refuse_option("--model", "{} takes numbers, the data's samples are {}", options.model, row);
  if (options.model == "mlp") {
    if (options.filters) refuse_option("--filters", "mlp has no convolutions; it is for lenet");
    return models::mlp(options.hidden.value_or(std::vector<std::int64_t>{128, 64}), outputs,
                       activation);
  }
  models::LenetOptions lenet;
  lenet.activation = activation;
  lenet.image = row.shape;
  if (options.hidden) lenet.hidden = *options.hidden;
  if (options.filters) lenet.filters = *options.filters;
  try {
    return models::lenet(outputs, lenet);
  } catch (const UserError& error) {
    const bool is_filters = lenet.filters.size() != 2;
    refuse_option(is_filters ? "--filters" : "--model", "{}", error.what());
  }
}

}  // namespace tenon::cli
