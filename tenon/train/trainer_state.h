// What a Trainer holds; shared by the files that implement it.
#pragma once
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "tenon/base/resident_memory.h"
#include "tenon/io/named_tensors.h"
#include "tenon/train/description.h"
#include "tenon/train/metric_table.h"
#include "tenon/train/trainer.h"

namespace tenon {

// A dataset on the device, read by the steps through indices.
struct ResidentData {
  data::Dataset dataset;
  backends::Buffer x, y;
  std::optional<backends::Buffer> weights = {};  // of the samples
};

// A compiled step with the memory its runs use, so that a run allocates nothing.
struct ReadyStep {
  explicit ReadyStep(CompiledStep compiled) : step(std::move(compiled)) {}

  CompiledStep step;
  // Samples, labels (those of a streamed batch, or a whole resident dataset), indices of the
  // batch's samples and, if they have weights, those.
  std::array<backends::Buffer*, 4> inputs{};
  std::size_t input_count = 3;
  backends::Buffer x, y, indices, weights;
  backends::Buffer many_indices;  // of several steps
  HostTensor host_indices;
  HostView indices_view;  // made once: a view holds a shape, and making one allocates
  // Of the batch, and of all batches since the sums were reset.
  std::vector<backends::Buffer> results;
  HostTensor batch_sums, sums;
  HostSpan batch_sums_span, sums_span;
  bool is_training = false;

  bool has_weights() const { return input_count > 3; }
  std::int64_t batch_size() const { return element_count(host_indices.shape()); }
};

// Where a run stands; part of every checkpoint.
struct Position {
  std::int64_t steps_done = 0;
  std::int64_t epochs_done = 0;
  std::int64_t step_in_epoch = 0;   // steps of the unfinished epoch
  std::int64_t sample_in_pass = 0;  // samples of the pass that those steps took, left out or not
  std::int64_t first_step = 0;      // steps_done when the current fit began
  std::int64_t first_epoch = 0;     // epochs_done when the current fit began
};

// What the callbacks of a fit keep in checkpoints, in their order.
using CallbackStates = std::vector<std::vector<double>>;

struct Trainer::State {
  State(nn::Layer m, TrainerOptions o);

  nn::Layer model;
  TrainerOptions options;
  nn::Loss training_loss;  // of soft targets if the augmentation mixes samples
  Session session;
  data::Normalization normalization;
  bool is_built = false;
  TensorType x_row, y_row;   // of one raw sample
  std::int64_t outputs = 0;  // of the last axis of a prediction
  std::int64_t ids = 0;      // that the model looks up in tables; 0: none
  bool makes_own_targets = false;
  std::vector<std::string> class_names;
  // A batch's sums are one f64 vector: loss sum, loss weight, then the sums of each metric.
  std::vector<std::size_t> metric_sizes;  // how many sums each metric has
  std::size_t sum_count = 0;
  // The same added up on the device: over the epoch, and over an evaluation.
  Variable epoch_sums, evaluation_sums;
  HostTensor no_sums;             // zeros
  std::vector<Variable> weights;  // weights and statistics, in order of creation
  Variable key;                   // u32[2], from the seed
  Variable step_counter;          // i32 scalar: training steps done
  Variable epoch;                 // u32 scalar: epochs done, for augmentation
  // What the schedule writes before each training step, and what it starts from.
  HostTensor scheduled_rate = make_scalar(0.0);
  HostView scheduled_view{scheduled_rate};
  double first_rate = 0;
  Variable learning_rate;
  CostReport cost;
  Position position;
  CallbackStates callback_states;  // of the checkpoint that was restored, or is to be written
  TrainingRecord training;         // of the last fit
  MetricTable table;               // what metrics.csv holds
  // Optimizer state of a loaded run by name, until a training step defines its variables.
  io::NamedTensors waiting;
  std::string waiting_file;

