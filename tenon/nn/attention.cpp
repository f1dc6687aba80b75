#include "tenon/nn/attention.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

constexpr std::int64_t kLargestHeads = 1 << 20;

void require_steps(const Tensor& x, std::string_view layer) {
  require(
      is_float(x.dtype()) && x.rank() == 3,
      "{}: expected a float input [batch, time, features], got {}{}", layer, x.type(),
      is_integer(x.dtype()) ? "\n  help: put nn::Embedding first to turn ids into features" : "");
}

// [batch, time, heads * width] -> [batch, heads, time, width].
Tensor with_heads(const Tensor& x, std::int64_t heads, std::int64_t width) {
  return transpose(reshape(x, {x.extent(0), x.extent(1), heads, width}), {0, 2, 1, 3});
}

// As [batch or 1, heads or 1, time or 1, steps].
Tensor mask_of_heads(const Tensor& mask, const Shape& scores) {
  require(mask.dtype() == DType::boolean,
          "MultiHeadAttention: the mask must be bool, true where attention is allowed, got {}\n  "
          "help: ids != 0 gives that of ids padded by 0",
          mask.type());
  Tensor wide = mask;
  if (mask.rank() == 2) wide = expand_dims(expand_dims(mask, 1), 1);
  if (mask.rank() == 3) wide = expand_dims(mask, 1);
  bool fits = wide.rank() == 4;
  for (std::size_t i = 0; fits && i < 4; ++i)
    fits = wide.shape()[i] == 1 || wide.shape()[i] == scores[i];
  require(
      fits,
      "MultiHeadAttention: the mask does not fit\n    mask   {}\n    scores {} (batch, heads, "
      "time, steps)\n  help: it is [batch, steps], [batch, time, steps] or [batch, heads, time, "
      "steps]",
      mask.type(), tenon::to_string(scores));
  return wide;
}

}  // namespace

Tensor MultiHeadAttention::attend(const Tensor& queries, const Tensor& memory, const Tensor& mask,
                                  Context& context) {
  require_steps(queries, "MultiHeadAttention");
  require_steps(memory, "MultiHeadAttention");
  require(queries.dtype() == memory.dtype() && queries.extent(0) == memory.extent(0),
          "MultiHeadAttention: queries and memory differ in batch or element type\n    queries {}\n"
          "    memory  {}",
          queries.type(), memory.type());
  require(dropout >= 0 && dropout < 1, "MultiHeadAttention: dropout must be in [0, 1), got {}",
          dropout);
  const std::int64_t features = queries.extent(-1);
  require(heads > 0 && heads <= kLargestHeads && width >= 0 && width <= kLargestHeads,
          "MultiHeadAttention: heads must be from 1 and width from 0 to {}, got {} and {}",
          kLargestHeads, heads, width);
  require(width > 0 || (features > 0 && features % heads == 0),
          "MultiHeadAttention: {} heads do not divide {} features\n  help: set width", heads,
          features);
  const std::int64_t each = width > 0 ? width : features / heads;

  const auto project = [&](const Tensor& x, const Variable& kernel, const Variable& bias,
                           std::string_view name, std::int64_t results) {
    const Tensor kernel_now =
        context.variable(kernel, fmt::format("{}_kernel", name),
                         {x.dtype(), {x.extent(-1), results}}, kernel_initializer);
    const Tensor y = matmul(x, kernel_now);
    if (!use_bias) return y;
    return y + context.variable(bias, fmt::format("{}_bias", name), {x.dtype(), {results}},
                                bias_initializer);
  };
  const std::int64_t all = heads * each;
  Tensor q = with_heads(project(queries, query_kernel, query_bias, "query", all), heads, each);
  Tensor k = with_heads(project(memory, key_kernel, key_bias, "key", all), heads, each);
  const Tensor v = with_heads(project(memory, value_kernel, value_bias, "value", all), heads, each);
  require(rotary_base >= 0, "MultiHeadAttention: rotary_base must be 0 or more, got {}",
          rotary_base);
  if (rotary_base > 0) {
    q = rotary_embedding(q, rotary_base);
    k = rotary_embedding(k, rotary_base);
  }

  const bool drops = dropout > 0 && context.is_training();
  Tensor mixed;
  if (mask.is_empty() && !drops) {
    mixed = attention(q, k, v, causal);
  } else {
    const Shape scores{q.extent(0), heads, q.extent(2), k.extent(2)};
    Tensor weights =
        attention_weights(q, k, mask.is_empty() ? mask : mask_of_heads(mask, scores), causal);
    if (drops) weights = tenon::dropout(weights, dropout, context.random_key());
    mixed = matmul(weights, v);
  }
  const Tensor rows =
      reshape(transpose(mixed, {0, 2, 1, 3}), {queries.extent(0), queries.extent(1), all});
  return project(rows, output_kernel, output_bias, "output", features);
}

Tensor SinusoidalPositions::operator()(const Tensor& x, Context&) {
  require_steps(x, "SinusoidalPositions");
  return x + sinusoidal_positions(x.extent(1), x.extent(2), base, x.dtype());
}

Tensor LearnedPositions::operator()(const Tensor& x, Context& context) {
  require_steps(x, "LearnedPositions");
  require(length > 0 && x.extent(1) <= length,
          "LearnedPositions: {} steps are more than the {} positions it has\n  help: give it a "
          "larger length, or shorter sequences",
          x.extent(1), length);
  const Tensor rows =
      context.variable(table, "table", {x.dtype(), {length, x.extent(2)}}, initializer);
  return x + slice(rows, 0, 0, x.extent(1));
}

}  // namespace tenon::nn
