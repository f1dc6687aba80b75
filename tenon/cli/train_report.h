// What `tenon train` says when it is done.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tenon/cli/predictions.h"
#include "tenon/train/compression.h"

namespace tenon::cli {

struct SamplePrediction {
  HostTensor sample;  // raw, without the leading axis
  std::string predicted, truth;
  bool is_class = false;
  double probability = 0;  // of a class
  bool is_nan = false;     // there is no prediction: the outputs are no numbers
  // Of models with a class for every position; the texts above are then those of all.
  Shape positions{};
  ClassNames predicted_classes{}, true_classes{};
  std::vector<double> probabilities{};
  std::optional<double> right{};  // the part of the positions with a truth that are right
};

// What a student lost and saved.
struct DistillReport {
  Compression compression;
  std::string data;  // what both were evaluated on: "test", "validation" or "training"
};

struct TrainReport {
  std::string run;      // the run folder, or empty
  std::string program;  // as it was called
  std::string data;     // of the evaluation that is shown as next, as arguments
  std::vector<std::string> files;
  bool is_stopped = false;  // by a signal
  bool has_images = false;
  History history;
  CostReport cost;
  std::int64_t steps = 0;  // since the run began
  std::optional<Evaluation> test;
  bool is_test_validation = false;      // the test set is what each epoch was checked with
  bool has_metrics = true;              // metrics.csv has rows
  std::int64_t process_peak_bytes = 0;  // of memory that the process had at once
  std::vector<SamplePrediction> predictions;
  std::optional<DistillReport> distillation;
};

// The files that the run folder holds now.
std::vector<std::string> run_files(const std::string& run);
// Predictions for the first rows of a dataset.
std::vector<SamplePrediction> sample_predictions(Trainer& trainer, const data::Dataset& dataset,
                                                 std::int64_t count);
std::string report_text(const TrainReport& report);
nlohmann::json report_json(const TrainReport& report);
nlohmann::json evaluation_json(const Evaluation& evaluation);
// before, after, bytes_before, bytes_after.
nlohmann::json compression_json(const Compression& compression);
nlohmann::json memory_json(const backends::MemoryReport& memory);
// `data`: what its inputs are.
std::string memory_text(const backends::MemoryReport& memory, std::string_view data = "data");

}  // namespace tenon::cli
