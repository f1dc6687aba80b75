#include "tenon/cli/train_data.h"

#include "tenon/base/text.h"
#include "tenon/data/epoch_order.h"
#include "tenon/data/open_stream.h"

namespace tenon::cli {
namespace {

bool is_endless(const std::string& name) { return name.starts_with("stream:"); }

bool has_unknown_classes(const data::Stream& stream) {
  const data::Source source(stream);
  return source.has_classes() && source.class_count() == 0;
}

// Files that can be read in any order are shuffled as a whole, others within a window.
data::Stream shuffled(data::Stream stream, const std::string& name, std::uint64_t seed) {
  constexpr std::int64_t kWindow = 4096;
  const bool is_list = name.starts_with("images:") || name.starts_with("wav:");
  stream.samples = stream.samples.shuffle(seed, is_list ? 0 : kWindow);
  return stream;
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

void split_off_validation(TrainData& data, data::Dataset& train, const TrainCommand& command) {
  const double fraction = parse_number("--validation", command.validation);
  if (!(fraction > 0 && fraction < 1))
    refuse_option("--validation", "a fraction above 0 and below 1 expected, got {}",
                  in_quotes(command.validation));
  auto parts = train.split(1 - fraction, command.seed);
  if (parts.first.size() == 0 || parts.second.size() == 0)
    refuse_option("--validation", "{} of {} samples leaves one part empty", fraction, train.size());
  train = std::move(parts.first);
  data.validation = std::move(parts.second);
}

bool is_fraction(const std::string& validation) {
  return validation.find_first_not_of("0123456789.eE+-") == std::string::npos;
}

// Other data than that of the training.
data::Dataset open_validation(const TrainCommand& command, const std::vector<std::string>& known) {
  const std::string& name = command.validation;
  check_data_name("--validation", name);
  DataOptions options = command.data;
  if (!has_columns(name)) options.label = "";
  options.classes = "";  // `known` are those
  const bool may_have_weights = name.starts_with("csv:") || name.starts_with("npz:");
  if (!may_have_weights) options.sample_weights = "";
  if (!has_columns(name) && command.data.task != "reconstruction") options.task = "";
  data::Opened other = open_data(name, options, *parse_dtype(command.dtype), known);
  return other.test ? *std::move(other.test) : std::move(other.train);
}

TrainData open_streamed(const TrainCommand& command, data::OpenedStream opened) {
  const bool wants_fraction = !command.validation.empty() && is_fraction(command.validation);
  if (wants_fraction)
    refuse_option("--validation", "streamed data is not split; name other data, or none");
  if (command.data.task == "reconstruction")
    refuse_option("--task", "reconstruction is for data in memory; leave --workers out");
  // What a pass gives cannot be given again by a pipe, so its rows are not shown either.
  constexpr std::int64_t kShown = 64;
  const bool can_repeat = !is_endless(command.data.data);
  const data::Stream all = std::move(opened.train);
  // What is looked at before the training is not counted with what the training leaves out.
  const auto without_bad = [&](const data::BadSamples& bad) {
    data::Stream good = all;
    if (command.data.bad_samples == "skip") good.samples = good.samples.skip_bad(bad);
    return good;
  };
  const data::BadSamples bad;
  data::Stream stream = without_bad(bad);
  if (!command.no_shuffle) stream = shuffled(stream, command.data.data, command.seed);
  TrainData data{stream,
                 can_repeat ? data::Source(without_bad({})).take(kShown).sampled()
                            : data::Dataset("nothing", data::Array(HostTensor({DType::f32, {0}}))),
                 std::nullopt, std::move(opened.test)};
  if (command.data.bad_samples == "skip") data.bad = bad;
  data.is_in_memory = false;
  if (command.validation.empty())
    data.validation = data.test;
  else if (command.validation != "none")
    data.validation = open_validation(command, stream.class_names);
  return data;
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
  const bool is_read_first = stream && !command.loop.workers && has_unknown_classes(stream->train);
  if (stream && !is_read_first) return open_streamed(command, *std::move(stream));
  data::Opened opened = is_read_first ? data::Opened{data::load(stream->train, 1), std::nullopt}
                                      : open_data(name, command.data, dtype, {});
  data::Dataset train = with_weights_of_file(opened.train, command.data);
  TrainData data{train, train, std::nullopt, std::move(opened.test), std::move(opened.tokenizer)};
  const bool reconstructs = command.data.task == "reconstruction";
  if (!reconstructs) require_two_classes(train);
  if (command.validation.empty())
    data.validation = data.test;
  else if (is_fraction(command.validation))
    split_off_validation(data, train, command);
  else if (command.validation != "none")
    data.validation = open_validation(command, train.class_names());
  if (reconstructs) make_reconstruction(train, data.validation, data.test, command.normalize);
  data.shown = train;
  if (command.loop.workers)
    data.train = streamed(train, command.seed, !command.no_shuffle);
  else
    data.train = train;
  return data;
}

}  // namespace tenon::cli
