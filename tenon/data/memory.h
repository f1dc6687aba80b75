// Datasets from values in memory and from functions that make samples.
#pragma once
#include <functional>
#include <optional>
#include <span>

#include "tenon/data/dataset.h"

namespace tenon::data {

// x: the values in row-major order under the shape [N, ...]; y: N classes, or N targets, or N rows
// of equally many targets (then y is [N, targets / N]). UserError if the numbers do not fit.
Dataset from_arrays(std::span<const float> values, Shape shape,
                    std::span<const std::int32_t> labels,
                    std::vector<std::string> class_names = {});
Dataset from_arrays(std::span<const float> values, Shape shape,
                    std::span<const std::int64_t> labels,
                    std::vector<std::string> class_names = {});
Dataset from_arrays(std::span<const float> values, Shape shape, std::span<const float> targets);
// The same from numbers of 64 bits, which become f32: what models compute in.
Dataset from_arrays(std::span<const double> values, Shape shape,
                    std::span<const std::int32_t> labels,
                    std::vector<std::string> class_names = {});
Dataset from_arrays(std::span<const double> values, Shape shape,
                    std::span<const std::int64_t> labels,
                    std::vector<std::string> class_names = {});
Dataset from_arrays(std::span<const double> values, Shape shape, std::span<const double> targets);
// Tensors as they are: of f64 for a Trainer of f64, or converted(tensor, DType::f32).
Dataset from_arrays(HostTensor x, HostTensor y, std::vector<std::string> class_names = {});

// One sample without the leading axis: x of any shape, y a class or target (a scalar, mostly).
struct Sample {
  HostTensor x, y;
};
// Gives one sample per call, nothing after the last.
using Generator = std::function<std::optional<Sample>()>;

// All samples until the generator ends. `name` is the dataset's, and messages begin with it.
// UserError if it gives none, or samples of unequal types.
Dataset from_generator(const Generator& generator, std::vector<std::string> class_names = {},
                       const std::string& name = "");

}  // namespace tenon::data
