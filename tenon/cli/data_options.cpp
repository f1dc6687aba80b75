#include "tenon/cli/data_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <set>
#include <tuple>

#include "tenon/base/cpu_info.h"
#include "tenon/base/text.h"
#include "tenon/data/reconstruction.h"
#include "tenon/data/text.h"
#include "tenon/io/file.h"
#include "tenon/io/npy.h"

namespace tenon::cli {

namespace {

// "HEIGHTxWIDTH". UserError for anything else.
std::pair<std::int64_t, std::int64_t> parse_sides(const std::string& text) {
  std::int64_t sides[2] = {0, 0};
  const std::vector<std::string_view> parts = split(text, 'x');
  constexpr std::int64_t kMostPixels = 65535;
  bool good = parts.size() == 2;
  for (std::size_t i = 0; good && i < 2; ++i) {
    const auto [end, error] =
        std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), sides[i]);
    good = error == std::errc() && end == parts[i].data() + parts[i].size() && sides[i] >= 1 &&
           sides[i] <= kMostPixels;
  }
  require(good, "HEIGHTxWIDTH expected, each from 1 to {}, got {}", kMostPixels, in_quotes(text));
  return {sides[0], sides[1]};
}

// "0", "1", ... for a number, else the names; empty for an empty text. UserError for anything else.
std::vector<std::string> parse_classes(const std::string& text) {
  constexpr std::int64_t kMostClasses = 1 << 20;
  std::vector<std::string> names;
  if (text.empty()) return names;
  if (text.find_first_not_of("0123456789") == std::string::npos) {
    const std::int64_t count = parse_count("--classes", text, 2, kMostClasses);
    for (std::int64_t i = 0; i < count; ++i) names.push_back(fmt::format("{}", i));
    return names;
  }
  for (const std::string_view name : split(text, ',')) names.emplace_back(name);
  require(names.size() > 1, "a number of classes, or two or more names, expected, got {}",
          in_quotes(text));
  std::set<std::string_view> known;
  for (const std::string& name : names) {
    require(!name.empty(), "an empty name among {}", in_quotes(text));
    data::split_characters(name, "a name");  // they are written to run.json
    require(known.insert(name).second, "{} is named twice", in_quotes(name));
  }
  return names;
}

}  // namespace

void report_skipped(const std::string& name, const data::BadSamples& bad) {
  if (bad.count() == 0) return;
  constexpr std::size_t kMostShown = 5;
  std::string text = fmt::format("warning: {}: {} images were skipped\n", name, bad.count());
  const std::vector<std::string> messages = bad.messages();
  for (std::size_t i = 0; i < std::min(kMostShown, messages.size()); ++i)
    text += fmt::format("  {}\n", messages[i]);
  std::fputs(text.c_str(), stderr);
}

void check_data_name(std::string_view option, const std::string& name) {
  const std::size_t colon = name.find(':');
  const std::string kind = name.substr(0, colon);
  const auto kinds = data::source_kinds();
  const auto known = std::ranges::find(kinds, kind, &data::SourceKind::name);
  if (known == kinds.end()) {
    std::vector<std::string> names;
    for (const data::SourceKind& one : kinds) names.emplace_back(one.name);
    refuse_option(option, "unknown data {}; known: {}{}", in_quotes(name), data::source_forms(),
                  did_you_mean(kind, names));
  }
  const bool has_place = colon != std::string::npos && colon + 1 < name.size();
  if (!has_place && (known->needs_place || colon != std::string::npos))
    refuse_option(option, "{} names no {}: {}:{} expected", in_quotes(name),
                  known->place == "FOLDER" ? "folder" : "file", kind, known->place);
}