  // Steps by purpose, types and batch size.
  std::map<std::string, std::unique_ptr<ReadyStep>> steps;
  std::vector<std::int64_t> prediction_sizes;           // of the compiled prediction steps
  std::vector<std::shared_ptr<ResidentData>> resident;  // the last few used
  // Of the data of the last fit.
  std::int64_t last_rows = 0;
  bool last_has_weights = false;

  // What Trainer::step ran last, and which weights were trained then.
  ReadyStep* last_step = nullptr;
  std::vector<bool> last_trainable;
  std::vector<bool> trainable() const;
  // That step, if it takes the batch as it is and its labels need no closer look.
  ReadyStep* repeated_step(const data::Batch& batch) const;
  // Runs it on these; the mean loss. `sample_weights` are read only by a step that has some.
  double step(ReadyStep& step, const HostView& x, const HostView& y, const HostView& sample_weights,
              std::span<const std::int64_t> indices);

  // Uploads the dataset unless it is there already.
  std::shared_ptr<ResidentData> on_device(const data::Dataset& dataset);
  // Fits the scaling and defines the weights by tracing the model once.
  void build(const data::Source& source);
  // The same for inputs and scaling that are set already.
  void define_weights();
  // UserError unless the samples and labels are what the model and the loss take.
  // With padding or buckets samples may differ in extents.
  void require_fits(const data::Source& source, std::string_view purpose,
                    const LoadingOptions& loading = {}) const;
  // UserError for an id that the model does not know, in samples that are ids.
  void require_ids(const data::Array& x, std::string_view purpose, std::string_view name) const;
  // x: raw rows on the device -> scaled floats of options.dtype.
  Tensor prepare(const Tensor& raw) const;
  // For resident data of these types, of which a batch takes some rows.
  ReadyStep& resident_step(bool is_training, const TensorType& x, const TensorType& y,
                           std::int64_t batch, bool has_weights) {
    return compiled(resident_sketch(is_training, x, y, batch, has_weights));
  }
  // For batches of these types.
  ReadyStep& streamed_step(bool is_training, const TensorType& x, const TensorType& y,
                           bool has_weights = false);
  ReadyStep& prediction_step(std::int64_t batch);
  void write_indices(ReadyStep& step, std::span<const std::int64_t> indices);
  // Runs a step on its inputs; a training step gets its learning rate.
  void run(ReadyStep& step);
  // Of the batch that ran last, and since the reset. Valid until they are asked for again.
  std::span<const double> batch_sums(ReadyStep& step);
  std::span<const double> sums(ReadyStep& step);
  void reset(const Variable& sums) { session.write(sums, no_sums); }
  Evaluation evaluate(const data::Source& source, std::int64_t batch_size,
                      const LoadingOptions& loading);
  // Of such sums; allocate nothing.
  double loss_value(std::span<const double> sums) const {
    return sums[1] > 0 ? sums[0] / sums[1] : 0;
  }
  double metric_value(std::span<const double> sums, std::size_t i) const;
  Evaluation evaluation_of(std::span<const double> sums, std::int64_t samples) const;
  std::vector<std::string> metric_names() const;

  // The tracing of both kinds of steps.
  struct StepInputs;
  Tensor evaluation_key() const;
  // The batch of a training step, changed by the augmentation; `target` as the loss takes it.
  struct TrainingBatch {
    Tensor x, target;
  };
  TrainingBatch augmented(const StepInputs& in, const Tensor& target, const Tensor& step_key) const;
  StepResult training_result(const StepInputs& in, const optim::Optimizer& optimizer);
  StepResult evaluation_result(const StepInputs& in);
  StepResult traced(bool is_training, const StepInputs& in) {
    return is_training ? training_result(in, options.optimizer) : evaluation_result(in);
  }
  using InputsOfBatch = std::function<StepInputs(std::int64_t batch)>;
  static InputsOfBatch resident_inputs(const TensorType& x, const TensorType& y, bool has_weights);
  // A step before it is traced.
  struct StepSketch {
    bool is_training = false;
    std::string types;  // tells it from others of its purpose
    std::int64_t batch = 0;
    InputsOfBatch inputs_of;
  };
  static StepSketch resident_sketch(bool is_training, const TensorType& x, const TensorType& y,
                                    std::int64_t batch, bool has_weights);
  static StepSketch streamed_sketch(bool is_training, const TensorType& x, const TensorType& y,
                                    bool has_weights);
  std::string key_of(const StepSketch& sketch) const;
  void set_compile_cost(const CompiledStep& step);
  ReadyStep& compiled(const StepSketch& sketch);
  std::unique_ptr<ReadyStep> ready_step(bool is_training, StepInputs in,
                                        const TemporaryMemory& memory);

