// tenon predict
#include <cmath>
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
  if (std::isnan(value)) return "nan";  // whatever its sign
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
      row = prediction.chosen >= 0
                ? std::vector<std::string>{io::csv_field(class_name(trainer, prediction.chosen)),
                                           number_text(prediction.probability, outputs.dtype)}
                : std::vector<std::string>{"", "nan"};
    for (const double value : prediction.values) row.push_back(number_text(value, outputs.dtype));
    text += join(row, ",") + "\n";
  }
  return text;
}

// What a line of predictions begins with: the number of the row, where there is more than one.
std::string row_start(std::size_t row, std::size_t rows) {
  return rows == 1 ? "" : fmt::format("{:>6}  ", row);
}

std::string predictions_lines(const Trainer& trainer, const std::vector<Prediction>& predictions,
                              OutputKind kind) {
  std::string text;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const Prediction& prediction = predictions[i];
    text += row_start(i, predictions.size());
    if (prediction.chosen >= 0) {
      text += fmt::format("{:6.2f} %  {}\n", 100 * prediction.probability,
                          class_name(trainer, prediction.chosen));
      continue;
    }
    if (prediction.is_nan()) {
      text += fmt::format("{}\n", kNoNumbers);
      continue;
    }
    std::vector<std::string> values;
    for (const double value : prediction.values)
      values.push_back(kind == OutputKind::labels ? fmt::format("{:6.2f} %", 100 * value)
                                                  : fmt::format("{:.7g}", value));
    text += join(values, " ") + "\n";
  }
  return text;
}

Json predictions_json(const Trainer& trainer, const std::vector<Prediction>& predictions,
                      OutputKind kind) {
  Json list = Json::array();
  for (const Prediction& prediction : predictions) {
    Json entry = {{kind == OutputKind::numbers ? "values" : "probabilities", prediction.values}};
    if (kind == OutputKind::classes) {
      const bool is_known = prediction.chosen >= 0;
      entry["class"] = is_known ? Json(class_name(trainer, prediction.chosen)) : Json();
      entry["probability"] = is_known ? Json(prediction.probability) : Json();
    }
    list.push_back(std::move(entry));
  }
  return list;
}

// A line per position: the row, the place on each axis, the class and its probability.
std::string positions_csv(const Trainer& trainer, const PositionPredictions& predictions,
                          std::size_t rows, DType dtype) {
  const Shape& shape = predictions.shape;
  std::string text = "row";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) text += fmt::format(",index_{}", axis);
  text += ",class,probability\n";
  for (std::size_t row = 0; row < rows; ++row) {
    const auto classes = predictions.classes_of(row);
    const auto probabilities = predictions.probabilities_of(row);
    std::vector<std::int64_t> index(shape.size());
    for (std::size_t i = 0; i < classes.size(); ++i) {
      text += fmt::format("{},{},{},{}\n", row, fmt::join(index, ","),
                          classes[i] >= 0 ? io::csv_field(class_name(trainer, classes[i])) : "",
                          number_text(probabilities[i], dtype));
      for (std::size_t axis = shape.size(); axis-- > 0;) {
        if (++index[axis] < shape[axis]) break;
        index[axis] = 0;
      }
    }
  }
  return text;
}

std::string positions_lines(const Trainer& trainer, const PositionPredictions& predictions,
                            std::size_t rows) {
  std::string text;
  for (std::size_t row = 0; row < rows; ++row) {
    double sum = 0;
    std::int64_t numbers = 0;
    for (const double probability : predictions.probabilities_of(row)) {
      if (std::isnan(probability)) continue;
      sum += probability;
      ++numbers;
    }
    text += row_start(row, rows);
    if (numbers == 0)
      text += kNoNumbers;
    else
      text += fmt::format(
          "{}  ({}, mean probability {:.2f} %)",
          positions_text(trainer, predictions.shape,
                         class_names_of(trainer, predictions.classes_of(row)), "NaN"),
          position_count_text(predictions.shape), 100 * sum / static_cast<double>(numbers));
    text += "\n";
  }
  return text;
}

Json predictions_json(const Trainer& trainer, const PositionPredictions& predictions,
                      std::size_t rows) {
  Json list = Json::array();
  for (std::size_t row = 0; row < rows; ++row)
    list.push_back(
        {{"shape", predictions.shape},
         {"class",
          nested_json(predictions.shape, class_names_of(trainer, predictions.classes_of(row)))},
         {"probability", nested_json(predictions.shape, predictions.probabilities_of(row))}});
  return list;
}

// What is told of the outputs, in the three forms; what is not asked for is left empty.
struct ToldPredictions {
  std::string csv, lines;
  Json json;
};

ToldPredictions told_predictions(const PredictCommand& command, const Trainer& trainer,
                                 const HostTensor& outputs) {
  const bool is_csv = command.output.ends_with(".csv");
  const bool has_lines = !command.json && command.output.empty();
  ToldPredictions told;
  if (!positions_of(trainer, outputs.type()).empty()) {
    const auto rows = static_cast<std::size_t>(outputs.shape().front());
    const PositionPredictions predictions = interpret_positions(trainer, outputs);
    if (is_csv) told.csv = positions_csv(trainer, predictions, rows, outputs.dtype());
    if (has_lines) told.lines = positions_lines(trainer, predictions, rows);
    if (command.json) told.json = predictions_json(trainer, predictions, rows);
    return told;
  }
  const std::vector<Prediction> predictions = interpret(trainer, outputs);
  const OutputKind kind = output_kind(trainer, outputs.type());
  if (is_csv) told.csv = predictions_csv(trainer, predictions, outputs.type());
  if (has_lines) told.lines = predictions_lines(trainer, predictions, kind);
  if (command.json) told.json = predictions_json(trainer, predictions, kind);
  return told;
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
  ToldPredictions told = told_predictions(command, trainer, outputs);
  if (is_npy) io::write_npy(command.output, outputs);
  if (is_csv) io::write_file_atomically(command.output, told.csv);
  if (command.json)
    print_json({{"command", "predict"},
                {"run", command.run},
                {"rows", rows.shape().front()},
                {"output", command.output.empty() ? Json() : Json(command.output)},
                {"compiled_sizes", trainer.prediction_sizes()},
                {"predictions", std::move(told.json)}});
  else if (command.output.empty())
    print_text(told.lines);
  else
    print_text(fmt::format("{} predictions in {}\n", rows.shape().front(), command.output));
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
  add_text(
      *app, "--output", command->output,
      ".csv (classes and probabilities) or .npy (outputs as they are); the terminal if not given",
      "FILE");
  add_text(*app, "--label", command->label,
           "a column of the CSV file to leave out, by name or number from 1", "NAME");
  add_weights_option(*app, command->weights);
  add_device_options(*app, command->device);
  add_json_option(*app, command->json);
  app->callback([command, &action] { action = [command] { return run_predict(*command); }; });
}

}  // namespace tenon::cli
