#include "tenon/cli/train_report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "tenon/base/text.h"
#include "tenon/cli/predictions.h"
#include "tenon/cli/text.h"
#include "tenon/io/file.h"
#include "tenon/train/checkpoint.h"

namespace tenon::cli {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kPictureColumns = 24;

std::string evaluation_text(const Evaluation& evaluation) {
  std::string text = fmt::format("loss {:.4f}", evaluation.loss);
  for (const auto& [name, value] : evaluation.metrics)
    text += fmt::format("  {} {:.4f}", name, value);
  return text;
}

std::string prediction_text(const SamplePrediction& prediction) {
  if (prediction.is_nan) return fmt::format("{}  (truth {})", kNoNumbers, prediction.truth);
  if (!prediction.is_class)
    return fmt::format("{} (truth {})", prediction.predicted, prediction.truth);
  return fmt::format("{} {:.1f} %", prediction.predicted, 100 * prediction.probability);
}

// Pictures side by side, each above what it was taken for.
std::string pictures_text(const TrainReport& report) {
  std::vector<std::vector<std::string>> pictures;
  for (const SamplePrediction& prediction : report.predictions) {
    pictures.push_back(picture_lines(prediction.sample, kPictureColumns));
    if (pictures.back().empty()) return "";
    pictures.back().push_back(prediction.is_nan ? "no numbers (NaN)" : prediction_text(prediction));
    pictures.back().push_back("truth: " + prediction.truth);
  }
  std::string text;
  for (std::size_t line = 0; line < pictures.front().size(); ++line) {
    std::string row;
    for (const auto& picture : pictures)
      row += fmt::format("  {:<{}}", picture[line].substr(0, kPictureColumns), kPictureColumns);
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string position_predictions_text(const std::vector<SamplePrediction>& predictions) {
  Facts facts;
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    const SamplePrediction& prediction = predictions[row];
    const std::string count = position_count_text(prediction.positions);
    facts.emplace_back(fmt::format("row {}", row),
                       prediction.is_nan ? kNoNumbers
                       : prediction.right
                           ? fmt::format("{:.1f} % of {} right", 100 * *prediction.right, count)
                           : count);
    if (!prediction.is_nan) facts.emplace_back("  predicted", prediction.predicted);
    if (!prediction.truth.empty()) facts.emplace_back("  truth", prediction.truth);
  }
  return facts_text(facts);
}

std::string predictions_text(const TrainReport& report) {
  if (!report.predictions.front().positions.empty())
    return position_predictions_text(report.predictions);
  std::string text = pictures_text(report);
  if (!text.empty()) return text;
  Facts facts;
  for (const SamplePrediction& prediction : report.predictions) {
    const bool lacks_truth = prediction.is_class && !prediction.is_nan;
    facts.emplace_back(
        fmt::format("row {}", facts.size()),
        prediction_text(prediction) + (lacks_truth ? "  (truth " + prediction.truth + ")" : ""));
  }
  return facts_text(facts);
}

// What was measured: first what a user waits for, the whole epochs.
Facts cost_facts(const TrainReport& report) {
  const CostReport& cost = report.cost;
  const char* what = report.has_images ? "images per second" : "samples per second";
  const auto rate = [](double value) { return grouped_text(static_cast<std::int64_t>(value)); };
  Facts facts;
  if (cost.seconds_per_epoch > 0 && cost.samples_per_second > 0)
    facts.emplace_back(
        what, fmt::format("{} (whole epochs with validation and saving; median {})",
                          rate(cost.samples_per_second), duration_text(cost.seconds_per_epoch)));
  if (cost.seconds_per_step > 0)
    facts.emplace_back("in steps alone",
                       fmt::format("{} {} (median step {})", rate(cost.step_samples_per_second),
                                   what, duration_text(cost.seconds_per_step)));
  facts.emplace_back("buffers of the step", memory_text(cost.memory));
  facts.emplace_back("peak of the process", bytes_text(report.process_peak_bytes) +
                                                " (with data on the host and the program itself)");
  facts.emplace_back("time to first step", fmt::format("{} (of which compiling {})",
                                                       duration_text(cost.seconds_to_first_step),
                                                       duration_text(cost.compile_seconds)));
  return facts;
}

std::string values_text(const std::vector<double>& values, OutputKind kind) {
  std::vector<std::string> texts;
  for (const double value : values)
    texts.push_back(std::isnan(value)            ? "nan"
                    : kind == OutputKind::labels ? fmt::format("{:.1f} %", 100 * value)
                                                 : fmt::format("{:.6g}", value));
  return join(texts, " ");
}

std::string row_text(const HostTensor& values, std::int64_t row, std::int64_t width) {
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < width; ++i)
    texts.push_back(fmt::format("{:.6g}", element_as_double(values, row * width + i)));
  return join(texts, " ");
}

// The part of the positions with a truth at which both are the same.
std::optional<double> right_part(std::span<const std::int64_t> found,
                                 std::span<const std::int64_t> truth) {
  std::int64_t known = 0, right = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    known += truth[i] >= 0;
    right += truth[i] >= 0 && truth[i] == found[i];
  }
  if (known == 0) return std::nullopt;
  return static_cast<double>(right) / static_cast<double>(known);
}

