// A small network that recognises spoken words.
#pragma once
#include "tenon/base/tensor_type.h"
#include "tenon/nn/sequential.h"

namespace tenon::models {

struct SpeechOptions {
  std::int64_t filters = 64;
  std::int64_t blocks = 4;
  double rate = 16000;      // samples per second
  std::int64_t bands = 40;  // mel bands
  Shape sample{16000};
};

// DS-CNN of Zhang, Suda, Lai, Chandra 2017 ("Hello Edge: Keyword Spotting on Microcontrollers"):
// a 10x4 convolution with stride 2, blocks of a depthwise 3x3 and a 1x1 convolution with batch norm
// and rectifiers, the mean over all places, one Dense layer. Samples [samples] go through
// nn::LogMel with frames of 25 ms every 10 ms; samples [frames, bands] are such features already.
// Unlike the paper's, features are normalised for each band. UserError for other samples and sizes
// below 1.
nn::Sequential speech_commands(std::int64_t classes = 12, const SpeechOptions& options = {});

}  // namespace tenon::models
