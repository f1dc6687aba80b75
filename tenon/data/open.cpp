#include "tenon/data/open.h"

#include "tenon/base/text.h"
#include "tenon/data/images.h"
#include "tenon/data/text.h"

namespace tenon::data {

Opened open(const std::string& name, const OpenOptions& options) {
  const std::size_t colon = name.find(':');
  const std::string kind = name.substr(0, colon);
  const std::string place = colon == std::string::npos ? "" : name.substr(colon + 1);
  const std::vector<std::string> kinds = {"fashion-mnist", "idx", "csv", "npz", "text"};
  require(std::ranges::find(kinds, kind) != kinds.end(),
          "unknown data {}: fashion-mnist, idx:FOLDER, csv:FILE, npz:FILE or text:FILE expected{}",
          in_quotes(name), did_you_mean(kind, kinds));
  require(kind == "fashion-mnist" ? colon == std::string::npos || !place.empty() : !place.empty(),
          "data {} names no file: {}:{} expected", in_quotes(name), kind,
          kind == "idx" || kind == "fashion-mnist" ? "FOLDER" : "FILE");
  if (kind == "fashion-mnist" || kind == "idx") {
    TrainTest both = kind == "idx" ? mnist_folder(place) : fashion_mnist(place);
    return {std::move(both.train), std::move(both.test)};
  }
  if (kind == "csv") return {csv(place, options.csv), std::nullopt};
  if (kind == "npz") return {npz(place), std::nullopt};
  return {text_characters(place, options.window, {.vocabulary = options.vocabulary}), std::nullopt};
}

}  // namespace tenon::data
