// The functions of linalg.h, nn_functions.h, random.h and control.h.
#include "function_calls.h"

namespace tenon::samples {
namespace {

std::array<std::int64_t, 2> pair_of(const Arguments& a, const char* name,
                                    std::array<std::int64_t, 2> fallback) {
  const Shape values = a.list(name);
  return values.size() == 2 ? std::array{values[0], values[1]} : fallback;
}

Padding padding_of(const Arguments& a) {
  return a.get<std::string>("padding", "valid") == "same" ? Padding::same : Padding::valid;
}

PoolOptions pool_of(const Arguments& a) {
  return {pair_of(a, "size", {2, 2}), pair_of(a, "strides", {0, 0}), padding_of(a)};
}

// h = tanh(h * w + x), and h * x for each step.
std::vector<Tensor> recurrence(Inputs x, const Arguments& a) {
  const TensorFunction body = [](std::span<const Tensor> in) {
    const Tensor h = tanh(in[0] * in[2] + in[1]);
    return std::vector<Tensor>{h, h * in[1]};
  };
  const ScanResult result =
      scan(body, x.first(1), x.subspan(2, 1), x[2].extent(0), x.subspan(1, 1), a.flag("reverse"));
  return {result.carried[0], result.stacked[0]};
}

// x * x * y with a derivative of its own.
std::vector<Tensor> clipped_square(Inputs x, const Arguments&) {
  const TensorFunction forward = [](std::span<const Tensor> in) {
    return std::vector<Tensor>{in[0] * in[0] * in[1]};
  };
  const TensorFunction backward = [](std::span<const Tensor> in) {  // x, y, result, upstream
    return std::vector<Tensor>{clip(in[3] * in[0], -0.5, 0.5), 3 * in[3] + in[1]};
  };
  return custom_gradient(forward, backward, x);
}

std::vector<Tensor> counted_doubling(Inputs x, const Arguments&) {
  return while_loop([](std::span<const Tensor> s) { return s[0] < 4; },
                    [](std::span<const Tensor> s) {
                      return std::vector<Tensor>{s[0] + 1, s[1] * 2};
                    },
                    std::array{Tensor(make_scalar<std::int32_t>(0)), x[0]});
}

std::vector<Tensor> sine_or_difference(Inputs x, const Arguments&) {
  return cond(
      x[0], [](std::span<const Tensor> in) { return std::vector<Tensor>{sin(in[0]) * in[1]}; },
      [](std::span<const Tensor> in) { return std::vector<Tensor>{in[0] - in[1]}; }, x.subspan(1));
}

}  // namespace

void add_layers(Calls& calls) {
  CALL(matmul, matmul(x[0], x[1]));
  CALL(dot, dot(x[0], x[1]));
  CALL(outer, outer(x[0], x[1]));
  CALL(tensordot, tensordot(x[0], x[1], a.integer("axes")));
  CALL(einsum, einsum(a.get<std::string>("equation", ""), x));
  CALL(convolution, convolution(x[0], x[1],
                                {pair_of(a, "strides", {1, 1}), padding_of(a),
                                 pair_of(a, "dilation", {1, 1}), a.integer("groups", 1)}));
  CALL(max_pool, max_pool(x[0], pool_of(a)));
  CALL(avg_pool, avg_pool(x[0], pool_of(a)));
  CALL(layer_norm, layer_norm(x[0], x[1], x[2], a.number("epsilon", 1e-5)));
  CALL(rms_norm, rms_norm(x[0], x[1]));
  CALL(attention, attention(x[0], x[1], x[2], a.flag("causal")));
  CALL(attention_weights, attention_weights(x[0], x[1], x[2], a.flag("causal")));
  CALL(transposed_convolution,
       transposed_convolution(x[0], x[1], {pair_of(a, "strides", {1, 1}), padding_of(a)}));
  CALL(rotary_embedding, rotary_embedding(x[0], a.number("base", 1e4), a.flag("interleaved")));
  CALL(sinusoidal_positions,
       sinusoidal_positions(a.integer("length"), a.integer("width"), 1e4, a.dtype()));
  CALL(sparse_cross_entropy_with_logits, sparse_cross_entropy_with_logits(x[0], x[1]));
}

void add_random(Calls& calls) {
  namespace rnd = tenon::random;
  CALL(key, rnd::key(a.get<std::uint64_t>("seed", 0)));
  CALL(bits, rnd::bits(x[0], a.list("shape")));
  CALL(fold_in, x.size() == 2
                    ? rnd::fold_in(x[0], x[1])
                    : rnd::fold_in(x[0], static_cast<std::uint32_t>(a.integer("number"))));
  CALL_LIST(split_key, rnd::split_key(x[0], a.integer("count")));
  CALL(uniform,
       rnd::uniform(x[0], a.list("shape"), a.number("low"), a.number("high", 1), a.dtype()));
  CALL(normal,
       rnd::normal(x[0], a.list("shape"), a.number("mean"), a.number("deviation", 1), a.dtype()));
  CALL(truncated_normal,
       rnd::truncated_normal(x[0], a.list("shape"), a.number("limit", 2), a.dtype()));
  CALL(bernoulli, rnd::bernoulli(x[0], a.number("probability"), a.list("shape")));
  CALL(randint, rnd::randint(x[0], a.list("shape"), a.integer("low"), a.integer("high")));
  CALL(permutation, rnd::permutation(x[0], a.integer("n")));
  CALL(categorical, rnd::categorical(x[0], x[1]));
  CALL(exponential, rnd::exponential(x[0], a.list("shape"), a.number("rate", 1), a.dtype()));
  CALL(dropout, dropout(x[0], a.number("rate"), x[1]));
}

void add_control(Calls& calls) {
  calls["scan"] = recurrence;
  calls["while_loop"] = counted_doubling;
  calls["cond"] = sine_or_difference;
  calls["custom_gradient"] = clipped_square;
}

}  // namespace tenon::samples
