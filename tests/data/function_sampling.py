"""What the scripts of function samples share: random inputs, a record for each call of a function.

JAX computes in 64 bits; where NumPy has the function too, the two must agree.
"""
import math
import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(7)
samples = []

DTYPES = {"bool": np.bool_, "i8": np.int8, "u8": np.uint8, "i32": np.int32, "u32": np.uint32,
          "i64": np.int64, "u64": np.uint64, "f32": np.float32, "f64": np.float64}
NAMES = {np.dtype(v): k for k, v in DTYPES.items()}


def number(value):
    if isinstance(value, (np.bool_, bool, np.integer)):
        return int(value)
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    whole = float(str(value))  # shortest text that reads back as the same f32 or f64
    return int(whole) if whole.is_integer() and abs(whole) < 1e15 else whole


def tensor(array):
    array = np.asarray(array)
    return {"type": NAMES[array.dtype], "shape": list(array.shape),
            "data": [number(v) for v in array.ravel()]}


def is_float(x):
    return np.asarray(x).dtype.kind == "f"


def sample(function, compute, inputs, arguments=None, numpy=None, gradient=True, outputs=None):
    """`compute(*inputs)` with JAX, one array or several; `numpy` computes the same to compare."""
    inputs = [np.asarray(x) for x in inputs]

    def as_list(*xs):
        found = compute(*xs)
        return list(found) if isinstance(found, (list, tuple)) else [found]

    if outputs is None:
        outputs = [np.asarray(x) for x in as_list(*[jnp.asarray(x) for x in inputs])]
    outputs = [np.asarray(x) for x in outputs]
    if numpy is not None:
        with np.errstate(all="ignore"):
            other = numpy(*inputs)
        other = other if isinstance(other, (list, tuple)) else [other]
        for a, b in zip(outputs, other):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12, err_msg=function)
    cotangents, gradients = [], []
    wrt = tuple(i for i, x in enumerate(inputs) if is_float(x))
    if gradient and compute and wrt and any(is_float(x) for x in outputs):
        for x in outputs:
            c = np.round(rng.uniform(-1.5, 1.5, x.shape), 1).astype(x.dtype) if is_float(x) else None
            cotangents.append(c)

        def total(*xs):
            return sum(jnp.sum(y * c) for y, c in zip(as_list(*xs), cotangents) if c is not None)

        found = dict(zip(wrt, jax.grad(total, wrt)(*[jnp.asarray(x) for x in inputs])))
        gradients = [tensor(found[i]) if i in found else None for i in range(len(inputs))]
    samples.append({"function": function, "arguments": arguments or {},
                    "inputs": [tensor(x) for x in inputs], "outputs": [tensor(x) for x in outputs],
                    "cotangents": [None if c is None else tensor(c) for c in cotangents],
                    "gradients": gradients})


def floats(*shape, dtype="f64", low=-2.0, high=2.0):
    """Two decimals: short to write. Distinct, so that maxima and orders have no ties."""
    steps = np.arange(math.ceil(low * 100), math.floor(high * 100) + 1)
    size = int(np.prod(shape))
    return (rng.choice(steps, size, replace=size > steps.size) / 100).reshape(shape).astype(
        DTYPES[dtype])


def integers(*shape, dtype="i32", low=-5, high=6):
    return rng.integers(low, high, shape).astype(DTYPES[dtype])


def bools(*shape):
    return rng.integers(0, 2, shape).astype(np.bool_)
