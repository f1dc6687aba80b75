#include "tenon/cli/step_choice.h"

#include <algorithm>
#include <array>
#include <random>

#include "tenon/backends/cpu/program.h"
#include "tenon/base/scalar_convert.h"
#include "tenon/base/text.h"
#include "tenon/cli/make_trainer.h"
#include "tenon/cli/output.h"
#include "tenon/cli/train_data.h"
#include "tenon/models/catalog.h"

namespace tenon::cli {
namespace {

constexpr std::int64_t kTextWindow = 64;  // tokens of a text, as --window has it
constexpr std::int64_t kClasses = 10;     // of random samples

// The options of a step that a run leaves open.
constexpr std::array<std::string_view, 17> kOpenOptions = {
    "--data",           "--label",       "--sample-weights", "--task",   "--image-size",
    "--image-channels", "--bad-samples", "--tokenizer",      "--window", "--frames",
    "--ignore-columns", "--delimiter",   "--batch-size",     "--device", "--threads",
    "--recompute",      "--memory-limit"};

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
  const ModelOptions& model = choice.train.model;
  const bool are_ids = models::takes_ids(model.model);
  std::vector<std::string> names = parse_classes(choice.train.data.classes);
  for (std::int64_t i = 0; choice.train.data.classes.empty() && i < kClasses; ++i)
    names.push_back(fmt::format("{}", i));
  const std::int64_t classes = std::ssize(names);
  Shape row = choice.input_shape;
  if (are_ids && !choice.has_input_shape) row = {kTextWindow};
  if (are_ids && row.size() != 1)
    refuse_option("--input-shape", "{} takes texts; one number of tokens expected, got {}",
                  models::model_name(model.model), join(row, ","));
  // Images are bytes; a list of features is not.
  const TensorType x{are_ids ? DType::i32 : row.size() > 1 ? DType::u8 : DType::f32, row};
  TensorType y{DType::i32, row};
  if (!are_ids)
    y.shape = labels_of(make_model(model, x, classes), x, *parse_dtype(choice.train.dtype));
  if (!are_ids) y.shape.erase(y.shape.begin());
  return {"random samples", random_rows(x, count, classes, 1),
          data::Array(random_rows(y, count, classes, 2)), names};
}

// Who only looks at the step needs its types alone.
std::int64_t sample_count(const StepChoice& choice, const StepDetails& details) {
  return details.profile ? choice.train.batch_size : 1;
}

// The trainer's options that no training has.
template <class Options>
void set_details(const StepChoice& choice, const StepDetails& details, Options& options) {
  options.log = print_note;
  options.keep_texts = details.keep_texts;
  options.profile = details.profile;
  options.skip = choice.skip;
}

OpenedStep open_run(StepChoice& choice, const StepDetails& details) {
  TrainCommand& command = choice.train;
  LoadOptions options;
  options.device = command.device.device;
  options.threads = static_cast<int>(command.device.threads);
  options.recompute = *passes::parse_recompute(command.loop.recompute);
  options.memory_limit = command.loop.memory_limit;
  set_details(choice, details, options);
  Trainer trainer = load(choice.run, options);
  if (choice.app->count("--batch-size") == 0 && trainer.training().batch_size > 0)
    command.batch_size = trainer.training().batch_size;
  if (!command.data.data.empty()) {
    data::Dataset dataset = open_data_for(trainer, with_tokenizer_of(choice.run, command.data));
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

data::Dataset open_dataset(StepChoice& choice, const StepDetails& details) {
  TrainCommand& command = choice.train;
  if (command.data.data.empty()) return random_samples(choice, sample_count(choice, details));
  if (command.data.data.starts_with("stream:"))
    refuse_option("--data", "{} comes once; data that is held in memory is looked at",
                  command.data.data);
  command.validation = "none";
  command.model = with_sound_rate(command.model, command.data.data);
  return open_train_data(command).shown;
}

void check_skipped(const StepChoice& choice) {
  if (choice.skip.empty()) return;
  if (choice.train.device.device != "cpu")
    refuse_option("--skip", "device {} has no optimisations to leave out",
                  choice.train.device.device);
  const std::vector<std::string_view> known = backends::cpu_optimizations();
  const std::vector<std::string> names(known.begin(), known.end());
  for (const std::string& name : choice.skip)
    if (std::ranges::find(names, name) == names.end())
      refuse_option("--skip", "unknown optimisation {}; known: {}{}", in_quotes(name),
                    join(names, ", "), did_you_mean(name, names));
}

}  // namespace

void add_step_choice(CLI::App& app, StepChoice& choice) {
  choice.app = &app;
  add_text(app, "run", choice.run, "the folder of a run; or give --model", "RUN");
  const std::size_t before = app.get_options().size();
  add_step_options(app, choice.train, Need::optional);
  const std::vector<CLI::Option*> options = app.get_options();
  for (std::size_t i = before; i < options.size(); ++i)
    if (const std::string name = options[i]->get_name();
        std::ranges::find(kOpenOptions, name) == kOpenOptions.end())
      choice.run_knows.push_back(name);
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
  app.add_option("--skip", choice.skip, "optimisations to leave out (of device cpu)")
      ->delimiter(',')
      ->type_name("NAME,...");
}

OpenedStep open_step(StepChoice& choice, const StepDetails& details) {
  const TrainCommand& command = choice.train;
  if (choice.run.empty() && command.model.model.empty())
    refuse_option("RUN", "missing: the folder of a run, or --model");
  for (const std::string& name : choice.run_knows)
    if (!choice.run.empty() && choice.app->count(name) > 0)
      refuse_option(name, "excludes a run, which has its own");
  if (!command.data.data.empty() && choice.has_input_shape)
    refuse_option("--input-shape", "excludes --data, which says it");
  check_step_options(command);
  check_skipped(choice);
  if (!choice.run.empty()) return open_run(choice, details);
  data::Dataset dataset = open_dataset(choice, details);
  const nn::Loss loss = choose_loss(command, dataset);
  const std::int64_t steps =
      std::max<std::int64_t>(1, *data::Source(dataset).size() / command.batch_size);
  TrainerOptions options = trainer_options(command, loss, steps);
  for (const std::string& metric : choose_metrics(command, dataset, loss))
    options.metrics.push_back(nn::find_metric(metric));
  set_details(choice, details, options);
  Trainer trainer = make_step_trainer(command, dataset, std::move(options));
  return {std::move(trainer), std::move(dataset)};
}

}  // namespace tenon::cli
