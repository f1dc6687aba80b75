#include "tenon/cli/data_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "tenon/backends/backend.h"
#include "tenon/base/text.h"
#include "tenon/data/open.h"
#include "tenon/data/text.h"
#include "tenon/io/file.h"

namespace tenon::cli {

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

std::vector<std::string> parse_classes(const std::string& text) {
  std::vector<std::string> names;
  if (text.empty()) return names;
  if (text.find_first_not_of("0123456789") == std::string::npos) {
    const std::int64_t count = parse_count("--classes", text, 2, data::kLargestClassCount);
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

namespace {

// "csv:" for flowers.csv; "" if the name does not tell.
std::string kind_of_file(std::string_view name) {
  if (io::folder_exists(name)) return "images:";
  if (name.ends_with(".gz")) name.remove_suffix(3);
  constexpr std::array kEndings = {
      std::pair(".csv", "csv:"),         std::pair(".tsv", "csv:"),
      std::pair(".npz", "npz:"),         std::pair(".txt", "text:"),
      std::pair(".parquet", "parquet:"), std::pair(".arrow", "arrow:"),
      std::pair(".feather", "arrow:"),   std::pair(".tfrecord", "tfrecord:"),
      std::pair(".tar", "tar:")};
  for (const auto& [ending, kind] : kEndings)
    if (name.ends_with(ending)) return kind;
  return "";
}

}  // namespace

void check_data_name(std::string_view option, const std::string& name) {
  const std::size_t colon = name.find(':');
  const std::string kind = name.substr(0, colon);
  const auto kinds = data::source_kinds();
  const auto known = std::ranges::find(kinds, kind, &data::SourceKind::name);
  if (known == kinds.end()) {
    std::vector<std::string> names;
    for (const data::SourceKind& one : kinds) names.emplace_back(one.name);
    const std::string meant = kind_of_file(name);
    refuse_option(option, "unknown data {}; known: {}{}", in_quotes(name), data::source_forms(),
                  meant.empty() ? did_you_mean(kind, names)
                                : fmt::format("; did you mean {}?", in_quotes(meant + name)));
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
             "what to do at a sample that cannot be read or differs in type from the first one, of "
             "images:, csv: and streamed data");
  add_text(app, "--tokenizer", options.tokenizer,
           "of text:FILE: char (the default), byte, or a tokenizer.json", "char|byte|FILE");
  constexpr std::int64_t kMostWindow = std::int64_t{1} << 24;
  add_count(app, "--window", options.window, 1, kMostWindow,
            "tokens in a sample of text:FILE; 64, or as the model was trained with")
      ->default_str("");
  add_count(
      app, "--frames", options.frames, 1, std::int64_t{1} << 30,
      "the frames that sounds of wav:FOLDER are cut or filled to; as the files are, or as the "
      "model was trained with")
      ->default_str("");
  add_text(app, "--ignore-columns", options.ignore_columns,
           "columns of csv:, parquet: and arrow: data that are left out, by name or number from 1",
           "NAME,...");
  add_checked(
      app, "--delimiter", options.delimiter,
      [](const std::string& text) {
        require(text == "," || text == ";" || text == "tab",
                "\",\", \";\" or \"tab\" expected, got {}", in_quotes(text));
      },
      "what separates the fields of csv:FILE; by its first line if not given", ",|;|tab");
}

void add_classes_option(CLI::App& app, DataOptions& options) {
  add_checked(
      app, "--classes", options.classes, [](const std::string& text) { parse_classes(text); },
      "of tar:, tfrecord:, parquet:, arrow: and stream: data: how many, or their names",
      "N|NAME,...");
}

bool has_columns(const std::string& name) {
  return name.starts_with("csv:") || name.starts_with("parquet:") || name.starts_with("arrow:");
}

void add_device_options(CLI::App& app, DeviceOptions& options) {
  add_choice(app, "--device", options.device, backends::device_names(), "where to compute");
  constexpr std::int64_t kMostThreads = 1024;
  add_count(app, "--threads", options.threads, 0, kMostThreads,
            "threads of the cpu device; 0: all cores this process may use");
}

}  // namespace tenon::cli
