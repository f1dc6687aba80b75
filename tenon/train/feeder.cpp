#include "tenon/train/feeder.h"

#include <algorithm>
#include <limits>

#include "tenon/base/ceil_divide.h"
#include "tenon/base/scalar_convert.h"
#include "tenon/data/epoch_order.h"
#include "tenon/train/known_ids.h"

namespace tenon {
namespace {

// Rows of a dataset that lies on the device.
class ResidentFeeder final : public Feeder {
 public:
  ResidentFeeder(Trainer::State& state, const data::Dataset& dataset, const FeederOptions& options)
      : state_(state),
        options_(options),
        size_(dataset.size()),
        tail_(size_ % options.batch_size),
        dataset_(dataset),
        order_(static_cast<std::size_t>(size_)) {}

  std::int64_t steps_in_epoch() const override {
    return size_ / options_.batch_size + (tail_ > 0 ? 1 : 0);
  }
  void begin_epoch(std::uint64_t epoch, std::int64_t steps, std::int64_t) override {
    data::fill_epoch_order(order_, state_.options.seed, epoch, options_.shuffle);
    first_ = steps * options_.batch_size;
    count_ = 0;
  }
  ReadyStep* next() override {
    first_ += count_;
    if (first_ >= size_) return nullptr;
    count_ = std::min(options_.batch_size, size_ - first_);
    ReadyStep*& step = count_ == options_.batch_size ? full_ : short_;
    if (step == nullptr) step = &step_of(count_);
    const auto rows = std::span(order_).subspan(static_cast<std::size_t>(first_),
                                                static_cast<std::size_t>(count_));
    if (data_ == nullptr) data_ = state_.on_device(dataset_);
    step->inputs[0] = &data_->x;
    step->inputs[1] = &data_->y;
    if (data_->weights) step->inputs[3] = &*data_->weights;
    state_.write_indices(*step, rows);
    return step;
  }
  std::int64_t batch_samples() const override { return count_; }
  std::int64_t position() const override { return first_ + count_; }
  std::vector<Trainer::State::StepSketch> steps_with(std::int64_t batch_size) const override {
    std::vector<Trainer::State::StepSketch> steps;
    for (const std::int64_t rows : batch_sizes(size_, batch_size))
      steps.push_back(Trainer::State::resident_sketch(options_.is_training, dataset_.x().type(),
                                                      dataset_.y().type(), rows,
                                                      dataset_.has_weights()));
    return steps;
  }
  const CompiledStep& prepare_first() override {
    const bool has_full = size_ >= options_.batch_size;
    ReadyStep*& step = has_full ? full_ : short_;
    if (step == nullptr) step = &step_of(has_full ? options_.batch_size : tail_);
    return step->step;
  }
  // The second size: compiled later, it would allocate within the epoch.
  const CompiledStep* prepare_rest() override {
    if (tail_ == 0) return nullptr;
    if (short_ == nullptr) short_ = &step_of(tail_);
    return &short_->step;
  }

 private:
  ReadyStep& step_of(std::int64_t count) {
    return state_.resident_step(options_.is_training, dataset_.x().type(), dataset_.y().type(),
                                count, dataset_.has_weights());
  }

  Trainer::State& state_;
  const FeederOptions options_;
  const std::int64_t size_;
  const std::int64_t tail_;  // samples of a short last batch
  const data::Dataset dataset_;
  std::shared_ptr<ResidentData>
      data_;  // the dataset on the device, when the first step is compiled
  std::vector<std::int64_t> order_;
  ReadyStep* full_ = nullptr;
  ReadyStep* short_ = nullptr;
  std::int64_t first_ = 0, count_ = 0;
};

// Batches that workers make.
class StreamFeeder final : public Feeder {
 public:
  StreamFeeder(Trainer::State& state, const data::Source& source, const FeederOptions& options)
      : state_(state), options_(options), source_(source) {}

