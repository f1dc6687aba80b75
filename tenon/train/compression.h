// What making a model smaller cost and saved: accuracy and bytes, before and after.
#pragma once
#include <filesystem>
#include <string>

#include "tenon/io/named_tensors.h"
#include "tenon/train/trainer.h"

namespace tenon {

struct Compression {
  Evaluation before, after;
  std::int64_t bytes_before = 0, bytes_after = 0;  // of the weights as they are stored

  double bytes_saved() const {  // the part of the bytes
    return bytes_before > 0
               ? 1 - static_cast<double>(bytes_after) / static_cast<double>(bytes_before)
               : 0;
  }
};

// A line for the loss, one for each metric, one for the bytes: before, after, change.
std::string to_string(const Compression& compression);

// Of all weights and statistics, without a file's header.
std::int64_t weight_bytes(const Trainer& trainer);
// Evaluates both on the same data; the bytes are those of their weights.
Compression compare_models(Trainer& before, Trainer& after, const data::Dataset& dataset);

// A .safetensors file in which tensors with many zeros are kept without them: NAME.values holds
// what is not zero in order, NAME.bits u8[ceil(size / 8)] has a bit for each element, lowest first,
// and the metadata entry "shape NAME" the extents ("784,128"). Others are kept as they are, under
// their names. Returns the bytes of the tensors written. UserError if the file cannot be written.
std::int64_t write_sparse_weights(const std::filesystem::path& file, Trainer& trainer);
// The tensors of such a file, whole. UserError naming the file and the tensor that is not as above.
io::NamedTensors read_sparse_weights(const std::filesystem::path& file);

}  // namespace tenon
