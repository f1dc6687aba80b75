// The functions of elementwise.h and reduce.h.
#include "function_calls.h"

namespace tenon::samples {
namespace {

using Unary = Tensor (*)(const Tensor&);
using Binary = Tensor (*)(const Tensor&, const Tensor&);

}  // namespace

void add_elementwise(Calls& calls) {
#define UNARY(name) \
  { #name, static_cast < Unary>(&tenon::name) }
  for (const auto& [name, f] : std::initializer_list<std::pair<const char*, Unary>>{
           UNARY(negative),     UNARY(abs),        UNARY(sign),        UNARY(floor),
           UNARY(ceil),         UNARY(round),      UNARY(trunc),       UNARY(exp),
           UNARY(expm1),        UNARY(exp2),       UNARY(log),         UNARY(log1p),
           UNARY(log2),         UNARY(log10),      UNARY(sqrt),        UNARY(rsqrt),
           UNARY(cbrt),         UNARY(square),     UNARY(reciprocal),  UNARY(sin),
           UNARY(cos),          UNARY(tan),        UNARY(asin),        UNARY(acos),
           UNARY(atan),         UNARY(sinh),       UNARY(cosh),        UNARY(tanh),
           UNARY(asinh),        UNARY(acosh),      UNARY(atanh),       UNARY(erf),
           UNARY(erfc),         UNARY(degrees),    UNARY(radians),     UNARY(is_nan),
           UNARY(is_inf),       UNARY(is_finite),  UNARY(relu),        UNARY(relu6),
           UNARY(selu),         UNARY(gelu),       UNARY(gelu_tanh),   UNARY(silu),
           UNARY(mish),         UNARY(sigmoid),    UNARY(log_sigmoid), UNARY(softplus),
           UNARY(hard_sigmoid), UNARY(hard_swish), UNARY(logical_not), UNARY(bitwise_not),
           UNARY(stop_gradient)})
    calls[name] = [f = f](Inputs x, const Arguments&) { return std::vector<Tensor>{f(x[0])}; };
#undef UNARY
#define BINARY(name) \
  { #name, static_cast < Binary>(&tenon::name) }
  for (const auto& [name, f] : std::initializer_list<std::pair<const char*, Binary>>{
           BINARY(add),          BINARY(subtract),
           BINARY(multiply),     BINARY(divide),
           BINARY(floor_divide), BINARY(remainder),
           BINARY(fmod),         BINARY(power),
           BINARY(minimum),      BINARY(maximum),
           BINARY(atan2),        BINARY(hypot),
           BINARY(logaddexp),    BINARY(squared_difference),
           BINARY(equal),        BINARY(not_equal),
           BINARY(less),         BINARY(less_equal),
           BINARY(greater),      BINARY(greater_equal),
           BINARY(logical_and),  BINARY(logical_or),
           BINARY(logical_xor),  BINARY(bitwise_and),
           BINARY(bitwise_or),   BINARY(bitwise_xor),
           BINARY(left_shift),   BINARY(right_shift)})
    calls[name] = [f = f](Inputs x, const Arguments&) {
      return std::vector<Tensor>{f(x[0], x[1])};
    };
#undef BINARY
  CALL(leaky_relu, leaky_relu(x[0], a.number("slope", 0.01)));
  CALL(elu, elu(x[0], a.number("alpha", 1)));
  CALL(clip,
       x.size() == 3 ? clip(x[0], x[1], x[2]) : clip(x[0], a.number("low"), a.number("high")));
  CALL(lerp, lerp(x[0], x[1], x[2]));
  CALL(where, where(x[0], x[1], x[2]));
  CALL(cast, cast(x[0], a.dtype()));
  CALL(bitcast, bitcast(x[0], a.dtype()));
}

void add_reductions(Calls& calls) {
#define REDUCE(name) CALL(name, name(x[0], a.list("axes"), a.flag("keep_axes")))
  REDUCE(sum);
  REDUCE(mean);
  REDUCE(prod);
  REDUCE(max);
  REDUCE(min);
  REDUCE(all);
  REDUCE(any);
  REDUCE(count_nonzero);
  REDUCE(logsumexp);
#undef REDUCE
#define DEVIATION(name) \
  CALL(name, name(x[0], a.list("axes"), a.flag("keep_axes"), a.number("correction")))
  DEVIATION(variance);
  DEVIATION(stddev);
#undef DEVIATION
  CALL(norm, norm(x[0], a.number("p", 2), a.list("axes"), a.flag("keep_axes")));
  CALL(argmax, argmax(x[0], a.maybe("axis"), a.flag("keep_axis")));
  CALL(argmin, argmin(x[0], a.maybe("axis"), a.flag("keep_axis")));
#define SCAN(name) CALL(name, name(x[0], a.integer("axis", -1), a.flag("reverse")))
  SCAN(cumsum);
  SCAN(cumprod);
  SCAN(cummax);
  SCAN(cummin);
#undef SCAN
  CALL(softmax, softmax(x[0], a.integer("axis", -1)));
  CALL(log_softmax, log_softmax(x[0], a.integer("axis", -1)));
}

}  // namespace tenon::samples