// The prediction for one row of those.
void set_positions(SamplePrediction& sample, const Trainer& trainer,
                   const PositionPredictions& predictions, std::span<const std::int64_t> truths,
                   std::size_t row) {
  const auto found = predictions.classes_of(row);
  const auto probabilities = predictions.probabilities_of(row);
  sample.positions = predictions.shape;
  sample.predicted_classes = class_names_of(trainer, found);
  sample.probabilities.assign(probabilities.begin(), probabilities.end());
  sample.is_nan = std::ranges::all_of(probabilities,
                                      [](double probability) { return std::isnan(probability); });
  sample.predicted = positions_text(trainer, predictions.shape, sample.predicted_classes, "NaN");
  if (truths.empty()) return;
  const auto truth = truths.subspan(row * predictions.row_size(), predictions.row_size());
  sample.true_classes = class_names_of(trainer, truth);
  sample.truth = positions_text(trainer, predictions.shape, sample.true_classes, "-");
  sample.right = right_part(found, truth);
}

void set_prediction(SamplePrediction& sample, const Trainer& trainer, const Prediction& prediction,
                    OutputKind kind) {
  sample.is_class = kind == OutputKind::classes;
  sample.is_nan = prediction.is_nan();
  if (sample.is_nan) return;
  if (!sample.is_class) {
    sample.predicted = values_text(prediction.values, kind);
    return;
  }
  sample.predicted = class_name(trainer, prediction.chosen);
  sample.probability = prediction.probability;
}

Json prediction_json(const SamplePrediction& prediction) {
  const Shape& shape = prediction.positions;
  if (shape.empty()) {
    Json entry = {{"predicted", prediction.is_nan ? Json() : Json(prediction.predicted)},
                  {"truth", prediction.truth}};
    if (prediction.is_class)
      entry["probability"] = prediction.is_nan ? Json() : Json(prediction.probability);
    return entry;
  }
  Json entry = {{"shape", shape},
                {"predicted", nested_json(shape, prediction.predicted_classes)},
                {"probability", nested_json(shape, prediction.probabilities)}};
  entry["truth"] =
      prediction.true_classes.empty() ? Json() : nested_json(shape, prediction.true_classes);
  entry["right"] = prediction.right ? Json(*prediction.right) : Json();
  return entry;
}

}  // namespace

std::vector<std::string> run_files(const std::string& run) {
  const RunFiles files{run};
  std::vector<std::string> paths;
  for (const auto& path : {files.model(), files.state(), files.description(), files.metrics(),
                           files.curves(), files.averages(), files.best(), files.cost()})
    if (io::file_exists(path)) paths.push_back(path.string());
  return paths;
}

std::vector<SamplePrediction> sample_predictions(Trainer& trainer, const data::Dataset& dataset,
                                                 std::int64_t count) {
  const data::Dataset rows = dataset.take(std::min(count, dataset.size()));
  const HostTensor outputs = trainer.predict(rows.x());
  const HostTensor truth = rows.y().tensor();
  const std::int64_t width = truth.size() / std::max<std::int64_t>(rows.size(), 1);
  const bool has_positions = !positions_of(trainer, outputs.type()).empty();
  PositionPredictions of_positions;
  std::vector<std::int64_t> truths;
  std::vector<Prediction> predictions;
  if (has_positions) {
    of_positions = interpret_positions(trainer, outputs);
    truths = true_classes(trainer, of_positions, truth);
  } else {
    predictions = interpret(trainer, outputs);
  }
  const OutputKind kind = output_kind(trainer, outputs.type());
  std::vector<SamplePrediction> result;
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<std::size_t>(i);
    SamplePrediction sample;
    sample.sample = rows.x().rows(i, 1).tensor().reshaped(rows.x().row_shape());
    if (has_positions) {
      set_positions(sample, trainer, of_positions, truths, row);
    } else {
      set_prediction(sample, trainer, predictions[row], kind);
      sample.truth =
          rows.has_classes() && width == 1
              ? class_name(trainer, static_cast<std::int64_t>(element_as_double(truth, i)))
              : row_text(truth, i, width);
    }
    result.push_back(std::move(sample));
  }
  return result;
}

