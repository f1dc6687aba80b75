// Distilled: a small model that is trained to give what a large one gives.
#pragma once
#include "tenon/nn/layer.h"

namespace tenon::nn {

// The loss is alpha * T^2 * KL(softmax(t / T) || softmax(s / T)) + (1 - alpha) * H(y, softmax(s))
// for the logits s of the student and t of the teacher and the classes y, a mean over the batch:
// Hinton, Vinyals, Dean 2015, with their T^2 so that alpha means the same at every temperature.
// The Trainer's own loss is not used. The teacher runs as in inference; its weights are neither
// trained nor among those of the model (tenon::frozen_teacher makes one of a Trainer). The layers
// of the student are named as if it were the model. Loaded from a run folder there is no teacher:
// it predicts and is evaluated with H alone, but is not trained.
struct Distilled {
  static constexpr std::string_view kKind = "distilled";
  std::vector<Layer> student{};  // one
  std::vector<Layer> teacher{};  // one, or none
  double temperature = 2;
  double alpha = 0.5;

  Distilled() = default;
  Distilled(Layer the_student, Layer the_teacher, double the_temperature = 2,
            double the_alpha = 0.5)
      : student{std::move(the_student)},
        teacher{std::move(the_teacher)},
        temperature(the_temperature),
        alpha(the_alpha) {}

  // The student's.
  Tensor operator()(const Tensor& x, Context& context);
  // y: classes [batch...], logits [batch..., classes]. UserError if teacher and student differ in
  // what they give, for a temperature that is not above 0 or an alpha outside [0, 1], and in
  // training without a teacher.
  Outcome learn(const Tensor& x, const Tensor& y, Context& context);
  void fields(FieldVisitor& visit) {
    visit("temperature", temperature);
    visit("alpha", alpha);
    visit("student", student);
  }
};

// alpha * T^2 * KL + (1 - alpha) * H of each row, as above, as a sum and the number of rows.
WeightedSum distillation_loss(const Tensor& student, const Tensor& teacher, const Tensor& classes,
                              double temperature, double alpha);

}  // namespace tenon::nn
