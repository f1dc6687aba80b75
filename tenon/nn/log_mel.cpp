#include "tenon/nn/log_mel.h"

#include "tenon/tensor/audio_functions.h"

namespace tenon::nn {

Tensor LogMel::operator()(const Tensor& x, Context&) {
  require(is_float(x.dtype()) && x.rank() == 2,
          "LogMel: expected a float input [batch, samples], got {}", x.type());
  return log_mel(x, {.fft = fft, .hop = hop, .window = window}, {.rate = rate, .bands = bands},
                 floor);
}

}  // namespace tenon::nn
