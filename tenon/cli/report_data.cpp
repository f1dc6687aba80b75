#include "tenon/cli/report_data.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "tenon/base/ceil_divide.h"
#include "tenon/base/text.h"
#include "tenon/cli/predictions.h"
#include "tenon/io/file.h"
#include "tenon/train/checkpoint.h"
#include "tenon/train/cost_record.h"
#include "tenon/train/quantize.h"
#include "tenon/train/traced_step.h"

namespace tenon::cli {
namespace {

// Rows of Trainer::summary as cells; its columns stand at least two spaces apart.
std::vector<Facts> layer_rows(const std::string& summary) {
  std::vector<Facts> rows;
  int rules = 0;
  for (const std::string_view line : split(summary, '\n')) {
    if (line.starts_with("---")) {
      ++rules;
      continue;
    }
    if (rules != 1) continue;
    std::vector<std::string> cells;
    for (std::size_t at = 0; at < line.size();) {
      const std::size_t end = std::min(line.find("  ", at), line.size());
      cells.emplace_back(trim(line.substr(at, end - at)));
      at = std::min(line.find_first_not_of(' ', end), line.size());
    }
    if (cells.size() == 3)
      rows.push_back({{"Layer", cells[0]}, {"Output shape", cells[1]}, {"Parameters", cells[2]}});
  }
  return rows;
}

MetricTable curves_of(const Trainer& trainer, const std::string& run) {
  MetricTable table;
  for (const nn::Metric& metric : trainer.options().metrics)
    table.metrics.emplace_back(metric.name);
  const RunFiles files{run};
  if (!io::file_exists(files.metrics())) return table;
  return read_metrics_csv(files.metrics(), std::numeric_limits<std::size_t>::max(), table.metrics);
}

Facts training_facts(const Trainer& trainer) {
  const TrainingRecord& training = trainer.training();
  const RowTypes rows = trainer.row_types();
  Facts facts = {{"model", trainer.model().description()},
                 {"input", to_string(rows.x)},
                 {"target", to_string(rows.y)},
                 {"loss", trainer.options().loss.name},
                 {"optimizer", std::string(trainer.options().optimizer.kind())},
                 {"element type", std::string(name(trainer.options().dtype))},
                 {"seed", fmt::format("{}", trainer.options().seed)},
                 {"training steps", grouped_text(trainer.steps_done())}};
  if (!training.data.empty()) {
    // Of a stream that does not say its size, none are recorded.
    facts.emplace_back("trained on", training.samples > 0
                                         ? fmt::format("{} ({} samples)", training.data,
                                                       grouped_text(training.samples))
                                         : training.data);
    facts.emplace_back("batch size", grouped_text(training.batch_size));
    facts.emplace_back("epochs asked for", grouped_text(training.epochs));
  }
  return facts;
}

Facts cost_facts_of(Trainer& trainer, const std::string& run) {
  const std::filesystem::path file = RunFiles{run}.cost();
  Facts facts;
  backends::MemoryReport memory;
  std::optional<CostReport> kept;
  std::string reason = "not kept by this run";
  try {
    if (io::file_exists(file)) kept = read_cost(file);
  } catch (const UserError& error) {
    reason = fmt::format("not known: {}", error.what());  // the rest of the page is worth having
    std::string line = error.what();
    std::ranges::replace(line, '\n', ';');
    std::fputs(fmt::format("warning: {}; the page lacks its times\n", line).c_str(), stderr);
  }
  if (kept) {
    const CostReport& cost = *kept;
    memory = cost.memory;
    const auto rate = [](double value) { return grouped_text(static_cast<std::int64_t>(value)); };
    if (cost.seconds_per_epoch > 0)
      facts.emplace_back("time of an epoch", duration_text(cost.seconds_per_epoch));
    if (cost.samples_per_second > 0)
      facts.emplace_back("samples per second", rate(cost.samples_per_second));
    if (cost.seconds_per_step > 0)
      facts.emplace_back("time of a step", duration_text(cost.seconds_per_step));
    if (cost.step_samples_per_second > 0)
      facts.emplace_back("samples per second in steps alone", rate(cost.step_samples_per_second));
    facts.emplace_back("time to first step", duration_text(cost.seconds_to_first_step));
    facts.emplace_back("of which compiling", duration_text(cost.compile_seconds));
  } else {
    facts.emplace_back("time", reason);
    const std::int64_t batch = std::max<std::int64_t>(trainer.training().batch_size, 1);
    memory = is_quantized(trainer) ? trainer.compiled_prediction(batch).memory()
                                   : trainer.compiled_step(batch).memory();
  }
  facts.emplace_back(is_quantized(trainer) ? "buffers of a prediction (8 bits: nothing is trained)"
                                           : "buffers of the training step",
                     bytes_text(memory.total()));
  facts.emplace_back("state (weights, optimizer)", bytes_text(memory.state));
  facts.emplace_back("data", bytes_text(memory.inputs + memory.results + memory.constants));
  facts.emplace_back("activations and workspace", bytes_text(memory.arena));
  return facts;
}

double zero_part(const HostTensor& values) {
  std::int64_t zeros = 0;
  for (std::int64_t i = 0; i < values.size(); ++i) zeros += element_as_double(values, i) == 0;
  return values.size() > 0 ? static_cast<double>(zeros) / static_cast<double>(values.size()) : 0;
}

// Keeps the worst; of equals the earlier ones.
void keep_worst(std::vector<Mistake>& mistakes, std::int64_t count) {
  std::ranges::stable_sort(mistakes, std::greater<>(), &Mistake::size);
  if (std::ssize(mistakes) > count)
    mistakes.erase(mistakes.begin() + static_cast<std::ptrdiff_t>(count), mistakes.end());
}

std::int64_t units_of(const data::Dataset& rows) { return element_count(rows.y().row_shape()); }

// A model's outputs for some rows, and which rows those are.
struct PredictedRows {
  const data::Dataset& rows;
  std::int64_t first;
  HostTensor outputs;
};

// Adds the predictions for classes.
void add_classes(RunReport& report, const Trainer& trainer, const PredictedRows& part,
                 std::int64_t most) {
  const std::int64_t units = units_of(part.rows), count = part.rows.size() * units;
  if (count == 0 || part.outputs.size() % count != 0) return;
  const std::vector<Prediction> predictions =
      interpret(trainer, part.outputs.reshaped({count, part.outputs.size() / count}));
  const HostTensor truths = part.rows.y().tensor();
  if (!report.confusion) report.confusion.emplace();
  Confusion& confusion = *report.confusion;
  const auto score_of = [&](std::int64_t index) -> ClassScore& {
    while (std::ssize(confusion.classes) <= index)
      confusion.classes.push_back({class_name(trainer, std::ssize(confusion.classes))});
    return confusion.classes[static_cast<std::size_t>(index)];
  };
  if (!predictions.empty()) score_of(std::ssize(predictions.front().values) - 1);
  for (std::int64_t i = 0; i < count; ++i) {
    const Prediction& prediction = predictions[static_cast<std::size_t>(i)];
    const auto truth = static_cast<std::int64_t>(element_as_double(truths, i));
    if (truth < 0) continue;  // kNoClass
    ++score_of(truth).samples;
    if (prediction.chosen < 0) continue;  // the outputs are no numbers
    ++score_of(prediction.chosen).predicted;
    ++confusion.counts[{truth, prediction.chosen}];
    if (truth == prediction.chosen) {
      ++score_of(truth).right;
      continue;
    }
    if (most == 0) continue;
    const bool is_worse =
        std::ssize(report.mistakes) < most || prediction.probability > report.mistakes.back().size;
    if (!is_worse) continue;
    report.mistakes.push_back(
        {part.rows.x().rows(i / units, 1).tensor().reshaped(part.rows.x().row_shape()),
         part.first + i / units, i % units, class_name(trainer, truth),
         class_name(trainer, prediction.chosen), prediction.probability});
    keep_worst(report.mistakes, most);
  }
}

// What the outputs of a binary loss are compared with.
enum class BinaryTargets { labels, classes, numbers };

// Several labels of one sample are told apart; pixels are all of one kind. Targets between 0 and 1
// are numbers.
BinaryTargets binary_targets(const data::Dataset& dataset) {
  const bool is_row = dataset.y().row_shape().size() == 1 && units_of(dataset) > 1;
  const HostTensor truths = dataset.y().tensor();
  for (std::int64_t i = 0; i < truths.size(); ++i)
    if (const double truth = element_as_double(truths, i); truth != 0 && truth != 1)
      return BinaryTargets::numbers;
  return is_row ? BinaryTargets::labels : BinaryTargets::classes;
}

// Outputs of a binary loss as probabilities.
HostTensor probabilities_of(const Trainer& trainer, HostTensor outputs) {
  if (!trainer.options().loss.from_logits) return outputs;
  HostTensor result({DType::f64, outputs.shape()});
  for (std::int64_t i = 0; i < outputs.size(); ++i)
    result.as<double>()[static_cast<std::size_t>(i)] =
        1 / (1 + std::exp(-element_as_double(outputs, i)));
  return result;
}

// Adds the predictions for labels, each of which a sample has or has not.
void add_labels(RunReport& report, const PredictedRows& part, std::int64_t most) {
  const HostTensor truths = part.rows.y().tensor();
  if (part.outputs.size() != truths.size()) return;
  const std::int64_t units = units_of(part.rows);
  while (std::ssize(report.labels) < units)
    report.labels.push_back({fmt::format("label {}", report.labels.size())});
  for (std::int64_t i = 0; i < truths.size(); ++i) {
    ClassScore& score = report.labels[static_cast<std::size_t>(i % units)];
    const double probability = element_as_double(part.outputs, i);
    const bool truth = element_as_double(truths, i) == 1, predicted = probability > 0.5;
    score.samples += truth;
    score.predicted += predicted;
    score.right += truth && predicted;
    if (truth == predicted || most == 0) continue;
    const auto text = [&](bool value) {
      return fmt::format("{}: {}", score.name, value ? "yes" : "no");
    };
    report.mistakes.push_back(
        {part.rows.x().rows(i / units, 1).tensor().reshaped(part.rows.x().row_shape()),
         part.first + i / units, i % units, text(truth), text(predicted),
         predicted ? probability : 1 - probability});
    if (std::ssize(report.mistakes) >= 2 * most) keep_worst(report.mistakes, most);
  }
  keep_worst(report.mistakes, most);
}

std::string numbers_text(const HostTensor& values, std::int64_t first, std::int64_t count) {
  constexpr std::int64_t kMostShown = 8;
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < std::min(count, kMostShown); ++i)
    texts.push_back(fmt::format("{:.5g}", element_as_double(values, first + i)));
  return join(texts, " ") + (count > kMostShown ? " ..." : "");
}

// Sums of numbers over the parts of a dataset.
struct NumberSums {
  double absolute = 0, square = 0, truth = 0, truth_square = 0;
};

void add_numbers(RunReport& report, NumberSums& sums, const PredictedRows& part,
                 std::int64_t stride, std::int64_t most) {
  const HostTensor truths = part.rows.y().tensor();
  if (part.outputs.size() != truths.size()) return;
  if (!report.errors) report.errors.emplace();
  const std::int64_t units = units_of(part.rows);
  for (std::int64_t row = 0; row < part.rows.size(); ++row) {
    double row_error = 0;
    for (std::int64_t i = row * units; i < (row + 1) * units; ++i) {
      const double truth = element_as_double(truths, i);
      const double found = element_as_double(part.outputs, i), error = std::abs(found - truth);
      sums.absolute += error;
      sums.square += error * error;
      sums.truth += truth;
      sums.truth_square += truth * truth;
      row_error += error;
      const std::int64_t place = report.errors->values++;
      if (place % stride == 0) report.errors->points.emplace_back(truth, found);
    }
    if (most == 0) continue;
    report.mistakes.push_back(
        {part.rows.x().rows(row, 1).tensor().reshaped(part.rows.x().row_shape()), part.first + row,
         0, numbers_text(truths, row * units, units),
         numbers_text(part.outputs, row * units, units), row_error});
    if (std::ssize(report.mistakes) >= 2 * most) keep_worst(report.mistakes, most);
  }
  keep_worst(report.mistakes, most);
  const auto count = static_cast<double>(report.errors->values);
  report.errors->mean_absolute = sums.absolute / count;
  report.errors->root_mean_square = std::sqrt(sums.square / count);
  const double spread = sums.truth_square - sums.truth * sums.truth / count;
  report.errors->r2 = spread > 0 ? 1 - sums.square / spread : 0;
}

void add_gradients(RunReport& report, Trainer& trainer, const data::Dataset& dataset) {
  if (is_quantized(trainer)) {
    report.gradient_note = "the model has weights of 8 bits, which are not trained";
    return;
  }
  constexpr std::int64_t kMostRows = 256;
  const std::int64_t batch = trainer.training().batch_size;
  report.gradient_rows =
      std::min({dataset.size(), kMostRows, batch > 0 ? batch : std::int64_t{32}});
  try {
    for (const auto& [weight, gradient] :
         gradients_of(trainer, dataset.take(report.gradient_rows))) {
      const auto found = std::ranges::find(report.weights, weight.name(), &WeightReport::name);
      if (found != report.weights.end()) found->gradient = histogram_of(gradient);
    }
  } catch (const UserError& error) {
    report.gradient_note = error.what();
  }
  const bool has_any = std::ranges::any_of(
      report.weights, [](const WeightReport& weight) { return weight.gradient.has_value(); });
  if (!has_any && report.gradient_note.empty())
    report.gradient_note = "the model has no weights that are trained";
}

}  // namespace

