// tenon train
#include <nlohmann/json.hpp>

#include "tenon/base/text.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/data_options.h"
#include "tenon/cli/model_options.h"
#include "tenon/cli/output.h"
#include "tenon/cli/predictions.h"
#include "tenon/cli/progress.h"
#include "tenon/cli/signals.h"
#include "tenon/cli/train_report.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/optim/gradient_descent.h"
#include "tenon/train/checkpoint.h"

namespace tenon::cli {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 40;

struct TrainCommand {
  ModelOptions model;
  DataOptions data;
  DeviceOptions device;
  std::int64_t epochs = 5;
  std::int64_t batch_size = 128;
  std::int64_t seed = 0;
  std::int64_t log_every = 0;
  std::int64_t max_steps = 0;
  std::int64_t checkpoint_every = 0;
  std::string optimizer = "adam";
  std::optional<double> learning_rate, momentum, weight_decay;
  std::string loss, metrics, validation, normalize, dtype = "f32";
  std::string out, initial;
  bool no_shuffle = false, resume = false, overwrite = false, json = false;
};

void add_options(CLI::App& app, TrainCommand& command) {
  add_model_options(app, command.model);
  add_data_options(app, command.data);
  add_count(app, "--epochs", command.epochs, 0, kMost, "passes over the data");
  add_count(app, "--batch-size", command.batch_size, 1, 1 << 24, "samples of one step");
  add_choice(app, "--optimizer", command.optimizer, {"adam", "sgd", "gradient_descent"},
             "how weights are updated");
  add_number(app, "--learning-rate", command.learning_rate, NumberRange::positive,
             "step size (adam: 0.001, others: 0.01)");
  add_number(app, "--momentum", command.momentum, NumberRange::not_negative, "of sgd (0.9)");
  add_number(app, "--weight-decay", command.weight_decay, NumberRange::not_negative,
             "of adam and sgd (0)");
  add_checked(
      app, "--loss", command.loss, [](const std::string& text) { nn::find_loss(text); },
      "by the data if not given");
  add_checked(
      app, "--metrics", command.metrics,
      [](const std::string& text) {
        if (text == "none") return;
        for (const std::string_view name : split(text, ',')) nn::find_metric(name);
      },
      "accuracy or none (accuracy for classes)");
  add_text(app, "--validation", command.validation,
           "a fraction of the data, other data, or none (the test set if there is one)",
           "FRACTION|DATA");
  app.add_flag("--no-shuffle", command.no_shuffle, "samples in file order");
  add_checked(
      app, "--normalize", command.normalize,
      [](const std::string& text) { data::parse_normalization_kind(text); },
      "0,1 or -1,1 or standard or none (images 0,1; other data none)", "SCALING");
  add_choice(app, "--dtype", command.dtype, {"f32", "f64"}, "element type of the weights");
  add_count(app, "--seed", command.seed, 0, std::numeric_limits<std::int64_t>::max(),
            "of weights, order of samples and dropout");
  add_device_options(app, command.device);
  add_text(app, "--out", command.out, "the run folder to write", "FOLDER");
  add_text(app, "--initial", command.initial, "weights to begin with", "FILE.safetensors");
  add_count(app, "--log-every", command.log_every, 1, kMost,
            "steps between rows of metrics.csv (otherwise one row for each epoch)")
      ->default_str("");
  add_count(app, "--max-steps", command.max_steps, 1, kMost, "stop after so many steps")
      ->default_str("");
  add_count(app, "--checkpoint-every", command.checkpoint_every, 1, kMost,
            "steps between checkpoints (otherwise at the end of each epoch)")
      ->default_str("");
  app.add_flag("--resume", command.resume, "go on with the run in --out");
  app.add_flag("--overwrite", command.overwrite, "replace the run in --out");
  add_json_option(app, command.json);
}

// What the options ask for that they cannot have, before anything is read.
void check_options(const TrainCommand& command) {
  if (command.model.model.empty()) refuse_option("--model", "missing: mlp or lenet");
  if (command.data.data.empty()) refuse_option("--data", "missing, as in --data fashion-mnist");
  if (command.resume && command.overwrite)
    refuse_option("--resume", "excludes --overwrite: go on with the run, or replace it");
  if (command.out.empty() && (command.resume || command.overwrite))
    refuse_option("--out", "missing: the run to {}", command.resume ? "go on with" : "replace");
  if (command.out.empty() && command.checkpoint_every > 0)
    refuse_option("--checkpoint-every", "needs --out, where checkpoints go");
  if (command.resume && !command.initial.empty())
    refuse_option("--initial", "excludes --resume: a run goes on with its own weights");
  if (command.momentum && command.optimizer != "sgd")
    refuse_option("--momentum", "{} has none; it is for sgd", command.optimizer);
  if (command.weight_decay && command.optimizer == "gradient_descent")
    refuse_option("--weight-decay", "gradient_descent has none; it is for adam and sgd");
}

optim::Optimizer make_optimizer(const TrainCommand& command) {
  const auto rate = [&](float usual) {
    const auto value = static_cast<float>(command.learning_rate.value_or(usual));
    if (!(value > 0) || !std::isfinite(value))
      refuse_option("--learning-rate", "{} does not fit f32", *command.learning_rate);
    return value;
  };
  const auto decay = static_cast<float>(command.weight_decay.value_or(0));
  if (command.optimizer == "adam") {
    optim::Adam adam;
    adam.learning_rate = rate(adam.learning_rate);
    adam.weight_decay = decay;
    return adam;
  }
  if (command.optimizer == "sgd") {
    optim::Sgd sgd;
    sgd.learning_rate = rate(sgd.learning_rate);
    sgd.momentum = static_cast<float>(command.momentum.value_or(sgd.momentum));
    sgd.weight_decay = decay;
    return sgd;
  }
  optim::GradientDescent descent;
  descent.learning_rate = rate(descent.learning_rate);
  return descent;
}

struct TrainData {
  data::Dataset train;
  std::optional<data::Dataset> validation, test;
};

TrainData open_train_data(const TrainCommand& command) {
  const DType dtype = *parse_dtype(command.dtype);
  data::Opened opened = open_data(command.data.data, command.data, dtype, {});
  TrainData data{std::move(opened.train), std::nullopt, std::move(opened.test)};
  const std::string& validation = command.validation;
  if (validation.empty()) {
    data.validation = data.test;
  } else if (validation.find_first_not_of("0123456789.eE+-") == std::string::npos) {
    const double fraction = parse_number("--validation", validation);
    if (!(fraction > 0 && fraction < 1))
      refuse_option("--validation", "a fraction above 0 and below 1 expected, got {}",
                    in_quotes(validation));
    auto parts = data.train.split(1 - fraction, static_cast<std::uint64_t>(command.seed));
    if (parts.first.size() == 0 || parts.second.size() == 0)
      refuse_option("--validation", "{} of {} samples leaves one part empty", fraction,
                    data.train.size());
    data.train = std::move(parts.first);
    data.validation = std::move(parts.second);
  } else if (validation != "none") {
    check_data_name("--validation", validation);
    DataOptions options = command.data;
    if (!validation.starts_with("csv:")) options.label = options.task = "";
    data::Opened other = open_data(validation, options, dtype, data.train.class_names());
    data.validation = other.test ? std::move(other.test) : std::move(other.train);
  }
  return data;
}

const nn::Loss& choose_loss(const TrainCommand& command, const data::Dataset& train) {
  const bool has_classes = train.has_classes();
  if (command.loss.empty())
    return has_classes ? nn::sparse_categorical_cross_entropy_from_logits : nn::mean_squared_error;
  const nn::Loss& loss = nn::find_loss(command.loss);
  if (loss.name.starts_with("sparse") && !has_classes)
    refuse_option("--loss",
                  "{} takes classes, the labels of {} are numbers; mean_squared_error "
                  "takes them",
                  loss.name, train.name());
  if (loss.name.starts_with("categorical") && has_classes)
    refuse_option("--loss",
                  "{} takes one target per class, the labels of {} are classes; "
                  "sparse_{} takes them",
                  loss.name, train.name(), loss.name);
  if (loss.name.starts_with("binary") && train.class_count() > 2)
    refuse_option("--loss", "{} takes two classes, {} has {}", loss.name, train.name(),
                  train.class_count());
  return loss;
}

std::int64_t count_outputs(const data::Dataset& train, const nn::Loss& loss) {
  if (train.has_classes() && loss.name.starts_with("sparse"))
    return std::max<std::int64_t>(2, train.class_count());
  return std::max<std::int64_t>(1, element_count(train.y().row_shape()));
}

nn::Sequential make_trained_model(const TrainCommand& command, const data::Dataset& train,
                                  const nn::Loss& loss) {
  const TensorType row{train.x().dtype(), train.x().row_shape()};
  nn::Sequential model = make_model(command.model, row, count_outputs(train, loss));
  const bool is_class = loss.name.find("cross_entropy") != std::string_view::npos;
  if (is_class && !loss.from_logits)
    model.add(nn::ActivationLayer{loss.name.starts_with("binary") ? nn::sigmoid : nn::softmax});
  return model;
}

TrainerOptions trainer_options(const TrainCommand& command, const nn::Loss& loss,
                               Progress& progress, const std::vector<std::string>& metrics) {
  TrainerOptions options;
  options.loss = loss;
  options.optimizer = make_optimizer(command);
  for (const std::string& metric : metrics) options.metrics.push_back(nn::find_metric(metric));
  options.device = command.device.device;
  options.seed = static_cast<std::uint64_t>(command.seed);
  options.threads = static_cast<int>(command.device.threads);
  options.dtype = *parse_dtype(command.dtype);
  if (!command.normalize.empty())
    options.normalization = data::parse_normalization_kind(command.normalize);
  options.log = [&progress](std::string_view line) { progress.note(line); };
  return options;
}

std::vector<std::string> choose_metrics(const TrainCommand& command, const data::Dataset& train) {
  if (command.metrics.empty())
    return train.has_classes() ? std::vector<std::string>{"accuracy"} : std::vector<std::string>();
  std::vector<std::string> names;
  if (command.metrics != "none")
    for (const std::string_view name : split(command.metrics, ',')) names.emplace_back(name);
  return names;
}

int run_train(const TrainCommand& command) {
  check_options(command);
  if (!command.out.empty() && !command.resume && !command.overwrite)
    require(!holds_run_files({command.out}),
            "{} holds a run already; go on with it by --resume, replace it by --overwrite, or "
            "choose another --out",
            command.out);
  const TrainData data = open_train_data(command);
  const nn::Loss& loss = choose_loss(command, data.train);
  const std::vector<std::string> metrics = choose_metrics(command, data.train);
  Progress progress(metrics);
  Trainer trainer(make_trained_model(command, data.train, loss),
                  trainer_options(command, loss, progress, metrics));
  if (!command.initial.empty()) {
    trainer.build(data.train);
    trainer.load_weights(command.initial);
  }

  FitOptions fit;
  fit.epochs = command.epochs;
  fit.batch_size = command.batch_size;
  fit.validation = data.validation;
  fit.shuffle = !command.no_shuffle;
  fit.max_steps = command.max_steps;
  fit.checkpoint_every = command.checkpoint_every;
  fit.run_folder = command.out;
  fit.log_every = command.log_every;
  fit.resume = command.resume;
  fit.overwrite = command.overwrite;
  fit.callbacks = {&progress};
  catch_stop_signals();

  TrainReport report;
  report.history = trainer.fit(data.train, fit);
  report.run = command.out;
  report.is_stopped = stop_requested();
  report.has_images = data.train.x().dtype() == DType::u8;
  report.cost = trainer.cost();
  report.steps = trainer.steps_done();
  report.is_classifier = is_classifier(trainer);
  if (!command.out.empty()) report.files = run_files(command.out);
  if (report.is_stopped) {
    progress.note(fmt::format("stopped at step {}{}", report.steps,
                              command.out.empty() ? "" : "; --resume goes on from here"));
  } else {
    // The test set has just been looked at if it is what each epoch was checked with.
    const bool is_known = data.test && command.validation.empty() &&
                          !report.history.epochs.empty() && !report.history.stopped;
    if (data.test)
      report.test =
          is_known ? report.history.epochs.back().validation : trainer.evaluate(*data.test);
    constexpr std::int64_t kShown = 3;
    if (report.steps > 0)
      report.predictions = sample_predictions(trainer, data.test ? *data.test : data.train, kShown);
  }
  if (command.json)
    print_json(report_json(report));
  else
    print_text(report_text(report));
  return report.is_stopped ? kExitInterrupted : 0;
}

}  // namespace

void add_train(CLI::App& program, Action& action) {
  CLI::App* app = program.add_subcommand("train", "trains a model on data");
  const auto command = std::make_shared<TrainCommand>();
  add_options(*app, *command);
  app->callback([command, &action] { action = [command] { return run_train(*command); }; });
}

}  // namespace tenon::cli
