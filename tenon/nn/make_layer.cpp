// Every layer by its kind: how a saved description becomes a model again.
#include "tenon/base/unknown_name.h"
#include "tenon/nn/attention.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/convolution.h"
#include "tenon/nn/convolution_transpose.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/distilled.h"
#include "tenon/nn/electra.h"
#include "tenon/nn/embedding.h"
#include "tenon/nn/image_shapes.h"
#include "tenon/nn/log_mel.h"
#include "tenon/nn/masked_tokens.h"
#include "tenon/nn/normalization.h"
#include "tenon/nn/penalty.h"
#include "tenon/nn/pooling.h"
#include "tenon/nn/quantized.h"
#include "tenon/nn/recurrent.h"
#include "tenon/nn/residual.h"
#include "tenon/nn/sequence_steps.h"
#include "tenon/nn/sequential.h"
#include "tenon/nn/skip.h"
#include "tenon/nn/tied.h"
#include "tenon/nn/variational.h"

namespace tenon::nn {
namespace {

template <class... Modules>
struct ModuleList {
  static std::optional<Layer> make(std::string_view kind) {
    std::optional<Layer> layer;
    ((Modules::kKind == kind ? (void)(layer = Layer(Modules{}, SourceLocation{})) : (void)0), ...);
    return layer;
  }
  static constexpr std::array<std::string_view, sizeof...(Modules)> kNames{Modules::kKind...};
};
using BuiltIn =
    ModuleList<Dense, Conv2D, Conv1D, Conv2DTranspose, Conv1DTranspose, DepthwiseConv2D,
               SeparableConv2D, MaxPool2D, AvgPool2D, MaxPool1D, AvgPool1D, GlobalMaxPool2D,
               GlobalAvgPool2D, GlobalMaxPool1D, GlobalAvgPool1D, Flatten, Reshape, Permute,
               ActivationLayer, LeakyReLU, PReLU, Dropout, SpatialDropout, BatchNorm, LayerNorm,
               RMSNorm, GroupNorm, InstanceNorm, Embedding, SimpleRNN, LSTM, GRU, Bidirectional,
               MultiHeadAttention, SinusoidalPositions, LearnedPositions, Sequential, Residual,
               Penalized, ZeroPad2D, UpSample2D, ChannelShortcut, SkipConcat, ClassToken,
               SelectStep, Variational, LogMel, TiedDense, Electra, MaskedTokens, QuantizedDense,
               QuantizedConv2D, Distilled>;

}  // namespace

Layer make_layer(std::string_view kind) {
  std::optional<Layer> layer = BuiltIn::make(kind);
  if (!layer) throw_unknown("layer kind", kind, BuiltIn::kNames);
  return *std::move(layer);
}

std::span<const std::string_view> layer_kinds() { return BuiltIn::kNames; }

}  // namespace tenon::nn
