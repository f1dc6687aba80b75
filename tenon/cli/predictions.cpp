#include "tenon/cli/predictions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "tenon/base/text.h"
#include "tenon/cli/text.h"

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

bool has_binary_loss(const Trainer& trainer) {
  return trainer.options().loss.targets == nn::TargetKind::two_classes;
}

// Of class 1, from the one output of a binary loss.
double sigmoid_of(const Trainer& trainer, double output) {
  return trainer.options().loss.from_logits ? 1 / (1 + std::exp(-output)) : output;
}

struct LikeliestClass {
  std::int64_t index = -1;
  double probability = std::numeric_limits<double>::quiet_NaN();
};

// Of the outputs that begin at this element.
LikeliestClass likeliest_class(const HostTensor& outputs, std::int64_t first, std::int64_t count,
                               bool from_logits) {
  double most = -std::numeric_limits<double>::infinity();
  std::int64_t best = -1;
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = element_as_double(outputs, first + i);
    if (std::isnan(value)) return {};
    if (value > most) {
      most = value;
      best = i;
    }
  }
  if (!std::isfinite(most)) return {};
  if (!from_logits) return {best, most};
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i)
    sum += std::exp(element_as_double(outputs, first + i) - most);
  return {best, 1 / sum};
}

LikeliestClass binary_class(const Trainer& trainer, double output) {
  const double yes = sigmoid_of(trainer, output);
  if (std::isnan(yes)) return {};
  return yes > 0.5 ? LikeliestClass{1, yes} : LikeliestClass{0, 1 - yes};
}

std::int64_t largest_place(const HostTensor& values, std::int64_t first, std::int64_t count) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < count; ++i)
    if (element_as_double(values, first + i) > element_as_double(values, first + best)) best = i;
  return best;
}

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; }));
}

// Without what would move the cursor of a terminal.
std::string printable_name(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n')
      text += "\xe2\x8f\x8e";  // U+23CE
    else if (byte < 0x20 || byte == 0x7f)
      text += fmt::format("\\x{:02x}", byte);
    else
      text += c;
  }
  return text;
}

std::string sequence_text(const ClassNames& names, const std::string& missing, bool is_text) {
  constexpr std::size_t kMostCharacters = 64;
  std::string text;
  std::size_t length = 0, shown = 0;
  for (const auto& name : names) {
    std::string part = name ? printable_name(*name) : missing;
    if (!is_text && shown > 0) part.insert(0, 1, ' ');
    length += character_count(part);
    if (shown > 0 && length > kMostCharacters) break;
    text += part;
    ++shown;
  }
  const char* rest = shown < names.size() ? (is_text ? "..." : " ...") : "";
  return is_text ? fmt::format("\"{}\"{}", text, rest) : text + rest;
}

std::string shares_text(const ClassNames& names, const std::string& missing) {
  constexpr std::size_t kMostClasses = 6;
  std::map<std::string, std::int64_t> counts;
  for (const auto& name : names) ++counts[name ? printable_name(*name) : missing];
  std::vector<std::pair<std::string, std::int64_t>> classes(counts.begin(), counts.end());
  std::ranges::stable_sort(classes, std::greater<>(),
                           &std::pair<std::string, std::int64_t>::second);
  std::vector<std::string> parts;
  for (const auto& [name, count] : classes) {
    if (parts.size() == kMostClasses) {
      parts.push_back(fmt::format("{} more", classes.size() - kMostClasses));
      break;
    }
    parts.push_back(
        fmt::format("{}: {:.1f} %", name,
                    100 * static_cast<double>(count) / static_cast<double>(names.size())));
  }
  return join(parts, ", ");
}

// `value_at` gives the JSON of an element.
template <class ValueAt>
nlohmann::json nested_lists(const Shape& shape, std::size_t axis, std::size_t& next,
                            const ValueAt& value_at) {
  if (axis == shape.size()) return value_at(next++);
  nlohmann::json list = nlohmann::json::array();
  for (std::int64_t i = 0; i < shape[axis]; ++i)
    list.push_back(nested_lists(shape, axis + 1, next, value_at));
  return list;
}

}  // namespace

bool Prediction::is_nan() const {
  return !values.empty() &&
         std::ranges::all_of(values, [](double value) { return std::isnan(value); });
}

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
  const bool are_labels = has_binary_loss(trainer) && values_of_row(outputs) > 1 &&
                          positions_of(trainer, outputs).empty();
  return are_labels ? OutputKind::labels : OutputKind::classes;
}

std::int64_t prediction_width(const Trainer& trainer, const TensorType& outputs) {
  const std::int64_t width = values_of_row(outputs);
  return has_binary_loss(trainer) && width == 1 ? 2 : width;
}

