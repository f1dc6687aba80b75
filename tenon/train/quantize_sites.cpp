#include "tenon/train/quantize_sites.h"

#include <algorithm>

#include "tenon/nn/convolution.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/part_visitor.h"
#include "tenon/nn/penalty.h"
#include "tenon/nn/quantized.h"
#include "tenon/tensor/functions.h"

namespace tenon {
namespace {

// Notes the input of a layer that a trace meets.
struct InputProbe {
  static constexpr std::string_view kKind = "input_probe";
  std::vector<nn::Layer> inner;
  std::shared_ptr<std::vector<Tensor>> inputs;  // one for each site
  std::size_t site = 0;
  Tensor operator()(const Tensor& x, nn::Context& context) {
    // A layer that is called several times has one range: that of all its inputs.
    Tensor& seen = (*inputs)[site];
    const Tensor flat = reshape(x, {-1});
    seen = seen.is_empty() ? flat : concatenate(std::array{seen, flat});
    return inner.front()(x, context);
  }
  void fields(nn::FieldVisitor& visit) { visit("inner", inner); }
};

template <class Layer>
void note_parts(QuantizeSite& site, const Layer& from) {
  site.kernel = from.kernel;
  site.bias = from.bias;
  site.use_bias = from.use_bias;
}

template <class Quantized>
void note_new_parts(QuantizeSite& site, const Quantized& to) {
  site.new_kernel = to.kernel;
  site.new_scale = to.kernel_scale;
  site.new_bias = to.bias;
  site.input_scale = to.input_scale;
  site.input_zero_point = to.input_zero_point;
}

bool sums_fit(const Shape& kernel) {
  return element_count(kernel) / kernel.back() <= nn::kMostQuantizedTerms;
}

std::string folder_of_path(const std::string& path) {
  return path.substr(0, std::min(path.rfind('/'), path.size()));
}

// Replaces Dense and Conv2D within a copy of a model, whose weights are those of the original.
class SiteFinder final : public nn::PartVisitor {
 public:
  enum class With : std::uint8_t { probes, replacements };
  SiteFinder(std::vector<QuantizeSite>& sites, With with,
             std::shared_ptr<std::vector<Tensor>> inputs)
      : sites_(sites), with_(with), inputs_(std::move(inputs)) {}

  // The layer itself, or what takes its place. A layer that is there twice stays one.
  nn::Layer changed(const nn::Layer& layer) {
    // A penalty is for training, and of kernels that will not be there.
    if (auto* penalized = layer.get<nn::Penalized>()) return changed(penalized->layer);
    if (auto* dense = layer.get<nn::Dense>(); dense != nullptr && is_usable(dense->kernel)) {
      const std::size_t site = site_of(layer, *dense, [&] {
        nn::QuantizedDense to{dense->units, dense->activation, dense->use_bias};
        return to;
      });
      return at(site);
    }
    if (auto* conv = layer.get<nn::Conv2D>(); conv != nullptr && is_usable(conv->kernel)) {
      const std::size_t site = site_of(layer, *conv, [&] {
        nn::QuantizedConv2D to{conv->filters, conv->size,         conv->activation,
                               conv->strides, conv->same_padding, conv->dilation,
                               conv->groups,  conv->use_bias};
        return to;
      });
      return at(site);
    }
    nn::Layer copy = copy_of_module(layer);
    copy.fields(*this);
    return copy;
  }

  using PartVisitor::operator();
  void operator()(std::string_view, nn::Layer& layer) override { layer = changed(layer); }
  void operator()(std::string_view, std::vector<nn::Layer>& layers) override {
    for (nn::Layer& layer : layers) layer = changed(layer);
  }

 private:
  static bool is_usable(const Variable& kernel) {
    return kernel.is_defined() && kernel.type().rank() >= 2 && sums_fit(kernel.shape());
  }
  // A module of its own with the same weights: clone() gives it others, which are put back.
  static nn::Layer copy_of_module(const nn::Layer& layer);

  template <class From, class Make>
  std::size_t site_of(const nn::Layer& layer, const From& from, Make make) {
    for (std::size_t i = 0; i < sites_.size(); ++i)
      if (sites_[i].kernel == from.kernel) return i;
    auto to = make();
    QuantizeSite site{layer, nn::Layer(to, layer.where()), {}, {}, {}, {}, {}, {}, {}, true, {}};
    note_parts(site, from);
    note_new_parts(site, to);
    site.path = folder_of_path(from.kernel.name());
    sites_.push_back(std::move(site));
    return sites_.size() - 1;
  }
  nn::Layer at(std::size_t site) {
    if (with_ == With::replacements) return sites_[site].replacement;
    inputs_->resize(std::max(inputs_->size(), site + 1));
    return InputProbe{{sites_[site].original}, inputs_, site};
  }

  std::vector<QuantizeSite>& sites_;
  With with_;
  std::shared_ptr<std::vector<Tensor>> inputs_;
};

// Gives the variables of a copy those of the original, in the order of the fields.
class WeightSharer final : public nn::PartVisitor {
 public:
  explicit WeightSharer(std::vector<Variable> variables) : variables_(std::move(variables)) {}
  using PartVisitor::operator();
  void operator()(std::string_view, Variable& variable) override {
    const auto known = std::ranges::find(seen_, variable);
    const auto place = static_cast<std::size_t>(known - seen_.begin());
    if (known == seen_.end()) seen_.push_back(variable);
    variable = variables_[place];
  }

 private:
  std::vector<Variable> variables_, seen_;
};

nn::Layer SiteFinder::copy_of_module(const nn::Layer& layer) {
  nn::Layer copy = layer.clone();
  WeightSharer share(nn::variables_of(layer));
  copy.fields(share);
  return copy;
}

}  // namespace

nn::Layer with_probes(const nn::Layer& model, std::vector<QuantizeSite>& sites,
                      const std::shared_ptr<std::vector<Tensor>>& inputs) {
  return SiteFinder(sites, SiteFinder::With::probes, inputs).changed(model);
}

nn::Layer with_replacements(const nn::Layer& model, std::vector<QuantizeSite>& sites) {
  return SiteFinder(sites, SiteFinder::With::replacements, nullptr).changed(model);
}

}  // namespace tenon
