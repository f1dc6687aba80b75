// Compiles the steps of a Trainer, keeps them with the memory they use, and runs them.
#include <algorithm>

#include "tenon/base/free_memory.h"
#include "tenon/tensor/functions.h"
#include "tenon/train/step_tracing.h"

namespace tenon {

std::string evaluation_note(const backends::CompileReport& report) {
  constexpr double kLongest = 1;
  if (report.seconds <= kLongest) return "";
  return fmt::format("evaluation step: compiled in {:.2f} s", report.seconds);
}

void Trainer::State::set_compile_cost(const CompiledStep& step) {
  cost.memory = step.memory();
  cost.compile_seconds = step.report().seconds;
  cost.was_cached = step.report().was_cached;
}

ReadyStep& Trainer::State::compiled(bool is_training, const std::string& types, std::int64_t batch,
                                    const InputsOfBatch& inputs_of) {
  std::string purpose = is_training ? "train" : "evaluate";
  // What is frozen decides what the step updates.
  for (std::size_t i = 0; is_training && i < weights.size(); ++i)
    if (!weights[i].is_trainable()) purpose += fmt::format(" -{}", i);
  auto& known = steps[fmt::format("{} {}", purpose, types)];
  if (known) return *known;
  if (options.memory_limit > 0)
    require_memory(is_training, batch, [&](std::int64_t rows, RecomputePolicy recompute) {
      return planned(is_training, rows, inputs_of, recompute);
    });
  std::unique_ptr<ReadyStep> step = ready_step(is_training, inputs_of(batch));
  return_freed_memory();  // of the trace
  if (is_training) apply_waiting();
  return *(known = std::move(step));
}

std::unique_ptr<ReadyStep> Trainer::State::ready_step(bool is_training, const StepInputs& in) {
  const StepResult result = traced(is_training, in);
  auto step = std::make_unique<ReadyStep>(
      session.compile(in.placeholders, result, step_options(options.recompute, in.data_bytes)));
  step->is_training = is_training;
  if (const std::string note = evaluation_note(step->step.report());
      !is_training && options.log && !note.empty())
    options.log(note);
  step->host_indices = HostTensor(in.placeholders[2].type());
  step->indices = session.upload(step->host_indices);
  step->indices_view = step->host_indices;
  step->inputs[2] = &step->indices;
  step->input_count = in.placeholders.size();
  step->batch_sums = step->sums = no_sums;
  step->batch_sums_span = step->batch_sums;
  step->sums_span = step->sums;
  for (std::size_t i = 0; i < result.fetches.size(); ++i)
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

ReadyStep& Trainer::State::resident_step(bool is_training, const TensorType& x, const TensorType& y,
                                         std::int64_t batch, bool has_weights) {
  return compiled(is_training,
                  fmt::format("{} {} {}{}", x, y, batch, has_weights ? " weighted" : ""), batch,
                  resident_inputs(x, y, has_weights));
}

ReadyStep& Trainer::State::streamed_step(bool is_training, const TensorType& x, const TensorType& y,
                                         bool has_weights) {
  const std::int64_t batch = x.shape.at(0);
  const TensorType weights{DType::f32, {batch}};
  const auto inputs_of = [&](std::int64_t rows) {
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
  ReadyStep& step =
      compiled(is_training, fmt::format("{} {} streamed{}", x, y, has_weights ? " weighted" : ""),
               batch, inputs_of);
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

ReadyStep& Trainer::State::prediction_step(std::int64_t batch) {
  auto& step = steps[fmt::format("predict {} {}", x_row, batch)];
  if (step) return *step;
  {
    const auto [x, result] = traced_prediction(batch);
    step = std::make_unique<ReadyStep>(session.compile(std::array{x}, result));
  }
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
