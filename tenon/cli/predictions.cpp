#include "tenon/cli/predictions.h"

#include <algorithm>
#include <cmath>

namespace tenon::cli {
namespace {

// exp(x - max) / sum.
void apply_softmax(std::vector<double>& values) {
  const double most = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (double& value : values) sum += value = std::exp(value - most);
  for (double& value : values) value /= sum;
}

std::int64_t values_of_row(const TensorType& outputs) {
  return outputs.rank() > 0 ? element_count(Shape(outputs.shape.begin() + 1, outputs.shape.end()))
                            : 0;
}

}  // namespace

bool is_classifier(const Trainer& trainer) {
  return !trainer.makes_own_targets() &&
         trainer.options().loss.name.find("cross_entropy") != std::string_view::npos;
}

std::string class_name(const Trainer& trainer, std::int64_t index) {
  const auto place = static_cast<std::size_t>(index);
  return place < trainer.class_names().size() ? trainer.class_names()[place]
                                              : fmt::format("{}", index);
}

OutputKind output_kind(const Trainer& trainer, const TensorType& outputs) {
  if (!is_classifier(trainer)) return OutputKind::numbers;
  const bool is_binary = trainer.options().loss.targets == nn::TargetKind::two_classes;
  return is_binary && values_of_row(outputs) > 1 ? OutputKind::labels : OutputKind::classes;
}

std::int64_t prediction_width(const Trainer& trainer, const TensorType& outputs) {
  const std::int64_t width = values_of_row(outputs);
  const bool is_binary =
      trainer.options().loss.targets == nn::TargetKind::two_classes && width == 1;
  return is_binary ? 2 : width;
}

std::vector<Prediction> interpret(const Trainer& trainer, const HostTensor& outputs) {
  const std::int64_t rows = outputs.type().rank() > 0 ? outputs.shape()[0] : 0;
  const std::int64_t width = rows > 0 ? outputs.size() / rows : 0;
  const OutputKind kind = width > 0 ? output_kind(trainer, outputs.type()) : OutputKind::numbers;
  const bool is_binary =
      trainer.options().loss.targets == nn::TargetKind::two_classes && width == 1;
  const bool from_logits = trainer.options().loss.from_logits;
  const auto probability_of = [from_logits](double output) {
    return from_logits ? 1 / (1 + std::exp(-output)) : output;
  };
  std::vector<Prediction> predictions(static_cast<std::size_t>(rows));
  for (std::int64_t row = 0; row < rows; ++row) {
    Prediction& prediction = predictions[static_cast<std::size_t>(row)];
    for (std::int64_t i = 0; i < width; ++i)
      prediction.values.push_back(element_as_double(outputs, row * width + i));
    if (kind == OutputKind::labels)
      for (double& value : prediction.values) value = probability_of(value);
    if (kind != OutputKind::classes) continue;
    if (is_binary) {
      const double yes = probability_of(prediction.values[0]);
      prediction.values = {1 - yes, yes};
    } else if (from_logits) {
      apply_softmax(prediction.values);
    }
    const auto best = std::max_element(prediction.values.begin(), prediction.values.end());
    prediction.chosen = best - prediction.values.begin();
    prediction.probability = *best;
  }
  return predictions;
}

}  // namespace tenon::cli
