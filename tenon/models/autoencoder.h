// Networks that reconstruct their input from a short code: autoencoders, plain and variational.
#pragma once
#include "tenon/base/tensor_type.h"
#include "tenon/nn/activation.h"
#include "tenon/nn/sequential.h"

namespace tenon::models {

struct AutoencoderOptions {
  std::vector<std::int64_t> hidden{128, 64};  // before the code; mirrored after it
  std::int64_t code = 32;
  nn::Activation activation = nn::relu;
};

// Dense layers to a linear code and back (Hinton, Salakhutdinov 2006); the output has the shape of
// a sample and no activation. UserError for widths below 1 and samples without elements.
nn::Sequential autoencoder(const Shape& sample, const AutoencoderOptions& options = {});

struct ConvAutoencoderOptions {
  std::vector<std::int64_t> filters{16, 32};  // each halves the image; mirrored after the code
  nn::Activation activation = nn::relu;
};

// 3x3 convolutions with stride 2 and their transposes (Masci et al. 2011). UserError for images
// whose sides do not halve so often.
nn::Sequential conv_autoencoder(const Shape& image, const ConvAutoencoderOptions& options = {});

struct VaeOptions {
  std::vector<std::int64_t> hidden{400};
  std::int64_t code = 20;
  double beta = 1;   // of the divergence
  double noise = 1;  // 0: no random numbers, for comparisons
  nn::Activation activation = nn::relu;
};

// Variational autoencoder (Kingma, Welling 2014): Dense layers, nn::Variational, Dense layers back.
// The weight of the divergence is beta / elements of a sample: with a loss that is a mean over all
// elements, the two stand as in the paper, where both are sums.
nn::Sequential vae(const Shape& sample, const VaeOptions& options = {});

}  // namespace tenon::models
