// What a Trainer holds; shared by the files that implement it.
#pragma once
#include <map>
#include <unordered_map>

#include "tenon/train/trainer.h"

namespace tenon {

// Sums over an epoch or a dataset, kept in f64 in the order of the steps.
struct RunningMeans {
  double loss_sum = 0, loss_weight = 0;
  std::vector<double> metric_sums, metric_weights;
  double loss() const { return loss_weight > 0 ? loss_sum / loss_weight : 0; }
  double metric(std::size_t i) const {
    return metric_weights[i] > 0 ? metric_sums[i] / metric_weights[i] : 0;
  }
};

// A dataset on the device, read by the steps through indices.
struct ResidentData {
  data::Dataset dataset;
  backends::Buffer x, y;
};

// A compiled step with the device memory its runs use, so that a run allocates nothing.
struct ReadyStep {
  CompiledStep step;
  backends::Buffer indices;
  std::vector<backends::Buffer> results;
  std::vector<HostTensor> host_results;  // scalars, in the order of the fetches
};

struct Trainer::State {
  State(nn::Layer m, TrainerOptions o);

  nn::Layer model;
  TrainerOptions options;
  Session session;
  data::Normalization normalization;
  bool is_built = false;
  TensorType x_row, y_row;  // of one raw sample; y_row is meaningless without labels
  std::vector<std::string> class_names;
  std::vector<Variable> weights;  // weights and statistics, in order of creation
  Variable key;                   // u32[2], from the seed
  Variable step_counter;          // i32 scalar: training steps done
  CostReport cost;

  // Where the run stands; part of every checkpoint.
  std::int64_t steps_done = 0;
  std::int64_t epochs_done = 0;
  std::int64_t first_epoch = 0;    // epochs_done when the current fit began
  std::int64_t step_in_epoch = 0;  // steps of the unfinished epoch
  RunningMeans epoch_means;        // of the unfinished epoch

  // Steps by (purpose, types of the resident data, batch size).
  std::map<std::string, std::unique_ptr<ReadyStep>> steps;
  std::vector<std::unique_ptr<ResidentData>> resident;
  std::int64_t last_rows = 0;  // of the data of the last fit

  ResidentData& on_device(const data::Dataset& dataset);
  // Fits the scaling and defines the weights by tracing the model once.
  void build(const data::Dataset& dataset);
  void require_fits(const data::Dataset& dataset, std::string_view purpose) const;
  // x: raw rows on the device -> scaled floats of options.dtype.
  Tensor prepare(const Tensor& raw) const;
  ReadyStep& training_step(const TensorType& x, const TensorType& y, std::int64_t batch);
  ReadyStep& evaluation_step(const TensorType& x, const TensorType& y, std::int64_t batch);
  ReadyStep& prediction_step(std::int64_t batch);
  // Runs a step on rows of resident data and adds its sums to `means`; the step's mean loss.
  double run(ReadyStep& step, ResidentData& data, std::span<const std::int64_t> indices,
             RunningMeans& means);
  RunningMeans no_means() const;
  Evaluation evaluation_of(const RunningMeans& means, std::int64_t samples) const;
};

}  // namespace tenon
