// Functions of each element. Operands broadcast and promote as promotion.h says; functions of real
// numbers (exp, sqrt, ...) take integers and bools as f32. All have gradients for floats.
#pragma once
#include "tenon/tensor/tensor.h"

namespace tenon {

Tensor negative(const Tensor& x);
Tensor abs(const Tensor& x);
Tensor sign(const Tensor& x);
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor round(const Tensor& x);  // halves to even
Tensor trunc(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor expm1(const Tensor& x);
Tensor exp2(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);
Tensor log2(const Tensor& x);
Tensor log10(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);
Tensor cbrt(const Tensor& x);
Tensor square(const Tensor& x);
Tensor reciprocal(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tan(const Tensor& x);
Tensor asin(const Tensor& x);
Tensor acos(const Tensor& x);
Tensor atan(const Tensor& x);
Tensor sinh(const Tensor& x);
Tensor cosh(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor asinh(const Tensor& x);
Tensor acosh(const Tensor& x);
Tensor atanh(const Tensor& x);
Tensor erf(const Tensor& x);
Tensor erfc(const Tensor& x);
Tensor degrees(const Tensor& x);
Tensor radians(const Tensor& x);
Tensor is_nan(const Tensor& x);
Tensor is_inf(const Tensor& x);
Tensor is_finite(const Tensor& x);

// Activations.
Tensor relu(const Tensor& x);
Tensor relu6(const Tensor& x);
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
Tensor elu(const Tensor& x, double alpha = 1);
Tensor selu(const Tensor& x);       // Klambauer et al. 2017
Tensor gelu(const Tensor& x);       // x * Phi(x); Hendrycks, Gimpel 2016
Tensor gelu_tanh(const Tensor& x);  // its tanh approximation
Tensor silu(const Tensor& x);       // x * sigmoid(x)
Tensor mish(const Tensor& x);       // x * tanh(softplus(x))
Tensor sigmoid(const Tensor& x);
Tensor log_sigmoid(const Tensor& x);
Tensor softplus(const Tensor& x);      // log(1 + exp(x)) without overflow
Tensor hard_sigmoid(const Tensor& x);  // clip((x + 3) / 6, 0, 1)
Tensor hard_swish(const Tensor& x);    // x * hard_sigmoid(x)

// Two operands.
Tensor add(const Tensor& x, const Tensor& y);
Tensor subtract(const Tensor& x, const Tensor& y);
Tensor multiply(const Tensor& x, const Tensor& y);
Tensor divide(const Tensor& x, const Tensor& y);        // integers divide as f32
Tensor floor_divide(const Tensor& x, const Tensor& y);  // rounds towards minus infinity
Tensor remainder(const Tensor& x, const Tensor& y);     // sign of y, as in Python
Tensor fmod(const Tensor& x, const Tensor& y);          // sign of x, as in C
Tensor power(const Tensor& x, const Tensor& y);
Tensor minimum(const Tensor& x, const Tensor& y);  // NaN wins
Tensor maximum(const Tensor& x, const Tensor& y);
Tensor atan2(const Tensor& y, const Tensor& x);
Tensor hypot(const Tensor& x, const Tensor& y);
Tensor logaddexp(const Tensor& x, const Tensor& y);
Tensor squared_difference(const Tensor& x, const Tensor& y);
Tensor clip(const Tensor& x, const Tensor& low, const Tensor& high);
Tensor lerp(const Tensor& start, const Tensor& end, const Tensor& weight);

// Comparisons give bool.
Tensor equal(const Tensor& x, const Tensor& y);
Tensor not_equal(const Tensor& x, const Tensor& y);
Tensor less(const Tensor& x, const Tensor& y);
Tensor less_equal(const Tensor& x, const Tensor& y);
Tensor greater(const Tensor& x, const Tensor& y);
Tensor greater_equal(const Tensor& x, const Tensor& y);

// On truth values (numbers count as "not zero").
Tensor logical_not(const Tensor& x);
Tensor logical_and(const Tensor& x, const Tensor& y);
Tensor logical_or(const Tensor& x, const Tensor& y);
Tensor logical_xor(const Tensor& x, const Tensor& y);
// On the bits of integers.
Tensor bitwise_not(const Tensor& x);
Tensor bitwise_and(const Tensor& x, const Tensor& y);
Tensor bitwise_or(const Tensor& x, const Tensor& y);
Tensor bitwise_xor(const Tensor& x, const Tensor& y);
Tensor left_shift(const Tensor& x, const Tensor& y);
Tensor right_shift(const Tensor& x, const Tensor& y);  // keeps the sign of signed types

// condition ? x : y, broadcast.
Tensor where(const Tensor& condition, const Tensor& x, const Tensor& y);
Tensor cast(const Tensor& x, DType dtype);
Tensor bitcast(const Tensor& x, DType dtype);
// The value of x, through which no gradient flows.
Tensor stop_gradient(const Tensor& x);

inline Tensor operator-(const Tensor& x) { return negative(x); }
inline Tensor operator+(const Tensor& x, const Tensor& y) { return add(x, y); }
inline Tensor operator-(const Tensor& x, const Tensor& y) { return subtract(x, y); }
inline Tensor operator*(const Tensor& x, const Tensor& y) { return multiply(x, y); }
inline Tensor operator/(const Tensor& x, const Tensor& y) { return divide(x, y); }
inline Tensor operator<(const Tensor& x, const Tensor& y) { return less(x, y); }
inline Tensor operator<=(const Tensor& x, const Tensor& y) { return less_equal(x, y); }
inline Tensor operator>(const Tensor& x, const Tensor& y) { return greater(x, y); }
inline Tensor operator>=(const Tensor& x, const Tensor& y) { return greater_equal(x, y); }
inline Tensor operator==(const Tensor& x, const Tensor& y) { return equal(x, y); }
inline Tensor operator!=(const Tensor& x, const Tensor& y) { return not_equal(x, y); }
inline Tensor operator!(const Tensor& x) { return logical_not(x); }

}  // namespace tenon
