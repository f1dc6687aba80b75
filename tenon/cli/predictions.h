// What a model's outputs mean: probabilities, classes, values.
#pragma once
#include <string>
#include <vector>

#include "tenon/train/trainer.h"

namespace tenon::cli {

enum class OutputKind : std::uint8_t {
  numbers,
  classes,  // one of several is right
  labels,   // each output says yes or no by itself: a binary loss of several outputs
};

struct Prediction {
  std::vector<double> values;  // the outputs; of classes and labels the probability of each
  std::int64_t chosen = -1;    // the likeliest class; -1 unless the outputs are classes
  double probability = 0;      // of that class
};

// Whether the model's loss is one of the classes of the labels.
bool is_classifier(const Trainer& trainer);
// What outputs [rows, ...] of any number of rows are.
OutputKind output_kind(const Trainer& trainer, const TensorType& outputs);
// The name of a class, or its number.
std::string class_name(const Trainer& trainer, std::int64_t index);
// How many values a prediction has, for outputs [rows, ...] of any number of rows.
std::int64_t prediction_width(const Trainer& trainer, const TensorType& outputs);
// One per row of the outputs. One output of a binary classifier becomes two probabilities.
std::vector<Prediction> interpret(const Trainer& trainer, const HostTensor& outputs);

}  // namespace tenon::cli
