// Attention layers and the positions that they need.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// softmax(q k^T / sqrt(width)) v in several heads, mixed by an output kernel. Vaswani et al. 2017.
// As a Layer it attends to its own input, [batch, time, features] -> [batch, time, features], and
// leaves out keys that the context's mask calls padding. If it is causal it generates step by step,
// keeping the keys and values of all steps.
// query_kernel, key_kernel and value_kernel are [features, heads * width], their biases
// [heads * width]; output_kernel [heads * width, features], output_bias [features]. Head h has the
// columns from h * width on.
struct MultiHeadAttention {
  static constexpr std::string_view kKind = "multi_head_attention";
  std::int64_t heads = 1;
  std::int64_t width = 0;  // of each head; 0: features / heads
  bool causal = false;     // no step sees later ones
  double dropout = 0;      // of the attention weights, in training
  double rotary_base = 0;  // above 0: rotates queries and keys by their positions, see
                           // tenon::rotary_embedding; 10000 is usual
  bool use_bias = true;
  Initializer kernel_initializer = glorot_uniform;
  Initializer bias_initializer = zeros;
  Initializer output_initializer = glorot_uniform;  // of output_kernel
  Variable query_kernel{};
  Variable query_bias{};
  Variable key_kernel{};
  Variable key_bias{};
  Variable value_kernel{};
  Variable value_bias{};
  Variable output_kernel{};
  Variable output_bias{};

  Tensor operator()(const Tensor& x, Context& context);
  // Queries [batch, time, features] from one sequence; keys and values from another, [batch, steps,
  // features of its own] (cross attention). `mask`: empty, or bool, true where attention is
  // allowed: [batch, steps] (false for padding), [batch, time, steps] or [batch, heads, time,
  // steps]. A query that may attend to nothing gets the value 0. In the scope that is open: give it
  // one by context.scope("attention", queries). UserError for inputs or a mask that do not fit.
  Tensor attend(const Tensor& queries, const Tensor& memory, const Tensor& mask, Context& context);
  void fields(FieldVisitor& visit) {
    visit("heads", heads);
    visit("width", width);
    visit("causal", causal);
    visit("dropout", dropout);
    visit("rotary_base", rotary_base);
    visit("use_bias", use_bias);
    visit("kernel_initializer", kernel_initializer);
    visit("bias_initializer", bias_initializer);
    visit("output_initializer", output_initializer);
    visit("query_kernel", query_kernel);
    visit("query_bias", query_bias);
    visit("key_kernel", key_kernel);
    visit("key_bias", key_bias);
    visit("value_kernel", value_kernel);
    visit("value_bias", value_bias);
    visit("output_kernel", output_kernel);
    visit("output_bias", output_bias);
  }

 private:
  struct Parts {
    Tensor queries, keys, values;  // [batch, heads, time, width]
  };
  Parts project(const Tensor& queries, const Tensor& memory, Context& context);
  // [batch, heads, time, width] -> [batch, time, features].
  Tensor mixed_heads(const Tensor& mixed, std::int64_t features, Context& context);
  Tensor decode(const Tensor& x, Context& context);
};

// x + tenon::sinusoidal_positions: x [batch, time, features]. Vaswani et al. 2017.
struct SinusoidalPositions {
  static constexpr std::string_view kKind = "sinusoidal_positions";
  double base = 10000;
  // UserError unless x is a float of rank 3.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("base", base); }
};

// x plus a learned row for each position: x [batch, time, features], table [length, features].
struct LearnedPositions {
  static constexpr std::string_view kKind = "learned_positions";
  std::int64_t length = 1;
  Initializer initializer{InitializerKind::normal, 0.02};
  Variable table{};
  // UserError unless x is a float of rank 3 with at most `length` steps.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("length", length);
    visit("initializer", initializer);
    visit("table", table);
  }
};

}  // namespace tenon::nn