  std::int64_t steps_in_epoch() const override {
    // What buckets are left with makes batches of its own.
    if (options_.loading.buckets) return 0;
    const std::optional<std::int64_t> size = source_.size();
    return size ? ceil_divide(*size, options_.batch_size) : 0;
  }
  void begin_epoch(std::uint64_t epoch, std::int64_t, std::int64_t samples) override {
    data::PipelineBatchOptions batches;
    batches.workers = options_.loading.workers;
    batches.ahead = options_.loading.ahead;
    batches.ahead_bytes = options_.loading.ahead_bytes;
    batches.padding = options_.loading.padding;
    batches.buckets = options_.loading.buckets;
    batches.epoch = epoch;
    batches.position = static_cast<std::uint64_t>(samples);
    batches_.emplace(source_.stream()->samples, options_.batch_size, batches);
  }
  ReadyStep* next() override {
    data::Batch* batch = batches_->next();
    if (batch == nullptr) return nullptr;
    samples_ = batch->size();
    const HostTensor& y = labels(*batch);
    if (step_ == nullptr || batch->x.type() != x_type_ || y.type() != y_type_) {
      require_fits("x", batch->x.type(), source_.x_row());
      require_fits("y", y.type(), source_.y_row());
      x_type_ = x_view_.type = batch->x.type();
      y_type_ = y_view_.type = y.type();
      step_ = &state_.streamed_step(options_.is_training, x_type_, y_type_);
    }
    require_ids(batch->x);
    backends::Backend& backend = state_.session.backend();
    x_view_.data = batch->x.bytes().data();
    y_view_.data = y.bytes().data();
    backend.lend(step_->x, x_view_).wait();
    backend.lend(step_->y, y_view_).wait();
    state_.write_indices(*step_, batch->indices);
    return step_;
  }
  std::int64_t batch_samples() const override { return samples_; }
  std::int64_t position() const override {
    return batches_ ? static_cast<std::int64_t>(batches_->position()) : 0;
  }
  double seconds_waited() const override { return batches_ ? batches_->seconds_waited() : 0; }
  std::int64_t late_batches() const override { return batches_ ? batches_->late_batches() : 0; }
  std::vector<Trainer::State::StepSketch> steps_with(std::int64_t batch_size) const override {
    std::vector<Trainer::State::StepSketch> steps;
    const auto add = [&](const RowTypes& types) {
      steps.push_back(
          Trainer::State::streamed_sketch(options_.is_training, types.x, types.y, false));
    };
    if (const auto& buckets = options_.loading.buckets) {
      for (std::size_t i = 0; i < buckets->bounds.size(); ++i) add(bucket_types(i, batch_size));
    } else {
      for (const std::int64_t rows : batch_sizes(source_.size().value_or(batch_size), batch_size))
        add(batch_types(source_.x_row(), source_.y_row(), rows));
    }
    return steps;
  }
  const CompiledStep& prepare_first() override {
    const auto [x, y] = first_types(options_.batch_size);
    return state_.streamed_step(options_.is_training, x, y).step;
  }

 private:
  RowTypes first_types(std::int64_t batch_size) const {
    const TensorType &x = source_.x_row(), &y = source_.y_row();
    if (const auto& buckets = options_.loading.buckets; buckets && buckets->axis < x.shape.size())
      if (const auto bucket = data::bucket_of(*buckets, x.shape[buckets->axis]))
        return bucket_types(*bucket, batch_size);
    return batch_types(x, y, std::min(batch_size, source_.size().value_or(batch_size)));
  }

  // A full batch of the bucket, as PipelineBatches pads it.
  RowTypes bucket_types(std::size_t bucket, std::int64_t batch_size) const {
    const data::Buckets& buckets = *options_.loading.buckets;
    TensorType x = source_.x_row(), y = source_.y_row();
    if (buckets.axis < x.shape.size()) {  // else an error of the first batch
      if (data::is_padded_alike(x.shape, y.shape, buckets.axis))
        y.shape[buckets.axis] = buckets.bounds[bucket];
      x.shape[buckets.axis] = buckets.bounds[bucket];
    }
    const std::int64_t rows =
        bucket < buckets.batch_sizes.size() ? buckets.batch_sizes[bucket] : batch_size;
    return batch_types(x, y, std::min(rows, source_.size().value_or(rows)));
  }

