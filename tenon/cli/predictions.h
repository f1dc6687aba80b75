// What a model's outputs mean: probabilities, classes, values.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
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
  std::int64_t chosen = -1;    // the likeliest class; -1 unless the outputs are classes and numbers
  double probability = 0;      // of that class

  bool is_nan() const;  // whether no value is a number
};

// What is said of a prediction without one number.
inline constexpr const char* kNoNumbers = "the model gives no numbers (NaN)";

// Whether the model's loss is one of the classes of the labels.
bool is_classifier(const Trainer& trainer);
// What outputs [rows, ...] of any number of rows are.
OutputKind output_kind(const Trainer& trainer, const TensorType& outputs);
// The name of a class, or its number.
std::string class_name(const Trainer& trainer, std::int64_t index);
// How many values a prediction has, for outputs [rows, ...] of any number of rows.
std::int64_t prediction_width(const Trainer& trainer, const TensorType& outputs);
// One per row of outputs [rows, outputs]. One output of a binary classifier becomes two
// probabilities.
std::vector<Prediction> interpret(const Trainer& trainer, const HostTensor& outputs);

// The positions of a sample that each have a class of their own: [time] for outputs [rows, time,
// classes], [height, width] for [rows, height, width, classes], or such of a binary loss. Empty if
// a sample has one prediction.
Shape positions_of(const Trainer& trainer, const TensorType& outputs);

// Of every position of every row, in order.
struct PositionPredictions {
  Shape shape;                        // of the positions of one row
  std::vector<std::int64_t> classes;  // the likeliest; -1 where the outputs are no numbers
  std::vector<double> probabilities;  // of those; NaN where there is none

  std::size_t row_size() const { return static_cast<std::size_t>(element_count(shape)); }
  std::span<const std::int64_t> classes_of(std::size_t row) const {
    return std::span(classes).subspan(row * row_size(), row_size());
  }
  std::span<const double> probabilities_of(std::size_t row) const {
    return std::span(probabilities).subspan(row * row_size(), row_size());
  }
};
// `outputs` are of a type that has positions: softmax, or sigmoid, over the last axis.
PositionPredictions interpret_positions(const Trainer& trainer, const HostTensor& outputs);
// The classes that targets [rows, ...] say of those positions, -1 where they say none (kNoClass);
// empty if they are not of these positions.
std::vector<std::int64_t> true_classes(const Trainer& trainer,
                                       const PositionPredictions& predictions,
                                       const HostTensor& targets);

// Names of classes, none for -1.
using ClassNames = std::vector<std::optional<std::string>>;
ClassNames class_names_of(const Trainer& trainer, std::span<const std::int64_t> classes);
// One row for people: of a sequence the names, as text if all classes are single characters, cut to
// a readable length; of more axes the part of the positions that each class has. `missing` stands
// for what has no name.
std::string positions_text(const Trainer& trainer, const Shape& shape, const ClassNames& names,
                           const std::string& missing);
// "64 positions", "4,096 pixels".
std::string position_count_text(const Shape& shape);
// Lists within lists, as the shape says; null where there is no name or number.
nlohmann::json nested_json(const Shape& shape, const ClassNames& names);
nlohmann::json nested_json(const Shape& shape, std::span<const double> numbers);

}  // namespace tenon::cli
