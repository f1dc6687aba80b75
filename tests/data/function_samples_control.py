"""Random numbers and control flow. Part of make_function_samples.py."""
import math

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax import lax

from function_sampling import floats, sample
from threefry_numbers import split, unit, words


def random_sample(name, result, inputs, arguments=None, **others):
    sample(name, None, inputs, arguments, outputs=result if isinstance(result, list) else [result],
           gradient=False, **others)


K = np.array([123, 456], np.uint32)
random_sample("key", np.array([1, 5], np.uint32), [], {"seed": 2**32 + 5})
random_sample("bits", words(K, (2, 3)), [K], {"shape": [2, 3]})
mixed = words(K, (2,)) + np.array([7, 0], np.uint32)
random_sample("fold_in", words(mixed, (2,)), [K], {"number": 7})
random_sample("fold_in", words(mixed, (2,)), [K, np.uint32(7)])
random_sample("split_key", list(split(K, 3)), [K], {"count": 3})
random_sample("uniform", unit(K, (2, 3)), [K], {"shape": [2, 3], "dtype": "f64"})
random_sample("uniform", unit(K, (2, 3), "f32"), [K], {"shape": [2, 3], "dtype": "f32"})
random_sample("uniform", unit(K, (4,)) * 5 - 2, [K],
              {"shape": [4], "low": -2, "high": 3, "dtype": "f64"})
a, b = split(K)
radius, angle = np.sqrt(-2 * np.log1p(-unit(a, (5,)))), 2 * np.pi * unit(b, (5,))
random_sample("normal", radius * np.cos(angle), [K], {"shape": [5], "dtype": "f64"})
random_sample("normal", radius * np.cos(angle) * 0.5 + 3, [K],
              {"shape": [5], "mean": 3, "deviation": 0.5, "dtype": "f64"})
end = math.erf(2 / math.sqrt(2))
random_sample("truncated_normal",
              math.sqrt(2) * scipy.special.erfinv(unit(K, (6,)) * 2 * end - end), [K],
              {"shape": [6], "dtype": "f64"})
random_sample("bernoulli", unit(K, (9,), "f32") < np.float32(0.3), [K],
              {"probability": 0.3, "shape": [9]})
random_sample("randint", (np.floor(unit(K, (9,)) * 10) - 3).astype(np.int32), [K],
              {"shape": [9], "low": -3, "high": 7})
random_sample("permutation", np.argsort(words(K, (8,)), kind="stable").astype(np.int32), [K],
              {"n": 8})
logits = floats(5, 3)
gumbel = -np.log(-np.log1p(-unit(K, (5, 3), "f32").astype(np.float64)))
random_sample("categorical", np.argmax(logits + gumbel, -1).astype(np.int32), [K, logits])
random_sample("exponential", -np.log1p(-unit(K, (4,))) / 2, [K],
              {"shape": [4], "rate": 2, "dtype": "f64"})
keep = unit(K, (3, 4), "f32") < np.float32(0.75)
sample("dropout", lambda x, k: jnp.where(keep, x / 0.75, 0.0), [floats(3, 4), K], {"rate": 0.25})

# Control flow: the functions that function_calls.cpp gives ----------------------------------------

def recurrence(h, w, xs, reverse):
    def body(carry, x):
        new = jnp.tanh(carry * w + x)
        return new, new * x
    return lax.scan(body, h, xs, reverse=reverse)


for reverse in (False, True):
    sample("scan", lambda h, w, xs: recurrence(h, w, xs, reverse),
           [floats(3), floats(3), floats(4, 3)], {"reverse": reverse})
sample("while_loop", lambda x: lax.while_loop(lambda s: s[0] < 4, lambda s: (s[0] + 1, s[1] * 2),
                                              (jnp.int32(0), x)), [floats(3)], gradient=False)
for predicate in (True, False):
    sample("cond", lambda p, x, y: lax.cond(p, lambda: jnp.sin(x) * y, lambda: x - y),
           [np.bool_(predicate), floats(3), floats(3)])


@jax.custom_vjp
def clipped_square(x, y):
    return x * x * y


clipped_square.defvjp(lambda x, y: (clipped_square(x, y), (x, y)),
                      lambda kept, g: (jnp.clip(g * kept[0], -0.5, 0.5), 3 * g + kept[1]))
sample("custom_gradient", clipped_square, [floats(5), floats(5)])
