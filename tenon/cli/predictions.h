// What a model's outputs mean: probabilities, classes, values.
#pragma once
#include <string>
#include <vector>

#include "tenon/train/trainer.h"

namespace tenon::cli {

struct Prediction {
  std::vector<double> values;  // the outputs; of a classifier the probability of each class
  std::int64_t chosen = -1;    // the likeliest class; -1 if the model is no classifier
  double probability = 0;      // of that class
};

// Whether the model's loss is one of the classes of the labels.
bool is_classifier(const Trainer& trainer);
// The name of a class, or its number.
std::string class_name(const Trainer& trainer, std::int64_t index);
// How many values a prediction has, for outputs [rows, ...] of any number of rows.
std::int64_t prediction_width(const Trainer& trainer, const TensorType& outputs);
// One per row of the outputs. One output of a binary classifier becomes two probabilities.
std::vector<Prediction> interpret(const Trainer& trainer, const HostTensor& outputs);

}  // namespace tenon::cli
