// TFRecord files of tf.train.Example as a stream of samples.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tenon/data/pipeline.h"
#include "tenon/io/example.h"

namespace tenon::data {

// How a feature becomes a tensor: lists of floats and of integers give their values, one byte
// string its bytes as elements in little-endian order (tf.io.decode_raw), or the image in it.
struct FeatureSpec {
  std::string name;
  TensorType type = {};  // one extent may be -1: as many as the values give
  // A PNG or JPEG image of this many channels (1 or 3): u8[height, width, channels].
  std::optional<std::int64_t> image_channels = {};
};

struct TfRecordOptions {
  FeatureSpec x;
  std::optional<FeatureSpec> y = {};
  std::vector<std::string> class_names = {};  // a y of bytes is one of them, as text
  bool y_is_text = false;                     // what suggest_features found
  PartOptions files = {};                     // their order, and how many are open at once
  std::uint64_t max_record_bytes = std::uint64_t{1} << 28;
};

// The samples of the files that the pattern names, in their order. Records are read one after the
// other and parsed by the workers. UserError "FILE: record N: REASON" in the sample's turn for a
// feature that is missing or does not fit its type; what the files refuse ends the pass.
Pipeline tfrecord(const std::string& pattern, const TfRecordOptions& options);

// What the first record suggests: y is the feature `label` (by default that called "y" or "label",
// if there is one), x that called "x" or "image", else the only other one. Floats are f32, integers
// i32, bytes images of `image_channels`; one value is a scalar where it is y, lists are as long as
// in the first record. UserError if that leaves x open, with the names of the features.
TfRecordOptions suggest_features(const std::string& pattern, const std::string& label = "",
                                 std::int64_t image_channels = 3);

// The different byte strings of the feature in all records, sorted: names of classes.
std::vector<std::string> texts_of_feature(const std::string& pattern, const std::string& name);

// One feature as a tensor. UserError "PLACE: REASON".
HostTensor feature_tensor(const io::Example& example, const FeatureSpec& spec,
                          const std::vector<std::string>& class_names, const std::string& place);

}  // namespace tenon::data
