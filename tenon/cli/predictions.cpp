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

std::int64_t prediction_width(const Trainer& trainer, const TensorType& outputs) {
  const std::int64_t width =
      outputs.rank() > 0 ? element_count(Shape(outputs.shape.begin() + 1, outputs.shape.end())) : 0;
  const bool is_binary =
      trainer.options().loss.targets == nn::TargetKind::two_classes && width == 1;
  return is_binary ? 2 : width;
}

std::vector<Prediction> interpret(const Trainer& trainer, const HostTensor& outputs) {
  const std::int64_t rows = outputs.type().rank() > 0 ? outputs.shape()[0] : 0;
  const std::int64_t width = rows > 0 ? outputs.size() / rows : 0;
  const bool is_class = is_classifier(trainer) && width > 0;
  const bool is_binary =
      trainer.options().loss.targets == nn::TargetKind::two_classes && width == 1;
  const bool from_logits = trainer.options().loss.from_logits;
  std::vector<Prediction> predictions(static_cast<std::size_t>(rows));
  for (std::int64_t row = 0; row < rows; ++row) {
    Prediction& prediction = predictions[static_cast<std::size_t>(row)];
    for (std::int64_t i = 0; i < width; ++i)
      prediction.values.push_back(element_as_double(outputs, row * width + i));
    if (!is_class) continue;
    if (is_binary) {
      const double output = prediction.values[0];
      const double yes = from_logits ? 1 / (1 + std::exp(-output)) : output;
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
