#include "tenon/cli/train_options.h"

#include <algorithm>
#include <array>

#include "tenon/base/text.h"
#include "tenon/cli/abbreviations.h"
#include "tenon/cli/augment_options.h"
#include "tenon/cli/output.h"
#include "tenon/train/checkpoint.h"
#include "tenon/train/name_map.h"

namespace tenon::cli {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 40;

// Given as often as there are patterns.
void add_patterns(CLI::App& app, const std::string& name, std::vector<std::string>& patterns,
                  const std::string& help) {
  const auto keep = [&patterns, name](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      if (text.empty()) refuse_option(name, "expected a pattern, got an empty one");
      patterns.push_back(text);
    }
  };
  app.add_option_function<std::vector<std::string>>(name, keep, help)
      ->type_name("PATTERN")
      ->allow_extra_args(false);
}

// What a loss scale does says nothing without one; fp16 brings one.
void check_loss_scale(const TrainCommand& command) {
  const auto& given = command.optimizer.hyperparameters;
  const auto scale = given.find("loss_scale");
  const bool has_scale = scale != given.end() && parse_number("--loss-scale", scale->second) > 0;
  if (has_scale || command.loop.precision == "fp16") return;
  for (const auto& [option, field] : {std::pair("--loss-scale-growth", "loss_scale_growth"),
                                      std::pair("--loss-scale-backoff", "loss_scale_backoff"),
                                      std::pair("--loss-scale-interval", "loss_scale_interval")})
    if (given.contains(field))
      refuse_option(option, "there is no loss scale; add --loss-scale 32768, or --precision fp16");
}

void check_weights_map(const std::string& map) {
  const std::vector<std::string> known(name_map_names().begin(), name_map_names().end());
  if (map.empty() || map.ends_with(".json") || std::ranges::find(known, map) != known.end()) return;
  refuse_option("--weights-map", "unknown map {}; known: {}, or FILE.json{}", in_quotes(map),
                join(known, ", "), did_you_mean(map, known));
}

// Metrics of numbers, which need targets of the outputs' shape.
bool is_metric_of_numbers(std::string_view metric) {
  constexpr std::array<std::string_view, 4> kOfNumbers = {
      "mean_squared_error", "mean_absolute_error", "root_mean_squared_error", "r2"};
  return std::ranges::find(kOfNumbers, metric.substr(0, metric.find(':'))) != kOfNumbers.end();
}

bool has_own_loss(const TrainCommand& command, const data::Source& train) {
  return make_model(command.model, train.x_row(), std::max<std::int64_t>(1, train.class_count()))
      .has_own_loss();
}

// Whether classes have names that are more than their numbers.
bool has_named_classes(const data::Source& train) {
  return train.has_classes() && !train.class_names().empty() && train.class_names().front() != "0";
}

}  // namespace

void add_step_options(CLI::App& app, TrainCommand& command, Need need) {
  add_model_options(app, command.model, need);
  add_data_options(app, command.data, need);
  add_classes_option(app, command.data);
  add_count(app, "--batch-size", command.batch_size, 1, 1 << 24, "samples of one step");
  add_optimizer_options(app, command.optimizer);
  add_checked(
      app, "--loss", command.loss,
      [](const std::string& text) { check_name([&] { nn::find_loss(text); }, meant_loss(text)); },
      "by the data if not given; --loss help lists the names");
  add_loss_options(app, command.loss_options);
  app.add_flag("--no-shuffle", command.no_shuffle, "samples in file order");
  add_checked(
      app, "--normalize", command.normalize,
      [](const std::string& text) { data::parse_normalization_kind(text); },
      "0,1 or -1,1 or standard or channels or none (images 0,1; other data none)", "SCALING");
  add_choice(app, "--dtype", command.dtype, {"f32", "f64"}, "element type of the weights");
  add_choice(app, "--precision", command.loop.precision, {"f32", "bf16", "fp16"},
             "what products compute in; weights stay f32");
  add_choice(app, "--recompute", command.loop.recompute, {"none", "cheap", "full", "auto"},
             "what gradients need is computed again, not kept: less memory, the same bits");
  add_bytes(app, "--memory-limit", command.loop.memory_limit,
            "refuse a training that needs more, before anything is allocated for it: 512MiB");
  add_augment_option(app, command.loop.augment);
  add_natural(app, "--seed", command.seed, "of weights, order of samples and dropout");
  add_device_options(app, command.device);
  add_text(app, "--initial", command.initial, "weights to begin with", "FILE.safetensors");
}

