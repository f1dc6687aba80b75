// Name maps: which tensor of another program's file each weight is made of, and how.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/io/named_tensors.h"

namespace tenon {

// How the axes of a tensor become those of a weight.
enum class TensorChange : std::uint8_t {
  none,
  output_last,       // PyTorch's [out, in, window...] -> [window..., in, out]
  transposed_kernel  // of transposed convolutions, [in, out, window...] -> [window..., in, out]
};

struct WeightSource {
  std::string weight;  // its path in the model, "dense/kernel"
  std::string tensor;  // its name in the file, without the prefix
  TensorChange change = TensorChange::none;
  // The weight is part `part` of `parts` equal ones of the last axis, after the change.
  std::int64_t part = 0, parts = 1;
  std::string plus_row{};  // a tensor whose first row is added to every row; "": none
};

struct NameMap {
  std::string name;                       // of the map or its file, for messages
  std::vector<WeightSource> sources;      // of weights that the model has
  std::vector<std::string> ignored{};     // patterns of tensors that are no weights
  std::vector<std::string> prefixes{""};  // before all names; the first that the file has is meant
};

// Names of the maps that Tenon knows.
std::span<const std::string_view> name_map_names();

// The map of a name above, or of a .json file (docs/models.md, "Name maps"), for a model with these
// weights; "" maps each name to itself. UserError for another name, for files that hold no map, and
// for a model that the map is not for.
NameMap find_name_map(const std::string& name_or_file, std::span<const std::string> weights);

// The tensor that becomes a weight of this type; floats convert to each other. `prefix`: one of the
// map's. UserError naming `file`, the tensor and the weight if it is missing or does not fit.
HostTensor make_weight(const WeightSource& source, const TensorType& type,
                       const io::NamedTensors& tensors, const std::string& prefix,
                       const std::string& file);

}  // namespace tenon
