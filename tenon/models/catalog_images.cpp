// The catalog's entries for networks of images and sounds.
#include "tenon/models/autoencoder.h"
#include "tenon/models/catalog_entries.h"
#include "tenon/models/mobilenet.h"
#include "tenon/models/resnet.h"
#include "tenon/models/speech.h"
#include "tenon/models/unet.h"
#include "tenon/models/vit.h"

namespace tenon::models {
namespace {

constexpr std::int64_t kWidestImage = 1 << 14;

nn::Layer small_resnet_of(PartName& part, const Request& request, std::int64_t blocks) {
  require_numbers(part, request);
  SmallResnetOptions options;
  options.blocks = whole_option(part, "blocks", blocks, 1, 1000);
  options.width = whole_option(part, "width", options.width, 1, kWidestImage);
  options.shortcut = flag_option(part, "projected", false) ? Shortcut::projected : Shortcut::padded;
  options.activation = request.activation.value_or(options.activation);
  options.image = request.sample.shape;
  return small_resnet(request.outputs, options);
}

nn::Layer large_resnet_of(PartName& part, const Request& request, std::vector<std::int64_t> blocks,
                          bool bottleneck) {
  require_numbers(part, request);
  ResnetOptions options;
  options.blocks = whole_options(part, "blocks", std::move(blocks));
  options.bottleneck = bottleneck;
  options.width = whole_option(part, "width", options.width, 1, kWidestImage);
  options.small_images = flag_option(part, "small", false);
  options.activation = request.activation.value_or(options.activation);
  options.image = request.sample.shape;
  return resnet(request.outputs, options);
}

// What reconstructs its input predicts as many numbers as a sample has.
void require_reconstruction(const PartName& part, const Request& request) {
  require_numbers(part, request);
  require(request.outputs == element_count(request.sample.shape),
          "{} reconstructs its samples of {} numbers, the data asks for {}\n  help: --task "
          "reconstruction makes the samples their own targets",
          part.name(), element_count(request.sample.shape), request.outputs);
}

}  // namespace

nn::Layer resnet20_of(PartName& part, const Request& request) {
  return small_resnet_of(part, request, 3);
}
nn::Layer resnet32_of(PartName& part, const Request& request) {
  return small_resnet_of(part, request, 5);
}
nn::Layer resnet56_of(PartName& part, const Request& request) {
  return small_resnet_of(part, request, 9);
}
nn::Layer resnet18_of(PartName& part, const Request& request) {
  return large_resnet_of(part, request, {2, 2, 2, 2}, false);
}
nn::Layer resnet50_of(PartName& part, const Request& request) {
  return large_resnet_of(part, request, {3, 4, 6, 3}, true);
}

nn::Layer mobilenet_v2_of(PartName& part, const Request& request) {
  require_numbers(part, request);
  require_no_activation(part, request);
  MobilenetOptions options;
  options.width = number_option(part, "width", options.width, 0.01, 64);
  options.stages = whole_option(part, "stages", options.stages, 1, 7);
  options.blocks = whole_option(part, "blocks", options.blocks);
  options.small_images = flag_option(part, "small", false);
  options.dropout = number_option(part, "dropout", options.dropout, 0, 0.999);
  options.image = request.sample.shape;
  return mobilenet_v2(request.outputs, options);
}

nn::Layer unet_of(PartName& part, const Request& request) {
  require_numbers(part, request);
  UnetOptions options;
  options.width = whole_option(part, "width", options.width, 1, 1 << 12);
  options.depth = whole_option(part, "depth", options.depth, 0, 10);
  options.activation = request.activation.value_or(options.activation);
  options.image = request.sample.shape;
  return unet(request.outputs, options);
}

nn::Layer vit_of(PartName& part, const Request& request) {
  require_numbers(part, request);
  require_no_activation(part, request);
  VitOptions options;
  options.patch = whole_option(part, "patch", options.patch);
  options.width = whole_option(part, "width", options.width, 1, 1 << 16);
  options.layers = whole_option(part, "layers", options.layers, 0, 1000);
  options.heads = whole_option(part, "heads", options.heads);
  options.hidden = whole_option(part, "hidden", options.hidden, 0, 1 << 18);
  options.class_token = !flag_option(part, "mean", false);
  options.dropout = number_option(part, "dropout", options.dropout, 0, 0.999);
  options.image = request.sample.shape;
  return vit(request.outputs, options);
}

nn::Layer autoencoder_of(PartName& part, const Request& request) {
  require_reconstruction(part, request);
  AutoencoderOptions options;
  options.hidden = whole_options(part, "hidden", options.hidden);
  options.code = whole_option(part, "code", options.code);
  options.activation = request.activation.value_or(options.activation);
  return autoencoder(request.sample.shape, options);
}

nn::Layer conv_autoencoder_of(PartName& part, const Request& request) {
  require_reconstruction(part, request);
  ConvAutoencoderOptions options;
  options.filters = whole_options(part, "filters", options.filters);
  options.activation = request.activation.value_or(options.activation);
  return conv_autoencoder(request.sample.shape, options);
}

nn::Layer vae_of(PartName& part, const Request& request) {
  require_reconstruction(part, request);
  VaeOptions options;
  options.hidden = whole_options(part, "hidden", options.hidden);
  options.code = whole_option(part, "code", options.code);
  options.beta = number_option(part, "beta", options.beta, 0, 1e6);
  options.noise = number_option(part, "noise", options.noise, 0, 1e3);
  options.activation = request.activation.value_or(options.activation);
  return vae(request.sample.shape, options);
}

nn::Layer speech_commands_of(PartName& part, const Request& request) {
  require_numbers(part, request);
  require_no_activation(part, request);
  SpeechOptions options;
  options.filters = whole_option(part, "filters", options.filters, 1, 1 << 16);
  options.blocks = whole_option(part, "blocks", options.blocks, 0, 1000);
  options.rate = number_option(part, "rate", options.rate, 400, 1 << 20);
  options.bands = whole_option(part, "bands", options.bands, 1, 1 << 16);
  options.sample = request.sample.shape;
  return speech_commands(request.outputs, options);
}

}  // namespace tenon::models
