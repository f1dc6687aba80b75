// Trainer: fits, evaluates and uses a model; the layer above Session that most programs need.
#pragma once
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tenon/augment/augmentation.h"
#include "tenon/data/normalization.h"
#include "tenon/data/pipeline_batches.h"
#include "tenon/data/source.h"
#include "tenon/data/table_columns.h"
#include "tenon/nn/layer.h"
#include "tenon/nn/metric.h"
#include "tenon/optim/adam.h"
#include "tenon/optim/optimizer.h"
#include "tenon/optim/schedule.h"
#include "tenon/session/session.h"
#include "tenon/train/events.h"
#include "tenon/train/training_record.h"

namespace tenon {

struct TrainerOptions {
  nn::Loss loss = nn::sparse_categorical_cross_entropy_from_logits;
  optim::Optimizer optimizer = optim::Adam{};
  // Gives each training step its learning rate, from the optimizer's: Cosine{.steps = 1000}. A
  // constant one leaves the optimizer's learning rate to whoever writes it.
  optim::Schedule schedule{};
  std::vector<nn::Metric> metrics{};
  std::string device = "cpu";
  std::uint64_t seed = 0;    // of initial weights, shuffling, dropout
  int threads = 0;           // 0: the cores this process may use
  DType dtype = DType::f32;  // f32 or f64: of the inputs after scaling, and so of the weights
  // What products compute in; weights stay f32 (docs/precision.md). fp16 gets a loss scale if the
  // optimizer has none.
  PrecisionPolicy precision = PrecisionPolicy::f32;
  // Random changes of images [height, width] or [height, width, channels] in training, made by the
  // step itself, before the inputs are scaled (docs/augmentation.md). Changes that mix samples need
  // classes, and a categorical cross entropy.
  augment::Augmentation augmentation{};
  // How inputs are scaled; fitted on the training data of the first fit. Without a value, images
  // (u8) go to [0, 1] and other data is left alone.
  std::optional<data::NormalizationKind> normalization{};
  // Of the table that the samples come from: kept in run.json, so that load() knows them again.
  data::TableColumns columns{};
  // Bytes that weights, optimizer, data on the device and the memory of steps may take; 0: no
  // limit. A step that needs more is a UserError before anything is allocated for it, with what is
  // largest and which batch size would fit. Evaluation then takes batches no larger than those of
  // training.
  std::int64_t memory_limit = 0;
  // What the backward pass computes again instead of keeping it: less memory for more work, and
  // the same bits (docs/memory.md). `automatic` does as much of it as memory_limit asks for.
  RecomputePolicy recompute = RecomputePolicy::none;
  std::string cache_folder{};  // compiled kernels; empty: the default
  std::function<void(std::string_view)> log{};
  bool keep_texts = false;  // keep the texts of compile stages for compiled_step().text()
  bool profile = false;     // take the time of every kernel, for compiled_step().launch_times()
  std::vector<std::string> skip{};  // optimisations to leave out (SessionOptions::skip)
};

// How the samples of a stream are made while steps run. Data in memory needs none of it.
struct LoadingOptions {
  int workers = 1;  // threads that make samples; 0: the one that trains
  // Batches made, or in the making, before they are asked for: so many, or fewer if they take more
  // bytes, but two in any case. A worker that has made them all sleeps until half of them are gone.
  int ahead = 64;
  std::uint64_t ahead_bytes = std::uint64_t{1} << 26;
  // Samples of a batch may differ in extents; without it that is a UserError.
  std::optional<data::Padding> padding{};
  // Batches of samples of like length, padded (by `padding`, or zeros) to their bucket's bound: one
  // compiled step for each bucket, and one for what it is left with at the end of a pass.
  std::optional<data::Buckets> buckets{};
};

struct FitOptions {
  std::int64_t epochs = 1;
  std::int64_t batch_size = 32;
  std::optional<data::Source> validation{};
  // What the caller evaluates after the fit: TrainerOptions::memory_limit counts it beforehand.
  std::optional<data::Source> test{};
  bool shuffle = true;                // of data in memory; a stream has its own order
  std::int64_t max_steps = 0;         // of this fit; 0: no limit
  std::int64_t steps_per_epoch = 0;   // an epoch ends after so many; 0: when the pass does
  std::int64_t checkpoint_every = 0;  // steps between checkpoints; 0: at the end of each epoch
  std::int64_t validate_every = 0;  // steps between validations, beside those after epochs; 0: none
  // Batches of the validation data that are tried before the first epoch, so that what is wrong
  // with it is known early; 0: none.
  std::int64_t sanity_batches = 0;
  // Trains on so many batches alone, unshuffled, to see whether the model can learn them; 0: all.
  std::int64_t overfit_batches = 0;
  // One step, one batch of validation, no files: whether everything works.
  bool fast_dev_run = false;
  LoadingOptions loading{};
  // Metrics, checkpoints and curves go here; empty: nowhere. A folder that holds a run is refused
  // unless one of the next two is set.
  std::string run_folder{};
  // Steps between rows of metrics.csv with that step's values; 0: a row of means for each epoch.
  std::int64_t log_every = 0;
  // Continue the run in run_folder where its last checkpoint stands (from the start if the folder
  // holds no run): it ends with the same bits as one that was never interrupted. UserError if files
  // of a run are there without their run.json, or more is done than epochs or max_steps allow.
  bool resume = false;
  bool overwrite = false;  // replace the run in run_folder
  // Called in order, on the calling thread: {print_progress(), &my_callback}.
  std::vector<CallbackHandle> callbacks{};
  // Finishes the step that runs, or gives up the one that is compiled; checkpoints, returns.
  std::stop_token stop{};
};

// Mean loss and metrics over a dataset.
struct Evaluation {
  double loss = 0;
  std::vector<std::pair<std::string, double>> metrics;
  std::int64_t samples = 0;
  // The value of one metric; UserError if it was not asked for.
  double operator[](std::string_view name) const;
};

struct EpochRecord {
  std::int64_t epoch = 0;  // from 1
  Evaluation train;        // averaged over the steps of the epoch
  std::optional<Evaluation> validation;
  double seconds = 0;
  double waiting = 0;             // seconds of those in which the next batch was not made yet
  std::int64_t late_batches = 0;  // not made when their step asked for them; 0 of data in memory
};
struct History {
  std::vector<EpochRecord> epochs;
  std::int64_t steps = 0;  // of this fit
  bool stopped = false;    // by a stop token, a callback or max_steps
};

// What training costs, exact where it says so.
struct CostReport {
  // Medians of whole epochs, with validation, checkpoints and callbacks; 0 before one is finished.
  double seconds_per_epoch = 0;
  double samples_per_second = 0;
  // Medians of training steps on full batches, without all else.
  double seconds_per_step = 0;
  double step_samples_per_second = 0;
  double seconds_to_first_step = 0;  // from the call of fit to the end of the first step
  double compile_seconds = 0;
  bool was_cached = false;  // the code was compiled before, and kept on disk
  double input_stall = 0;   // part of the epochs' time in which the next batch was not made yet
  backends::MemoryReport memory;  // of the training step's buffers, exact and known before it runs
  // What making the step took above its weights, and gave back: backends::CompileReport.
  std::int64_t compile_memory_bytes = 0;
  std::int64_t code_bytes = 0;  // of the machine's instructions that the step runs
  // The most that the step takes: its buffers with its code, or what making it took.
  std::int64_t peak_bytes() const {
    return std::max(memory.total() + code_bytes, memory.state + compile_memory_bytes);
  }
};

struct LoadOptions;

// Of one raw sample and its label.
struct RowTypes {
  TensorType x, y;
};

class Trainer {
 public:
  Trainer(nn::Layer model, TrainerOptions options = {});
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  // UserError if the data does not fit the model or the loss.
  History fit(const data::Source& source, const FitOptions& options = {});
  // Mean loss and metrics. batch_size 0: one that needs few compiled sizes.
  Evaluation evaluate(const data::Source& source, std::int64_t batch_size = 0,
                      const LoadingOptions& loading = {});
  // The model's outputs for any number of rows of raw (unscaled) inputs. Numbers of rows share
  // three compiled sizes: 1, 16 and batch_size.
  HostTensor predict(const data::Array& x, std::int64_t batch_size = 256);
  HostTensor predict(const HostTensor& x, std::int64_t batch_size = 256);