  static RowTypes batch_types(TensorType x, TensorType y, std::int64_t rows) {
    x.shape.insert(x.shape.begin(), rows);
    y.shape.insert(y.shape.begin(), rows);
    return {std::move(x), std::move(y)};
  }

  // As a Dataset has them: integers as i32, classes in their range.
  const HostTensor& labels(const data::Batch& batch) {
    if (is_float(batch.y.dtype())) return batch.y;
    constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();
    const std::int64_t most = source_.class_count() > 0 ? source_.class_count() - 1
                                                        : std::numeric_limits<std::int32_t>::max();
    if (labels_.dtype() != DType::i32 || labels_.shape() != batch.y.shape())
      labels_ = HostTensor({DType::i32, batch.y.shape()});
    const std::span<std::int32_t> out = labels_.as<std::int32_t>();
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double label = element_as_double(batch.y, static_cast<std::int64_t>(i));
      if (!(label >= static_cast<double>(kLeast) && label <= static_cast<double>(most)))
        refuse_label(batch, i, label, most);
      out[i] = static_cast<std::int32_t>(label);
    }
    return labels_;
  }

  [[noreturn]] void refuse_label(const data::Batch& batch, std::size_t i, double label,
                                 std::int64_t most) const {
    const std::size_t labels_of_sample =
        static_cast<std::size_t>(batch.y.size()) / batch.indices.size();
    throw UserError(fmt::format("stream \"{}\": label {} of sample {}; {} expected", source_.name(),
                                label, batch.indices[i / labels_of_sample],
                                source_.class_count() > 0
                                    ? fmt::format("a class from 0 to {}", most)
                                    : std::string("a 32-bit integer")));
  }

  void require_ids(const HostTensor& x) const {
    if (x.dtype() != DType::i32) return;
    const std::optional<std::size_t> place = first_unknown_id(x.as<std::int32_t>(), state_.ids);
    if (!place) return;
    throw UserError(
        fmt::format("stream \"{}\": {}, sample {} of its batch: id {}; the model knows 0 to {}",
                    source_.name(), batches_->first_name(),
                    *place * static_cast<std::size_t>(samples_) / x.as<std::int32_t>().size(),
                    x.as<std::int32_t>()[*place], state_.ids - 1));
  }

  // The first sample told what all are to be; with padding or buckets, up to their extents. Samples
  // of one batch are alike.
  void require_fits(const char* what, TensorType found, const TensorType& wanted) const {
    found.shape.erase(found.shape.begin());
    const bool any_extents = options_.loading.padding || options_.loading.buckets;
    const bool fits = found.dtype == wanted.dtype && found.rank() == wanted.rank() &&
                      (any_extents || found.shape == wanted.shape);
    require(
        fits, "stream \"{}\": {}: {} is {}, that of the first sample {}{}", source_.name(),
        batches_->first_name(), what, found, wanted,
        any_extents ? "" : "; LoadingOptions::padding and buckets take samples of other extents");
  }

  Trainer::State& state_;
  const FeederOptions options_;
  const data::Source source_;
  std::optional<data::PipelineBatches> batches_;
  ReadyStep* step_ = nullptr;  // of the batch given last, whose types these are
  TensorType x_type_, y_type_;
  HostView x_view_, y_view_;  // of its tensors: a view holds a shape, and making one allocates
  HostTensor labels_;
  std::int64_t samples_ = 0;
};

}  // namespace

std::vector<std::int64_t> batch_sizes(std::int64_t samples, std::int64_t batch_size) {
  std::vector<std::int64_t> sizes{std::min(samples, batch_size)};
  if (samples > batch_size && samples % batch_size > 0) sizes.push_back(samples % batch_size);
  return sizes;
}

std::unique_ptr<Feeder> make_feeder(Trainer::State& state, const data::Source& source,
                                    const FeederOptions& options) {
  if (const data::Dataset* dataset = source.dataset()) {
    require(dataset->size() <= std::numeric_limits<std::int32_t>::max(),
            "dataset \"{}\" has {} samples; at most 2147483647 are indexed on a device",
            dataset->name(), dataset->size());
    return std::make_unique<ResidentFeeder>(state, *dataset, options);
  }
  return std::make_unique<StreamFeeder>(state, source, options);
}

}  // namespace tenon
