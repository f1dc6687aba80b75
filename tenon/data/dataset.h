// A dataset in memory: features, labels, class names; sliced, split, shuffled and cut into batches.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tenon/data/array.h"
#include "tenon/data/batches.h"

namespace tenon::data {

// The class of an element that has none: losses and accuracy leave it out, as F.cross_entropy's
// ignore_index does. For labels of several elements, such as those of a masked text.
inline constexpr std::int32_t kNoClass = -1;
// More classes than anyone has: a label beyond is an error, not a model of that size.
inline constexpr std::int32_t kLargestClassCount = 1 << 20;

// A value; copies share the arrays.
class Dataset {
 public:
  // Labels are classes if their type is bool or an integer (then stored as i32, none negative but
  // kNoClass in labels [N, ...] of two or more axes, all below the number of class names if there
  // are any), otherwise targets of any shape [N, ...].
  // Without labels, only x() can be used. UserError if the rows of x and y differ in number.
  Dataset(std::string name, Array x, std::optional<Array> y = std::nullopt,
          std::vector<std::string> class_names = {});

  const std::string& name() const { return name_; }
  std::int64_t size() const { return x_.size(); }  // samples
  const Array& x() const { return x_; }
  bool has_y() const { return y_.has_value(); }
  const Array& y() const;  // UserError if there are no labels
  bool has_classes() const { return has_y() && is_integer(y_->dtype()); }
  // How much each sample counts in the mean loss: sum(w loss) / sum(w). Metrics count all alike.
  bool has_weights() const { return weights_.has_value(); }
  const Array& weights() const;  // f32 [N]; UserError if there are none
  // This dataset with weights, which its parts keep; a pipeline takes none. UserError unless they
  // are N numbers, finite and none negative.
  Dataset with_weights(const HostTensor& weights) const;
  std::int64_t byte_size() const;  // of x, y and weights
  const std::vector<std::string>& class_names() const { return class_names_; }
  // Number of class names; without names the largest label + 1; 0 for targets. Parts of a dataset
  // keep the number of the whole.
  std::int64_t class_count() const { return class_count_; }

  // Parts that share this dataset's memory. UserError if the rows are not all there.
  Dataset rows(std::int64_t first, std::int64_t count) const;
  Dataset take(std::int64_t count) const { return rows(0, count); }
  Dataset skip(std::int64_t count) const;

  // Copies in another order.
  Dataset gathered(std::span<const std::int64_t> indices) const;
  Dataset shuffled(std::uint64_t seed) const;

  // Two disjoint parts, shuffled by the seed, that together are the whole; the first holds the
  // fraction of the samples, rounded to nearest. UserError unless 0 <= fraction <= 1.
  struct Parts;
  Parts split(double fraction, std::uint64_t seed) const;

  // for (auto& batch : dataset.batches(32, {.shuffle = true, .seed = 1})) ...
  Batches batches(std::int64_t batch_size, const BatchOptions& options = {}) const;

  // for (auto& batch : dataset): batches of 32 in file order.
  BatchIterator begin() const;
  std::default_sentinel_t end() const { return {}; }

 private:
  Dataset part(Array x, std::optional<Array> y, std::optional<Array> weights) const;

  std::string name_;
  Array x_;
  std::optional<Array> y_, weights_;
  std::vector<std::string> class_names_;
  std::int64_t class_count_ = 0;
};

struct Dataset::Parts {
  Dataset first, second;
};

// A training and a test set.
struct TrainTest {
  Dataset train, test;
};

}  // namespace tenon::data
