#include "tenon/train/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tenon/base/scalar_convert.h"
#include "tenon/io/file.h"
#include "tenon/io/safetensors.h"
#include "tenon/train/checkpoint.h"
#include "tenon/train/description.h"
#include "tenon/train/quantize_sites.h"
#include "tenon/train/traced_step.h"

namespace tenon {
namespace {

struct ValueRange {
  double low = 0, high = 0;
};

// The values at both ends of the middle part; halves of what is left out are cut off at each end.
ValueRange range_of(std::vector<float>& values, double percentile, const std::string& path) {
  require(std::ranges::all_of(values, [](float value) { return std::isfinite(value); }),
          "quantize: the inputs of \"{}\" are not all finite", path);
  const double cut = (1 - percentile / 100) / 2;
  const auto value_at = [&](double part) {
    // As numpy.percentile: between the two nearest.
    const double place = part * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::ptrdiff_t>(std::floor(place));
    std::ranges::nth_element(values, values.begin() + below);
    const double low = values[static_cast<std::size_t>(below)];
    if (static_cast<std::size_t>(below) + 1 >= values.size()) return low;
    const double high = *std::ranges::min_element(values.begin() + below + 1, values.end());
    return low + (high - low) * (place - static_cast<double>(below));
  };
  return {value_at(cut), value_at(1 - cut)};
}

// What each site's inputs are on the data, by running the model with probes in it.
std::vector<ValueRange> calibrate(Trainer& trainer, const nn::Layer& probed,
                                  std::vector<Tensor>& inputs,
                                  const std::vector<QuantizeSite>& sites, const data::Dataset& rows,
                                  const QuantizeOptions& options) {
  constexpr std::size_t kMostValues = std::size_t{1} << 29;
  std::vector<std::vector<float>> values(sites.size());
  std::size_t kept = 0;
  for (std::int64_t first = 0; first < rows.size(); first += options.batch_size) {
    const data::Dataset part = rows.rows(first, std::min(options.batch_size, rows.size() - first));
    const HostTensor x = prepared_inputs(trainer, part.x());
    const Tensor in = placeholder("x", x.type());
    nn::Context context(nn::Mode::inference, {}, trainer.options().dtype);
    // The probes write into `inputs`.
    std::ranges::fill(inputs, Tensor());
    probed.call_as_root(in, context);
    const std::vector<HostTensor> seen = trainer.session().run(inputs, std::array{Feed{in, x}});
    for (std::size_t i = 0; i < sites.size(); ++i) {
      kept += static_cast<std::size_t>(seen[i].size());
      require(kept <= kMostValues,
              "quantize: {} samples give more than {} inputs of layers\n  help: look at fewer "
              "samples",
              rows.size(), kMostValues);
      for (std::int64_t k = 0; k < seen[i].size(); ++k)
        values[i].push_back(static_cast<float>(element_as_double(seen[i], k)));
    }
  }
  std::vector<ValueRange> ranges;
  for (std::size_t i = 0; i < sites.size(); ++i)
    ranges.push_back(range_of(values[i], options.percentile, sites[i].path));
  return ranges;
}

void validate(const QuantizeOptions& options) {
  require(options.samples >= 1 && options.batch_size >= 1,
          "quantize: samples and batch_size must be 1 or more, got {} and {}", options.samples,
          options.batch_size);
  require(options.percentile > 50 && options.percentile <= 100,
          "quantize: a percentile above 50 and at most 100 expected, got {}", options.percentile);
}

}  // namespace

QuantizedKernel quantize_kernel(const HostTensor& kernel) {
  require(is_float(kernel.dtype()) && kernel.type().rank() >= 1,
          "quantize: a kernel of floats expected, got {}", kernel.type());
  const std::int64_t channels = kernel.shape().back();
  std::vector<double> largest(static_cast<std::size_t>(channels));
  for (std::int64_t i = 0; i < kernel.size(); ++i) {
    const double magnitude = std::abs(element_as_double(kernel, i));
    require(std::isfinite(magnitude), "quantize: a weight is {}", element_as_double(kernel, i));
    double& most = largest[static_cast<std::size_t>(i % channels)];
    most = std::max(most, magnitude);
  }
  QuantizedKernel result{HostTensor({DType::i8, kernel.shape()}),
                         HostTensor({kernel.dtype(), {channels}})};
  HostTensor scales({DType::f64, {channels}});
  for (std::size_t c = 0; c < largest.size(); ++c)
    scales.as<double>()[c] = largest[c] > 0 ? largest[c] / 127 : 1;
  // Rounded to the type first: what divides is what will multiply.
  result.scale = converted(scales, kernel.dtype());
  for (std::int64_t i = 0; i < kernel.size(); ++i) {
    const double scale = element_as_double(result.scale, i % channels);
    // A scale too small for its type has rounded to zero: such weights are zero in it, too.
    const double value = scale > 0 ? element_as_double(kernel, i) / scale : 0;
    result.values.as<std::int8_t>()[static_cast<std::size_t>(i)] =
        static_cast<std::int8_t>(std::clamp(std::nearbyint(value), -127.0, 127.0));
  }
  return result;
}

InputRange input_range(double low, double high) {
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  if (low == high) return {};
  InputRange range;
  range.scale = high / 255 - low / 255;
  if (range.scale <= 0) return {};
  range.zero_point = static_cast<std::int64_t>(
      std::clamp(std::nearbyint(-128 - low / range.scale), -128.0, 127.0));
  return range;
}

bool is_quantized(const Trainer& trainer) {
  return std::ranges::any_of(
      trainer.weights(), [](const Variable& weight) { return weight.type().dtype == DType::i8; });
}

QuantizedLayers quantize(Trainer& trainer, const data::Dataset& calibration,
                         const std::string& folder, const QuantizeOptions& options) {
  validate(options);
  require(trainer.is_built(),
          "quantize: the model has no weights yet; fit, build or load it first");
  require(calibration.size() > 0, "quantize: dataset \"{}\" has no samples", calibration.name());
  const RunFiles files{folder};
  require(!holds_run_files(files), "{} holds a run already\n  help: choose another folder", folder);

  std::vector<QuantizeSite> sites;
  const auto inputs = std::make_shared<std::vector<Tensor>>();
  const nn::Layer probed = with_probes(trainer.model(), sites, inputs);
  require(!sites.empty(), "quantize: the model has no Dense or Conv2D layer");
  const std::vector<ValueRange> ranges =
      calibrate(trainer, probed, *inputs, sites,
                calibration.take(std::min(options.samples, calibration.size())), options);
  const nn::Layer model = with_replacements(trainer.model(), sites);

  // A trace gives the new layers' weights their names.
  TensorType one = trainer.row_types().x;
  one.shape.insert(one.shape.begin(), 1);
  const HostTensor row = prepared_inputs(trainer, data::Array(HostTensor(one)));
  nn::Context context(nn::Mode::inference, {}, trainer.options().dtype);
  model.call_as_root(placeholder("x", row.type()), context);

  io::NamedTensors tensors;
  QuantizedLayers result;
  Session& session = trainer.session();
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const QuantizeSite& site = sites[i];
    QuantizedKernel kernel = quantize_kernel(session.read(site.kernel));
    const InputRange range = input_range(ranges[i].low, ranges[i].high);
    const DType dtype = kernel.scale.dtype();
    tensors.emplace(site.new_kernel.name(), std::move(kernel.values));
    tensors.emplace(site.new_scale.name(), std::move(kernel.scale));
    if (site.use_bias) tensors.emplace(site.new_bias.name(), session.read(site.bias));
    tensors.emplace(site.input_scale.name(), filled({dtype, {}}, range.scale));
    tensors.emplace(site.input_zero_point.name(),
                    make_scalar(static_cast<std::int32_t>(range.zero_point)));
    result.quantized.push_back(site.path);
  }
  for (const Variable& variable : context.variables()) {
    if (tensors.contains(variable.name())) continue;
    tensors.emplace(variable.name(), session.read(variable));
    if (variable.type().rank() >= 2) result.kept.push_back(variable.name());
  }

  trainer.save(folder);
  RunDescription description = read_description(files.description());
  description.model = model;
  std::filesystem::remove(files.state());
  io::write_safetensors(files.model(), tensors, {});
  write_description(files.description(), description);
  return result;
}

}  // namespace tenon
