#include "tenon/data/open_stream.h"

#include <cstring>

#include "tenon/data/arrow.h"
#include "tenon/data/pipeline_batches.h"
#include "tenon/data/record_stream.h"
#include "tenon/data/tfrecord.h"
#include "tenon/data/wav_folder.h"
#include "tenon/data/web_dataset.h"
#include "tenon/io/file.h"

namespace tenon::data {
namespace {

// Whether all samples must be of one type.
enum class Types : std::uint8_t { any, equal };

Stream open_wav(const std::string& place, const OpenOptions& options, Types types) {
  const WavFolder folder = wav_folder(place, options.sounds);
  return {place, types == Types::equal ? folder.equal_pipeline() : folder.pipeline(), folder.size(),
          folder.class_names()};
}

Stream open_arrow(const std::string& place, io::ArrowKind kind, const OpenOptions& options) {
  TableStream table = arrow_rows(place, kind, options.csv);
  return {place, std::move(table.rows), std::nullopt, std::move(table.class_names)};
}

Stream open_tfrecord(const std::string& place, const OpenOptions& options) {
  TfRecordOptions records = suggest_features(place, options.csv.label, options.images.channels);
  if (options.csv.task == Task::unlabelled) records.y.reset();
  records.class_names = options.csv.class_names;
  if (records.y && records.y_is_text && records.class_names.empty())
    records.class_names = texts_of_feature(place, records.y->name);
  return {place, tfrecord(place, records), std::nullopt, records.class_names};
}

Stream open_tar(const std::string& place, const OpenOptions& options) {
  WebDatasetOptions shards;
  shards.image_channels = options.images.channels;
  shards.class_names = options.csv.class_names;
  if (options.csv.task == Task::unlabelled) shards.y.clear();
  return {place, web_dataset(place, shards), std::nullopt, shards.class_names};
}

Stream open_records(const std::string& place, const OpenOptions& options) {
  RecordStreamOptions records;
  records.records.class_names = options.csv.class_names;
  RecordStream stream = record_stream(place, records);
  if (stream.class_names.empty()) stream.class_names = options.csv.class_names;
  return {place, std::move(stream.samples), std::nullopt, std::move(stream.class_names)};
}

std::optional<Stream> open_kind(const std::string& kind, const std::string& place,
                                const OpenOptions& options, Types types) {
  if (kind == "wav") return open_wav(place, options, types);
  // Rows of a table are of one type.
  if (kind == "parquet") return open_arrow(place, io::ArrowKind::parquet, options);
  if (kind == "arrow") return open_arrow(place, io::ArrowKind::ipc, options);
  std::optional<Stream> stream;
  if (kind == "tfrecord") stream = open_tfrecord(place, options);
  if (kind == "tar") stream = open_tar(place, options);
  if (kind == "stream") stream = open_records(place, options);
  if (stream && types == Types::equal)
    stream->samples = stream->samples.equal_types(
        "\n  help: --bad-samples skip leaves such samples out (Pipeline::skip_bad in C++); padded "
        "batches (LoadingOptions::padding) take x of other extents");
  return stream;
}

std::optional<Stream> open_of_types(const std::string& name, const OpenOptions& options,
                                    Types types) {
  const std::size_t colon = name.find(':');
  if (colon == std::string::npos || colon + 1 == name.size()) return std::nullopt;
  std::optional<Stream> opened =
      open_kind(name.substr(0, colon), name.substr(colon + 1), options, types);
  if (opened && options.bad_samples)
    opened->samples = opened->samples.skip_bad(*options.bad_samples);
  return opened;
}

TensorType row_type_of(const HostTensor& batch) {
  TensorType type = batch.type();
  type.shape.erase(type.shape.begin());
  return type;
}

HostTensor joined_rows(const std::vector<std::byte>& bytes, TensorType type, std::int64_t count) {
  type.shape.insert(type.shape.begin(), count);
  HostTensor tensor(std::move(type));
  if (!bytes.empty()) std::memcpy(tensor.bytes().data(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace

std::optional<Stream> open_stream(const std::string& name, const OpenOptions& options) {
  return open_of_types(name, options, Types::any);
}

std::optional<Stream> open_equal_stream(const std::string& name, const OpenOptions& options) {
  return open_of_types(name, options, Types::equal);
}

TableColumns stream_columns(const std::string& name, const OpenOptions& options) {
  const std::size_t colon = name.find(':');
  if (name.starts_with("parquet:"))
    return arrow_columns(name.substr(colon + 1), io::ArrowKind::parquet, options.csv);
  if (name.starts_with("arrow:"))
    return arrow_columns(name.substr(colon + 1), io::ArrowKind::ipc, options.csv);
  return {};
}

Stream image_stream(const ImageFolder& images) {
  return {images.name(), images.equal_pipeline(), images.size(), images.class_names()};
}

std::optional<OpenedStream> open_streamed(const std::string& name, const OpenOptions& options) {
  constexpr std::string_view kImages = "images:";
  if (!name.starts_with(kImages)) {
    OpenOptions all = options;
    all.bad_samples.reset();
    std::optional<Stream> stream = open_equal_stream(name, all);
    if (!stream) return std::nullopt;
    return OpenedStream{*std::move(stream), std::nullopt, stream_columns(name, options)};
  }
  const ImageParts parts = image_parts(name.substr(kImages.size()));
  const ImageFolder train = image_folder(parts.train, options.images);
  OpenedStream opened{image_stream(train), std::nullopt, {}, train};
  if (!parts.test) return opened;
  ImageFolderOptions of_test = options.images;
  of_test.class_names = train.class_names();
  opened.test = image_folder(*parts.test, of_test).load(options.image_workers, options.bad_samples);
  return opened;
}

Dataset load(const Stream& stream, int workers) {
  constexpr std::int64_t kAtOnce = 64;
  constexpr int kAhead = 8;
  PipelineBatches batches = stream.samples.batches(kAtOnce, {.workers = workers, .ahead = kAhead});
  std::vector<std::byte> x, y;
  TensorType x_row, y_row;
  std::int64_t count = 0;
  while (const Batch* batch = batches.next()) {
    const TensorType x_type = row_type_of(batch->x), y_type = row_type_of(batch->y);
    if (count == 0) {
      x_row = x_type;
      y_row = y_type;
    }
    require(x_type == x_row && y_type == y_row,
            "{}: sample {} has x {} and y {}, the first one {} and {}; a dataset needs equal types",
            stream.name, batch->indices.front(), x_type, y_type, x_row, y_row);
    x.insert(x.end(), batch->x.bytes().begin(), batch->x.bytes().end());
    y.insert(y.end(), batch->y.bytes().begin(), batch->y.bytes().end());
    count += batch->size();
  }
  require(count > 0, "{}: there are no samples", stream.name);
  std::optional<Array> labels;
  if (y_row != TensorType{DType::f32, {0}}) labels = Array(joined_rows(y, y_row, count));
  // Targets have no class names, whatever the stream says.
  std::vector<std::string> names;
  if (labels && !is_float(y_row.dtype)) names = stream.class_names;
  return {stream.name, Array(joined_rows(x, x_row, count)), std::move(labels), std::move(names)};
}

}  // namespace tenon::data
