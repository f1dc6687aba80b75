#include "tenon/cli/open_data.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>

#include "tenon/base/cpu_info.h"
#include "tenon/base/text.h"
#include "tenon/data/image_folder.h"
#include "tenon/data/reconstruction.h"
#include "tenon/io/file.h"
#include "tenon/io/npy.h"

namespace tenon::cli {

void report_skipped(const std::string& name, const data::BadSamples& bad) {
  if (bad.count() == 0) return;
  constexpr std::size_t kMostShown = 5;
  std::string text = fmt::format("warning: {}: {} {} skipped\n", name, bad.count(),
                                 bad.count() == 1 ? "sample was" : "samples were");
  std::vector<std::string> shown;  // a sample is skipped in every epoch
  for (const std::string& message : bad.messages()) {
    std::string reason = message.substr(0, message.find('\n'));
    if (shown.size() == kMostShown || std::ranges::find(shown, reason) != shown.end()) continue;
    text += fmt::format("  {}\n", reason);
    shown.push_back(std::move(reason));
  }
  std::fputs(text.c_str(), stderr);
}

DataOptions with_tokenizer_of(const std::string& run, DataOptions options) {
  const std::string file = run + "/tokenizer.json";
  if (options.data.starts_with("text:") && options.tokenizer.empty() && io::file_exists(file))
    options.tokenizer = file;
  return options;
}

bool has_weights_file(const DataOptions& options) {
  return options.sample_weights.ends_with(".npy");
}

data::Dataset with_weights_of_file(const data::Dataset& dataset, const DataOptions& options) {
  if (!has_weights_file(options)) return dataset;
  const HostTensor weights = io::read_npy(options.sample_weights);
  try {
    return dataset.with_weights(weights);
  } catch (const UserError& error) {
    refuse_option("--sample-weights", "{}: {}", options.sample_weights, error.what());
  }
}

namespace {

// Kinds of data whose bad samples can be left out.
constexpr std::array<std::string_view, 8> kSkipping = {"images", "csv",      "wav", "parquet",
                                                       "arrow",  "tfrecord", "tar", "stream"};

bool can_skip(const std::string& name) {
  return std::ranges::find(kSkipping, name.substr(0, name.find(':'))) != kSkipping.end();
}

// OptionError for options that are not for this kind of data.
data::OpenOptions open_options(const std::string& name, const DataOptions& options, DType dtype,
                               const std::vector<std::string>& known) {
  if (!options.label.empty() && !has_columns(name) && !name.starts_with("tfrecord:"))
    refuse_option(
        "--label",
        "only csv:, parquet:, arrow: and tfrecord: data has columns or features to choose from, "
        "the data is {}",
        in_quotes(name));
  const bool reconstructs = options.task == "reconstruction";
  if (!options.task.empty() && !reconstructs && !has_columns(name))
    refuse_option(
        "--task",
        "only for csv:, parquet: and arrow: data; the labels of {} say themselves what they are",
        in_quotes(name));
  const bool can_name_weights = name.starts_with("csv:") || name.starts_with("npz:");
  if (!options.sample_weights.empty() && !has_weights_file(options) && !can_name_weights)
    refuse_option(
        "--sample-weights",
        "only csv:FILE and npz:FILE have columns or arrays to choose from, the data is {}; "
        "give a FILE.npy",
        in_quotes(name));
  constexpr std::array kWithoutClasses = {"tar:", "tfrecord:", "parquet:", "arrow:", "stream:"};
  if (!options.classes.empty() && std::ranges::none_of(kWithoutClasses, [&](const char* kind) {
        return name.starts_with(kind);
      }))
    refuse_option("--classes",
                  "only for tar:, tfrecord:, parquet:, arrow: and stream:; {} says itself what its "
                  "classes are",
                  in_quotes(name));
  if (!options.classes.empty() && (reconstructs || options.task == "regression"))
    refuse_option("--classes", "{} has none", options.task);
  const bool images = name.starts_with("images:");
  const bool training_images = options.data.starts_with("images:");  // and this is --validation
  if (!images && !training_images &&
      (!options.image_size.empty() || !options.image_channels.empty()))
    refuse_option(options.image_size.empty() ? "--image-channels" : "--image-size",
                  "only for images:FOLDER, the data is {}", in_quotes(name));
  const bool text = name.starts_with("text:");
  const bool has_tokenizer = !options.tokenizer.empty() && options.tokenizer != "char";
  if (!text && !options.data.starts_with("text:") &&
      (!options.tokenizer.empty() || options.window != 0))
    refuse_option(options.tokenizer.empty() ? "--window" : "--tokenizer",
                  "only for text:FILE, the data is {}", in_quotes(name));
  if (!options.ignore_columns.empty() && !has_columns(name) && !has_columns(options.data))
    refuse_option("--ignore-columns", "only for csv:, parquet: and arrow: data, the data is {}",
                  in_quotes(name));
  if (!options.delimiter.empty() && !name.starts_with("csv:") && !options.data.starts_with("csv:"))
    refuse_option("--delimiter", "only for csv:FILE, the data is {}", in_quotes(name));
  if (options.frames != 0 && !name.starts_with("wav:") && !options.data.starts_with("wav:"))
    refuse_option("--frames", "only for wav:FOLDER, the data is {}", in_quotes(name));
  if (options.bad_samples == "skip" && !can_skip(name) && !can_skip(options.data))
    refuse_option("--bad-samples", "skip is for {}: and {}:, the data is {}",
                  join(std::span(kSkipping).first(kSkipping.size() - 1), ":, "), kSkipping.back(),
                  in_quotes(name));
  data::OpenOptions open;
  if (options.window != 0) open.window = options.window;
  if (text && has_tokenizer)
    open.tokenizer = options.tokenizer == "byte" ? data::byte_tokenizer()
                                                 : data::load_tokenizer(options.tokenizer);
  if (open.tokenizer && !known.empty())
    require(open.tokenizer->tokens() == known,
            "{}: the tokens of the tokenizer {} are not those that the model was trained with",
            name, options.tokenizer);
  if (!options.image_size.empty())
    std::tie(open.images.height, open.images.width) = parse_sides(options.image_size);
  if (options.image_channels == "1") open.images.channels = 1;
  if (images) open.images.class_names = known;
  if (options.bad_samples == "skip") open.bad_samples = data::BadSamples();
  open.image_workers = usable_cores();
  open.csv.label = options.label;
  if (!has_weights_file(options)) open.csv.weights = options.sample_weights;
  open.csv.task = options.task == "regression" ? data::Task::regression
                  : reconstructs               ? data::Task::unlabelled
                                               : data::Task::classification;
  open.csv.class_names = known;
  open.csv.features = options.columns.features;
  if (!options.ignore_columns.empty())
    for (const std::string_view column : split(options.ignore_columns, ','))
      open.csv.ignored.emplace_back(trim(column));
  if (!options.delimiter.empty())
    open.csv.separator = options.delimiter == "tab" ? '\t' : options.delimiter.front();
  open.csv.are_classes = options.task == "classification";
  open.sounds.frames = options.frames;
  if (name.starts_with("wav:")) open.sounds.class_names = known;
  open.csv.dtype = dtype;
  open.vocabulary = text ? known : std::vector<std::string>();
  return open;
}

// Says on standard error which images are of kinds that are not read.
void report_unread_images(const std::string& name) {
  constexpr std::string_view kImages = "images:";
  if (!name.starts_with(kImages)) return;
  const data::ImageParts parts = data::image_parts(name.substr(kImages.size()));
  std::vector<std::filesystem::path> files = data::unread_images(parts.train);
  if (parts.test)
    for (std::filesystem::path& file : data::unread_images(*parts.test))
      files.push_back(std::move(file));
  if (files.empty()) return;
  std::fputs(
      fmt::format("warning: {}: {} left out, neither PNG nor JPEG: {}{}\n", name,
                  files.size() == 1 ? "1 image is" : fmt::format("{} images are", files.size()),
                  files.front().string(), files.size() == 1 ? "" : ", ...")
          .c_str(),
      stderr);
}

}  // namespace

std::optional<data::OpenedStream> open_stream_data(const std::string& name,
                                                   const DataOptions& options, DType dtype) {
  const data::OpenOptions open = open_options(name, options, dtype, parse_classes(options.classes));
  try {
    std::optional<data::OpenedStream> opened = data::open_streamed(name, open);
    if (opened) report_unread_images(name);
    return opened;
  } catch (const data::LabelError& error) {
    refuse_option("--label", "{}", error.what());
  } catch (const data::IgnoredError& error) {
    refuse_option("--ignore-columns", "{}", error.what());
  }
}

data::Opened open_data(const std::string& name, const DataOptions& options, DType dtype,
                       const std::vector<std::string>& known) {
  const data::OpenOptions open =
      open_options(name, options, dtype, known.empty() ? parse_classes(options.classes) : known);
  try {
    data::Opened opened = data::open(name, open);
    if (open.bad_samples) report_skipped(name, *open.bad_samples);
    report_unread_images(name);
    return opened;
  } catch (const data::LabelError& error) {
    refuse_option("--label", "{}", error.what());
  } catch (const data::WeightsError& error) {
    refuse_option("--sample-weights", "{}", error.what());
  } catch (const data::IgnoredError& error) {
    refuse_option("--ignore-columns", "{}", error.what());
  }
}

data::Dataset read_csv_for(std::string_view option, const std::string& file,
                           const data::CsvOptions& options) {
  try {
    return data::csv(file, options);
  } catch (const data::LabelError& error) {
    refuse_option(option, "{}", error.what());
  }
}

void make_reconstruction(data::Dataset& train, std::optional<data::Dataset>& validation,
                         std::optional<data::Dataset>& test, const std::string& normalize) {
  data::NormalizationKind kind = train.x().dtype() == DType::u8
                                     ? data::NormalizationKind::zero_to_one
                                     : data::NormalizationKind::none;
  if (!normalize.empty()) kind = data::parse_normalization_kind(normalize);
  const data::Normalization normalization = data::Normalization::fit(train, kind);
  train = data::with_own_targets(train, normalization);
  for (std::optional<data::Dataset>* other : {&validation, &test})
    if (*other) *other = data::with_own_targets(**other, normalization);
}

void require_two_classes(const data::Dataset& dataset) {
  if (!dataset.has_classes() || !dataset.y().row_shape().empty()) return;  // one for each sample
  const HostTensor labels = dataset.y().tensor();
  const auto classes = labels.as<std::int32_t>();
  if (classes.empty()) return;
  const std::int32_t first = classes[0];
  if (std::ranges::any_of(classes, [&](std::int32_t label) { return label != first; })) return;
  const auto place = static_cast<std::size_t>(first);
  const std::vector<std::string>& names = dataset.class_names();
  throw UserError(
      fmt::format("{}: only one class, {}; two or more are needed", dataset.name(),
                  in_quotes(place < names.size() ? names[place] : fmt::format("{}", first))));
}

bool is_fraction_text(const std::string& validation) {
  return validation.find_first_not_of("0123456789.eE+-") == std::string::npos;
}

void check_no_percent(const std::string& validation) {
  if (!validation.ends_with('%')) return;
  const std::string number = validation.substr(0, validation.size() - 1);
  if (number.empty() || !is_fraction_text(number)) return;
  refuse_option("--validation", "a fraction above 0 and below 1 expected, got {}; did you mean {}?",
                in_quotes(validation),
                in_quotes(fmt::format("{:g}", parse_number("--validation", number) / 100)));
}

data::Dataset::Parts split_validation(const data::Dataset& dataset, const std::string& validation,
                                      std::uint64_t seed) {
  check_no_percent(validation);
  const double fraction = parse_number("--validation", validation);
  if (!(fraction > 0 && fraction < 1))
    refuse_option("--validation", "a fraction above 0 and below 1 expected, got {}",
                  in_quotes(validation));
  auto parts = dataset.split(1 - fraction, seed);
  if (parts.first.size() == 0 || parts.second.size() == 0)
    refuse_option("--validation", "{} of {} samples leaves one part empty", fraction,
                  dataset.size());
  return parts;
}

data::Opened open_all_for(const Trainer& trainer, const DataOptions& options) {
  DataOptions filled = options;
  const RowTypes rows = trainer.row_types();
  const bool may_reconstruct = is_float(rows.y.dtype) && rows.y.shape == rows.x.shape;
  if (filled.task.empty() && has_columns(filled.data) && may_reconstruct)
    filled.task = "reconstruction";
  if (filled.task.empty() && has_columns(filled.data))
    filled.task = is_integer(rows.y.dtype) ? "classification" : "regression";
  const data::TableColumns& columns = trainer.options().columns;
  if (has_columns(filled.data) && columns.is_known()) {
    filled.columns = columns;
    if (filled.label.empty()) filled.label = columns.label;
  }
  const Shape& row = rows.x.shape;
  if (filled.data.starts_with("images:") && row.size() == 3) {
    if (filled.image_size.empty()) filled.image_size = fmt::format("{}x{}", row[0], row[1]);
    if (filled.image_channels.empty() && row[2] == 1) filled.image_channels = "1";
  }
  if (filled.data.starts_with("wav:") && filled.frames == 0 && row.size() == 1)
    filled.frames = row[0];
  if (filled.data.starts_with("text:") && filled.window == 0 && row.size() == 1)
    filled.window = row[0];
  data::Opened opened =
      open_data(options.data, filled, rows.x.dtype == DType::f64 ? DType::f64 : DType::f32,
                trainer.class_names());
  const auto with_targets = [&](const data::Dataset& dataset) {
    const bool has_targets =
        dataset.has_y() && TensorType{dataset.y().dtype(), dataset.y().row_shape()} == rows.y;
    if (filled.task == "reconstruction" || (may_reconstruct && !has_targets))
      return data::with_own_targets(dataset, trainer.normalization());
    return dataset;
  };
  opened.train = with_targets(opened.train);
  if (opened.test) opened.test = with_targets(*opened.test);
  return opened;
}

data::Dataset open_data_for(const Trainer& trainer, const DataOptions& options) {
  data::Opened opened = open_all_for(trainer, options);
  return with_weights_of_file(opened.test ? *opened.test : opened.train, options);
}

}  // namespace tenon::cli
