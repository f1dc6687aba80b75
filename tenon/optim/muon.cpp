#include "tenon/optim/muon.h"

#include <cmath>

#include "tenon/optim/adam.h"
#include "tenon/tensor/functions.h"

namespace tenon::optim {
namespace {

// x with its singular values brought near 1: a quintic Newton-Schulz iteration, whose coefficients
// are Jordan's.
Tensor orthogonalized(const Tensor& matrix) {
  constexpr double kLinear = 3.4445, kCubic = -4.775, kQuintic = 2.0315, kLeastNorm = 1e-7;
  constexpr int kSteps = 5;
  const bool is_tall = matrix.extent(0) > matrix.extent(1);  // the smaller square is multiplied
  Tensor x = is_tall ? transpose(matrix) : matrix;
  x = x / maximum(norm(x), kLeastNorm);
  for (int step = 0; step < kSteps; ++step) {
    const Tensor square_of_x = matmul(x, transpose(x));
    x = kLinear * x + matmul(kCubic * square_of_x + kQuintic * matmul(square_of_x, square_of_x), x);
  }
  return is_tall ? transpose(x) : x;
}

}  // namespace

std::vector<Update> Muon::update(RuleContext& context, const Variable& weight,
                                 const Tensor& gradient) {
  const Tensor w(weight);
  if (w.rank() < 2) return Adam{}.update(context, weight, gradient);
  const Variable velocity = context.slot(weight, "velocity");
  const Tensor momentum = context.hyperparameter("momentum");
  const Tensor next = lerp(gradient, Tensor(velocity), momentum);
  const std::int64_t columns = w.extent(-1), rows = columns == 0 ? 0 : w.size() / columns;
  const Tensor direction =
      reshape(orthogonalized(reshape(lerp(gradient, next, momentum), {rows, columns})), w.shape());
  const double scale = 0.2 * std::sqrt(static_cast<double>(std::max(rows, columns)));
  const Tensor change = scale * direction + context.hyperparameter("weight_decay") * w;
  return {assign(weight, w - context.hyperparameter("learning_rate") * change),
          assign(velocity, next)};
}

}  // namespace tenon::optim
