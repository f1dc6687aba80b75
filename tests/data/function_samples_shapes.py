"""Functions that change shapes, and new tensors. Part of make_function_samples.py."""
import jax.numpy as jnp
import numpy as np
from jax import lax

from function_sampling import floats, integers, sample

X = floats(2, 3, 4)
sample("reshape", lambda x: x.reshape(4, 6), [X], {"shape": [4, 6]})
sample("reshape", lambda x: x.reshape(3, -1, 2), [X], {"shape": [3, -1, 2]})
sample("flatten", lambda x: x.reshape(-1), [X])
sample("flatten", lambda x: x.reshape(2, 12), [X], {"first_axis": 1})
sample("squeeze", jnp.squeeze, [floats(1, 3, 1)])
sample("squeeze", lambda x: jnp.squeeze(x, 0), [floats(1, 3, 1)], {"axes": [0]})
sample("expand_dims", lambda x: jnp.expand_dims(x, 1), [floats(2, 3)], {"axis": 1})
sample("expand_dims", lambda x: jnp.expand_dims(x, -1), [floats(2, 3)], {"axis": -1})
sample("transpose", jnp.transpose, [X])
sample("transpose", lambda x: jnp.transpose(x, (1, 2, 0)), [X], {"permutation": [1, 2, 0]})
sample("transpose", lambda x: jnp.transpose(x, (-1, 0, -2)), [X], {"permutation": [-1, 0, -2]})
sample("swap_axes", lambda x: jnp.swapaxes(x, 0, -1), [X], {"a": 0, "b": -1})
sample("move_axis", lambda x: jnp.moveaxis(x, 0, -1), [X], {"from": 0, "to": -1})
sample("move_axis", lambda x: jnp.moveaxis(x, -1, 1), [X], {"from": -1, "to": 1})
sample("broadcast_to", lambda x: jnp.broadcast_to(x, (2, 4, 3)), [floats(4, 1)],
       {"shape": [2, 4, 3]})
sample("broadcast_to", lambda x: jnp.broadcast_to(x, (2, 2)), [floats()], {"shape": [2, 2]})
for axis in (0, 1, -1):
    sample("concatenate", lambda *x: jnp.concatenate(x, axis), [floats(2, 3), floats(2, 3)],
           {"axis": axis})
    sample("stack", lambda *x: jnp.stack(x, axis), [floats(2, 3), floats(2, 3)], {"axis": axis})
sample("concatenate", lambda *x: jnp.concatenate(x, 1), [floats(2, 1), integers(2, 3),
                                                         floats(2, 2)], {"axis": 1})
sample("split", lambda x: jnp.split(x, 2, 1), [floats(3, 4)], {"parts": 2, "axis": 1})
sample("split_sizes", lambda x: jnp.split(x, [1, 3], 0), [floats(4, 2)],
       {"sizes": [1, 2, 1], "axis": 0})
sample("unstack", lambda x: [x[:, 0], x[:, 1]], [floats(3, 2)], {"axis": 1})
sample("tile", lambda x: jnp.tile(x, (2, 3)), [floats(2, 2)], {"repeats": [2, 3]})
sample("tile", lambda x: jnp.tile(x, (1, 2, 1)), [floats(2, 1, 3)], {"repeats": [1, 2, 1]})
sample("repeat", lambda x: jnp.repeat(x, 3, 1), [floats(2, 2)], {"count": 3, "axis": 1})
sample("repeat", lambda x: jnp.repeat(x, 2, 0), [floats(2, 2)], {"count": 2, "axis": 0})
sample("pad", lambda x: jnp.pad(x, ((1, 0), (2, 1))), [floats(2, 3)],
       {"before": [1, 2], "after": [0, 1]})
sample("pad", lambda x: jnp.pad(x, ((0, 2),), constant_values=7), [floats(3)],
       {"before": [0], "after": [2], "value": 7})