void add_data_options(CLI::App& app, DataOptions& options, Need need) {
  app.add_option_function<std::string>(
         "--data",
         [&options](const std::string& text) {
           check_data_name("--data", text);
           options.data = text;
         },
         help_text(data::source_forms(), need))
      ->type_name("DATA");
  add_text(
      app, "--label", options.label,
      "the label's column of csv:, parquet: or arrow: data, by name or number from 1 (the last by "
      "default), or a feature of tfrecord: data",
      "NAME");
  add_text(app, "--sample-weights", options.sample_weights,
           "how much each sample counts in the loss: a file with a number for each, a column of "
           "csv:FILE or an array of npz:FILE",
           "FILE.npy|NAME");
  add_choice(
      app, "--task", options.task, {"classification", "regression", "reconstruction"},
      "what the labels of csv:, parquet: and arrow: data are; reconstruction: samples are their "
      "own targets");
  add_checked(
      app, "--image-size", options.image_size, [](const std::string& text) { parse_sides(text); },
      "the size that images:FOLDER is resized to; as the files are if it is not given",
      "HEIGHTxWIDTH");
  add_choice(app, "--image-channels", options.image_channels, {"1", "3"},
             "of images:FOLDER: 1, gray, or 3, RGB (the default)");
  add_choice(app, "--bad-samples", options.bad_samples, {"stop", "skip"},
             "what to do at an image that cannot be decoded");
  add_text(app, "--tokenizer", options.tokenizer,
           "of text:FILE: char (the default), byte, or a tokenizer.json", "char|byte|FILE");
  constexpr std::int64_t kMostWindow = std::int64_t{1} << 24;
  add_count(app, "--window", options.window, 1, kMostWindow,
            "tokens in a sample of text:FILE; 64, or as the model was trained with");
}

DataOptions with_tokenizer_of(const std::string& run, DataOptions options) {
  const std::string file = run + "/tokenizer.json";
  if (options.data.starts_with("text:") && options.tokenizer.empty() && io::file_exists(file))
    options.tokenizer = file;
  return options;
}

void add_classes_option(CLI::App& app, DataOptions& options) {
  add_checked(
      app, "--classes", options.classes, [](const std::string& text) { parse_classes(text); },
      "of tar:, tfrecord:, parquet:, arrow: and stream: data: how many, or their names",
      "N|NAME,...");
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

bool has_columns(const std::string& name) {
  return name.starts_with("csv:") || name.starts_with("parquet:") || name.starts_with("arrow:");
}

namespace {

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
  if (options.bad_samples == "skip") open.bad_images = data::BadSamples();
  open.image_workers = usable_cores();
  open.csv.label = options.label;
  if (!has_weights_file(options)) open.csv.weights = options.sample_weights;
  open.csv.task = options.task == "regression" ? data::Task::regression
                  : reconstructs               ? data::Task::unlabelled
                                               : data::Task::classification;
  open.csv.class_names = known;
  open.csv.dtype = dtype;
  open.vocabulary = text ? known : std::vector<std::string>();
  return open;
}

}  // namespace

std::optional<data::OpenedStream> open_stream_data(const std::string& name,
                                                   const DataOptions& options, DType dtype) {
  const data::OpenOptions open = open_options(name, options, dtype, parse_classes(options.classes));
  try {
    return data::open_streamed(name, open);
  } catch (const data::LabelError& error) {
    refuse_option("--label", "{}", error.what());
  }
}

data::Opened open_data(const std::string& name, const DataOptions& options, DType dtype,
                       const std::vector<std::string>& known) {
  const data::OpenOptions open =
      open_options(name, options, dtype, known.empty() ? parse_classes(options.classes) : known);
  try {
    data::Opened opened = data::open(name, open);
    if (open.bad_images) report_skipped(name, *open.bad_images);
    return opened;
  } catch (const data::LabelError& error) {
    refuse_option("--label", "{}", error.what());
  } catch (const data::WeightsError& error) {
    refuse_option("--sample-weights", "{}", error.what());
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

data::Opened open_all_for(const Trainer& trainer, const DataOptions& options) {
  DataOptions filled = options;
  const RowTypes rows = trainer.row_types();
  const bool may_reconstruct = is_float(rows.y.dtype) && rows.y.shape == rows.x.shape;
  if (filled.task.empty() && has_columns(filled.data) && may_reconstruct)
    filled.task = "reconstruction";
  if (filled.task.empty() && has_columns(filled.data))
    filled.task = is_integer(rows.y.dtype) ? "classification" : "regression";
  const Shape& row = rows.x.shape;
  if (filled.data.starts_with("images:") && row.size() == 3) {
    if (filled.image_size.empty()) filled.image_size = fmt::format("{}x{}", row[0], row[1]);
    if (filled.image_channels.empty() && row[2] == 1) filled.image_channels = "1";
  }
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

void add_device_options(CLI::App& app, DeviceOptions& options) {
  add_choice(app, "--device", options.device, backends::device_names(), "where to compute");
  constexpr std::int64_t kMostThreads = 1024;
  add_count(app, "--threads", options.threads, 0, kMostThreads,
            "threads of the cpu device; 0: all cores this process may use");
}

}  // namespace tenon::cli
