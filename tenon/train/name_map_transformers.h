// The name maps of transformers that Tenon knows.
#pragma once
#include "tenon/train/name_map.h"

namespace tenon {

// GPT-2 and BERT as Hugging Face has them.
NameMap huggingface_gpt2(std::span<const std::string> weights);
NameMap huggingface_bert(std::span<const std::string> weights);
NameMap torchvision_vit(std::span<const std::string> weights);

// UserError: the model has a weight that a known map has no name for.
[[noreturn]] void refuse_model(const NameMap& map, const std::string& weight);

}  // namespace tenon