sample("flip", jnp.flip, [floats(2, 3)])
sample("flip", lambda x: jnp.flip(x, 1), [floats(2, 3)], {"axes": [-1]})
for shift in (1, -2, 7):
    sample("roll", lambda x: jnp.roll(x, shift, 1), [floats(2, 4)], {"shift": shift, "axis": 1},
           numpy=lambda x: np.roll(x, shift, 1))
sample("slice", lambda x: x[:, 1:4:2], [floats(2, 5)],
       {"axis": 1, "start": 1, "limit": 4, "step": 2})
sample("slice", lambda x: x[-2:], [floats(4, 2)], {"axis": 0, "start": -2})
sample("slice", lambda x: x[0:-1], [floats(4)], {"axis": 0, "start": 0, "limit": -1})
sample("slice", lambda x: x[3:1], [floats(4)], {"axis": 0, "start": 3, "limit": 1})
sample("index", lambda x: x[1], [floats(3, 2)], {"position": 1})
sample("index", lambda x: x[:, -1], [floats(3, 2)], {"position": -1, "axis": 1})
for starts in ((1, 0), (5, -3)):  # the second is clamped
    s = [np.int32(v) for v in starts]
    sample("dynamic_slice", lambda x, a, b: lax.dynamic_slice(x, (jnp.clip(a, 0), jnp.clip(b, 0)),
                                                              (2, 3)),
           [floats(3, 4), *s], {"sizes": [2, 3]})
    sample("dynamic_update_slice",
           lambda x, u, a, b: lax.dynamic_update_slice(x, u, (jnp.clip(a, 0), jnp.clip(b, 0))),
           [floats(3, 4), floats(2, 3), *s])
for name, f in (("zeros", np.zeros), ("ones", np.ones)):
    sample(name, None, [], {"shape": [2, 3]}, outputs=[f((2, 3), np.float32)])
    sample(name, None, [], {"shape": [2], "dtype": "i64"}, outputs=[f(2, np.int64)])
sample("full", None, [], {"shape": [2, 2], "value": 0.1, "dtype": "f64"},
       outputs=[np.full((2, 2), 0.1)])
sample("zeros_like", lambda x: jnp.zeros_like(x), [floats(2, 2)])
sample("ones_like", lambda x: jnp.ones_like(x), [integers(3)])
sample("full_like", lambda x: jnp.full_like(x, 3), [floats(2)], {"value": 3})
for arguments in ((0, 5, 1), (1, 2, 0.25), (5, 0, -2), (3, 3, 1), (0.5, 1.7, 0.5)):
    sample("arange", None, [], dict(zip(("start", "stop", "step"), arguments)) | {"dtype": "f64"},
           outputs=[np.arange(*arguments).astype(np.float64)])
sample("arange", None, [], {"start": 2, "stop": 6, "step": 1, "dtype": "i32"},
       outputs=[np.arange(2, 6, dtype=np.int32)])
for arguments in ((0, 1, 5), (-1, 2.5, 4), (3, 7, 1), (0, 1, 0)):
    sample("linspace", None, [],
           dict(zip(("start", "stop", "count"), arguments)) | {"dtype": "f64"},
           outputs=[np.linspace(*arguments)])
sample("iota", None, [], {"shape": [2, 3], "axis": 1},
       outputs=[np.broadcast_to(np.arange(3, dtype=np.int32), (2, 3))])
sample("eye", None, [], {"rows": 3}, outputs=[np.eye(3, dtype=np.float32)])
sample("eye", None, [], {"rows": 2, "columns": 4, "dtype": "i32"},
       outputs=[np.eye(2, 4, dtype=np.int32)])
for name in ("tril", "triu"):
    for k in (0, 1, -1):
        sample(name, lambda x: getattr(jnp, name)(x, k), [floats(2, 3, 4)], {"k": k},
               numpy=lambda x: getattr(np, name)(x, k))
sample("diag", jnp.diag, [floats(3)], numpy=np.diag)
sample("diag", jnp.diag, [floats(3, 2)], numpy=np.diag)
sample("diag", jnp.diag, [floats(2, 4)], numpy=np.diag)
sample("trace", jnp.trace, [floats(3, 3)], numpy=np.trace)
