// What of a Trainer goes into the files of a run folder, and back into one that is built.
#include <algorithm>

#include "tenon/base/text.h"
#include "tenon/io/file.h"
#include "tenon/io/safetensors.h"
#include "tenon/train/checkpoint.h"
#include "tenon/train/curves.h"
#include "tenon/train/trainer_state.h"

namespace tenon {
namespace {

constexpr std::string_view kOptimizerPrefix = "optimizer/";
constexpr std::string_view kLastPrefix = "last/";  // weights of the last step
constexpr const char* kMetricRows = "position/metric_rows";
constexpr const char* kScheduleState = "schedule/state";  // of a schedule that observes

HostTensor whole_number(std::int64_t value) { return make_scalar<std::int64_t>(value); }

// The tensor of this name and type; UserError naming the file otherwise.
const HostTensor& need(const io::NamedTensors& tensors, const std::string& name,
                       const TensorType& type, const std::string& file) {
  const auto found = tensors.find(name);
  require(found != tensors.end(), "{}: tensor {} is missing", file, in_quotes(name));
  require(found->second.type() == type, "{}: tensor {} is {}, expected {}", file, in_quotes(name),
          found->second.type(), type);
  return found->second;
}

std::int64_t need_count(const io::NamedTensors& tensors, const std::string& name,
                        const std::string& file) {
  const std::int64_t value = need(tensors, name, {DType::i64, {}}, file).as<std::int64_t>()[0];
  require(value >= 0, "{}: tensor {} is {}, expected a number from 0", file, in_quotes(name),
          value);
  return value;
}

// Every counter of the position with the name it has in state.safetensors.
template <class Visit>
void each_counter(Position& position, Visit visit) {
  visit("position/steps_done", position.steps_done);
  visit("position/epochs_done", position.epochs_done);
  visit("position/step_in_epoch", position.step_in_epoch);
  visit("position/sample_in_pass", position.sample_in_pass);
  visit("position/first_step", position.first_step);
  visit("position/first_epoch", position.first_epoch);
}

std::string callback_name(std::size_t i) { return fmt::format("callback/{}", i); }

HostTensor as_tensor(const std::vector<double>& values) {
  return make_tensor<double>({static_cast<std::int64_t>(values.size())},
                             std::span<const double>(values));
}

io::NamedTensors read_tensors(const std::string& file) {
  return io::read_safetensors(file).tensors;
}

// Of a file that has none of the weights, such as another program's.
std::string help_for_other_names(const io::NamedTensors& tensors,
                                 const std::vector<Variable>& weights) {
  if (tensors.empty() || std::ranges::any_of(weights, [&](const Variable& weight) {
        return tensors.contains(weight.name());
      }))
    return "";
  constexpr std::size_t kMostShown = 4;
  std::vector<std::string> shown;
  for (const auto& [name, tensor] : tensors) {
    if (shown.size() == kMostShown) break;
    shown.push_back(fmt::format("{} {}", in_quotes(name), tensor.type()));
  }
  return fmt::format(
      "\n  help: the file holds {}{}; --weights-map says which tensors the weights are made of "
      "(load_pretrained in C++)",
      join(shown, ", "), tensors.size() > kMostShown ? ", ..." : "");
}

}  // namespace

std::size_t metric_rows(const io::NamedTensors& state, const std::string& file) {
  return static_cast<std::size_t>(need_count(state, kMetricRows, file));
}

RunDescription Trainer::State::description() const {
  RunDescription description;
  description.model = model;
  description.loss = std::string(options.loss.name);
  description.metrics = metric_names();
  description.optimizer = options.optimizer;
  description.schedule = options.schedule;
  description.precision = options.precision;
  description.augmentation = options.augmentation;
  description.dtype = options.dtype;
  description.seed = options.seed;
  description.x_row = x_row;
  description.y_row = y_row;
  description.normalization = normalization;
  description.class_names = class_names;
  description.columns = options.columns;
  description.training = training;
  return description;
}

io::NamedTensors Trainer::State::weight_values() {
  io::NamedTensors values;
  for (const Variable& weight : weights) {
    const bool is_new = values.emplace(weight.name(), session.read(weight)).second;
    require(is_new, "cannot save: two weights are named {}", in_quotes(weight.name()));
  }
  return values;
}

void Trainer::State::load_last_weights(const io::NamedTensors& state, const std::string& file) {
  io::NamedTensors last;
  for (const auto& [name, tensor] : state)
    if (name.starts_with(kLastPrefix)) last.emplace(name.substr(kLastPrefix.size()), tensor);
  if (!last.empty()) load_weights(std::move(last), file);
}

void Trainer::State::save_checkpoint(const std::string& folder, const io::NamedTensors& last) {
  Checkpoint checkpoint;
  checkpoint.weights = weight_values();
  io::NamedTensors& out = checkpoint.state;
  out = waiting;
  for (const Variable& variable : options.optimizer.state())
    if (!waiting.contains(variable.name())) out.emplace(variable.name(), session.read(variable));
  for (const Variable& variable : {key, step_counter, epoch_sums})
    out.insert_or_assign(variable.name(), session.read(variable));
  Position now = position;
  each_counter(now, [&](const char* name, std::int64_t& value) {
    out.insert_or_assign(name, whole_number(value));
  });
  out.insert_or_assign(kMetricRows, whole_number(static_cast<std::int64_t>(table.rows.size())));
  for (std::size_t i = 0; i < callback_states.size(); ++i)
    out.insert_or_assign(callback_name(i), as_tensor(callback_states[i]));
  for (const auto& [name, tensor] : last)
    out.insert_or_assign(std::string(kLastPrefix) + name, tensor);
  if (options.schedule.is_observing())
    out.insert_or_assign(kScheduleState, as_tensor(options.schedule.state()));
  write_checkpoint({folder}, checkpoint);
}

void Trainer::State::load_weights(io::NamedTensors tensors, const std::string& file) {
  std::vector<std::string> known;
  const std::string other_names = help_for_other_names(tensors, weights);
  // Everything is checked before anything is written.
  for (const Variable& weight : weights) {
    known.push_back(weight.name());
    const auto found = tensors.find(weight.name());
    require(found != tensors.end(), "{}: weight {} ({}) is missing{}", file,
            in_quotes(weight.name()), weight.type(), other_names);
    const TensorType& type = found->second.type();
    const bool converts =
        type == weight.type() ||
        (is_float(type.dtype) && is_float(weight.type().dtype) && type.shape == weight.shape());
    require(converts, "{}: weight {} is {}, the model has {}", file, in_quotes(weight.name()), type,
            weight.type());
  }
  for (const auto& [name, tensor] : tensors)
    if (std::ranges::find(known, name) == known.end())  // what the message needs takes its time
      throw UserError(fmt::format("{}: the model has no weight {} ({}){}", file, in_quotes(name),
                                  tensor.type(), did_you_mean(name, known)));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Variable& weight = weights[i];
    HostTensor& value = tensors.find(weight.name())->second;
    const bool is_needed_again = std::find(known.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                           known.end(), weight.name()) != known.end();
    if (value.dtype() != weight.type().dtype)
      session.write(weight, converted(value, weight.type().dtype));
    else if (is_needed_again)
      session.write(weight, HostView(value));
    else
      session.write(weight, std::move(value));
  }
}

