#include "tenon/train/description.h"

#include <charconv>
#include <limits>
#include <set>

#include "tenon/base/text.h"
#include "tenon/io/json.h"
#include "tenon/nn/metric.h"
#include "tenon/train/json_fields.h"
#include "tenon/train/optimizer_json.h"
#include "tenon/version.h"

namespace tenon {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kFormat = 1;

Json to_json(const TensorType& type) {
  return {{"dtype", name(type.dtype)}, {"shape", type.shape}};
}

TrainingRecord read_training(JsonFields fields) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  TrainingRecord training;
  training.data = fields.text("data");
  training.data_hash = fields.text("data_hash");
  training.samples = fields.integer("samples", 0, kMost);
  training.batch_size = fields.integer("batch_size", 0, kMost);
  training.epochs = fields.integer("epochs", 0, kMost);
  training.shuffle = fields.boolean("shuffle");
  if (fields.has("steps_per_epoch"))
    training.steps_per_epoch = fields.integer("steps_per_epoch", 0, kMost);
  if (fields.has("device")) training.device = fields.text("device");
  if (fields.has("weights")) training.weights = fields.text("weights");
  fields.finish();
  return training;
}

data::TableColumns read_columns(JsonFields fields, const TensorType& x_row) {
  data::TableColumns columns;
  columns.features = fields.texts("features");
  const bool fits =
      x_row.shape == Shape{static_cast<std::int64_t>(columns.features.size())} &&
      std::set<std::string>(columns.features.begin(), columns.features.end()).size() ==
          columns.features.size();
  if (!fits)
    fields.fail("features", fmt::format("{} different names expected, for samples of {}",
                                        element_count(x_row.shape), x_row));
  if (fields.has("label")) columns.label = fields.text("label");
  fields.finish();
  return columns;
}

}  // namespace

Json to_json(const RunDescription& description) {
  const TrainingRecord& training = description.training;
  Json json = {{"tenon", TENON_VERSION},
               {"format", kFormat},
               {"model", layer_to_json(description.model)},
               {"loss", description.loss},
               {"metrics", description.metrics},
               {"optimizer", optimizer_json(description.optimizer)},
               {"dtype", name(description.dtype)},
               {"seed", description.seed},
               {"input", to_json(description.x_row)},
               {"target", to_json(description.y_row)},
               {"normalization", description.normalization.to_json()},
               {"class_names", description.class_names},
               {"training",
                {{"data", training.data},
                 {"data_hash", training.data_hash},
                 {"samples", training.samples},
                 {"batch_size", training.batch_size},
                 {"epochs", training.epochs},
                 {"shuffle", training.shuffle}}}};
  if (training.steps_per_epoch > 0) json["training"]["steps_per_epoch"] = training.steps_per_epoch;
  if (!training.device.empty()) json["training"]["device"] = training.device;
  if (!training.weights.empty()) json["training"]["weights"] = training.weights;
  if (description.columns.is_known()) {
    json["columns"]["features"] = description.columns.features;
    if (!description.columns.label.empty()) json["columns"]["label"] = description.columns.label;
  }
  if (description.precision != PrecisionPolicy::f32)
    json["precision"] = passes::name(description.precision);
  if (!description.augmentation.is_empty())
    json["augmentation"] = augment::text_of(description.augmentation);
  if (!description.schedule.is_constant()) json["schedule"] = schedule_json(description.schedule);
  return json;
}

RunDescription description_from_json(const Json& json, const std::string& file) {
  JsonFields fields(json, file, "");
  fields.text("tenon");
  const std::int64_t format = fields.integer("format", 0, std::numeric_limits<std::int64_t>::max());
  if (format != kFormat)
    fields.fail("format", fmt::format("this version of Tenon ({}) reads format {}, found {}",
                                      TENON_VERSION, kFormat, format));
  RunDescription description;
  description.model = layer_from_json(fields.at("model"), file, "model");
  description.loss =
      fields.named_part("loss", [](const std::string& text) { return nn::find_loss(text).name; });
  description.metrics = fields.texts("metrics");
  for (const std::string& metric : description.metrics) {
    try {
      nn::find_metric(metric);
    } catch (const UserError& error) {
      fields.fail("metrics", error.what() + fields.custom_part_help());
    }
  }
  description.optimizer = read_optimizer(fields.object("optimizer"));
  if (fields.has("schedule")) description.schedule = read_schedule(fields.object("schedule"));
  if (fields.has("precision"))
    description.precision = fields.named("precision", [](const std::string& text) {
      const auto precision = passes::parse_precision(text);
      require(precision.has_value(), "f32, bf16 or fp16 expected, found {}", in_quotes(text));
      return *precision;
    });
  if (fields.has("augmentation"))
    description.augmentation =
        fields.named("augmentation", [](const std::string& text) { return augment::parse(text); });
  const std::string dtype = fields.text("dtype");
  if (dtype != "f32" && dtype != "f64")
    fields.fail("dtype", "f32 or f64 expected, found " + in_quotes(dtype));
  description.dtype = *parse_dtype(dtype);
  description.seed = fields.natural("seed");
  description.x_row = fields.tensor_type("input");
  description.y_row = fields.tensor_type("target");
  description.normalization = data::Normalization::from_json(fields.at("normalization"), file);
  const Shape& scaled = description.normalization.scale.shape();
  if (!description.normalization.fits(description.x_row.shape))
    fields.fail("normalization", fmt::format("fitted for samples {}, the input is {}",
                                             to_string(scaled), description.x_row));
  description.class_names = fields.texts("class_names");
  if (fields.has("columns"))
    description.columns = read_columns(fields.object("columns"), description.x_row);
  description.training = read_training(fields.object("training"));
  fields.finish();
  return description;
}

void write_description(const std::filesystem::path& file, const RunDescription& description) {
  io::write_json(file, to_json(description));
}

RunDescription read_description(const std::filesystem::path& file) {
  return description_from_json(io::read_json(file), file.string());
}

void require_same_run(const Json& before, const RunDescription& now, const std::string& file) {
  Json old_json = before, new_json = to_json(now);
  JsonFields fields(before, file, "");
  // A run that was saved after its fit does not say which data it saw.
  const bool names_data = !fields.object("training").text("data_hash").empty();
  const bool names_columns = old_json.contains("columns") && new_json.contains("columns");
  const bool names_device = fields.object("training").has("device");
  for (Json* json : {&old_json, &new_json}) {
    Json& training = (*json)["training"];
    training.erase("epochs");
    training.erase("data");
    training.erase("weights");
    json->erase("tenon");
    if (!names_device) training.erase("device");
    if (!names_columns) json->erase("columns");
    if (!names_data) training = nullptr;
  }
  const Json difference = Json::diff(old_json, new_json);
  if (difference.empty()) return;
  const std::string pointer = difference[0]["path"].get<std::string>();
  const Json::json_pointer place(pointer);
  const auto shown = [&](const Json& json) {
    constexpr std::size_t kMostShown = 80;
    return json.contains(place) ? json.at(place).dump().substr(0, kMostShown) : "nothing";
  };
  if (pointer == "/training/data_hash")
    throw UserError(fmt::format(
        "{}: the run cannot go on: its data has changed (other samples, labels, weights or order, "
        "or made by workers then and not now)",
        file));
  throw ResumeError(fmt::format(
      "{}: the run cannot go on: {} was {}, now it is {}{}", file, pointer.substr(1),
      shown(old_json), shown(new_json),
      pointer.starts_with("/model")
          ? "\n  help: go on with the model that the run began with (--model and its options)"
          : ""));
}

}  // namespace tenon
