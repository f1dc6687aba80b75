#include "tenon/nn/attention.h"

#include "tenon/nn/decoding.h"
#include "tenon/tensor/functions.h"
#include "tenon/tensor/positions.h"

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

// The rows of a table [decoding.length() or more, features] for the input's `count` steps.
Tensor rows_now(Decoding& decoding, const Tensor& table, std::int64_t count) {
  decoding.bound();
  const std::array starts{decoding.position(), constant(make_scalar<std::int32_t>(0))};
  return dynamic_slice(table, starts, {count, table.extent(1)});
}

}  // namespace

Tensor MultiHeadAttention::operator()(const Tensor& x, Context& context) {
  return context.decoding() == nullptr ? attend(x, x, context.mask_of(x), context)
                                       : decode(x, context);
}

MultiHeadAttention::Parts MultiHeadAttention::project(const Tensor& queries, const Tensor& memory,
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
  const auto make = [&](const Tensor& x, const Variable& kernel, const Variable& bias,
                        std::string_view name) {
    const Tensor kernel_now =
        context.variable(kernel, fmt::format("{}_kernel", name),
                         {x.dtype(), {x.extent(-1), heads * each}}, kernel_initializer);
    Tensor y = matmul(x, kernel_now);
    if (use_bias)
      y = y + context.variable(bias, fmt::format("{}_bias", name), {x.dtype(), {heads * each}},
                               bias_initializer);
    return with_heads(y, heads, each);
  };
  Parts parts;
  parts.queries = make(queries, query_kernel, query_bias, "query");
  parts.keys = make(memory, key_kernel, key_bias, "key");
  parts.values = make(memory, value_kernel, value_bias, "value");
  require(rotary_base >= 0, "MultiHeadAttention: rotary_base must be 0 or more, got {}",
          rotary_base);
  if (rotary_base == 0) return parts;
  for (Tensor* turned : {&parts.queries, &parts.keys})
    *turned = context.decoding() == nullptr
                  ? rotary_embedding(*turned, rotary_base)
                  : rotary_embedding_from(context.decoding()->position(), *turned, rotary_base);
  return parts;
}

Tensor MultiHeadAttention::mixed_heads(const Tensor& mixed, std::int64_t features,
                                       Context& context) {
  const std::int64_t all = mixed.extent(1) * mixed.extent(3);
  const Tensor rows =
      reshape(transpose(mixed, {0, 2, 1, 3}), {mixed.extent(0), mixed.extent(2), all});
  const Tensor y =
      matmul(rows, context.variable(output_kernel, "output_kernel", {rows.dtype(), {all, features}},
                                    output_initializer));
  if (!use_bias) return y;
  return y +
         context.variable(output_bias, "output_bias", {rows.dtype(), {features}}, bias_initializer);
}

Tensor MultiHeadAttention::attend(const Tensor& queries, const Tensor& memory, const Tensor& mask,
                                  Context& context) {
  context.require_whole_sequence("MultiHeadAttention", "it attends to another sequence");
  const Parts parts = project(queries, memory, context);
  const Tensor &q = parts.queries, &k = parts.keys;
  const bool drops = dropout > 0 && context.is_training();
  Tensor mixed;
  if (mask.is_empty() && !drops) {
    mixed = attention(q, k, parts.values, causal);
  } else {
    const Shape scores{q.extent(0), heads, q.extent(2), k.extent(2)};
    Tensor weights =
        attention_weights(q, k, mask.is_empty() ? mask : mask_of_heads(mask, scores), causal);
    if (drops) weights = tenon::dropout(weights, dropout, context.random_key());
    mixed = matmul(weights, parts.values);
  }
  return mixed_heads(mixed, queries.extent(-1), context);
}

Tensor MultiHeadAttention::decode(const Tensor& x, Context& context) {
  if (!causal)
    context.require_whole_sequence("MultiHeadAttention", "without causal it sees later steps");
  const Parts parts = project(x, x, context);
  Decoding& decoding = *context.decoding();
  const Tensor keys = decoding.append(context.path() + "/keys", parts.keys, 2);
  const Tensor values = decoding.append(context.path() + "/values", parts.values, 2);
  const Shape pairs{x.extent(1), decoding.length()};
  const Tensor time = iota(pairs, 0, DType::i32) + decoding.position();
  const Tensor weights = attention_weights(parts.queries, keys, iota(pairs, 1, DType::i32) <= time);
  return mixed_heads(matmul(weights, values), x.extent(-1), context);
}

Tensor SinusoidalPositions::operator()(const Tensor& x, Context& context) {
  require_steps(x, "SinusoidalPositions");
  if (Decoding* decoding = context.decoding()) {
    const Tensor all = sinusoidal_positions(decoding->length(), x.extent(2), base, x.dtype());
    return x + rows_now(*decoding, all, x.extent(1));
  }
  return x + sinusoidal_positions(x.extent(1), x.extent(2), base, x.dtype());
}

Tensor LearnedPositions::operator()(const Tensor& x, Context& context) {
  require_steps(x, "LearnedPositions");
  const std::int64_t steps =
      context.decoding() == nullptr ? x.extent(1) : context.decoding()->length();
  require(length > 0 && steps <= length,
          "LearnedPositions: {} steps are more than the {} positions it has\n  help: give it a "
          "larger length, or shorter sequences",
          steps, length);
  const Tensor rows =
      context.variable(table, "table", {x.dtype(), {length, x.extent(2)}}, initializer);
  return x + (context.decoding() == nullptr ? slice(rows, 0, 0, x.extent(1))
                                            : rows_now(*context.decoding(), rows, x.extent(1)));
}

}  // namespace tenon::nn
