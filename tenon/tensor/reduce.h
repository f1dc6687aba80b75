// Reductions and scans along axes. Axes may be negative; no axes means all of them. With
// keep_axes the reduced axes stay with extent 1. Sums of bool count as i32; means and other real
// functions take integers as f32.
#pragma once
#include <optional>

#include "tenon/tensor/tensor.h"

namespace tenon {

Tensor sum(const Tensor& x, Axes axes = {}, bool keep_axes = false);
Tensor mean(const Tensor& x, Axes axes = {}, bool keep_axes = false);
Tensor prod(const Tensor& x, Axes axes = {}, bool keep_axes = false);
Tensor max(const Tensor& x, Axes axes = {}, bool keep_axes = false);
Tensor min(const Tensor& x, Axes axes = {}, bool keep_axes = false);
Tensor all(const Tensor& x, Axes axes = {}, bool keep_axes = false);
Tensor any(const Tensor& x, Axes axes = {}, bool keep_axes = false);
Tensor count_nonzero(const Tensor& x, Axes axes = {}, bool keep_axes = false);  // i32
// Mean squared deviation; `correction` is subtracted from the count (1 for the sample variance).
Tensor variance(const Tensor& x, Axes axes = {}, bool keep_axes = false, double correction = 0);
Tensor stddev(const Tensor& x, Axes axes = {}, bool keep_axes = false, double correction = 0);
Tensor logsumexp(const Tensor& x, Axes axes = {}, bool keep_axes = false);
// (sum |x|^p)^(1/p); p = 1, 2 or infinity and others above 0.
Tensor norm(const Tensor& x, double p = 2, Axes axes = {}, bool keep_axes = false);
// i32 position of the first largest (smallest) element; without an axis of the flattened tensor.
Tensor argmax(const Tensor& x, std::optional<std::int64_t> axis = {}, bool keep_axis = false);
Tensor argmin(const Tensor& x, std::optional<std::int64_t> axis = {}, bool keep_axis = false);

Tensor cumsum(const Tensor& x, std::int64_t axis = -1, bool reverse = false);
Tensor cumprod(const Tensor& x, std::int64_t axis = -1, bool reverse = false);
Tensor cummax(const Tensor& x, std::int64_t axis = -1, bool reverse = false);
Tensor cummin(const Tensor& x, std::int64_t axis = -1, bool reverse = false);

Tensor softmax(const Tensor& x, std::int64_t axis = -1);
Tensor log_softmax(const Tensor& x, std::int64_t axis = -1);

}  // namespace tenon
