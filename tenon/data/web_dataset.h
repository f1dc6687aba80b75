// Tar shards in the manner of WebDataset: files of one base name are one sample.
#pragma once
#include <string>
#include <vector>

#include "tenon/data/pipeline.h"

namespace tenon::data {

// A file's key is its path up to the first dot of its last part, its kind what follows:
// "a/7.seg.png" is the file "seg.png" of sample "a/7". Files of one key stand next to one another.
struct WebDatasetOptions {
  // The kinds that x and y are taken from: the first one that the sample has.
  std::vector<std::string> x = {"png", "jpg", "jpeg", "npy", "wav", "txt"};
  std::vector<std::string> y = {"cls", "json"};  // empty: no labels
  std::string json_key = "label";                // of an object
  std::vector<std::string> class_names = {};     // labels may be these, as text
  std::int64_t image_channels = 3;
  PartOptions shards = {};  // their order, and how many are open at once
  std::uint64_t max_file_bytes = std::uint64_t{1} << 28;
};

// The samples of the archives that the pattern names, packed by gzip or not. Archives are read from
// front to back, files decoded by the workers: .png, .jpg, .jpeg to u8[height, width, channels],
// .npy to what it holds, .wav to f32[frames], .txt to its bytes, u8[n]; as labels .cls and .txt to
// a whole number or one of the class names, .json to the number or lists of numbers under its key.
// UserError "ARCHIVE: sample KEY: REASON" in the sample's turn; what TarReader refuses ends the
// pass.
Pipeline web_dataset(const std::string& pattern, const WebDatasetOptions& options = {});

}  // namespace tenon::data
