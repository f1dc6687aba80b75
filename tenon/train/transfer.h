// Transfer learning: weights of another model's file, layers that are left as they are.
#pragma once
#include <string>
#include <vector>

#include "tenon/train/trainer.h"

namespace tenon {

struct TransferOptions {
  // A name of name_map_names(), a .json file (train/name_map.h), or "": equal names.
  std::string map{};
  // Patterns of this model's weights that keep their values ("dense/*": a head of another size);
  // * stands for any characters, ? for one.
  std::vector<std::string> skip{};
};

struct TransferReport {
  std::vector<std::string> loaded;   // weights, in the order of the model
  std::vector<std::string> skipped;  // that keep their values
};

// Gives the weights of a built trainer the values of a .safetensors file, as Tenon, PyTorch or
// Hugging Face wrote it: tensors are found by the map, their axes put in order, fused ones split,
// floats converted (f16 and bf16 too). Everything is checked before anything is written. UserError
// naming the file and the tensor or weight that is missing, unexpected or of another shape.
TransferReport load_pretrained(Trainer& trainer, const std::string& file,
                               const TransferOptions& options = {});

// Makes the weights of these patterns fixed (or trained again); their names. A step that is
// compiled later leaves them alone. UserError for a pattern that no weight is of.
std::vector<std::string> freeze(const Trainer& trainer, const std::vector<std::string>& patterns);
std::vector<std::string> unfreeze(const Trainer& trainer, const std::vector<std::string>& patterns);

}  // namespace tenon
