// The name maps that Tenon knows: torchvision's convolutional networks, and the list of all.
#include <algorithm>
#include <array>
#include <charconv>

#include "tenon/base/text.h"
#include "tenon/base/unknown_name.h"
#include "tenon/train/name_map_reading.h"
#include "tenon/train/name_map_transformers.h"

namespace tenon {
namespace {

// "residual_3" is the layer of kind "residual" with number 3; without a number it is 0.
struct NumberedLayer {
  std::string_view kind;
  int number = 0;
};

NumberedLayer numbered_layer(std::string_view name) {
  const std::size_t place = name.rfind('_');
  if (place == std::string_view::npos) return {name};
  int number = 0;
  const auto [end, error] =
      std::from_chars(name.data() + place + 1, name.data() + name.size(), number);
  const bool is_number = error == std::errc() && end == name.data() + name.size();
  return is_number && number >= 0 ? NumberedLayer{name.substr(0, place), number}
                                  : NumberedLayer{name};
}

// PyTorch's names of what layers have, and what is done to it.
struct FieldName {
  std::string_view field, torch;
  TensorChange change = TensorChange::none;
};
constexpr std::array kTorchFields = {FieldName{"kernel", "weight", TensorChange::output_last},
                                     FieldName{"bias", "bias"},
                                     FieldName{"scale", "weight"},
                                     FieldName{"offset", "bias"},
                                     FieldName{"mean", "running_mean"},
                                     FieldName{"variance", "running_var"}};

// Adds a weight whose layer PyTorch calls `layer`.
void add_field(NameMap& map, const std::string& weight, const std::string& layer) {
  const std::string_view field = std::string_view(weight).substr(weight.rfind('/') + 1);
  for (const FieldName& known : kTorchFields)
    if (known.field == field)
      map.sources.push_back({weight, fmt::format("{}.{}", layer, known.torch), known.change});
}

// resnet18, resnet50 and those between and beyond.
NameMap torchvision_resnet(std::span<const std::string> weights) {
  NameMap map{"torchvision-resnet", {}, {"*.num_batches_tracked"}};
  // A block whose shortcut has weights begins a stage, and so does the first.
  std::vector<int> starts;
  for (const std::string& weight : weights) {
    const std::vector<std::string_view> path = split(weight, '/');
    const NumberedLayer block = numbered_layer(path[0]);
    if (block.kind != "residual" || path.size() < 3) continue;
    const bool begins = block.number == 0 || path[1] == "sequential_1";
    if (begins && std::ranges::find(starts, block.number) == starts.end())
      starts.push_back(block.number);
  }
  for (const std::string& weight : weights) {
    const std::vector<std::string_view> path = split(weight, '/');
    const NumberedLayer outer = numbered_layer(path[0]);
    if (path.size() == 2 && outer.number == 0 && outer.kind == "conv2d") {
      add_field(map, weight, "conv1");
    } else if (path.size() == 2 && outer.number == 0 && outer.kind == "batch_norm") {
      add_field(map, weight, "bn1");
    } else if (path.size() == 2 && outer.kind == "dense") {
      add_field(map, weight, "fc");
    } else if (path.size() == 4 && outer.kind == "residual") {
      const auto stage = std::ranges::count_if(starts, [&](int s) { return s <= outer.number; });
      const NumberedLayer inner = numbered_layer(path[2]);
      const bool is_shortcut = path[1] == "sequential_1", is_conv = inner.kind == "conv2d";
      const int first = starts[static_cast<std::size_t>(stage) - 1];
      add_field(map, weight,
                fmt::format("layer{}.{}.{}", stage, outer.number - first,
                            is_shortcut
                                ? fmt::format("downsample.{}", is_conv ? 0 : 1)
                                : fmt::format("{}{}", is_conv ? "conv" : "bn", inner.number + 1)));
    } else {
      refuse_model(map, weight);
    }
  }
  return map;
}

NameMap torchvision_mobilenet_v2(std::span<const std::string> weights) {
  NameMap map{"torchvision-mobilenet-v2", {}, {"*.num_batches_tracked"}};
  // Blocks in the order of the model; those that widen their input have two convolutions of 1x1.
  std::vector<std::string> blocks, wide;
  for (const std::string& weight : weights) {
    const std::string block = weight.substr(0, weight.find("/", 0));
    const bool is_block = block.starts_with("sequential") || block.starts_with("residual");
    if (is_block && std::ranges::find(blocks, block) == blocks.end()) blocks.push_back(block);
    if (is_block && weight.ends_with("/conv2d_1/kernel")) wide.push_back(block);
  }
  for (const std::string& weight : weights) {
    const std::vector<std::string_view> path = split(weight, '/');
    const std::string block(path[0]);
    const NumberedLayer inner = numbered_layer(path.size() < 2 ? path[0] : path[path.size() - 2]);
    const auto place = std::ranges::find(blocks, block);
    if (place != blocks.end()) {
      const int number = static_cast<int>(place - blocks.begin()) + 1;
      const int steps = std::ranges::find(wide, block) != wide.end() ? 2 : 1;  // before the last
      const bool is_norm = inner.kind == "batch_norm", is_depthwise = inner.kind[0] == 'd';
      // conv.0 and conv.1 are a convolution and its norm each; the last two stand bare.
      const bool is_first = inner.number == 0 && steps == 2;
      const int convolution = is_norm        ? inner.number
                              : is_depthwise ? steps - 1
                              : is_first     ? 0
                                             : steps;
      const std::string name = convolution < steps
                                   ? fmt::format("{}.{}", convolution, is_norm ? 1 : 0)
                                   : fmt::format("{}", is_norm ? steps + 1 : steps);
      add_field(map, weight, fmt::format("features.{}.conv.{}", number, name));
    } else if (inner.kind == "conv2d" || inner.kind == "batch_norm") {
      add_field(map, weight,
                fmt::format("features.{}.{}", inner.number == 0 ? 0 : blocks.size() + 1,
                            inner.kind == "conv2d" ? 0 : 1));
    } else if (inner.kind == "dense") {
      add_field(map, weight, "classifier.1");
    } else {
      refuse_model(map, weight);
    }
  }
  return map;
}

struct KnownMap {
  std::string_view name;
  NameMap (*make)(std::span<const std::string> weights);
};
constexpr std::array kKnownMaps = {KnownMap{"torchvision-resnet", torchvision_resnet},
                                   KnownMap{"torchvision-mobilenet-v2", torchvision_mobilenet_v2},
                                   KnownMap{"torchvision-vit", torchvision_vit},
                                   KnownMap{"huggingface-gpt2", huggingface_gpt2},
                                   KnownMap{"huggingface-bert", huggingface_bert}};
constexpr auto kKnownMapNames = [] {
  std::array<std::string_view, kKnownMaps.size()> names{};
  for (std::size_t i = 0; i < kKnownMaps.size(); ++i) names[i] = kKnownMaps[i].name;
  return names;
}();

}  // namespace

std::span<const std::string_view> name_map_names() { return kKnownMapNames; }

NameMap find_name_map(const std::string& name_or_file, std::span<const std::string> weights) {
  if (name_or_file.empty()) {
    NameMap map{"of equal names", {}};
    for (const std::string& weight : weights) map.sources.push_back({weight, weight});
    return map;
  }
  if (name_or_file.ends_with(".json")) return read_name_map(name_or_file, weights);
  for (const KnownMap& known : kKnownMaps)
    if (known.name == name_or_file) return known.make(weights);
  throw_unknown("name map (or FILE.json)", name_or_file, kKnownMapNames);
}

}  // namespace tenon
