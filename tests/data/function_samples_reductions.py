"""Reductions, scans and softmax. Part of make_function_samples.py."""
import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax import lax

from function_sampling import bools, floats, integers, sample, samples, tensor

REDUCTIONS = {"sum": "sum", "mean": "mean", "prod": "prod", "max": "max", "min": "min",
              "variance": "var", "stddev": "std"}
for name, other in REDUCTIONS.items():
    for axes, keep in (((), False), ((1,), False), ((0, 2), True), ((-1,), True)):
        def f(x, module=jnp):
            return getattr(module, other)(x, axis=axes or None, keepdims=keep)
        sample(name, f, [floats(2, 3, 4)], {"axes": list(axes), "keep_axes": keep},
               numpy=lambda x: f(x, np))
for name in ("variance", "stddev"):
    other = REDUCTIONS[name]
    sample(name, lambda x: getattr(jnp, other)(x, axis=1, ddof=1), [floats(3, 5)],
           {"axes": [1], "correction": 1})
for name in ("sum", "prod", "max", "min"):
    x = integers(2, 3, dtype="i64")
    sample(name, lambda x: getattr(jnp, name)(x, axis=0), [x], {"axes": [0]})
sample("sum", None, [bools(3, 4)], {"axes": [1]}, outputs=[np.zeros(3, np.int32)])
samples[-1]["outputs"] = [tensor(np.sum(np.array(samples[-1]["inputs"][0]["data"]).reshape(3, 4),
                                        axis=1).astype(np.int32))]
sample("mean", None, [np.array([1, 2, 4], np.int32)],
       outputs=[np.float32(np.float64(7) / 3)])
for name in ("all", "any"):
    for axes, keep in (((), False), ((0,), True)):
        sample(name, lambda x: getattr(jnp, name)(x, axis=axes or None, keepdims=keep),
               [bools(2, 3)], {"axes": list(axes), "keep_axes": keep})
    sample(name, lambda x: getattr(jnp, name)(x, axis=1), [np.array([[0.0, 2], [1, 3], [0, 0]])],
           {"axes": [1]})
sample("count_nonzero", lambda x: jnp.count_nonzero(x, axis=1).astype(jnp.int32),
       [np.array([[0.0, 2, -1], [0, 0, 0]])], {"axes": [1]})
for axes, keep in (((), False), ((1,), False), ((0,), True)):
    sample("logsumexp", lambda x: jax.scipy.special.logsumexp(x, axis=axes or None, keepdims=keep),
           [floats(3, 4)], {"axes": list(axes), "keep_axes": keep},
           numpy=lambda x: scipy.special.logsumexp(x, axis=axes or None, keepdims=keep))
infinite = np.array([[-np.inf, -np.inf], [np.inf, 1], [1000, 999], [-1000, -np.inf]])
sample("logsumexp", None, [infinite], {"axes": [1]},
       outputs=[scipy.special.logsumexp(infinite, axis=1)])
for p in (1, 2, 3, np.inf):
    sample("norm", lambda x: jnp.linalg.norm(x, ord=p, axis=1), [floats(3, 4)],
           {"p": "inf" if p == np.inf else p, "axes": [1]},
           numpy=lambda x: np.linalg.norm(x, ord=p, axis=1))
sample("norm", lambda x: jnp.sqrt(jnp.sum(x * x, keepdims=True)), [floats(2, 3)],
       {"p": 2, "keep_axes": True})
for name in ("argmax", "argmin"):
    for axis, keep in ((None, False), (1, False), (-1, True), (0, False)):
        arguments = {"keep_axis": keep} if axis is None else {"axis": axis, "keep_axis": keep}
        x = np.round(floats(3, 4))  # with ties: the first wins
        sample(name, None, [x], arguments,
               outputs=[getattr(np, name)(x, axis=axis, keepdims=keep).astype(np.int32)])
CUMULATIVE = {"cumsum": jnp.cumsum, "cumprod": jnp.cumprod, "cummax": lax.cummax,
              "cummin": lax.cummin}
for name, f in CUMULATIVE.items():
    for axis, reverse in ((0, False), (1, True), (-1, False)):
        def g(x):
            y = jnp.flip(f(jnp.flip(x, axis), axis % 2), axis) if reverse else f(x, axis % 2)
            return y
        sample(name, g, [floats(3, 4)], {"axis": axis, "reverse": reverse})
sample("cumsum", None, [np.array([1, 0, 1], np.bool_)], outputs=[np.array([1, 1, 2], np.int32)])
for name, f in (("softmax", jax.nn.softmax), ("log_softmax", jax.nn.log_softmax)):
    for axis in (-1, 0):
        sample(name, lambda x: f(x, axis=axis), [floats(3, 4)], {"axis": axis},
               numpy=lambda x: getattr(scipy.special, name)(x, axis=axis))
    sample(name, lambda x: f(x, axis=-1), [np.array([[1000.0, 999, -1000]])])
