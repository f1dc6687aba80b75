#include "tenon/cli/train_data.h"

#include "tenon/base/cpu_info.h"
#include "tenon/base/text.h"
#include "tenon/data/epoch_order.h"
#include "tenon/data/open_stream.h"

namespace tenon::cli {
namespace {

bool is_endless(const std::string& name) { return name.starts_with("stream:"); }

// The stream without its bad samples, if they are to be skipped; `bad` counts them.
data::Stream without_bad(data::Stream stream, const TrainCommand& command,
                         const data::BadSamples& bad) {
  if (command.data.bad_samples == "skip") stream.samples = stream.samples.skip_bad(bad);
  return stream;
}

bool has_unknown_classes(const data::Stream& stream) {
  const data::Source source(stream);
  return source.has_classes() && source.class_count() == 0;
}

// Files that can be read in any order are shuffled as a whole, others within a window.
data::Pipeline shuffled(const data::Pipeline& samples, const std::string& name,
                        std::uint64_t seed) {
  constexpr std::int64_t kWindow = 4096;
  const bool is_list = name.starts_with("images:") || name.starts_with("wav:");
  return samples.shuffle(seed, is_list ? 0 : kWindow);
}

// The same samples in the same order as a fit of the dataset has them, made by workers.
data::Stream streamed(const data::Dataset& dataset, std::uint64_t seed, bool shuffle) {
  const std::int64_t size = dataset.size();
  const auto order = [=](std::uint64_t epoch) {
    return data::epoch_order(size, seed, epoch, shuffle);
  };
  return {dataset.name(),
          data::Pipeline::from(dataset, order),
          size,
          dataset.class_names(),
          dataset.class_count(),
          dataset};
}

data::Dataset read_whole(const data::Stream& stream, const TrainCommand& command) {
  const data::BadSamples bad;
  data::Dataset dataset = data::load(without_bad(stream, command, bad), 1);
  report_skipped(command.data.data, bad);
  return dataset;
}

void split_off_validation(TrainData& data, data::Dataset& train, const TrainCommand& command) {
  data::Dataset::Parts parts = split_validation(train, command.validation, command.seed);
  train = std::move(parts.first);
  data.validation = std::move(parts.second);
}

// The same of a folder of images: the validation part is read into memory.
data::Dataset split_off_images(data::OpenedStream& opened, const TrainCommand& command) {
  const auto part_of = [&](const data::Dataset& labels) {
    const HostTensor numbers = labels.x().tensor();
    const auto places = numbers.as<std::int32_t>();
    return opened.images->part(std::vector<std::int64_t>(places.begin(), places.end()));
  };
  const data::Dataset::Parts parts =
      split_validation(opened.images->labels(), command.validation, command.seed);
  const data::ImageFolder validation = part_of(parts.second);
  opened.images = part_of(parts.first);
  opened.train = data::image_stream(*opened.images);
  std::optional<data::BadSamples> bad;
  if (command.data.bad_samples == "skip") bad = data::BadSamples();
  data::Dataset loaded = validation.load(usable_cores(), bad);
  if (bad) report_skipped(command.data.data, *bad);
  return loaded;
}

// Other data than that of the training; its columns are those of `columns`, if they have names.
data::Dataset open_validation(const TrainCommand& command, const std::vector<std::string>& known,
                              const data::TableColumns& columns) {
  check_no_percent(command.validation);
  const std::string& name = command.validation;
  check_data_name("--validation", name);
  DataOptions options = command.data;
  if (!has_columns(name)) options.label = "";
  if (has_columns(name) && columns.is_known()) {
    options.columns = columns;
    options.label = columns.label;
  }
  if (has_columns(name) && options.task.empty()) options.task = "classification";
  options.classes = "";  // `known` are those
  const bool may_have_weights = name.starts_with("csv:") || name.starts_with("npz:");
  if (!may_have_weights) options.sample_weights = "";
  if (!has_columns(name) && command.data.task != "reconstruction") options.task = "";
  data::Opened other = open_data(name, options, *parse_dtype(command.dtype), known);
  return other.test ? *std::move(other.test) : std::move(other.train);
}

void check_stream_classes(const TrainCommand& command, const data::Source& stream) {
  const bool wants_classes =
      command.loss.empty() || nn::find_loss(command.loss).targets == nn::TargetKind::classes;
  if (wants_classes && stream.has_classes() && stream.class_count() == 0)
    refuse_option("--classes",
                  "missing: the classes of {} are integers, and how many there are is not known "
                  "before all are read; say it, or leave --workers out",
                  command.data.data);
}

// Networks that give a class for each pixel take no class of a whole image.
void check_labels(const TrainCommand& command, const data::Source& labelled) {
  if (command.model.model.substr(0, command.model.model.find(':')) == "unet" &&
      labelled.has_classes() && labelled.y_row().shape.empty())
    refuse_option("--model",
                  "unet gives an output for each pixel, the labels of {} are one class for each "
                  "sample; resnet20 takes them",
                  labelled.name());
}

TrainData open_streamed(const TrainCommand& command, data::OpenedStream opened) {
  const bool wants_fraction = !command.validation.empty() && is_fraction_text(command.validation);
  std::optional<data::Dataset> validation;
  if (wants_fraction && opened.images)
    validation = split_off_images(opened, command);
  else if (wants_fraction)
    refuse_option("--validation", "streamed data is not split; name other data, or none");
  if (command.data.task == "reconstruction")
    refuse_option("--task", "reconstruction is for data in memory; leave --workers out");
  // What a pass gives cannot be given again by a pipe, so its rows are not shown either.
  constexpr std::int64_t kShown = 64;
  const bool can_repeat = !is_endless(command.data.data);
  const data::Stream all = std::move(opened.train);
  // What is looked at before the training is not counted with what the training leaves out.
  const data::Source looked_at(without_bad(all, command, {}));
  check_stream_classes(command, looked_at);
  check_labels(command, looked_at);
  const data::BadSamples bad;
  data::Pipeline samples = without_bad(all, command, bad).samples;
  if (!command.no_shuffle) samples = shuffled(samples, command.data.data, command.seed);
  TrainData data{looked_at.with_samples(std::move(samples)),
                 can_repeat ? looked_at.take(kShown).sampled()
                            : data::Dataset("nothing", data::Array(HostTensor({DType::f32, {0}}))),
                 std::nullopt, std::move(opened.test)};
  if (command.data.bad_samples == "skip") data.bad = bad;
  data.columns = opened.columns;
  data.is_in_memory = false;
  if (opened.images) data.labels = opened.images->labels();
  if (validation)
    data.validation = std::move(validation);
  else if (command.validation.empty())
    data.validation = data.test;
  else if (command.validation != "none")
    data.validation = open_validation(command, all.class_names, opened.columns);
  return data;
}

// What is evaluated after the last step is known to fit before the first one.
void require_alike(const data::Dataset& train, const data::Dataset& test) {
  const TensorType wanted{train.x().dtype(), train.x().row_shape()},
      found{test.x().dtype(), test.x().row_shape()};
  require(found == wanted, "\"{}\": samples of the test set are {}, those of training {}",
          test.name(), found, wanted);
}

}  // namespace

TrainData open_train_data(const TrainCommand& command) {
  const DType dtype = *parse_dtype(command.dtype);
  const std::string& name = command.data.data;
  if (!command.data.sample_weights.empty() && (command.loop.workers || is_endless(name)))
    refuse_option("--sample-weights", "is for data in memory; {}",
                  is_endless(name) ? "a stream has none" : "leave --workers out");
  std::optional<data::OpenedStream> stream;
  if (command.loop.workers || is_endless(name))
    stream = open_stream_data(name, command.data, dtype);
  // How many classes there are is known when all are read.
  const bool is_read_first = stream && !command.loop.workers &&
                             has_unknown_classes(without_bad(stream->train, command, {}));
  if (stream && !is_read_first) return open_streamed(command, *std::move(stream));
  data::Opened opened = is_read_first
                            ? data::Opened{read_whole(stream->train, command), std::nullopt}
                            : open_data(name, command.data, dtype, {});
  data::Dataset train = with_weights_of_file(opened.train, command.data);
  TrainData data{train, train, std::nullopt, std::move(opened.test), std::move(opened.tokenizer)};
  data.columns = std::move(opened.columns);
  const bool reconstructs = command.data.task == "reconstruction";
  if (!reconstructs) require_two_classes(train);
  if (command.validation.empty())
    data.validation = data.test;
  else if (is_fraction_text(command.validation))
    split_off_validation(data, train, command);
  else if (command.validation != "none")
    data.validation = open_validation(command, train.class_names(), data.columns);
  if (reconstructs) make_reconstruction(train, data.validation, data.test, command.normalize);
  if (data.test) require_alike(train, *data.test);
  data.shown = train;
  check_labels(command, train);
  if (command.loop.workers)
    data.train = streamed(train, command.seed, !command.no_shuffle);
  else
    data.train = train;
  return data;
}

}  // namespace tenon::cli
