#include "tenon/nn/penalty.h"

#include <charconv>
#include <cmath>

#include "tenon/base/name_pattern.h"
#include "tenon/base/text.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

void require_penalty(double value, std::string_view name) {
  require(std::isfinite(value) && value >= 0, "Penalized: {} must be finite and 0 or more, got {}",
          name, value);
}

// l1 * sum |x| + l2 * sum x^2; without either an empty tensor.
Tensor penalty_sum(const Tensor& x, double l1, double l2) {
  Tensor total;
  if (l1 > 0) total = l1 * sum(abs(x));
  if (l2 > 0) {
    const Tensor squares = l2 * sum(square(x));
    total = total.is_empty() ? squares : total + squares;
  }
  return total;
}

}  // namespace

void Penalized::add_penalties(const Tensor& output, Context& context) {
  require_penalty(penalty.l1, "l1");
  require_penalty(penalty.l2, "l2");
  require_penalty(penalty.activity_l1, "activity_l1");
  require_penalty(penalty.activity_l2, "activity_l2");
  bool is_any = false;
  for (const Variable& weight : variables_of(layer)) {
    if (!weight.is_defined() || weight.kind() != VariableKind::weight ||
        !matches_pattern(weight.name(), penalty.weights))
      continue;
    is_any = true;
    const Tensor term = penalty_sum(Tensor(weight), penalty.l1, penalty.l2);
    if (term.is_empty() || !weight.is_trainable()) continue;
    const std::string purpose = fmt::format("l1 {} l2 {}", penalty.l1, penalty.l2);
    if (context.is_first(weight, purpose))
      context.add_loss({term, full({}, 1, weight.type().dtype)});
  }
  require(is_any || (penalty.l1 == 0 && penalty.l2 == 0),
          "Penalized: no weight of {} is of the pattern {}", layer.kind(),
          in_quotes(penalty.weights));
  const Tensor of_output = penalty_sum(output, penalty.activity_l1, penalty.activity_l2);
  if (of_output.is_empty()) return;
  const std::int64_t batch = output.rank() > 0 ? output.extent(0) : 1;
  context.add_loss({of_output, full({}, static_cast<double>(batch), of_output.dtype())});
}

Tensor Penalized::operator()(const Tensor& x, Context& context) {
  const Tensor y = layer.call_in_scope(x, context);
  add_penalties(y, context);
  return y;
}

Outcome Penalized::learn(const Tensor& x, const Tensor& y, Context& context) {
  const Outcome outcome = layer.learn_in_scope(x, y, context);
  add_penalties(outcome.prediction, context);
  return outcome;
}

PenaltyOptions parse_penalty(std::string_view text) {
  const std::size_t first = text.find(':');
  const std::string_view kind = text.substr(0, first);
  require(first != std::string_view::npos && (kind == "l1" || kind == "l2"),
          "expected l1:NUMBER or l2:NUMBER, as in l2:0.0001, got {}", in_quotes(text));
  const std::size_t second = text.find(':', first + 1);
  const bool has_pattern = second != std::string_view::npos;
  const std::string_view number = text.substr(first + 1, has_pattern ? second - first - 1 : second);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  require(error == std::errc() && end == number.data() + number.size() && std::isfinite(value) &&
              value >= 0,
          "{}: a finite number of 0 or more expected, got {}", in_quotes(text), in_quotes(number));
  PenaltyOptions penalty;
  (kind == "l1" ? penalty.l1 : penalty.l2) = value;
  if (has_pattern) penalty.weights = text.substr(second + 1);
  require(!penalty.weights.empty(), "{}: the pattern of weights is empty", in_quotes(text));
  return penalty;
}

}  // namespace tenon::nn
