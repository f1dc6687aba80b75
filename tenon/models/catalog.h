// Ready-made networks by name, with numbers after it: "resnet20", "gpt:layers=4:width=128".
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/base/tensor_type.h"
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::models {

// What a network is made for.
struct Request {
  TensorType sample;         // one sample, without the batch: u8[28,28], f32[13], i32[64]
  std::int64_t outputs = 1;  // classes, or numbers to predict, for each sample (or position)
  std::optional<nn::Activation> activation{};  // of hidden layers; empty: the network's own
};

// The network that the text names. What it gives are logits or numbers, without an activation.
// UserError listing the known names or options, and for samples or sizes that it does not take.
nn::Layer make_model(std::string_view text, const Request& request);

// The name before the first colon. UserError listing the known ones, or for malformed options.
std::string model_name(std::string_view text);

// Whether its samples are texts as ids, i32[time]; of all others they are numbers.
bool takes_ids(std::string_view text);

// Of every network, in the order of the documentation.
std::span<const std::string_view> model_names();

}  // namespace tenon::models