  RowTypes last_data(std::int64_t batch_size, std::string_view purpose) const;

  // The limit of memory (memory_limit.cpp).
  std::int64_t fit_data_bytes = 0;  // of the data that a fit keeps on the device
  std::int64_t resident_bytes() const;
  std::set<std::string> within_limit;  // keys of steps that were found to fit
  std::int64_t evaluation_batch(const data::Source& source, std::int64_t training_batch) const;
  struct PlannedStep {
    backends::StepMemory memory;
    std::int64_t data_bytes = 0;  // of its inputs, those that stay on the device
  };
  PlannedStep planned(const StepSketch& sketch, RecomputePolicy recompute,
                      const optim::Optimizer& optimizer, std::int64_t kept_bytes);
  ir::Graph training_graph(std::int64_t batch, const InputsOfBatch& inputs_of);
  std::pair<Tensor, StepResult> traced_prediction(std::int64_t batch) const;
  Program program_of_prediction(std::int64_t batch);
  // `kept_bytes`: of data that stays on the device, of which the step takes `data_bytes`.
  StepOptions step_options(RecomputePolicy recompute, std::int64_t data_bytes,
                           std::int64_t kept_bytes) const;
  std::int64_t kept_data_bytes() const { return std::max(fit_data_bytes, resident_bytes()); }
  // The steps that a run with batches of so many samples makes.
  using StepsOfRun = std::function<std::vector<StepSketch>(std::int64_t batch)>;
  // What one of several steps needs while the state of all is there.
  struct StepNeed {
    std::int64_t bytes = 0;
    PlannedStep step;
    bool is_training = false;
    std::int64_t batch = 0;
  };
  // The greatest need of these steps.
  StepNeed need_of(const std::vector<StepSketch>& steps, RecomputePolicy recompute,
                   const optim::Optimizer& optimizer, std::int64_t kept_bytes);
  // UserError unless all steps fit beside the data that stays on the device. What the message
  // proposes is enough for all of them. `streamed`: the same ones with training data that does not
  // stay, if that is possible, beside `kept_by_stream` bytes that do.
  void require_memory(std::int64_t batch, const StepsOfRun& steps, const StepsOfRun& streamed = {},
                      std::int64_t kept_by_stream = 0);

  // Saving (saving.cpp).
  RunDescription description() const;
  // Writes model.safetensors and state.safetensors. `last`: the weights of the last step, by name,
  // if those that the session has are others.
  void save_checkpoint(const std::string& folder, const io::NamedTensors& last = {});
  // By name, as they are now. UserError if two have one name.
  io::NamedTensors weight_values();
  // The weights that a run goes on with, if its model has others.
  void load_last_weights(const io::NamedTensors& state, const std::string& file);
  // UserError naming the file and what is missing, unexpected or of another type.
  void load_weights(io::NamedTensors tensors, const std::string& file);
  // Everything of a state file but the weights.
  void restore(const io::NamedTensors& tensors, const std::string& file);
  // Gives optimizer variables that a trace has just defined the values that wait for them.
  void apply_waiting();
};

// The line that tells of a wait for the evaluation step, which begins where training was under way;
// empty if it took no more than a second.
std::string evaluation_note(const backends::CompileReport& report);

// Rows of metrics.csv that a checkpoint counts. UserError naming the file.
std::size_t metric_rows(const io::NamedTensors& state, const std::string& file);

}  // namespace tenon
