// Compiles the steps of a Trainer, keeps them with the memory they use, and runs them.
#include <algorithm>

#include "tenon/base/free_memory.h"
#include "tenon/session/program.h"
#include "tenon/tensor/functions.h"
#include "tenon/train/step_tracing.h"

namespace tenon {
namespace {

// Moments are defined while updates are traced: here in small traces, one after the other.
void define_moments(const optim::Optimizer& optimizer, std::span<const Variable> weights) {
  const auto trace = [&](std::span<const Variable> traced) {
    std::vector<Tensor> gradients;
    for (const Variable& weight : traced)
      gradients.push_back(placeholder(weight.name(), weight.type()));
    static_cast<void>(optimizer.apply(traced, gradients));
  };
  std::vector<Variable> trained;
  for (const Variable& weight : weights)
    if (weight.is_trainable()) trained.push_back(weight);
  if (optimizer.options().accumulate_steps > 1) {  // the sums of all come first
    trace(trained);
  } else {
    for (const Variable& weight : trained) trace({&weight, 1});
  }
}

// What stays is made before the trace of a step, which is large and goes: every small piece that is
// made within would keep a page of what the trace leaves.
void make_what_stays(Session& session, const TrainerOptions& options,
                     std::span<const Variable> weights, bool makes_moments) {
  const auto hold = [&](const Variable& variable) {
    if (!session.has(variable)) session.write(variable, variable.initial_value(options.seed));
  };
  if (makes_moments) define_moments(options.optimizer, weights);
  for (const Variable& weight : weights) hold(weight);
  if (!makes_moments) return;
  for (const Variable& variable : options.optimizer.state()) hold(variable);
}

}  // namespace

std::string evaluation_note(const backends::CompileReport& report) {
  constexpr double kLongest = 1;
  if (report.seconds <= kLongest) return "";
  return fmt::format("evaluation step: compiled in {:.2f} s", report.seconds);
}

void Trainer::State::set_compile_cost(const CompiledStep& step) {
  cost.memory = step.memory();
  cost.compile_seconds = step.report().seconds;
  cost.compile_memory_bytes = step.report().memory_bytes;
  cost.code_bytes = step.report().code_bytes;
  cost.was_cached = step.report().was_cached;
}

std::string Trainer::State::key_of(const StepSketch& sketch) const {
  std::string purpose = sketch.is_training ? "train" : "evaluate";
  // What is frozen decides what the step updates.
  for (std::size_t i = 0; sketch.is_training && i < weights.size(); ++i)
    if (!weights[i].is_trainable()) purpose += fmt::format(" -{}", i);
  return fmt::format("{} {}", purpose, sketch.types);
}

ReadyStep& Trainer::State::compiled(const StepSketch& sketch) {
  auto& known = steps[key_of(sketch)];
  if (known) return *known;
  if (options.memory_limit > 0)
    require_memory(sketch.batch, [&](std::int64_t rows) {
      StepSketch other = sketch;
      other.batch = rows;
      return std::vector{other};
    });
  // Moments that wait in a file are adopted as they are.
  make_what_stays(session, options, weights, sketch.is_training && waiting.empty());
  const TemporaryMemory memory;
  std::unique_ptr<ReadyStep> step =
      ready_step(sketch.is_training, sketch.inputs_of(sketch.batch), memory);
  return_freed_memory();  // of the trace
  if (sketch.is_training) apply_waiting();
  return *(known = std::move(step));
}

std::unique_ptr<ReadyStep> Trainer::State::ready_step(bool is_training, StepInputs in,
                                                      const TemporaryMemory& memory) {
  Program program =
      session.program(in.placeholders, traced(is_training, in),
                      step_options(options.recompute, in.data_bytes, kept_data_bytes()));
  const TensorType indices = in.placeholders[2].type();
  program.memory = memory;
  in = {};  // the last of the trace
  const std::size_t inputs = program.placeholders, fetches = program.fetches;
  auto step = std::make_unique<ReadyStep>(session.compile(std::move(program)));
  step->is_training = is_training;
  if (const std::string note = evaluation_note(step->step.report());
      !is_training && options.log && !note.empty())
    options.log(note);
  step->host_indices = HostTensor(indices);
  step->indices = session.upload(step->host_indices);
  step->indices_view = step->host_indices;
  step->inputs[2] = &step->indices;
  step->input_count = inputs;
  step->batch_sums = step->sums = no_sums;
  step->batch_sums_span = step->batch_sums;
  step->sums_span = step->sums;
  for (std::size_t i = 0; i < fetches; ++i)
    step->results.push_back(session.backend().allocate({step->step.fetch_type(i), {}}));
  return step;
}

Trainer::State::InputsOfBatch Trainer::State::resident_inputs(const TensorType& x,
                                                              const TensorType& y,
                                                              bool has_weights) {
  return [x, y, has_weights](std::int64_t batch) {
    StepInputs in;
    in.add(&StepInputs::x, "x", x);
    in.add(&StepInputs::y, "y", y);
    in.add(&StepInputs::indices, "indices", {DType::i32, {batch}});
    if (has_weights) in.add(&StepInputs::weights, "weights", {DType::f32, {x.shape.at(0)}});
    for (const Tensor& data : {in.x, in.y, in.weights})
      if (!data.is_empty()) in.data_bytes += byte_size(data.type());
    in.x = take(in.x, in.indices);
    in.y = take(in.y, in.indices);
    if (has_weights) in.weights = take(in.weights, in.indices);
    return in;
  };
}

Trainer::State::StepSketch Trainer::State::resident_sketch(bool is_training, const TensorType& x,
                                                           const TensorType& y, std::int64_t batch,
                                                           bool has_weights) {
  return {is_training, fmt::format("{} {} {}{}", x, y, batch, has_weights ? " weighted" : ""),
          batch, resident_inputs(x, y, has_weights)};
}

Trainer::State::StepSketch Trainer::State::streamed_sketch(bool is_training, const TensorType& x,
                                                           const TensorType& y, bool has_weights) {
  const std::int64_t batch = x.shape.at(0);
  const TensorType weights{DType::f32, {batch}};
  const auto inputs_of = [=](std::int64_t rows) {
    const auto with_rows = [rows](TensorType type) {
      type.shape.at(0) = rows;
      return type;
    };
    StepInputs in;
    in.add(&StepInputs::x, "x", with_rows(x));
    in.add(&StepInputs::y, "y", with_rows(y));
    in.add(&StepInputs::indices, "indices", {DType::i32, {rows}});
    if (has_weights) in.add(&StepInputs::weights, "weights", with_rows(weights));
    return in;
  };
  return {is_training, fmt::format("{} {} streamed{}", x, y, has_weights ? " weighted" : ""), batch,
          inputs_of};
}

ReadyStep& Trainer::State::streamed_step(bool is_training, const TensorType& x, const TensorType& y,
                                         bool has_weights) {
  const TensorType weights{DType::f32, {x.shape.at(0)}};
  ReadyStep& step = compiled(streamed_sketch(is_training, x, y, has_weights));
  if (step.inputs[0] == nullptr) {
    step.x = session.backend().allocate({x, {}});
    step.y = session.backend().allocate({y, {}});
    step.inputs[0] = &step.x;
    step.inputs[1] = &step.y;
    if (has_weights) {
      step.weights = session.backend().allocate({weights, {}});
      step.inputs[3] = &step.weights;
    }
  }
  return step;
}

Program Trainer::State::program_of_prediction(std::int64_t batch) {
  const TemporaryMemory memory;
  const auto [x, result] = traced_prediction(batch);
  Program program = session.program(std::array{x}, result);
  program.memory = memory;
  return program;
}

ReadyStep& Trainer::State::prediction_step(std::int64_t batch) {
  auto& step = steps[fmt::format("predict {} {}", x_row, batch)];
  if (step) return *step;
  step = std::make_unique<ReadyStep>(session.compile(program_of_prediction(batch)));
  return_freed_memory();
  prediction_sizes.push_back(batch);
  return *step;
}

std::shared_ptr<ResidentData> Trainer::State::on_device(const data::Dataset& dataset) {
  const auto weights_of = [](const data::Dataset& data) {
    return data.has_weights() ? data.weights().data() : nullptr;
  };
  for (const auto& known : resident)
    if (known->dataset.x().data() == dataset.x().data() &&
        known->dataset.size() == dataset.size() &&
        known->dataset.y().data() == dataset.y().data() &&
        weights_of(known->dataset) == weights_of(dataset))
      return known;
  if (resident.size() >= 2) resident.erase(resident.begin());  // training and validation data stay
  resident.push_back(std::make_shared<ResidentData>(ResidentData{
      dataset, session.upload(dataset.x().view()), session.upload(dataset.y().view())}));
  if (dataset.has_weights()) resident.back()->weights = session.upload(dataset.weights().view());
  return resident.back();
}

void Trainer::State::write_indices(ReadyStep& step, std::span<const std::int64_t> indices) {
  std::ranges::transform(indices, step.host_indices.as<std::int32_t>().begin(),
                         [](std::int64_t index) { return static_cast<std::int32_t>(index); });
  session.backend().write(step.indices, step.indices_view).wait();
}

void Trainer::State::run(ReadyStep& step) {
  if (step.is_training && !options.schedule.is_constant()) {
    // Schedules count updates; each of the steps that share one has its rate.
    const std::int64_t update = position.steps_done / options.optimizer.options().accumulate_steps;
    scheduled_rate.as<double>()[0] = options.schedule.rate(update, first_rate);
    session.write(learning_rate, scheduled_view);
  }
  step.step.run(std::span(step.inputs).first(step.input_count), step.results);
}

std::span<const double> Trainer::State::batch_sums(ReadyStep& step) {
  session.backend().read(step.results[0], step.batch_sums_span).wait();
  return step.batch_sums.as<double>();
}

std::span<const double> Trainer::State::sums(ReadyStep& step) {
  session.backend().read(step.results[1], step.sums_span).wait();
  return step.sums.as<double>();
}

double Trainer::State::metric_value(std::span<const double> sums, std::size_t i) const {
  std::size_t first = 2;
  for (std::size_t k = 0; k < i; ++k) first += metric_sizes[k];
  const std::span<const double> own = sums.subspan(first, metric_sizes[i]);
  if (!options.metrics[i].apply) return options.metrics[i].value(own);
  return own[1] > 0 ? own[0] / own[1] : 0;
}

Evaluation Trainer::State::evaluation_of(std::span<const double> sums, std::int64_t samples) const {
  Evaluation evaluation;
  evaluation.loss = loss_value(sums);
  evaluation.samples = samples;
  for (std::size_t i = 0; i < options.metrics.size(); ++i)
    evaluation.metrics.emplace_back(options.metrics[i].name, metric_value(sums, i));
  return evaluation;
}

}  // namespace tenon
