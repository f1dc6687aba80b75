// What `tenon train` says when it is done.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tenon/train/trainer.h"

namespace tenon::cli {

struct SamplePrediction {
  HostTensor sample;  // raw, without the leading axis
  std::string predicted, truth;
  bool is_class = false;
  double probability = 0;  // of a class
};

struct TrainReport {
  std::string run;      // the run folder, or empty
  std::string program;  // as it was called
  std::string data;     // what --data and --label said, as arguments
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
};

// The files that the run folder holds now.
std::vector<std::string> run_files(const std::string& run);
// Predictions for the first rows of a dataset.
std::vector<SamplePrediction> sample_predictions(Trainer& trainer, const data::Dataset& dataset,
                                                 std::int64_t count);
std::string report_text(const TrainReport& report);
nlohmann::json report_json(const TrainReport& report);
nlohmann::json evaluation_json(const Evaluation& evaluation);
nlohmann::json memory_json(const backends::MemoryReport& memory);
std::string memory_text(const backends::MemoryReport& memory);

}  // namespace tenon::cli