std::vector<Prediction> interpret(const Trainer& trainer, const HostTensor& outputs) {
  const std::int64_t rows = outputs.type().rank() > 0 ? outputs.shape()[0] : 0;
  const std::int64_t width = rows > 0 ? outputs.size() / rows : 0;
  const OutputKind kind = width > 0 ? output_kind(trainer, outputs.type()) : OutputKind::numbers;
  const bool is_binary = has_binary_loss(trainer) && width == 1;
  std::vector<Prediction> predictions(static_cast<std::size_t>(rows));
  for (std::int64_t row = 0; row < rows; ++row) {
    Prediction& prediction = predictions[static_cast<std::size_t>(row)];
    for (std::int64_t i = 0; i < width; ++i)
      prediction.values.push_back(element_as_double(outputs, row * width + i));
    if (kind == OutputKind::labels)
      for (double& value : prediction.values) value = sigmoid_of(trainer, value);
    if (kind != OutputKind::classes) continue;
    if (is_binary) {
      const double yes = sigmoid_of(trainer, prediction.values[0]);
      prediction.values = {1 - yes, yes};
    } else if (trainer.options().loss.from_logits) {
      apply_softmax(prediction.values);
    }
    const bool has_nan =
        std::ranges::any_of(prediction.values, [](double value) { return std::isnan(value); });
    if (has_nan) {  // what is likeliest is then not known
      prediction.values.assign(prediction.values.size(), std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    const auto best = std::max_element(prediction.values.begin(), prediction.values.end());
    prediction.chosen = best - prediction.values.begin();
    prediction.probability = *best;
  }
  return predictions;
}

Shape positions_of(const Trainer& trainer, const TensorType& outputs) {
  if (!is_classifier(trainer) || outputs.rank() < 3 || outputs.shape.back() == 0) return {};
  const bool has_class_axis = !has_binary_loss(trainer) || outputs.shape.back() == 1;
  return Shape(outputs.shape.begin() + 1, outputs.shape.end() - (has_class_axis ? 1 : 0));
}

PositionPredictions interpret_positions(const Trainer& trainer, const HostTensor& outputs) {
  PositionPredictions predictions;
  predictions.shape = positions_of(trainer, outputs.type());
  check(!predictions.shape.empty(), "outputs {} have no positions", outputs.type());
  const bool is_binary = has_binary_loss(trainer);
  const std::int64_t width = is_binary ? 1 : outputs.shape().back();
  const std::int64_t count = outputs.size() / width;
  predictions.classes.reserve(static_cast<std::size_t>(count));
  predictions.probabilities.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const LikeliestClass likeliest =
        is_binary ? binary_class(trainer, element_as_double(outputs, i))
                  : likeliest_class(outputs, i * width, width, trainer.options().loss.from_logits);
    predictions.classes.push_back(likeliest.index);
    predictions.probabilities.push_back(likeliest.probability);
  }
  return predictions;
}

std::vector<std::int64_t> true_classes(const Trainer& trainer,
                                       const PositionPredictions& predictions,
                                       const HostTensor& targets) {
  const auto count = static_cast<std::int64_t>(predictions.classes.size());
  if (count == 0 || targets.size() % count != 0) return {};
  const std::int64_t width = targets.size() / count;
  const bool is_dense = trainer.options().loss.targets == nn::TargetKind::probabilities;
  if (width == 0 || (width > 1 && !is_dense)) return {};
  std::vector<std::int64_t> classes;
  classes.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    if (is_dense) {
      classes.push_back(largest_place(targets, i * width, width));
      continue;
    }
    const double target = element_as_double(targets, i);
    if (has_binary_loss(trainer))
      classes.push_back(target > 0.5 ? 1 : 0);
    else
      classes.push_back(target >= 0 ? static_cast<std::int64_t>(target) : -1);
  }
  return classes;
}

ClassNames class_names_of(const Trainer& trainer, std::span<const std::int64_t> classes) {
  ClassNames names;
  names.reserve(classes.size());
  for (const std::int64_t index : classes)
    names.push_back(index >= 0 ? std::optional(class_name(trainer, index)) : std::nullopt);
  return names;
}

std::string positions_text(const Trainer& trainer, const Shape& shape, const ClassNames& names,
                           const std::string& missing) {
  if (shape.size() > 1) return shares_text(names, missing);
  const std::vector<std::string>& known = trainer.class_names();
  const bool is_text = !known.empty() && std::ranges::all_of(known, [](const std::string& name) {
    return character_count(name) == 1;
  });
  return sequence_text(names, missing, is_text);
}

std::string position_count_text(const Shape& shape) {
  const std::int64_t count = element_count(shape);
  return fmt::format("{} {}{}", grouped_text(count), shape.size() == 2 ? "pixel" : "position",
                     count == 1 ? "" : "s");
}

nlohmann::json nested_json(const Shape& shape, const ClassNames& names) {
  std::size_t next = 0;
  return nested_lists(shape, 0, next, [&](std::size_t i) {
    return names[i] ? nlohmann::json(*names[i]) : nlohmann::json();
  });
}

nlohmann::json nested_json(const Shape& shape, std::span<const double> numbers) {
  std::size_t next = 0;
  return nested_lists(shape, 0, next, [&](std::size_t i) { return nlohmann::json(numbers[i]); });
}

}  // namespace tenon::cli
