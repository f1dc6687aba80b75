// Tracing that files of a Trainer share: the tensors of a batch, and what the model makes of them.
#pragma once
#include "tenon/train/trainer_state.h"

namespace tenon {

// The tensors of a batch in the trace of a step.
struct Trainer::State::StepInputs {
  std::vector<Tensor> placeholders;
  Tensor x, y, indices;         // rows of the batch, raw
  Tensor weights;               // f32 [batch], or empty
  std::int64_t data_bytes = 0;  // of placeholders that hold a whole dataset

  void add(Tensor StepInputs::*part, std::string_view name, const TensorType& type) {
    placeholders.push_back(placeholder(std::string(name), type));
    this->*part = placeholders.back();
  }
};

// The labels as the losses want them: classes stay integers, targets take the working type.
Tensor prepare_target(const Tensor& raw, DType dtype);

nn::Outcome outcome_of(const nn::Layer& model, const nn::Loss& loss, const Tensor& x,
                       const Tensor& target, const Tensor& weights, nn::Context& context);

}  // namespace tenon
