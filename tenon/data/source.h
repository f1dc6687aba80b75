// Source: what a training reads, a dataset in memory or a stream of samples made on the way.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tenon/data/dataset.h"
#include "tenon/data/pipeline.h"

namespace tenon::data {

// Samples that are made while the training runs: decoded, augmented, read from afar.
struct Stream {
  std::string name;
  Pipeline samples;  // one pass is one epoch
  // Samples of a pass, if that is known: for progress, and to know an epoch's steps.
  std::optional<std::int64_t> size{};
  std::vector<std::string> class_names{};
  // Labels are classes below this number; 0: the number of class names.
  std::int64_t class_count = 0;
  // What all samples are taken from, if they are those of one dataset: a run that goes on is known
  // by it, however the samples are made.
  std::optional<Dataset> origin{};
};

// A value; copies share the data.
class Source {
 public:
  Source(Dataset dataset) : data_(std::move(dataset)) {}
  Source(Stream stream);

  const Dataset* dataset() const { return std::get_if<Dataset>(&data_); }
  const Stream* stream() const { return std::get_if<Stream>(&data_); }

  const std::string& name() const;
  std::optional<std::int64_t> size() const;  // samples of an epoch
  const std::vector<std::string>& class_names() const;
  std::int64_t class_count() const;  // 0: not known, or targets

  // Of one sample. A stream makes its first sample to know them; UserError if it has none.
  const TensorType& x_row() const;
  const TensorType& y_row() const;  // integers as i32; f32[0] without labels
  bool has_y() const;
  bool has_classes() const { return has_y() && is_integer(y_row().dtype); }

  // The stream with its samples in another order, or others of the same types. UserError for a
  // dataset, and as x_row().
  Source with_samples(Pipeline samples) const;
  // The first samples of every epoch.
  Source take(std::int64_t count) const;
  // Samples in memory that tell how values are spread: all of a dataset, of a stream the first
  // 10,000 of its first pass.
  Dataset sampled() const;

 private:
  struct Rows {
    TensorType x, y;
    bool has_y = false;
  };
  const Rows& rows() const;
  std::variant<Dataset, Stream> data_;
  mutable std::shared_ptr<const Rows> rows_;  // once they are known
};

}  // namespace tenon::data
