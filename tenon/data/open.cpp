#include "tenon/data/open.h"

#include <algorithm>
#include <array>

#include "tenon/base/text.h"
#include "tenon/data/cifar10.h"
#include "tenon/data/images.h"
#include "tenon/data/open_stream.h"
#include "tenon/data/text.h"
#include "tenon/io/file.h"

namespace tenon::data {

namespace {

constexpr std::array kSourceKinds = {SourceKind{"fashion-mnist", "FOLDER", false},
                                     SourceKind{"idx", "FOLDER"},
                                     SourceKind{"cifar10", "FOLDER"},
                                     SourceKind{"images", "FOLDER"},
                                     SourceKind{"csv", "FILE"},
                                     SourceKind{"npz", "FILE"},
                                     SourceKind{"text", "FILE"},
                                     SourceKind{"wav", "FOLDER"},
                                     SourceKind{"parquet", "FILE"},
                                     SourceKind{"arrow", "FILE"},
                                     SourceKind{"tfrecord", "GLOB"},
                                     SourceKind{"tar", "GLOB"},
                                     SourceKind{"stream", "ADDRESS"}};

Opened open_images(const std::filesystem::path& place, const OpenOptions& options) {
  const ImageParts parts = image_parts(place);
  const ImageFolder train = image_folder(parts.train, options.images);
  Opened opened{train.load(options.image_workers, options.bad_samples), std::nullopt};
  if (!parts.test) return opened;
  ImageFolderOptions test = options.images;
  test.class_names = train.class_names();
  opened.test = image_folder(*parts.test, test).load(options.image_workers, options.bad_samples);
  return opened;
}

}  // namespace

std::span<const SourceKind> source_kinds() { return kSourceKinds; }

std::string source_forms() {
  std::vector<std::string> forms;
  for (const SourceKind& kind : kSourceKinds)
    forms.push_back(kind.needs_place ? fmt::format("{}:{}", kind.name, kind.place)
                                     : std::string(kind.name));
  return join(forms, ", ");
}

Opened open(const std::string& name, const OpenOptions& options) {
  const std::size_t colon = name.find(':');
  const std::string kind = name.substr(0, colon);
  const std::string place = colon == std::string::npos ? "" : name.substr(colon + 1);
  const auto known = std::ranges::find(kSourceKinds, kind, &SourceKind::name);
  if (known == kSourceKinds.end()) {
    std::vector<std::string> names;
    for (const SourceKind& one : kSourceKinds) names.emplace_back(one.name);
    throw UserError(fmt::format("unknown data {}: one of {} expected{}", in_quotes(name),
                                source_forms(), did_you_mean(kind, names)));
  }
  require(!place.empty() || (!known->needs_place && colon == std::string::npos),
          "data {} names no {}: {}:{} expected", in_quotes(name),
          known->place == "FOLDER"    ? "folder"
          : known->place == "ADDRESS" ? "address"
                                      : "file",
          kind, known->place);
  if (const std::optional<Stream> stream = open_equal_stream(name, options)) {
    Opened opened{load(*stream, options.image_workers), std::nullopt};
    const bool is_table = kind == "parquet" || kind == "arrow";
    if (is_table && !options.csv.are_classes) require_likely_classes(opened.train);
    opened.columns = stream_columns(name, options);
    return opened;
  }
  if (kind == "fashion-mnist" || kind == "idx") {
    TrainTest both = kind == "idx" ? mnist_folder(place) : fashion_mnist(place);
    return {std::move(both.train), std::move(both.test)};
  }
  if (kind == "cifar10") {
    TrainTest both = cifar10(place);
    return {std::move(both.train), std::move(both.test)};
  }
  if (kind == "images") return open_images(place, options);
  if (kind == "csv") {
    NamedColumns table = csv_with_columns(place, options.csv, options.bad_samples);
    return {std::move(table.rows), std::nullopt, std::nullopt, std::move(table.columns)};
  }
  if (kind == "npz") return {npz(place, options.csv.weights), std::nullopt};
  if (options.tokenizer)
    return {text_windows(place, *options.tokenizer, options.window), std::nullopt,
            options.tokenizer};
  Dataset characters = text_characters(place, options.window, {.vocabulary = options.vocabulary});
  Tokenizer tokenizer = character_tokenizer(characters.class_names());
  return {std::move(characters), std::nullopt, std::move(tokenizer)};
}

}  // namespace tenon::data
