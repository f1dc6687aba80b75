#include "tenon/data/source.h"

namespace tenon::data {

Source::Source(Stream stream) : data_(std::move(stream)) {
  auto& own = std::get<Stream>(data_);
  const auto named = static_cast<std::int64_t>(own.class_names.size());
  require(!own.size || *own.size >= 0, "stream \"{}\": a size of {}", own.name,
          own.size.value_or(0));
  require(own.class_count >= 0, "stream \"{}\": {} classes", own.name, own.class_count);
  require(own.class_count == 0 || named == 0 || own.class_count == named,
          "stream \"{}\": {} classes, but {} class names", own.name, own.class_count, named);
  if (own.class_count == 0) own.class_count = named;
}

const std::string& Source::name() const {
  return dataset() != nullptr ? dataset()->name() : stream()->name;
}

std::optional<std::int64_t> Source::size() const {
  return dataset() != nullptr ? dataset()->size() : stream()->size;
}

const std::vector<std::string>& Source::class_names() const {
  return dataset() != nullptr ? dataset()->class_names() : stream()->class_names;
}

std::int64_t Source::class_count() const {
  return dataset() != nullptr ? dataset()->class_count() : stream()->class_count;
}

const Source::Rows& Source::rows() const {
  if (rows_) return *rows_;
  Rows rows;
  if (const Dataset* data = dataset()) {
    rows.x = {data->x().dtype(), data->x().row_shape()};
    rows.has_y = data->has_y();
    if (rows.has_y) rows.y = {data->y().dtype(), data->y().row_shape()};
  } else {
    const std::optional<Sample> first = stream()->samples.samples()();
    require(first.has_value(), "stream \"{}\" has no samples", name());
    rows.x = first->x.type();
    rows.y = first->y.type();
    rows.has_y = rows.y != TensorType{DType::f32, {0}};
    if (is_integer(rows.y.dtype) || rows.y.dtype == DType::boolean) rows.y.dtype = DType::i32;
  }
  rows_ = std::make_shared<const Rows>(std::move(rows));
  return *rows_;
}

const TensorType& Source::x_row() const { return rows().x; }
const TensorType& Source::y_row() const { return rows().y; }
bool Source::has_y() const { return rows().has_y; }

Source Source::with_samples(Pipeline samples) const {
  require(stream() != nullptr, "dataset \"{}\": only a stream has samples made on the way", name());
  rows();
  Source other = *this;
  std::get<Stream>(other.data_).samples = std::move(samples);
  return other;
}

Source Source::take(std::int64_t count) const {
  if (const Dataset* data = dataset()) return data->take(std::min(count, data->size()));
  Stream part = *stream();
  // To filter, samples are made: so the one to look at is the first that can be made, and not one
  // that skip_bad leaves out later.
  if (count == 1) part.samples = part.samples.filter([](const Sample&) { return true; });
  part.samples = part.samples.take(count);
  if (part.size) part.size = std::min(*part.size, count);
  part.origin.reset();  // which of its samples come first, the stream alone knows
  return part;
}

Dataset Source::sampled() const {
  if (const Dataset* data = dataset()) return *data;
  constexpr std::int64_t kEnough = 10000;
  return from_generator(stream()->samples.take(kEnough).samples(), class_names(), name());
}

}  // namespace tenon::data
