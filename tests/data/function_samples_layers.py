"""Functions of layers: the gradient of a convolution, weights of attention, positions.

Part of make_function_samples.py.
"""
import math

import jax
import jax.numpy as jnp
import numpy as np

from function_samples_networks import convolve
from function_sampling import floats, rng, sample


def transposed(x, k, strides, padding):
    """The convolution's gradient with respect to its input, for a kernel [h, w, in, out]."""
    height, width = x.shape[1:3]
    reach = k.shape[0], k.shape[1]
    extents = [(n - 1) * s + r if padding == "VALID" else n * s
               for n, s, r in zip((height, width), strides, reach)]
    like = jnp.zeros((x.shape[0], *extents, k.shape[3]))
    forward = lambda y: convolve(y, jnp.swapaxes(k, 2, 3), strides, padding)
    return jax.vjp(forward, like)[1](x)[0]


for strides, padding in (((1, 1), "VALID"), ((2, 2), "VALID"), ((2, 1), "SAME"), ((3, 2), "SAME")):
    sample("transposed_convolution", lambda x, k: transposed(x, k, strides, padding),
           [floats(2, 3, 4, 2), floats(3, 2, 2, 3)],
           {"strides": strides, "padding": padding.lower()})


def weights_of(q, k, mask, causal):
    scores = q @ jnp.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1])
    t, s = scores.shape[-2:]
    allowed = np.arange(s)[None, :] <= np.arange(t)[:, None] + s - t if causal else True
    allowed = jnp.broadcast_to(jnp.logical_and(allowed, mask), scores.shape)
    any_allowed = allowed.any(-1, keepdims=True)
    # A row that allows nothing is 0, and so is its gradient.
    safe = jnp.where(allowed | ~any_allowed, scores, -jnp.inf)
    return jnp.where(any_allowed, jax.nn.softmax(safe), 0.0)


for causal in (False, True):
    mask = rng.uniform(size=(2, 3, 5)) < 0.6
    mask[1, 2] = False
    sample("attention_weights", lambda q, k, m: weights_of(q, k, m, causal),
           [floats(2, 3, 4), floats(2, 5, 4), mask], {"causal": causal})


def rotated(x, base, interleaved):
    time, width = x.shape[-2:]
    angles = np.arange(time)[:, None] / base ** (np.arange(width // 2) / (width // 2))
    cos, sin = np.cos(angles), np.sin(angles)
    if interleaved:
        a, b = x[..., 0::2], x[..., 1::2]
        return jnp.stack([a * cos - b * sin, b * cos + a * sin], -1).reshape(x.shape)
    a, b = jnp.split(x, 2, -1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


for base, interleaved in ((10000.0, False), (100.0, True)):
    sample("rotary_embedding", lambda x: rotated(x, base, interleaved), [floats(2, 5, 6)],
           {"base": base, "interleaved": interleaved})


def sinusoids(length, width, base=10000.0):
    angles = np.arange(length)[:, None] / base ** (2 * (np.arange(width) // 2) / width)
    return np.where(np.arange(width) % 2 == 0, np.sin(angles), np.cos(angles))


for length, width in ((4, 6), (3, 5)):
    sample("sinusoidal_positions", None, [], {"length": length, "width": width, "dtype": "f64"},
           outputs=[sinusoids(length, width)])
