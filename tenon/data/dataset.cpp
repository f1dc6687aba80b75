#include "tenon/data/dataset.h"

#include <cmath>
#include <utility>

#include "tenon/base/scalar_convert.h"
#include "tenon/data/epoch_order.h"

namespace tenon::data {
namespace {

// The labels as i32; the largest is given back, -1 if there are none.
std::int64_t convert_classes(const std::string& name, std::optional<Array>& y) {
  std::int64_t largest = -1;
  HostTensor classes({DType::i32, y->type().shape});
  const std::span<std::int32_t> out = classes.as<std::int32_t>();
  const bool takes_none = classes.shape().size() > 1;
  with_element_type(y->dtype(), [&]<class T>(TypeTag<T>) {
    if constexpr (std::is_integral_v<T>) {
      const T* labels = reinterpret_cast<const T*>(y->data());
      for (std::size_t i = 0; i < out.size(); ++i) {
        constexpr std::int32_t kMost = kLargestClassCount - 1;
        const bool is_none = takes_none && std::cmp_equal(+labels[i], kNoClass);
        if ((std::cmp_less(+labels[i], 0) && !is_none) || std::cmp_greater(+labels[i], kMost))
          throw UserError(
              fmt::format("dataset \"{}\": label number {} is {}; classes are 0 to {}{}", name, i,
                          +labels[i], kMost, takes_none ? ", -1 where there is none" : ""));
        out[i] = static_cast<std::int32_t>(labels[i]);
        largest = std::max<std::int64_t>(largest, out[i]);
      }
    }
  });
  if (y->dtype() != DType::i32) y = Array(std::move(classes));
  return largest;
}

}  // namespace

Dataset::Dataset(std::string name, Array x, std::optional<Array> y,
                 std::vector<std::string> class_names)
    : name_(std::move(name)),
      x_(std::move(x)),
      y_(std::move(y)),
      class_names_(std::move(class_names)) {
  if (!y_) return;
  require(x_.size() == y_->size(),
          "dataset \"{}\": x has {} rows and y has {}; there must be one label for each sample\n"
          "  x {}\n  y {}",
          name_, x_.size(), y_->size(), x_.type(), y_->type());
  if (is_float(y_->dtype())) {
    require(class_names_.empty(), "dataset \"{}\": class names given, but the labels are {}", name_,
            y_->type());
    return;
  }
  const std::int64_t largest = convert_classes(name_, y_);
  const auto named = static_cast<std::int64_t>(class_names_.size());
  require(named == 0 || largest < named,
          "dataset \"{}\": the largest label is {}; {} class names are for labels below {}", name_,
          largest, named, named);
  class_count_ = named > 0 ? named : largest + 1;
}

const Array& Dataset::y() const {
  require(y_.has_value(), "dataset \"{}\" has no labels", name_);
  return *y_;
}

const Array& Dataset::weights() const {
  require(weights_.has_value(), "dataset \"{}\" has no sample weights", name_);
  return *weights_;
}

Dataset Dataset::with_weights(const HostTensor& weights) const {
  require(weights.shape() == Shape{size()} && weights.dtype() != DType::boolean,
          "dataset \"{}\": sample weights must be {} numbers, one for each sample, got {}", name_,
          size(), weights.type());
  HostTensor stored = converted(weights, DType::f32);
  const std::span<const float> values = std::as_const(stored).as<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(values[i] >= 0 && std::isfinite(values[i]))) [[unlikely]]
      throw UserError(fmt::format(
          "dataset \"{}\": sample weight number {} is {}; weights are finite and not negative",
          name_, i, element_as_double(weights, static_cast<std::int64_t>(i))));
  Dataset result = *this;
  result.weights_ = Array(std::move(stored));
  return result;
}

Dataset Dataset::part(Array x, std::optional<Array> y, std::optional<Array> weights) const {
  Dataset result(name_, std::move(x));  // labels were checked when the whole was made
  result.y_ = std::move(y);
  result.weights_ = std::move(weights);
  result.class_names_ = class_names_;
  result.class_count_ = class_count_;
  return result;
}

std::int64_t Dataset::byte_size() const {
  std::size_t row = x_.row_bytes();
  if (y_) row += y_->row_bytes();
  if (weights_) row += weights_->row_bytes();
  return size() * static_cast<std::int64_t>(row);
}

Dataset Dataset::rows(std::int64_t first, std::int64_t count) const {
  std::optional<Array> y, weights;
  Array x = x_.rows(first, count);
  if (y_) y = y_->rows(first, count);
  if (weights_) weights = weights_->rows(first, count);
  return part(std::move(x), std::move(y), std::move(weights));
}

Dataset Dataset::skip(std::int64_t count) const {
  require(count >= 0 && count <= size(), "dataset \"{}\": cannot skip {} of its {} samples", name_,
          count, size());
  return rows(count, size() - count);
}

Dataset Dataset::gathered(std::span<const std::int64_t> indices) const {
  std::optional<Array> y, weights;
  if (y_) y = y_->gathered(indices);
  if (weights_) weights = weights_->gathered(indices);
  return part(x_.gathered(indices), std::move(y), std::move(weights));
}

Dataset Dataset::shuffled(std::uint64_t seed) const {
  return gathered(epoch_order(size(), seed, 0, true));
}

Dataset::Parts Dataset::split(double fraction, std::uint64_t seed) const {
  require(fraction >= 0 && fraction <= 1,
          "dataset \"{}\": a split at {}; a fraction from 0 to 1 is needed", name_, fraction);
  // No epoch of training has this number, so its order is unrelated.
  constexpr std::uint64_t kSplitEpoch = ~std::uint64_t{0};
  const std::vector<std::int64_t> order = epoch_order(size(), seed, kSplitEpoch, true);
  const auto count = static_cast<std::size_t>(std::min(
      std::llround(fraction * static_cast<double>(size())), static_cast<long long>(size())));
  return {gathered(std::span(order).first(count)), gathered(std::span(order).subspan(count))};
}

Batches Dataset::batches(std::int64_t batch_size, const BatchOptions& options) const {
  return {*this, batch_size, options};
}

BatchIterator Dataset::begin() const {
  constexpr std::int64_t kDefaultBatchSize = 32;
  return batches(kDefaultBatchSize).begin();
}

}  // namespace tenon::data
