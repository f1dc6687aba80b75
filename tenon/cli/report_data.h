// What `tenon report` finds out about a run: numbers and examples, before they become a page.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tenon/cli/text.h"
#include "tenon/train/histogram.h"
#include "tenon/train/metric_table.h"
#include "tenon/train/trainer.h"

namespace tenon::cli {

struct ClassScore {
  std::string name;
  std::int64_t samples = 0;    // of this class
  std::int64_t predicted = 0;  // taken for this class
  std::int64_t right = 0;
  double precision() const { return ratio(right, predicted); }
  double recall() const { return ratio(right, samples); }
  double f1() const { return ratio(2 * right, samples + predicted); }

 private:
  static double ratio(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
  }
};

// What a classifier took for what; of a model of sequences, for every step of them.
struct Confusion {
  std::vector<ClassScore> classes;
  // How often samples of the first class were taken for the second; pairs that never were are not
  // there.
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts;
};

// A sample that was predicted wrong.
struct Mistake {
  HostTensor sample;          // raw, without the leading axis
  std::int64_t row = 0;       // in the data, from 0
  std::int64_t position = 0;  // the step within a sequence
  std::string truth, predicted;
  double size = 0;  // the probability given to the wrong class; of numbers the absolute error
};

struct NumberErrors {
  std::vector<std::pair<double, double>> points;  // truth and prediction of some of the values
  double mean_absolute = 0, root_mean_square = 0, r2 = 0;
  std::int64_t values = 0;
};

struct WeightReport {
  std::string name;
  TensorType type;
  Histogram values;
  double zeros = 0;  // the part that is exactly 0
  std::optional<Histogram> gradient;
};

struct RunReport {
  std::string title;
  Facts facts;                // how it was trained
  Facts cost;                 // memory and time
  std::vector<Facts> layers;  // of each layer name, output and parameters
  MetricTable curves;
  std::vector<WeightReport> weights;
  std::int64_t parameters = 0;

  std::string data;  // the name of the data; empty without
  std::optional<Evaluation> evaluation;
  std::optional<Confusion> confusion;
  std::vector<ClassScore>
      labels;  // of outputs that say yes or no: samples are those with the label
  std::optional<NumberErrors> errors;
  std::vector<Mistake> mistakes;        // the worst first
  std::vector<std::string> vocabulary;  // of texts: the characters that samples are made of
  std::string gradient_note;            // why there are no gradients, if there are none
  std::int64_t gradient_rows = 0;       // samples they were taken over
};

// What the run folder and the weights say.
RunReport report_run(Trainer& trainer, const std::string& run);
// Adds what the model does on the data: at most `mistakes` examples. UserError if the data does not
// fit the model.
void report_data(RunReport& report, Trainer& trainer, const data::Dataset& dataset,
                 std::int64_t mistakes);

}  // namespace tenon::cli