std::string memory_text(const backends::MemoryReport& memory, std::string_view data) {
  return fmt::format("{} exactly ({} state, {} {}, {} activations and workspace)",
                     bytes_text(memory.total()), bytes_text(memory.state),
                     bytes_text(memory.inputs + memory.results + memory.constants), data,
                     bytes_text(memory.arena));
}

std::string report_text(const TrainReport& report) {
  std::string text;
  if (report.history.steps > 0) text += "cost\n" + facts_text(cost_facts(report));
  if (report.test)
    text +=
        fmt::format("test{}\n  {}\n", report.is_test_validation ? " (also the validation set)" : "",
                    evaluation_text(*report.test));
  if (report.distillation)
    text += fmt::format("distillation, by {} data: before the teacher, after the student\n{}",
                        report.distillation->data, to_string(report.distillation->compression));
  if (!report.predictions.empty()) text += "predictions\n" + predictions_text(report);
  if (!report.files.empty()) {
    text += "written\n";
    for (const std::string& file : report.files) text += "  " + file + "\n";
    if (!report.run.empty() && !report.has_metrics)
      text +=
          "  metrics.csv has no rows yet: no epoch was finished; --log-every N adds rows of "
          "steps\n";
  }
  if (!report.run.empty() && !report.files.empty()) {
    text += "next\n";
    text += fmt::format("  {0} inspect {1}\n  {0} evaluate {1} --data {2}\n",
                        shell_word(report.program), shell_word(report.run), report.data);
  } else {
    text += "not saved: --out FOLDER keeps the model\n";
  }
  return text;
}

Json evaluation_json(const Evaluation& evaluation) {
  Json json = {{"loss", evaluation.loss}, {"samples", evaluation.samples}};
  for (const auto& [name, value] : evaluation.metrics) json[name] = value;
  return json;
}

Json memory_json(const backends::MemoryReport& memory) {
  return {{"total", memory.total()},   {"state", memory.state},         {"inputs", memory.inputs},
          {"results", memory.results}, {"constants", memory.constants}, {"arena", memory.arena}};
}

Json compression_json(const Compression& compression) {
  return {{"before", evaluation_json(compression.before)},
          {"after", evaluation_json(compression.after)},
          {"bytes_before", compression.bytes_before},
          {"bytes_after", compression.bytes_after}};
}

Json report_json(const TrainReport& report) {
  Json epochs = Json::array();
  for (const EpochRecord& epoch : report.history.epochs) {
    Json entry = {{"epoch", epoch.epoch},
                  {"seconds", epoch.seconds},
                  {"train", evaluation_json(epoch.train)}};
    if (epoch.validation) entry["validation"] = evaluation_json(*epoch.validation);
    epochs.push_back(std::move(entry));
  }
  Json predictions = Json::array();
  for (const SamplePrediction& prediction : report.predictions)
    predictions.push_back(prediction_json(prediction));
  Json json = {{"command", "train"},
               {"run", report.run.empty() ? Json() : Json(report.run)},
               {"stopped", report.history.stopped},
               {"interrupted", report.is_stopped},
               {"steps", report.steps},
               {"epochs", std::move(epochs)},
               {"cost",
                {{"seconds_per_epoch", report.cost.seconds_per_epoch},
                 {"samples_per_second", report.cost.samples_per_second},
                 {"seconds_per_step", report.cost.seconds_per_step},
                 {"step_samples_per_second", report.cost.step_samples_per_second},
                 {"seconds_to_first_step", report.cost.seconds_to_first_step},
                 {"compile_seconds", report.cost.compile_seconds},
                 {"step_buffer_bytes", memory_json(report.cost.memory)},
                 {"compile_memory_bytes", report.cost.compile_memory_bytes},
                 {"process_peak_bytes", report.process_peak_bytes}}},
               {"predictions", std::move(predictions)},
               {"files", report.files}};
  json["test"] = report.test ? evaluation_json(*report.test) : Json();
  json["test_is_validation"] = report.is_test_validation;
  if (report.distillation) {
    json["distillation"] = compression_json(report.distillation->compression);
    json["distillation"]["data"] = report.distillation->data;
  }
  return json;
}

}  // namespace tenon::cli
