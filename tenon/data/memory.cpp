#include "tenon/data/memory.h"

#include <algorithm>
#include <cstring>

namespace tenon::data {
namespace {

HostTensor labelled_features(std::span<const float> values, Shape shape) {
  const TensorType type{DType::f32, std::move(shape)};
  require(type.rank() >= 1, "from_arrays: the shape {} lacks the axis that counts the samples",
          to_string(type.shape));
  require(element_count(type.shape) == static_cast<std::int64_t>(values.size()),
          "from_arrays: {} values given for the shape {}", values.size(), to_string(type.shape));
  return make_tensor<float>(type.shape, values);
}

std::vector<float> rounded(std::span<const double> values) {
  std::vector<float> result(values.size());
  std::ranges::transform(values, result.begin(),
                         [](double value) { return static_cast<float>(value); });
  return result;
}

// Appends equal-typed tensors behind one another.
class RowCollector {
 public:
  RowCollector(std::string source, const char* what) : source_(std::move(source)), what_(what) {}

  void add(const HostTensor& row, std::int64_t number) {
    if (number == 0) type_ = row.type();
    require(row.type() == type_, "{}: sample {} has {} of type {}, the first one had {}", source_,
            number, what_, row.type(), type_);
    bytes_.insert(bytes_.end(), row.bytes().begin(), row.bytes().end());
  }
  HostTensor take(std::int64_t count) {
    TensorType type = type_;
    type.shape.insert(type.shape.begin(), count);
    HostTensor tensor(std::move(type));
    if (!bytes_.empty()) std::memcpy(tensor.bytes().data(), bytes_.data(), bytes_.size());
    return tensor;
  }

 private:
  const std::string source_;
  const char* what_;
  TensorType type_;
  std::vector<std::byte> bytes_;
};

constexpr const char* kMemoryName = "arrays";

}  // namespace

Dataset from_arrays(std::span<const float> values, Shape shape,
                    std::span<const std::int32_t> labels, std::vector<std::string> class_names) {
  HostTensor y = make_tensor<std::int32_t>({static_cast<std::int64_t>(labels.size())}, labels);
  return from_arrays(labelled_features(values, std::move(shape)), std::move(y),
                     std::move(class_names));
}

Dataset from_arrays(std::span<const float> values, Shape shape,
                    std::span<const std::int64_t> labels, std::vector<std::string> class_names) {
  HostTensor y = make_tensor<std::int64_t>({static_cast<std::int64_t>(labels.size())}, labels);
  return from_arrays(labelled_features(values, std::move(shape)), std::move(y),
                     std::move(class_names));
}

Dataset from_arrays(std::span<const float> values, Shape shape, std::span<const float> targets) {
  HostTensor x = labelled_features(values, std::move(shape));
  const std::int64_t rows = x.shape().front();
  const auto count = static_cast<std::int64_t>(targets.size());
  require(rows > 0 ? count > 0 && count % rows == 0 : count == 0,
          "from_arrays: {} targets for {} samples; a whole number for each is needed", count, rows);
  Shape y_shape = {rows};
  if (count > rows) y_shape.push_back(count / rows);
  return from_arrays(std::move(x), make_tensor<float>(std::move(y_shape), targets));
}

Dataset from_arrays(std::span<const double> values, Shape shape,
                    std::span<const std::int32_t> labels, std::vector<std::string> class_names) {
  return from_arrays(std::span<const float>(rounded(values)), std::move(shape), labels,
                     std::move(class_names));
}

Dataset from_arrays(std::span<const double> values, Shape shape,
                    std::span<const std::int64_t> labels, std::vector<std::string> class_names) {
  return from_arrays(std::span<const float>(rounded(values)), std::move(shape), labels,
                     std::move(class_names));
}

Dataset from_arrays(std::span<const double> values, Shape shape, std::span<const double> targets) {
  return from_arrays(std::span<const float>(rounded(values)), std::move(shape),
                     std::span<const float>(rounded(targets)));
}

Dataset from_arrays(HostTensor x, HostTensor y, std::vector<std::string> class_names) {
  return {kMemoryName, std::move(x), Array(std::move(y)), std::move(class_names)};
}

Dataset from_generator(const Generator& generator, std::vector<std::string> class_names,
                       const std::string& name) {
  const std::string source = name.empty() ? "from_generator" : name;
  require(static_cast<bool>(generator), "{}: the function is empty", source);
  RowCollector x(source, "x"), y(source, "y");
  std::int64_t count = 0;
  while (const std::optional<Sample> sample = generator()) {
    x.add(sample->x, count);
    y.add(sample->y, count);
    ++count;
  }
  require(count > 0, "{}: the function gave no samples", source);
  return {name.empty() ? "generator" : name, x.take(count), Array(y.take(count)),
          std::move(class_names)};
}

}  // namespace tenon::data
