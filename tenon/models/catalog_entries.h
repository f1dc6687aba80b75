// The functions behind the names of the catalog: each reads its options and makes its network.
#pragma once
#include "tenon/base/part_name.h"
#include "tenon/models/catalog.h"

namespace tenon::models {

// Asks for every option that the network has; whatever is left is an error of the caller's.
using MakeModel = nn::Layer (*)(PartName& part, const Request& request);

// An option that is a whole number in [low, high]. UserError otherwise.
std::int64_t whole_option(PartName& part, std::string_view option, std::int64_t otherwise,
                          std::int64_t low = 1, std::int64_t high = std::int64_t{1} << 20);
// Whole numbers from 1 to 2^24, written 128/64; a single 0 means none.
std::vector<std::int64_t> whole_options(PartName& part, std::string_view option,
                                        std::vector<std::int64_t> otherwise);
// 0 or 1.
bool flag_option(PartName& part, std::string_view option, bool otherwise);
// A number in [low, high].
double number_option(PartName& part, std::string_view option, double otherwise, double low,
                     double high);

// UserError unless samples are numbers (floats, or bytes that will be scaled).
void require_numbers(const PartName& part, const Request& request);

// UserError if an activation is asked for.
void require_no_activation(const PartName& part, const Request& request);

nn::Layer mlp_of(PartName& part, const Request& request);
nn::Layer lenet_of(PartName& part, const Request& request);
nn::Layer linear_of(PartName& part, const Request& request);
nn::Layer resnet20_of(PartName& part, const Request& request);
nn::Layer resnet32_of(PartName& part, const Request& request);
nn::Layer resnet56_of(PartName& part, const Request& request);
nn::Layer resnet18_of(PartName& part, const Request& request);
nn::Layer resnet50_of(PartName& part, const Request& request);
nn::Layer mobilenet_v2_of(PartName& part, const Request& request);
nn::Layer unet_of(PartName& part, const Request& request);
nn::Layer vit_of(PartName& part, const Request& request);
nn::Layer autoencoder_of(PartName& part, const Request& request);
nn::Layer conv_autoencoder_of(PartName& part, const Request& request);
nn::Layer vae_of(PartName& part, const Request& request);
nn::Layer speech_commands_of(PartName& part, const Request& request);
nn::Layer gpt_of(PartName& part, const Request& request);
nn::Layer char_lstm_of(PartName& part, const Request& request);
nn::Layer bert_of(PartName& part, const Request& request);
nn::Layer electra_of(PartName& part, const Request& request);

}  // namespace tenon::models
