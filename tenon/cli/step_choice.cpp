#include "tenon/cli/step_choice.h"

#include <random>

#include "tenon/base/scalar_convert.h"
#include "tenon/base/text.h"
#include "tenon/cli/open_data.h"
#include "tenon/cli/output.h"
#include "tenon/models/catalog.h"

namespace tenon::cli {
namespace {

constexpr std::int64_t kTextWindow = 64;  // tokens of a text, as --window has it

// What the model gives for one sample, without the classes: a label for each of these.
Shape labels_of(const nn::Layer& model, const TensorType& row, DType dtype) {
  Shape shape = trace_one_sample(model, row, dtype).shape();
  if (shape.size() > 1) shape.pop_back();
  return shape;
}

// Rows of integers below `limit` (bytes: all of them), or of numbers in [0, 1).
HostTensor random_rows(const TensorType& row, std::int64_t count, std::int64_t limit,
                       std::uint32_t seed) {
  Shape shape{count};
  shape.insert(shape.end(), row.shape.begin(), row.shape.end());
  std::mt19937 random(seed);
  const auto high = static_cast<std::uint32_t>(row.dtype == DType::u8 ? 256 : limit);
  std::vector<double> values(static_cast<std::size_t>(element_count(shape)));
  for (double& value : values)
    value = is_integer(row.dtype) ? random() % high : static_cast<double>(random()) * 0x1p-32;
  return converted(make_tensor<double>(shape, values), row.dtype);
}

// Samples where there is no data.
data::Dataset random_samples(const StepChoice& choice, std::int64_t count) {
  const bool are_ids = models::takes_ids(choice.model.model);
  Shape row = choice.input_shape;
  if (are_ids && !choice.has_input_shape) row = {kTextWindow};
  if (are_ids && row.size() != 1)
    refuse_option("--input-shape", "{} takes texts; one number of tokens expected, got {}",
                  models::model_name(choice.model.model), join(row, ","));
  // Images are bytes; a list of features is not.
  const TensorType x{are_ids ? DType::i32 : row.size() > 1 ? DType::u8 : DType::f32, row};
  TensorType y{DType::i32, row};
  if (!are_ids)
    y.shape = labels_of(make_model(choice.model, x, choice.classes), x, *parse_dtype(choice.dtype));
  if (!are_ids) y.shape.erase(y.shape.begin());
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < choice.classes; ++i) names.push_back(fmt::format("{}", i));
  return {"random samples", random_rows(x, count, choice.classes, 1),
          data::Array(random_rows(y, count, choice.classes, 2)), names};
}

// Who only looks at the step needs its types alone.
std::int64_t sample_count(const StepChoice& choice, const StepDetails& details) {
  return details.profile ? choice.batch_size : 1;
}

OpenedStep open_run(StepChoice& choice, const StepDetails& details) {
  Trainer trainer = load(choice.run, {.device = choice.device.device,
                                      .threads = static_cast<int>(choice.device.threads),
                                      .log = print_note,
                                      .keep_texts = details.keep_texts,
                                      .profile = details.profile,
                                      .skip = choice.skip});
  if (!choice.has_batch_size && trainer.training().batch_size > 0)
    choice.batch_size = trainer.training().batch_size;
  if (!choice.data.data.empty()) {
    data::Dataset dataset = open_data_for(trainer, with_tokenizer_of(choice.run, choice.data));
    return {std::move(trainer), std::move(dataset)};
  }
  const RowTypes rows = trainer.row_types();
  const auto classes =
      std::max<std::int64_t>(2, static_cast<std::int64_t>(trainer.class_names().size()));
  const std::int64_t count = sample_count(choice, details);
  data::Dataset dataset("random samples", random_rows(rows.x, count, classes, 1),
                        data::Array(random_rows(rows.y, count, classes, 2)), trainer.class_names());
  return {std::move(trainer), std::move(dataset)};
}

}  // namespace

void add_step_choice(CLI::App& app, StepChoice& choice) {
  add_text(app, "run", choice.run, "the folder of a run; or give --model", "RUN");
  add_model_options(app, choice.model, Need::optional);
  add_data_options(app, choice.data, Need::optional);
  app.add_option_function<std::string>(
         "--input-shape",
         [&choice](const std::string& text) {
           choice.input_shape.clear();
           for (const std::string_view part : split(text, ','))
             choice.input_shape.push_back(
                 parse_count("--input-shape", std::string(part), 1, 1 << 24));
           choice.has_input_shape = true;
         },
         "of one sample, without --data (28,28; of models of texts 64 tokens)")
      ->type_name("N,N,...");
  const auto add = [&](const char* name, std::int64_t& value, bool& is_given, std::int64_t low,
                       const char* help) {
    app.add_option_function<std::string>(
           name,
           [&value, &is_given, name, low](const std::string& text) {
             value = parse_count(name, text, low, 1 << 24);
             is_given = true;
           },
           help)
        ->type_name("N");
  };
  add("--classes", choice.classes, choice.has_classes, 2, "without --data (10)");
  add("--batch-size", choice.batch_size, choice.has_batch_size, 1,
      "of the step shown (the run's, or 128)");
  add_choice(app, "--dtype", choice.dtype, {"f32", "f64"}, "element type of the weights");
  add_choice(app, "--recompute", choice.recompute, {"none", "cheap", "full"},
             "what gradients need is computed again, not kept (with --model)");
  app.add_option("--skip", choice.skip, "optimisations to leave out (of device cpu)")
      ->delimiter(',')
      ->type_name("NAME,...");
  add_device_options(app, choice.device);
}

OpenedStep open_step(StepChoice& choice, const StepDetails& details) {
  if (choice.run.empty() && choice.model.model.empty())
    refuse_option("RUN", "missing: the folder of a run, or --model");
  if (!choice.run.empty() && !choice.model.model.empty())
    refuse_option("--model", "excludes a run, which has its own");
  if (!choice.run.empty() && choice.recompute != "none")
    refuse_option("--recompute", "goes with --model; of a run it shows the step as it was trained");
  if (!choice.data.data.empty() && (choice.has_input_shape || choice.has_classes))
    refuse_option(choice.has_classes ? "--classes" : "--input-shape",
                  "excludes --data, which says it");
  if (!choice.run.empty()) return open_run(choice, details);
  const data::Dataset dataset =
      choice.data.data.empty()
          ? random_samples(choice, sample_count(choice, details))
          : open_data(choice.data.data, choice.data, *parse_dtype(choice.dtype), {}).train;
  if (!choice.data.data.empty()) require_two_classes(dataset);
  const TensorType row{dataset.x().dtype(), dataset.x().row_shape()};
  const bool has_classes = dataset.has_classes();
  const std::int64_t outputs =
      has_classes ? dataset.class_count() : element_count(dataset.y().row_shape());
  TrainerOptions options;
  options.loss =
      has_classes ? nn::sparse_categorical_cross_entropy_from_logits : nn::mean_squared_error;
  if (has_classes) options.metrics = {nn::accuracy};
  options.device = choice.device.device;
  options.threads = static_cast<int>(choice.device.threads);
  options.dtype = *parse_dtype(choice.dtype);
  options.recompute = *passes::parse_recompute(choice.recompute);
  options.log = print_note;
  options.keep_texts = details.keep_texts;
  options.profile = details.profile;
  options.skip = choice.skip;
  Trainer trainer(make_model(choice.model, row, outputs), std::move(options));
  trainer.build(dataset);
  return {std::move(trainer), dataset};
}

}  // namespace tenon::cli