  // One training step on one batch of raw inputs; the mean loss before the update. cost() then has
  // the memory of that step and the time it took to compile.
  double step(const data::Batch& batch);

  // Training steps on batches of samples of `dataset`, which goes to the device, in one call of the
  // compiled step: `indices` names batch_size samples for each step. The mean loss of the last
  // batch before its update. (A schedule other than constant makes it a call for each step.)
  // UserError unless there are whole batches of samples that exist.
  double steps(const data::Dataset& dataset, std::int64_t batch_size,
               std::span<const std::int64_t> indices);

  // Defines the weights for inputs like these (raw rows), without training.
  void build(const data::Source& source);
  bool is_built() const;

  // A run folder: model.safetensors, state.safetensors, run.json and, after a fit, metrics.csv and
  // curves.svg; files of a run that are there are replaced. UserError before build or fit.
  void save(const std::string& folder);
  // Weights and statistics by path from a .safetensors file; f32 and f64 convert to each other.
  // UserError naming the file and what is missing, unexpected or of another shape.
  void load_weights(const std::string& file);
  void save_weights(const std::string& file);
  // The same with the moving averages of the trained weights (optim::UpdateOptions::average_decay)
  // in their place; load_weights takes it. UserError without averages or before a training step.
  void save_averages(const std::string& file);

