// The batches of a benchmark: whole ones, in host memory, in the order in which a training takes
// them.
#pragma once
#include <vector>

#include "tenon/data/dataset.h"

namespace tenon::cli {

struct BatchOrder {
  bool shuffle = false;  // another order in each pass, as a fit has it
  std::uint64_t seed = 0;
};

class BenchBatches {
 public:
  // Keeps the batches of the first pass, or as many of them as `most_bytes` hold, one at least. The
  // first `ordered` steps have the batches of their places in the passes, made on the way if they
  // are not kept; later steps go around those that are. UserError if there are fewer samples than a
  // batch has.
  BenchBatches(const data::Dataset& dataset, std::int64_t batch_size, const BatchOrder& order,
               std::int64_t ordered, std::int64_t most_bytes = kMostBytes);

  // Of the step with this number, from 0; valid until the next call.
  const data::Batch& at(std::int64_t step);
  const std::vector<data::Batch>& kept() const { return kept_; }
  std::int64_t in_pass() const { return in_pass_; }

  static constexpr std::int64_t kMostBytes = std::int64_t{1} << 28;

 private:
  void fill(data::Batch& batch, std::int64_t pass, std::int64_t place);

  data::Dataset dataset_;
  std::int64_t batch_size_, ordered_, in_pass_ = 0;
  BatchOrder order_;
  std::vector<std::int64_t> samples_;  // of the pass, in its order
  std::int64_t pass_ = 0;
  std::vector<data::Batch> kept_;
  data::Batch made_;
};

}  // namespace tenon::cli