RunReport report_run(Trainer& trainer, const std::string& run) {
  RunReport report;
  report.title = RunFiles{run}.title();
  report.facts = training_facts(trainer);
  report.cost = cost_facts_of(trainer, run);
  report.layers = layer_rows(trainer.summary());
  report.curves = curves_of(trainer, run);
  for (const Variable& weight : trainer.weights()) {
    const HostTensor values = trainer.session().read(weight);
    report.weights.push_back(
        {weight.name(), weight.type(), histogram_of(values), zero_part(values), {}});
    report.parameters += values.size();
  }
  return report;
}

void report_data(RunReport& report, Trainer& trainer, const data::Dataset& dataset,
                 std::int64_t mistakes) {
  report.data = dataset.name();
  report.evaluation = trainer.evaluate(dataset);
  const TensorType row{dataset.x().dtype(), dataset.x().row_shape()};
  const bool is_text = is_integer(row.dtype) && row.dtype != DType::u8 && row.rank() == 1 &&
                       dataset.y().row_shape() == row.shape;
  if (is_text) report.vocabulary = trainer.class_names();

  constexpr std::int64_t kRows = 256, kMostPoints = 1000;  // rows that are predicted at once
  const std::int64_t values = dataset.size() * units_of(dataset);
  const std::int64_t stride = std::max<std::int64_t>(1, ceil_divide(values, kMostPoints));
  NumberSums sums;
  // Outputs that are no guesses of the labels are not compared with them.
  const std::int64_t compared = trainer.makes_own_targets() ? 0 : dataset.size();
  const bool is_binary = compared > 0 && is_classifier(trainer) &&
                         trainer.options().loss.targets == nn::TargetKind::two_classes;
  const BinaryTargets targets = is_binary ? binary_targets(dataset) : BinaryTargets::numbers;
  const bool has_classes = is_binary ? targets == BinaryTargets::classes
                                     : is_classifier(trainer) && dataset.has_classes();
  for (std::int64_t first = 0; first < compared; first += kRows) {
    const data::Dataset part = dataset.rows(first, std::min(kRows, dataset.size() - first));
    PredictedRows predicted{part, first, trainer.predict(part.x())};
    if (has_classes) {
      add_classes(report, trainer, predicted, mistakes);
      continue;
    }
    if (is_binary) predicted.outputs = probabilities_of(trainer, std::move(predicted.outputs));
    if (targets == BinaryTargets::labels)
      add_labels(report, predicted, mistakes);
    else
      add_numbers(report, sums, predicted, stride, mistakes);
  }
  add_gradients(report, trainer, dataset);
}

}  // namespace tenon::cli
