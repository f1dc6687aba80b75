// tenon predict
#include <nlohmann/json.hpp>

#include "tenon/base/text.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/data_options.h"
#include "tenon/cli/input_rows.h"
#include "tenon/cli/open_run.h"
#include "tenon/cli/output.h"
#include "tenon/cli/predictions.h"
#include "tenon/io/csv.h"
#include "tenon/io/file.h"
#include "tenon/io/npy.h"

namespace tenon::cli {
namespace {

using Json = nlohmann::json;

struct PredictCommand {
  std::string run, weights, input, output, label;
  DeviceOptions device;
  bool json = false;
};

// The shortest text that reads back as the same number of the model's type.
std::string number_text(double value, DType dtype) {
  return dtype == DType::f64 ? fmt::format("{}", value)
                             : fmt::format("{}", static_cast<float>(value));
}

// A header and a row per prediction: for classes the chosen one, its probability, and that of each
// class; for labels the probability of each; otherwise the values.
std::string predictions_csv(const Trainer& trainer, const std::vector<Prediction>& predictions,
                            const TensorType& outputs) {
  const OutputKind kind = output_kind(trainer, outputs);
  const bool is_class = kind == OutputKind::classes;
  const char* column = kind == OutputKind::labels ? "probability" : "output";
  std::vector<std::string> header;
  if (is_class) header = {"class", "probability"};
  const std::int64_t width = prediction_width(trainer, outputs);
  for (std::int64_t i = 0; i < width; ++i)
    header.push_back(is_class ? io::csv_field(class_name(trainer, i))
                              : fmt::format("{}_{}", column, i));
  std::string text = join(header, ",") + "\n";
  for (const Prediction& prediction : predictions) {
    std::vector<std::string> row;
    if (is_class)
      row = {io::csv_field(class_name(trainer, prediction.chosen)),
             number_text(prediction.probability, outputs.dtype)};
    for (const double value : prediction.values) row.push_back(number_text(value, outputs.dtype));
    text += join(row, ",") + "\n";
  }
  return text;
}

std::string predictions_lines(const Trainer& trainer, const std::vector<Prediction>& predictions,
                              OutputKind kind) {
  std::string text;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const Prediction& prediction = predictions[i];
    if (prediction.chosen >= 0) {
      text += fmt::format("{:>6}  {:6.2f} %  {}\n", i, 100 * prediction.probability,
                          class_name(trainer, prediction.chosen));
      continue;
    }
    text += fmt::format("{:>6} ", i);
    for (const double value : prediction.values)
      text += kind == OutputKind::labels ? fmt::format(" {:6.2f} %", 100 * value)
                                         : fmt::format(" {:.7g}", value);
    text += "\n";
  }
  return text;
}

Json predictions_json(const Trainer& trainer, const std::vector<Prediction>& predictions,
                      OutputKind kind) {
  Json list = Json::array();
  for (const Prediction& prediction : predictions) {
    Json entry = {{kind == OutputKind::numbers ? "values" : "probabilities", prediction.values}};
    if (prediction.chosen >= 0) {
      entry["class"] = class_name(trainer, prediction.chosen);
      entry["probability"] = prediction.probability;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

int run_predict(const PredictCommand& command) {
  if (command.run.empty()) refuse_option("RUN", "missing: the folder of a run");
  if (command.input.empty()) refuse_option("--input", "missing: a .csv, .npy, .png or .jpg file");
  if (!command.label.empty() && !command.input.ends_with(".csv"))
    refuse_option("--label", "only a .csv file has columns to leave out");
  const bool is_csv = command.output.ends_with(".csv"), is_npy = command.output.ends_with(".npy");
  if (!command.output.empty() && !is_csv && !is_npy)
    refuse_option("--output", "a file ending in .csv or .npy expected, got {}",
                  in_quotes(command.output));
  Trainer trainer = open_run(command.run, command.weights, command.device);
  const HostTensor rows = read_input_rows(command.input, trainer.row_types().x, command.label,
                                          trainer.options().columns);
  const HostTensor outputs = trainer.predict(rows);
  const std::vector<Prediction> predictions = interpret(trainer, outputs);
  const OutputKind kind = output_kind(trainer, outputs.type());
  if (is_npy) io::write_npy(command.output, outputs);
  if (is_csv)
    io::write_file_atomically(command.output,
                              predictions_csv(trainer, predictions, outputs.type()));
  if (command.json)
    print_json({{"command", "predict"},
                {"run", command.run},
                {"rows", rows.shape().front()},
                {"output", command.output.empty() ? Json() : Json(command.output)},
                {"compiled_sizes", trainer.prediction_sizes()},
                {"predictions", predictions_json(trainer, predictions, kind)}});
  else if (command.output.empty())
    print_text(predictions_lines(trainer, predictions, kind));
  else
    print_text(fmt::format("{} predictions in {}\n", predictions.size(), command.output));
  return 0;
}

}  // namespace

void add_predict(CLI::App& program, Action& action) {
  CLI::App* app =
      program.add_subcommand("predict", "outputs of a trained model for rows of a file");
  const auto command = std::make_shared<PredictCommand>();
  add_text(*app, "run", command->run, help_text("the folder of a run", Need::required), "RUN");
  add_text(*app, "--input", command->input,
           help_text("rows to predict: .csv, .npy, .png or .jpg", Need::required), "FILE");
  add_text(*app, "--output", command->output,
           ".csv (probabilities) or .npy (outputs as they are); the terminal if not given", "FILE");
  add_text(*app, "--label", command->label,
           "a column of the CSV file to leave out, by name or number from 1", "NAME");
  add_weights_option(*app, command->weights);
  add_device_options(*app, command->device);
  add_json_option(*app, command->json);
  app->callback([command, &action] { action = [command] { return run_predict(*command); }; });
}

}  // namespace tenon::cli
