// Scaling of features to [0, 1], to [-1, 1], or to mean 0 and deviation 1: value * scale + offset.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

#include "tenon/data/dataset.h"

namespace tenon::data {

enum class NormalizationKind : std::uint8_t {
  none,
  zero_to_one,
  minus_one_to_one,
  standard,
  channels
};

// "none", "0,1", "-1,1", "standard", "channels": the names of the command line and of saved runs.
std::string_view name(NormalizationKind kind);
// UserError for any other text.
NormalizationKind parse_normalization_kind(std::string_view text);

struct Normalization {
  NormalizationKind kind = NormalizationKind::none;
  // f32, both of one shape: that of a sample, [C] for each channel (the last axis of a sample), or
  // [] for all features alike.
  HostTensor scale = make_scalar(1.0f);
  HostTensor offset = make_scalar(0.0f);

  // Computed in f64 from the samples given: use training data only. [0, 1] and [-1, 1] map the
  // range of the element type for u8 (0 to 255), of each feature otherwise; standard maps each
  // feature's mean to 0 and its population deviation to 1, channels those of all values at one
  // place of the last axis (of all values of gray images [height, width]). A feature that is
  // constant is only shifted, to the low end or to 0. UserError for no samples and for values that
  // are not finite.
  static Normalization fit(const Dataset& dataset, NormalizationKind kind);

  // Known numbers of channels, as published with a trained model, in units of the values: for u8
  // images 255 times those of PyTorch. UserError unless they are equally many, finite, and every
  // deviation is above 0.
  static Normalization of_channels(std::span<const double> means,
                                   std::span<const double> deviations);

  // Whether scale and offset are for samples of this shape.
  bool fits(const Shape& sample) const;

  // f32: each value, converted to f32, times scale, rounded, plus offset, rounded (unchanged but
  // for the type if the kind is none). UserError if a row's shape is not the one that was fitted.
  HostTensor apply(const HostView& rows) const;
  // The same into memory that is there: `out` must be f32 of the rows' shape.
  void apply(const HostView& rows, const HostSpan& out) const;

  nlohmann::json to_json() const;
  // UserError if the JSON is not what to_json gives; `file` starts the message.
  static Normalization from_json(const nlohmann::json& json, const std::string& file);
};

}  // namespace tenon::data