void Trainer::State::restore(const io::NamedTensors& tensors, const std::string& file) {
  Position read;
  each_counter(read, [&](const char* name, std::int64_t& value) {
    value = need_count(tensors, name, file);
  });
  require(read.first_step <= read.steps_done && read.first_epoch <= read.epochs_done,
          "{}: the run's position is contradictory: step {} began at {}, epoch {} at {}", file,
          read.steps_done, read.first_step, read.epochs_done, read.first_epoch);
  CallbackStates callbacks;
  while (tensors.contains(callback_name(callbacks.size()))) {
    const HostTensor& state = tensors.at(callback_name(callbacks.size()));
    const TensorType expected{DType::f64, {state.size()}};
    const auto values = need(tensors, callback_name(callbacks.size()), expected, file).as<double>();
    callbacks.emplace_back(values.begin(), values.end());
  }
  optim::Schedule schedule = options.schedule.clone();
  if (schedule.is_observing()) {
    const auto count = static_cast<std::int64_t>(schedule.state().size());
    const HostTensor& state = need(tensors, kScheduleState, {DType::f64, {count}}, file);
    try {
      schedule.restore(state.as<double>());
    } catch (const UserError& error) {
      throw UserError(fmt::format("{}: {}", file, error.what()));
    }
  }
  for (const Variable& variable : {key, step_counter, epoch_sums})
    session.write(variable, need(tensors, variable.name(), variable.type(), file));
  waiting.clear();
  waiting_file = file;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(kOptimizerPrefix)) waiting.emplace(name, tensor);
  position = read;
  options.schedule = schedule;
  callback_states = std::move(callbacks);
  // Steps that are compiled already have defined all the optimizer keeps.
  const bool is_traced = std::ranges::any_of(
      steps, [](const auto& entry) { return entry.second && entry.first.starts_with("train "); });
  if (is_traced) apply_waiting();
}

void Trainer::State::apply_waiting() {
  if (waiting.empty()) return;
  const std::string& file = waiting_file;
  const Variable counter = options.optimizer.step();
  const std::int64_t count =
      need(waiting, counter.name(), counter.type(), file).as<std::int64_t>()[0];
  for (const Variable& variable : options.optimizer.state()) {
    // Before the first step there may be no moments yet: they start at zero.
    if (count == 0 && !waiting.contains(variable.name())) continue;
    session.write(variable, need(waiting, variable.name(), variable.type(), file));
  }
  waiting.clear();
}

void Trainer::save(const std::string& folder) {
  require(state_->is_built, "save: the model has no weights yet; fit, build or load it first");
  const RunFiles files{folder};
  io::make_folders(folder);
  repair_run(files);
  state_->save_checkpoint(folder);
  write_description(files.description(), state_->description());
  if (state_->table.rows.empty()) return;
  io::write_file_atomically(files.metrics(), metrics_csv(state_->table));
  write_curves(files.curves(), state_->table, files.title());
}

void Trainer::load_weights(const std::string& file) {
  require(state_->is_built, "load_weights: the model has no weights yet; fit or build it first");
  state_->load_weights(read_tensors(file), file);
}

void Trainer::save_weights(const std::string& file) {
  require(state_->is_built,
          "save_weights: the model has no weights yet; fit, build or load it first");
  io::NamedTensors tensors;
  for (const Variable& weight : state_->weights)
    tensors.emplace(weight.name(), state_->session.read(weight));
  io::write_safetensors(file, tensors);
}

void Trainer::save_averages(const std::string& file) {
  require(state_->is_built,
          "save_averages: the model has no weights yet; fit, build or load it first");
  io::NamedTensors tensors;
  for (const Variable& weight : state_->weights) {
    const bool is_trained = weight.is_trainable() && weight.kind() == VariableKind::weight;
    tensors.emplace(
        weight.name(),
        state_->session.read(is_trained ? state_->options.optimizer.average(weight) : weight));
  }
  io::write_safetensors(file, tensors);
}

}  // namespace tenon
