// Connectionist temporal classification. Graves et al. 2006.
#include <array>
#include <limits>

#include "tenon/nn/loss_checks.h"
#include "tenon/nn/loss_families.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

// The logarithm of 0, finite so that differences and gradients are.
constexpr double kNever = -1e30;

// Labels with blanks around each: [batch, 2 * labels + 1]; and how many labels there are, [batch].
struct ExtendedLabels {
  Tensor classes, lengths;
};

ExtendedLabels extend(const Tensor& targets, std::int64_t blank) {
  const std::int64_t batch = targets.extent(0), labels = targets.extent(1);
  const Tensor given = cast(targets, DType::i32);
  const Tensor is_there = cumprod(cast(given >= 0, DType::i32), 1);
  const Tensor blanks = full(targets.shape(), static_cast<double>(blank), DType::i32);
  const Tensor kept = where(is_there > 0, given, blanks);
  const Tensor pairs = reshape(stack(std::array{kept, blanks}, 2), {batch, 2 * labels});
  const Tensor first = full({batch, 1}, static_cast<double>(blank), DType::i32);
  return {concatenate(std::array{first, pairs}, 1), sum(is_there, {1})};
}

// x [batch, states] moved by `count` states, `value` before it.
Tensor shifted(const Tensor& x, std::int64_t count, const Tensor& value) {
  return slice(pad(x, {0, count}, {0, 0}, value), 1, 0, x.extent(1));
}

// log(e^a + e^b + e^c).
Tensor log_sum(const Tensor& a, const Tensor& b, const Tensor& c) {
  const Tensor top = stop_gradient(maximum(maximum(a, b), c));
  return top + log(exp(a - top) + exp(b - top) + exp(c - top));
}

void require_ctc_shapes(const Tensor& logits, const Tensor& targets, const CtcOptions& options) {
  require_float_prediction(logits, "ctc");
  require(logits.rank() == 3 && logits.extent(1) > 0 && logits.extent(2) > 0,
          "ctc: expected predictions [batch, time, classes], got {}", logits.description());
  require(
      is_integer(targets.dtype()) && targets.rank() == 2 && targets.extent(0) == logits.extent(0),
      "ctc: expected integer targets [{}, labels], padded with negative numbers, got {}",
      logits.extent(0), targets.description());
  require(options.blank >= 0 && options.blank < logits.extent(2),
          "ctc: blank must be one of {} classes, got {}", logits.extent(2), options.blank);
}

}  // namespace

Tensor ctc_losses(const Tensor& logits, const Tensor& targets, const CtcOptions& options,
                  const Tensor& input_lengths) {
  require_ctc_shapes(logits, targets, options);
  const std::int64_t batch = logits.extent(0), time = logits.extent(1);
  const DType dtype = logits.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const ExtendedLabels labels = extend(targets, options.blank);
  const std::int64_t states = labels.classes.extent(1);

  // What each state emits at each time: [time, batch, states].
  const Tensor logs = tenon::log_softmax(cast(logits, dtype));
  const Tensor places = broadcast_to(expand_dims(labels.classes, 1), {batch, time, states});
  const Tensor emitted = move_axis(maximum(take_along_axis(logs, places, 2), kNever), 1, 0);

  // A label may follow the label before it without the blank between them if they differ.
  const auto blank = static_cast<int>(options.blank);
  const Tensor before = shifted(labels.classes, 2, full({}, blank, DType::i32));
  const Tensor may_skip =
      logical_and(not_equal(labels.classes, before), not_equal(labels.classes, blank));
  const Tensor skipping =
      where(may_skip, full({}, 0, dtype), full({}, kNever, dtype));  // [batch, states]

  Tensor lives = ones({time, batch, 1}, DType::i32);
  if (!input_lengths.is_empty()) {
    require(is_integer(input_lengths.dtype()) && input_lengths.shape() == Shape{batch},
            "ctc: expected integer input lengths [{}], got {}", batch, input_lengths.description());
    lives =
        cast(expand_dims(iota({time, batch}, 0) < cast(input_lengths, DType::i32), -1), DType::i32);
  }
  const auto advance = [&](std::span<const Tensor> in) -> std::vector<Tensor> {
    const Tensor &alpha = in[0], &emission = in[1], &is_live = in[2], &skip = in[3];
    const Tensor never = full({}, kNever, dtype);
    const Tensor next =
        log_sum(alpha, shifted(alpha, 1, never), shifted(alpha, 2, never) + skip) + emission;
    return {input_lengths.is_empty() ? next : where(is_live > 0, next, alpha)};
  };
  const Tensor start =
      where(iota({batch, states}, 1) == 0, full({}, 0, dtype), full({}, kNever, dtype));
  const Tensor ends =
      scan(advance, std::array{start}, std::array{emitted, lives}, time, std::array{skipping})
          .carried[0];

  // A path ends in the last label or in the blank after it.
  const Tensor last = expand_dims(2 * labels.lengths, -1);
  const Tensor in_blank = take_along_axis(ends, last, 1);
  const Tensor in_label =
      where(last > 0, take_along_axis(ends, maximum(last - 1, 0), 1), full({}, kNever, dtype));
  const Tensor likelihood = squeeze(logaddexp(in_blank, in_label), {1});
  const double unreachable = options.zero_infinity ? 0 : std::numeric_limits<double>::infinity();
  return where(likelihood <= kNever / 2, full({}, unreachable, dtype), -likelihood);
}

Loss ctc(const CtcOptions& options) {
  require(options.blank >= 0, "ctc: blank must be 0 or more, got {}", options.blank);
  Loss loss;
  loss.name = "ctc";
  if (options.blank != 0) loss.name += fmt::format(":blank={}", options.blank);
  if (options.zero_infinity) loss.name += ":zero_infinity=1";
  loss.from_logits = true;
  loss.apply = [options](const Tensor& p, const Tensor& t, const Tensor& w) {
    return weighted_sum(ctc_losses(p, t, options), w, "ctc");
  };
  return loss;
}

}  // namespace tenon::nn