void add_train_options(CLI::App& app, TrainCommand& command) {
  add_step_options(app, command);
  add_count(app, "--epochs", command.epochs, 0, kMost, "passes over the data");
  add_checked(
      app, "--metrics", command.metrics,
      [](const std::string& text) {
        if (text == "none") return;
        for (const std::string_view name : split(text, ','))
          check_name([&] { nn::find_metric(name); }, meant_metric(name));
      },
      "names with commas between them, or none (accuracy for losses of classes); --metrics help "
      "lists the names");
  add_text(app, "--validation", command.validation,
           "a fraction of the data, other data, or none (the test set if there is one)",
           "FRACTION|DATA");
  add_text(app, "--out", command.out, "the run folder to write; without it nothing is saved",
           "FOLDER");
  add_text(app, "--weights-map", command.weights_map,
           "which tensors of --initial the weights are: FILE.json, or one of " +
               join(name_map_names(), ", "),
           "MAP");
  add_patterns(app, "--skip-weights", command.skip_weights,
               "weights that --initial leaves alone, as in 'dense/*'");
  add_patterns(app, "--freeze", command.freeze, "weights that are not trained, as in 'conv2d*'");
  add_count(app, "--log-every", command.log_every, 1, kMost,
            "steps between rows of metrics.csv (otherwise one row for each epoch)")
      ->default_str("");
  add_count(app, "--max-steps", command.max_steps, 1, kMost, "stop after so many steps")
      ->default_str("");
  add_count(app, "--checkpoint-every", command.checkpoint_every, 1, kMost,
            "steps between checkpoints (otherwise at the end of each epoch)")
      ->default_str("");
  add_loop_options(app, command.loop);
  add_distill_options(app, command.distill);
  app.add_flag("--resume", command.resume, "go on with the run in --out");
  app.add_flag("--overwrite", command.overwrite, "replace the run in --out");
  add_json_option(app, command.json);
}

void check_train_options(const TrainCommand& command) {
  const char* repeat =
      command.resume ? "\n  help: repeat all options that the run began with, and add --resume"
                     : "";
  if (command.model.model.empty())
    refuse_option("--model", "missing, as in --model lenet{}", repeat);
  if (command.data.data.empty())
    refuse_option("--data", "missing, as in --data fashion-mnist{}", repeat);
  if (command.resume && command.overwrite)
    refuse_option("--resume", "excludes --overwrite: go on with the run, or replace it");
  if (command.out.empty() && (command.resume || command.overwrite))
    refuse_option("--out", "missing: the run to {}", command.resume ? "go on with" : "replace");
  if (command.out.empty() && command.checkpoint_every > 0)
    refuse_option("--checkpoint-every", "needs --out, where checkpoints go");
  if (command.resume && !command.initial.empty())
    refuse_option("--initial", "excludes --resume: a run goes on with its own weights");
  if (command.initial.empty() && !command.weights_map.empty())
    refuse_option("--weights-map", "says how --initial is read, which is missing");
  check_weights_map(command.weights_map);
  if (command.initial.empty() && !command.skip_weights.empty())
    refuse_option("--skip-weights", "says how --initial is read, which is missing");
  if (!command.out.empty() && !command.resume && !command.overwrite &&
      holds_run_files({command.out}))
    refuse_option(
        "--out",
        "{} holds a run already; go on with it by --resume, replace it by --overwrite, or "
        "choose another --out",
        command.out);
  check_distill_options(command.distill);
  if (!command.distill.teacher.empty() && !command.loss.empty())
    refuse_option("--loss", "excludes --teacher, which brings a loss of its own");
  if (!command.distill.teacher.empty() && !command.loss_options.class_weights.empty())
    refuse_option("--class-weights", "excludes --teacher, which brings a loss of its own");
  check_step_options(command);
  const optim::Optimizer optimizer = make_optimizer(command.optimizer, *parse_dtype(command.dtype));
  if (command.loop.restore_best && optimizer.options().average_decay > 0)
    refuse_option("--restore-best",
                  "excludes --average-decay, whose averages are those of the last step; "
                  "--keep-best keeps both");
}

