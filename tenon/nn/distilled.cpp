#include "tenon/nn/distilled.h"

#include <cmath>

#include "tenon/nn/loss.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

const Layer& the_student(const std::vector<Layer>& student) {
  require(student.size() == 1, "Distilled: one student expected, there are {}", student.size());
  return student.front();
}

}  // namespace

WeightedSum distillation_loss(const Tensor& student, const Tensor& teacher, const Tensor& classes,
                              double temperature, double alpha) {
  require(std::isfinite(temperature) && temperature > 0,
          "Distilled: a temperature above 0 expected, got {}", temperature);
  require(alpha >= 0 && alpha <= 1, "Distilled: alpha from 0 to 1 expected, got {}", alpha);
  require(student.type() == teacher.type(),
          "Distilled: the student gives {}, the teacher {}: both must give logits of the same "
          "classes",
          student.description(), teacher.description());
  const WeightedSum hard = sparse_categorical_cross_entropy_from_logits.apply(student, classes, {});
  const Tensor log_p = tenon::log_softmax(stop_gradient(teacher) / temperature);
  const Tensor log_q = tenon::log_softmax(student / temperature);
  const Tensor soft = sum(exp(log_p) * (log_p - log_q));
  return {alpha * temperature * temperature * soft + (1 - alpha) * hard.sum, hard.weight};
}

Tensor Distilled::operator()(const Tensor& x, Context& context) {
  return the_student(student).call_as_root(x, context);
}

Outcome Distilled::learn(const Tensor& x, const Tensor& y, Context& context) {
  const Tensor prediction = (*this)(x, context);
  if (teacher.empty()) {
    require(!context.is_training(),
            "Distilled: there is no teacher\n  help: a run folder holds the student alone; make "
            "nn::Distilled{{student, teacher}} anew, or train the student by itself");
    return {prediction, sparse_categorical_cross_entropy_from_logits.apply(prediction, y, {})};
  }
  // A context of its own: what the teacher holds is no part of the model.
  Context of_teacher(Mode::inference, {}, context.dtype());
  const Tensor logits = teacher.front().call_as_root(x, of_teacher);
  return {prediction, distillation_loss(prediction, logits, y, temperature, alpha)};
}

}  // namespace tenon::nn
