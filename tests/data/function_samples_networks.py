"""Convolution, pooling, normalisation and attention. Part of make_function_samples.py."""
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from function_sampling import floats, integers, sample


def convolve(x, k, strides=(1, 1), padding="VALID", dilation=(1, 1), groups=1):
    return lax.conv_general_dilated(x, k, strides, padding, rhs_dilation=dilation,
                                    feature_group_count=groups,
                                    dimension_numbers=("NHWC", "HWIO", "NHWC"))


sample("convolution", convolve, [floats(2, 4, 5, 2), floats(2, 3, 2, 3)])
for options in ({"strides": [2, 1], "padding": "same"}, {"dilation": [1, 2], "padding": "same"},
                {"strides": [2, 2]}, {"groups": 2}, {"strides": [3, 2], "padding": "same"}):
    f = {k: v.upper() if k == "padding" else v for k, v in options.items()}
    channels = 4 if "groups" in options else 2
    sample("convolution", lambda x, k: convolve(x, k, **f),
           [floats(1, 5, 6, channels), floats(2, 3, 2, 4)], options)


def pool(x, start, combine, size, strides, padding):
    return lax.reduce_window(x, start, combine, (1, *size, 1), (1, *strides, 1), padding)


for size, strides, padding in (((2, 2), (2, 2), "VALID"), ((3, 2), (1, 2), "VALID"),
                               ((3, 3), (2, 2), "SAME")):
    arguments = {"size": size, "strides": strides, "padding": padding.lower()}
    x = floats(2, 5, 6, 1)
    sample("max_pool", lambda x: pool(x, -jnp.inf, lax.max, size, strides, padding), [x], arguments)
    ones = jnp.ones((1, 5, 6, 1))
    sample("avg_pool", lambda x: pool(x, 0.0, lax.add, size, strides, padding) /
           pool(ones, 0.0, lax.add, size, strides, padding), [x], arguments)


def layer_norm(x, scale, offset, epsilon=1e-5):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / jnp.sqrt(variance + epsilon) * scale + offset


sample("layer_norm", layer_norm, [floats(3, 5), floats(5), floats(5)])
sample("layer_norm", lambda *x: layer_norm(*x, 0.1), [floats(2, 2, 3), floats(3), floats(3)],
       {"epsilon": 0.1})
sample("rms_norm", lambda x, s: x / jnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * s,
       [floats(3, 5), floats(5)])


def attend(q, k, v, causal):
    scores = q @ jnp.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1])
    t, s = scores.shape[-2:]
    mask = np.arange(s)[None, :] <= np.arange(t)[:, None] + s - t
    return jax.nn.softmax(jnp.where(mask | (not causal), scores, -jnp.inf)) @ v


for causal in (False, True):
    sample("attention", lambda q, k, v: attend(q, k, v, causal),
           [floats(2, 3, 4), floats(2, 5, 4), floats(2, 5, 2)], {"causal": causal})
for dtype in ("i32", "u8", "i64"):
    labels = integers(4, dtype=dtype, low=0, high=3)
    sample("sparse_cross_entropy_with_logits",
           lambda x, y: -jax.nn.log_softmax(x)[jnp.arange(4), y], [floats(4, 3), labels])