void check_step_options(const TrainCommand& command) {
  check_loop_options(command.loop, command.out, *parse_dtype(command.dtype));
  make_optimizer(command.optimizer, *parse_dtype(command.dtype));
  make_schedule(command.optimizer, 1);
  check_loss_scale(command);
}

nn::Loss choose_loss(const TrainCommand& command, const data::Source& train) {
  const bool has_classes = train.has_classes();
  if (command.loss.empty())
    return with_class_weights(
        has_classes ? nn::sparse_categorical_cross_entropy_from_logits : nn::mean_squared_error,
        command.loss_options, train);
  nn::Loss loss = nn::find_loss(command.loss);
  if (loss.targets == nn::TargetKind::classes && !has_classes)
    refuse_option("--loss",
                  "{} takes classes, the labels of {} are numbers; mean_squared_error "
                  "takes them",
                  loss.name, train.name());
  if (loss.targets == nn::TargetKind::numbers && has_named_classes(train))
    refuse_option("--loss",
                  "{} takes numbers, the labels of {} are classes such as {}; "
                  "sparse_categorical_cross_entropy_from_logits takes them",
                  loss.name, train.name(), in_quotes(train.class_names().front()));
  if (loss.targets == nn::TargetKind::probabilities && has_classes)
    refuse_option("--loss",
                  "{} takes one target per class, the labels of {} are classes; {} takes them",
                  loss.name, train.name(),
                  loss.name.starts_with("categorical") ? "sparse_" + loss.name
                  : loss.from_logits ? "sparse_categorical_cross_entropy_from_logits"
                                     : "sparse_categorical_cross_entropy");
  if (loss.targets == nn::TargetKind::two_classes && train.class_count() > 2)
    refuse_option("--loss", "{} takes two classes, {} has {}", loss.name, train.name(),
                  train.class_count());
  if (loss.targets == nn::TargetKind::any)
    refuse_option("--loss", "{} takes no labels as data sets have them; it is for programs",
                  loss.name);
  return with_class_weights(loss, command.loss_options, train);
}

std::vector<std::string> choose_metrics(const TrainCommand& command, const data::Source& train,
                                        const nn::Loss& loss) {
  const bool is_of_numbers = loss.targets == nn::TargetKind::numbers;
  if (command.metrics == "none") return {};
  if (command.metrics.empty())
    return train.has_classes() && !is_of_numbers ? std::vector<std::string>{"accuracy"}
                                                 : std::vector<std::string>();
  std::vector<std::string> names;
  for (const std::string_view name : split(command.metrics, ',')) {
    const nn::Metric metric = nn::find_metric(name);
    if (metric.is_of_classes && is_of_numbers && !train.has_classes())
      refuse_option("--metrics",
                    "{} is of classes, the labels of {} are numbers; none is what they have", name,
                    train.name());
    if (metric.is_of_classes && is_of_numbers)
      refuse_option("--metrics", "{} is of classes, {} is a loss of numbers; none is what it has",
                    name, loss.name);
    if (is_metric_of_numbers(metric.name) && train.has_classes() &&
        loss.targets == nn::TargetKind::classes && !has_own_loss(command, train))
      refuse_option("--metrics", "{} is of numbers, the labels of {} are classes", name,
                    train.name());
    if (std::ranges::find(names, metric.name) != names.end())
      refuse_option("--metrics", "{} is there twice", in_quotes(metric.name));
    names.push_back(metric.name);
  }
  return names;
}

}  // namespace tenon::cli
