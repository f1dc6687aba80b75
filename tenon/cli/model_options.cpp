#include "tenon/cli/model_options.h"

#include "tenon/base/text.h"
#include "tenon/data/wav_folder.h"
#include "tenon/models/catalog.h"
#include "tenon/nn/activation.h"

namespace tenon::cli {
namespace {

// "128/64", as an option of a model's text; no widths at all are 0.
std::string numbers_text(const std::vector<std::int64_t>& numbers) {
  return numbers.empty() ? "0" : join(numbers, "/");
}

}  // namespace

void add_model_options(CLI::App& app, ModelOptions& options, Need need) {
  add_checked(
      app, "--model", options.model, [](const std::string& text) { models::model_name(text); },
      help_text("the network, with options after colons: resnet20:width=8", need),
      join(models::model_names(), "|"));
  add_counts(app, "--hidden", options.hidden,
             "widths of the hidden layers, or none (mlp: 128,64; lenet: 120,84)");
  add_counts(app, "--filters", options.filters, "filters of lenet's two convolutions (6,16)");
  add_checked(
      app, "--activation", options.activation,
      [](const std::string& text) { nn::parse_activation(text); },
      "activation of the hidden layers (the model's own)");
}

ModelOptions with_sound_rate(ModelOptions options, const std::string& data) {
  constexpr std::string_view kSounds = "wav:";
  if (!data.starts_with(kSounds) || models::model_name(options.model) != "speech-commands")
    return options;
  const std::int64_t rate = data::wav_folder(data.substr(kSounds.size())).rate();
  if (rate == 0) return options;  // no sound can be read, which is said in its turn
  constexpr std::string_view kOption = "rate=";
  for (const std::string_view part : split(options.model, ':'))
    if (part.starts_with(kOption)) {
      if (parse_number("--model", std::string(part.substr(kOption.size()))) !=
          static_cast<double>(rate))
        refuse_option("--model", "{}: the sounds of {} have {} frames per second", part, data,
                      rate);
      return options;
    }
  options.model += fmt::format(":rate={}", rate);
  return options;
}

std::string model_text(const ModelOptions& options) {
  std::string text = options.model;
  if (options.hidden) text += fmt::format(":hidden={}", numbers_text(*options.hidden));
  if (options.filters) text += fmt::format(":filters={}", numbers_text(*options.filters));
  return text;
}

nn::Layer make_model(const ModelOptions& options, const TensorType& row, std::int64_t outputs) {
  const std::string name = models::model_name(options.model);
  if (options.filters) {
    if (name == "mlp") refuse_option("--filters", "mlp has no convolutions; it is for lenet");
    if (name == "lenet" && options.filters->size() != 2)
      refuse_option("--filters", "lenet: two numbers of filters expected, got {}",
                    options.filters->size());
  }
  try {
    models::Request request{row, outputs};
    if (!options.activation.empty()) request.activation = nn::parse_activation(options.activation);
    return models::make_model(model_text(options), request);
  } catch (const UserError& error) {
    refuse_option("--model", "{}", error.what());
  }
}

Tensor trace_one_sample(const nn::Layer& model, const TensorType& row, DType dtype) {
  const bool are_ids = is_integer(row.dtype) && row.dtype != DType::u8;
  TensorType type{are_ids ? row.dtype : dtype, row.shape};
  type.shape.insert(type.shape.begin(), 1);
  nn::Context context(nn::Mode::inference, {}, dtype);
  return model.call_as_root(placeholder("x", type), context);
}

}  // namespace tenon::cli