  const nn::Layer& model() const;
  const TrainerOptions& options() const;
  Session& session();
  // Weights and statistics, in order of creation.
  std::vector<Variable> weights() const;
  const data::Normalization& normalization() const;
  RowTypes row_types() const;  // UserError before build or fit
  const std::vector<std::string>& class_names() const;
  // Whether the model learns from targets that it makes itself (masked or replaced tokens): its
  // outputs are then no guesses of the labels. False before build or fit.
  bool makes_own_targets() const;
  std::int64_t steps_done() const;
  // Of the last fit, or of the one that was saved; empty before.
  const TrainingRecord& training() const;
  const CostReport& cost() const;
  // The compiled training step for batches of this size; UserError before build or fit.
  const CompiledStep& compiled_step(std::int64_t batch_size);
  // The graph of that step, and of the one that predicts so many rows, traced anew: compiled steps
  // do not keep theirs.
  ir::Graph step_graph(std::int64_t batch_size);
  ir::Graph prediction_graph(std::int64_t rows);
  // What the training step needs, exactly, told before anything is compiled or allocated: weights
  // and optimizer, data (of the last fit's size), activations, gradients and workspace, and when
  // each of those is alive. UserError before build or fit.
  backends::StepMemory memory(std::int64_t batch_size);
  // The same of the step that predicts so many rows, which may be run: raw rows to outputs.
  CompiledStep& compiled_prediction(std::int64_t rows);
  // Numbers of rows for which predict has compiled a step so far.
  const std::vector<std::int64_t>& prediction_sizes() const;
  // Names, output shapes and parameter counts, as Keras prints them.
  std::string summary() const;

  struct State;  // what the files of this folder share

 private:
  friend Trainer load(const std::string& folder, const LoadOptions& options);
  std::unique_ptr<State> state_;
};

// As in TrainerOptions.
struct LoadOptions {
  std::string device = "cpu";
  int threads = 0;
  std::string cache_folder{};
  std::function<void(std::string_view)> log{};
  bool keep_texts = false;
  bool profile = false;
  std::vector<std::string> skip{};
  RecomputePolicy recompute = RecomputePolicy::none;  // no part of what a run folder says
  std::int64_t memory_limit = 0;
};

// Rebuilds a Sequential of known layers with its weights from a run folder, without its code; it
// evaluates, predicts and can be trained further. UserError naming the file and the reason if the
// folder does not hold a run.
Trainer load(const std::string& folder, const LoadOptions& options = {});
Trainer load(const std::string& folder, const char* device);

}  // namespace tenon
