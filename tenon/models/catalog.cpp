#include "tenon/models/catalog.h"

#include <array>

#include "tenon/base/unknown_name.h"
#include "tenon/models/catalog_entries.h"

namespace tenon::models {
namespace {

struct ModelEntry {
  std::string_view name;
  MakeModel make;
  bool takes_ids = false;  // samples are texts
};

// A network more is a line here, a function of catalog_entries.h and a line in docs/models.md.
constexpr std::array kModels = {
    ModelEntry{"mlp", mlp_of},
    ModelEntry{"lenet", lenet_of},
    ModelEntry{"linear-regression", linear_of},
    ModelEntry{"logistic-regression", linear_of},
    ModelEntry{"resnet20", resnet20_of},
    ModelEntry{"resnet32", resnet32_of},
    ModelEntry{"resnet56", resnet56_of},
    ModelEntry{"resnet18", resnet18_of},
    ModelEntry{"resnet50", resnet50_of},
    ModelEntry{"mobilenet-v2", mobilenet_v2_of},
    ModelEntry{"unet", unet_of},
    ModelEntry{"vit", vit_of},
    ModelEntry{"autoencoder", autoencoder_of},
    ModelEntry{"conv-autoencoder", conv_autoencoder_of},
    ModelEntry{"vae", vae_of},
    ModelEntry{"speech-commands", speech_commands_of},
    ModelEntry{"char-lstm", char_lstm_of, true},
    ModelEntry{"gpt", gpt_of, true},
    ModelEntry{"bert", bert_of, true},
    ModelEntry{"electra", electra_of, true},
};

constexpr auto kModelNames = [] {
  std::array<std::string_view, kModels.size()> names{};
  for (std::size_t i = 0; i < kModels.size(); ++i) names[i] = kModels[i].name;
  return names;
}();

const ModelEntry& entry_of(const std::string& name) {
  for (const ModelEntry& entry : kModels)
    if (entry.name == name) return entry;
  throw_unknown("model", name, kModelNames);
}

}  // namespace

nn::Layer make_model(std::string_view text, const Request& request) {
  PartName part("model", text);
  require(request.outputs > 0, "model {}: outputs must be above 0, got {}", part.name(),
          request.outputs);
  nn::Layer model = entry_of(part.name()).make(part, request);
  part.require_all_read();
  return model;
}

std::string model_name(std::string_view text) {
  const PartName part("model", text);
  return std::string(entry_of(part.name()).name);
}

bool takes_ids(std::string_view text) {
  const PartName part("model", text);
  return entry_of(part.name()).takes_ids;
}

std::span<const std::string_view> model_names() { return kModelNames; }

}  // namespace tenon::models
