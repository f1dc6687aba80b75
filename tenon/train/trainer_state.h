// What a Trainer holds; shared by the files that implement it.
#pragma once
#include <map>

#include "tenon/io/named_tensors.h"
#include "tenon/train/description.h"
#include "tenon/train/metric_table.h"
#include "tenon/train/trainer.h"

namespace tenon {

// Sums over an epoch or a dataset, kept in f64 in the order of the steps.
struct RunningMeans {
  double loss_sum = 0, loss_weight = 0;
  std::vector<std::vector<double>> metric_sums;  // of each metric, as many as it has

  double loss() const { return loss_weight > 0 ? loss_sum / loss_weight : 0; }
  // Adds sums of the same metrics; allocates nothing.
  void add(const RunningMeans& other);
};

// A dataset on the device, read by the steps through indices.
struct ResidentData {
  data::Dataset dataset;
  backends::Buffer x, y;
};

// A compiled step with the memory its runs use, so that a run allocates nothing.
struct ReadyStep {
  CompiledStep step;
  backends::Buffer indices;
  HostTensor host_indices;
  std::vector<backends::Buffer> results;
  std::vector<HostTensor> host_results;  // in the order of the fetches
  // Made once: a view holds a shape, and making one allocates.
  HostView indices_view;
  std::vector<HostSpan> result_spans;
  bool is_training = false;
};

// Where a run stands; part of every checkpoint.
struct Position {
  std::int64_t steps_done = 0;
  std::int64_t epochs_done = 0;
  std::int64_t step_in_epoch = 0;  // steps of the unfinished epoch
  std::int64_t first_step = 0;     // steps_done when the current fit began
  std::int64_t first_epoch = 0;    // epochs_done when the current fit began
};

struct Trainer::State {
  State(nn::Layer m, TrainerOptions o);

  nn::Layer model;
  TrainerOptions options;
  Session session;
  data::Normalization normalization;
  bool is_built = false;
  TensorType x_row, y_row;   // of one raw sample
  std::int64_t outputs = 0;  // of the last axis of a prediction
  std::vector<std::string> class_names;
  std::vector<std::size_t> metric_sizes;  // how many sums each metric has
  std::vector<Variable> weights;          // weights and statistics, in order of creation
  Variable key;                           // u32[2], from the seed
  Variable step_counter;                  // i32 scalar: training steps done
  // What the schedule writes before each training step, and what it starts from.
  HostTensor scheduled_rate = make_scalar(0.0);
  HostView scheduled_view{scheduled_rate};
  double first_rate = 0;
  Variable learning_rate;
  CostReport cost;
  Position position;
  RunningMeans epoch_means;  // of the unfinished epoch
  TrainingRecord training;   // of the last fit
  MetricTable table;         // what metrics.csv holds
  // Optimizer state of a loaded run by name, until a training step defines its variables.
  io::NamedTensors waiting;
  std::string waiting_file;

  // Steps by (purpose, types of the resident data, batch size).
  std::map<std::string, std::unique_ptr<ReadyStep>> steps;
  std::vector<std::int64_t> prediction_sizes;           // of the compiled prediction steps
  std::vector<std::shared_ptr<ResidentData>> resident;  // the last few used
  std::int64_t last_rows = 0;                           // of the data of the last fit
  RunningMeans last_step_means;                         // of the last step run

  // Uploads the dataset unless it is there already.
  std::shared_ptr<ResidentData> on_device(const data::Dataset& dataset);
  // Fits the scaling and defines the weights by tracing the model once.
  void build(const data::Dataset& dataset);
  // The same for inputs and scaling that are set already.
  void define_weights();
  // UserError unless the samples and labels are what the model and the loss take.
  void require_fits(const data::Dataset& dataset, std::string_view purpose) const;
  // x: raw rows on the device -> scaled floats of options.dtype.
  Tensor prepare(const Tensor& raw) const;
  ReadyStep& training_step(const TensorType& x, const TensorType& y, std::int64_t batch);
  ReadyStep& evaluation_step(const TensorType& x, const TensorType& y, std::int64_t batch);
  ReadyStep& prediction_step(std::int64_t batch);
  // Runs a step on rows of resident data, notes its sums in last_step_means and adds them to
  // `means`; the step's mean loss.
  double run(ReadyStep& step, ResidentData& data, std::span<const std::int64_t> indices,
             RunningMeans& means);
  RunningMeans no_means() const;
  // Of one of the options' metrics; allocates nothing.
  double metric_value(const RunningMeans& means, std::size_t i) const;
  Evaluation evaluation_of(const RunningMeans& means, std::int64_t samples) const;
  std::vector<std::string> metric_names() const;

  // Saving (saving.cpp).
  RunDescription description() const;
  // Writes model.safetensors and state.safetensors.
  void save_checkpoint(const std::string& folder);
  // UserError naming the file and what is missing, unexpected or of another type.
  void load_weights(const io::NamedTensors& tensors, const std::string& file);
  // Everything of a state file but the weights.
  void restore(const io::NamedTensors& tensors, const std::string& file);
  // Gives optimizer variables that a trace has just defined the values that wait for them.
  void apply_waiting();
};

// Rows of metrics.csv that a checkpoint counts. UserError naming the file.
std::size_t metric_rows(const io::NamedTensors& state, const std::string& file);

}  // namespace tenon
