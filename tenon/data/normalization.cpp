#include "tenon/data/normalization.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "tenon/base/scalar_convert.h"
#include "tenon/base/text.h"

namespace tenon::data {
namespace {

constexpr std::array kAllNormalizationKinds = {
    NormalizationKind::none, NormalizationKind::zero_to_one, NormalizationKind::minus_one_to_one,
    NormalizationKind::standard, NormalizationKind::channels};

struct FeatureRange {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

// Calls visit(feature, value) for all values, row by row; UserError for one that is not finite.
template <class Visit>
void each_value(const Dataset& dataset, std::size_t features, Visit visit) {
  const Array& x = dataset.x();
  with_element_type(x.dtype(), [&]<class T>(TypeTag<T>) {
    const T* values = reinterpret_cast<const T*>(x.data());
    for (std::int64_t row = 0; row < x.size(); ++row)
      for (std::size_t feature = 0; feature < features; ++feature) {
        const double value = convert_element<double>(*values++);
        if (!std::isfinite(value))
          throw UserError(
              fmt::format("dataset \"{}\": sample {} holds {} in feature {}; only finite "
                          "numbers can be normalized",
                          dataset.name(), row, value, feature));
        visit(feature, value);
      }
  });
}

// Channels are the last axis; gray images [height, width] have one.
std::int64_t channel_count(const Shape& sample) {
  constexpr std::size_t kGrayRank = 2;
  return sample.empty() || sample.size() == kGrayRank ? 1 : sample.back();
}

struct MeanAndDeviation {
  std::vector<double> mean, deviation;
};

// Two passes: the second about the mean, so that nothing cancels.
MeanAndDeviation feature_statistics(const Dataset& dataset, std::size_t features,
                                    std::size_t groups) {
  const std::size_t in_group = features / groups;
  const double count = static_cast<double>(dataset.size()) * static_cast<double>(in_group);
  MeanAndDeviation result{std::vector<double>(groups), std::vector<double>(groups)};
  each_value(dataset, features,
             [&](std::size_t i, double value) { result.mean[i % groups] += value; });
  for (double& mean : result.mean) mean /= count;
  each_value(dataset, features, [&](std::size_t i, double value) {
    const double distance = value - result.mean[i % groups];
    result.deviation[i % groups] += distance * distance;
  });
  for (double& deviation : result.deviation) deviation = std::sqrt(deviation / count);
  return result;
}

std::vector<FeatureRange> feature_ranges(const Dataset& dataset, std::size_t features) {
  std::vector<FeatureRange> ranges(features);
  each_value(dataset, features, [&](std::size_t i, double value) {
    ranges[i].low = std::min(ranges[i].low, value);
    ranges[i].high = std::max(ranges[i].high, value);
  });
  return ranges;
}

// f64 scale and offset as f32; one that f32 cannot hold is the data's fault.
void store_feature(Normalization& normalization, const std::string& dataset, std::size_t feature,
                   double scale, double offset) {
  const auto stored_scale = static_cast<float>(scale);
  const auto stored_offset = static_cast<float>(offset);
  require(std::isfinite(stored_scale) && std::isfinite(stored_offset),
          "dataset \"{}\": feature {} cannot be normalized in f32 (scale {}, offset {})", dataset,
          feature, scale, offset);
  normalization.scale.as<float>()[feature] = stored_scale;
  normalization.offset.as<float>()[feature] = stored_offset;
}

HostTensor floats_from_json(const nlohmann::json& json, const char* key, const Shape& shape,
                            const std::string& file) {
  HostTensor tensor({DType::f32, shape});
  const nlohmann::json& list = json.at(key);
  require(list.is_array() && std::cmp_equal(list.size(), tensor.size()),
          "{}: normalization: \"{}\" must be a list of {} numbers", file, key, tensor.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const double value = list[i].is_number() ? list[i].get<double>() : std::nan("");
    require(std::isfinite(static_cast<float>(value)),
            "{}: normalization: \"{}\" entry {} is {}, not a finite f32", file, key, i,
            list[i].dump());
    tensor.as<float>()[i] = static_cast<float>(value);
  }
  return tensor;
}

}  // namespace

std::string_view name(NormalizationKind kind) {
  switch (kind) {
    case NormalizationKind::none: return "none";
    case NormalizationKind::zero_to_one: return "0,1";
    case NormalizationKind::minus_one_to_one: return "-1,1";
    case NormalizationKind::standard: return "standard";
    case NormalizationKind::channels: return "channels";
  }
  return "?";
}

NormalizationKind parse_normalization_kind(std::string_view text) {
  for (const NormalizationKind kind : kAllNormalizationKinds)
    if (name(kind) == text) return kind;
  throw UserError(fmt::format(
      "normalization {}: 0,1 or -1,1 or standard or channels or none expected", in_quotes(text)));
}

Normalization Normalization::fit(const Dataset& dataset, NormalizationKind kind) {
  Normalization result;
  result.kind = kind;
  if (kind == NormalizationKind::none) return result;
  const bool centred = kind == NormalizationKind::minus_one_to_one;
  const double low = centred ? -1 : 0, width = centred ? 2 : 1;  // of the interval to map to
  const bool is_of_range =
      kind == NormalizationKind::zero_to_one || kind == NormalizationKind::minus_one_to_one;
  if (is_of_range && dataset.x().dtype() == DType::u8) {
    constexpr double kMost = 255;
    store_feature(result, dataset.name(), 0, width / kMost, low);
    return result;
  }
  require(dataset.size() > 0, "dataset \"{}\" is empty: there is nothing to normalize by",
          dataset.name());
  const Shape sample = dataset.x().row_shape();
  const auto features = static_cast<std::size_t>(element_count(sample));
  Shape shape = sample;
  if (kind == NormalizationKind::channels) {
    const std::int64_t channels = channel_count(sample);
    shape = channels == 1 ? Shape{} : Shape{channels};
  }
  result.scale = HostTensor({DType::f32, shape});
  result.offset = HostTensor({DType::f32, shape});
  const auto groups = static_cast<std::size_t>(result.scale.size());
  if (features == 0) return result;
  if (!is_of_range) {
    const auto [mean, deviation] = feature_statistics(dataset, features, groups);
    for (std::size_t i = 0; i < groups; ++i) {
      const double scale = deviation[i] > 0 ? 1 / deviation[i] : 1;
      store_feature(result, dataset.name(), i, scale, -mean[i] * scale);
    }
  } else {
    const std::vector<FeatureRange> ranges = feature_ranges(dataset, features);
    for (std::size_t i = 0; i < features; ++i) {
      const double extent = ranges[i].high - ranges[i].low;
      const double scale = extent > 0 ? width / extent : 1;
      store_feature(result, dataset.name(), i, scale, low - ranges[i].low * scale);
    }
  }
  return result;
}

Normalization Normalization::of_channels(std::span<const double> means,
                                         std::span<const double> deviations) {
  require(means.size() == deviations.size() && !means.empty(),
          "normalization: {} means and {} deviations of channels", means.size(), deviations.size());
  Normalization result;
  result.kind = NormalizationKind::channels;
  const Shape shape{static_cast<std::int64_t>(means.size())};
  result.scale = HostTensor({DType::f32, shape});
  result.offset = HostTensor({DType::f32, shape});
  for (std::size_t i = 0; i < means.size(); ++i) {
    require(std::isfinite(means[i]) && std::isfinite(deviations[i]) && deviations[i] > 0,
            "normalization: channel {} of mean {} and deviation {}; finite numbers and a deviation "
            "above 0 expected",
            i, means[i], deviations[i]);
    store_feature(result, "channels", i, 1 / deviations[i], -means[i] / deviations[i]);
  }
  return result;
}

bool Normalization::fits(const Shape& sample) const {
  const Shape& scaled = scale.shape();
  if (scaled.empty() || scaled == sample) return true;
  return kind == NormalizationKind::channels && scaled.size() == 1 && !sample.empty() &&
         sample.back() == scaled[0];
}

HostTensor Normalization::apply(const HostView& rows) const {
  HostTensor out({DType::f32, rows.type.shape});
  apply(rows, HostSpan(out));
  return out;
}

void Normalization::apply(const HostView& rows, const HostSpan& out) const {
  const Shape& shape = rows.type.shape;
  require(!shape.empty() && fits({shape.begin() + 1, shape.end()}),
          "normalization: {} {} expected, found {}",
          kind == NormalizationKind::channels ? "channels" : "samples of shape",
          to_string(scale.shape()), rows.type);
  require(out.type == TensorType{DType::f32, shape}, "normalization: {} into memory for {}",
          rows.type, out.type);
  auto* results = static_cast<float*>(out.data);
  const float *scales = scale.as<float>().data(), *offsets = offset.as<float>().data();
  const auto count = static_cast<std::size_t>(element_count(shape));
  const auto features = static_cast<std::size_t>(scale.size());
  if (count == 0) return;
  with_element_type(rows.type.dtype, [&]<class T>(TypeTag<T>) {
    const T* values = static_cast<const T*>(rows.data);
    if (kind == NormalizationKind::none) {
      for (std::size_t i = 0; i < count; ++i) results[i] = convert_element<float>(values[i]);
      return;
    }
    for (std::size_t i = 0; i < count; i += features)
      for (std::size_t k = 0; k < features; ++k) {
        const float product = convert_element<float>(values[i + k]) * scales[k];
        results[i + k] = product + offsets[k];
      }
  });
}

nlohmann::json Normalization::to_json() const {
  nlohmann::json json = {{"kind", name(kind)}};
  if (kind == NormalizationKind::none) return json;
  json["shape"] = scale.shape();
  const auto list = [](const HostTensor& tensor) {
    return nlohmann::json(std::vector<float>(tensor.as<float>().begin(), tensor.as<float>().end()));
  };
  json["scale"] = list(scale);
  json["offset"] = list(offset);
  return json;
}

Normalization Normalization::from_json(const nlohmann::json& json, const std::string& file) {
  Normalization result;
  require(json.is_object() && json.contains("kind") && json["kind"].is_string(),
          "{}: normalization: an object with \"kind\" expected", file);
  try {
    result.kind = parse_normalization_kind(json["kind"].get_ref<const std::string&>());
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: {}", file, error.what()));
  }
  if (result.kind == NormalizationKind::none) return result;
  for (const char* key : {"shape", "scale", "offset"})
    require(json.contains(key), "{}: normalization: \"{}\" is missing", file, key);
  const nlohmann::json& shape_json = json["shape"];
  require(shape_json.is_array(), "{}: normalization: \"shape\" must be a list", file);
  Shape shape;
  std::int64_t count = 1;
  for (const nlohmann::json& extent : shape_json) {
    // Bounded by the list of scales, so that a lie takes no memory.
    require(extent.is_number_unsigned() && extent.get<std::uint64_t>() <= json["scale"].size() &&
                !__builtin_mul_overflow(count, extent.get<std::int64_t>(), &count) &&
                std::cmp_less_equal(count, json["scale"].size()),
            "{}: normalization: the shape {} does not fit {} scales", file, shape_json.dump(),
            json["scale"].size());
    shape.push_back(extent.get<std::int64_t>());
  }
  result.scale = floats_from_json(json, "scale", shape, file);
  result.offset = floats_from_json(json, "offset", shape, file);
  return result;
}

}  // namespace tenon::data
