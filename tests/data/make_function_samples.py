#!/usr/bin/env python3
"""Writes function_samples.json: what the functions of docs/api.md give by NumPy and JAX.

    python3 -m pip install jax scipy && python3 make_function_samples.py

An entry is {function, arguments, inputs, outputs, cotangents, gradients}. `gradients` holds, for
each input, the gradient of sum(output * cotangent) over the float outputs, or null. JAX computes
in 64 bits; where NumPy has the function too, the two must agree.
"""
import json
import math
import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax import lax

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


# Elementwise, one operand ----------------------------------------------------------------------

def unary(name, compute, numpy=None, low=-2.0, high=2.0, gradient=True, values=None):
    x = floats(2, 4, low=low, high=high) if values is None else np.array(values, np.float64)
    sample(name, compute, [x], numpy=numpy, gradient=gradient)


for name in ("negative", "abs", "sign", "floor", "ceil", "trunc", "exp", "expm1", "exp2", "square",
             "reciprocal", "sin", "cos", "tan", "sinh", "cosh", "tanh", "degrees", "radians"):
    unary(name, getattr(jnp, name), getattr(np, name))
unary("round", jnp.round, np.round, values=[-2.5, -1.5, -0.4, 0.5, 1.5, 2.5, 3.2], gradient=False)
for name in ("log", "log2", "log10", "sqrt"):
    unary(name, getattr(jnp, name), getattr(np, name), low=0.1, high=5)
unary("log1p", jnp.log1p, np.log1p, low=-0.9, high=5)
unary("rsqrt", lax.rsqrt, lambda x: 1 / np.sqrt(x), low=0.1, high=5)
unary("cbrt", jnp.cbrt, np.cbrt, low=0.1, high=9)
unary("cbrt", jnp.cbrt, np.cbrt, low=-9, high=-0.1)
unary("asin", jnp.arcsin, np.arcsin, low=-0.95, high=0.95)
unary("acos", jnp.arccos, np.arccos, low=-0.95, high=0.95)
unary("atan", jnp.arctan, np.arctan)
unary("asinh", jnp.arcsinh, np.arcsinh)
unary("sinh", jnp.sinh, np.sinh, values=[-1e-9, 1e-9, 0.3, 20, -700])
unary("acosh", jnp.arccosh, np.arccosh, low=1.1, high=9)
unary("atanh", jnp.arctanh, np.arctanh, low=-0.95, high=0.95)
unary("erf", jax.scipy.special.erf, scipy.special.erf)
unary("erfc", jax.scipy.special.erfc, scipy.special.erfc)
SPECIAL = [0.0, -1.5, np.nan, np.inf, -np.inf]
for name, compute in (("is_nan", np.isnan), ("is_inf", np.isinf), ("is_finite", np.isfinite)):
    sample(name, None, [np.array(SPECIAL)], outputs=[compute(np.array(SPECIAL))])
    sample(name, None, [np.array(SPECIAL, np.float32)], outputs=[compute(np.array(SPECIAL))])
    sample(name, None, [integers(3)], outputs=[compute(np.zeros(3))])
# Integers and bools count as f32 in functions of real numbers, and stay what they are in others.
for name in ("exp", "sqrt", "tanh", "sigmoid"):
    x = integers(4, low=1, high=4)
    with_numpy = {"exp": np.exp, "sqrt": np.sqrt, "tanh": np.tanh,
                  "sigmoid": lambda v: 1 / (1 + np.exp(-v))}[name]
    sample(name, None, [x], outputs=[with_numpy(x.astype(np.float64)).astype(np.float32)])
for name in ("negative", "abs", "sign", "square"):
    for dtype in ("i32", "i8", "i64"):
        x = integers(5, dtype=dtype)
        sample(name, getattr(jnp, name), [x], numpy=getattr(np, name))
for name in ("floor", "ceil", "round", "trunc"):
    x = integers(3)
    sample(name, None, [x], outputs=[x])
sample("abs", jnp.abs, [integers(3, dtype="u8", low=0)])
for name in ("exp", "log1p", "sin", "square"):
    x = floats(4, dtype="f32", low=0.1)
    sample(name, None, [x], outputs=[getattr(np, name)(x.astype(np.float64)).astype(np.float32)])

# Activations.
for name, compute in (("relu", jax.nn.relu), ("relu6", jax.nn.relu6), ("elu", jax.nn.elu),
                      ("selu", jax.nn.selu), ("gelu", lambda x: jax.nn.gelu(x, approximate=False)),
                      ("gelu_tanh", jax.nn.gelu), ("silu", jax.nn.silu),
                      ("mish", lambda x: x * jnp.tanh(jax.nn.softplus(x))),
                      ("sigmoid", jax.nn.sigmoid), ("log_sigmoid", jax.nn.log_sigmoid),
                      ("softplus", jax.nn.softplus), ("hard_sigmoid", jax.nn.hard_sigmoid),
                      ("hard_swish", jax.nn.hard_swish), ("leaky_relu", jax.nn.leaky_relu)):
    unary(name, compute, low=-7, high=7)
for name, compute in (("softplus", jax.nn.softplus), ("elu", jax.nn.elu), ("relu", jax.nn.relu)):
    unary(name, compute, values=[0.0, 800, -800])
sample("leaky_relu", lambda x: jax.nn.leaky_relu(x, 0.3), [floats(5)], {"slope": 0.3})
sample("elu", lambda x: jax.nn.elu(x, 0.5), [floats(5)], {"alpha": 0.5})

# Elementwise, two and three operands -----------------------------------------------------------

NUMPY_NAMES = {"atan2": "arctan2", "left_shift": "left_shift"}
for name in ("add", "subtract", "multiply", "divide", "minimum", "maximum", "atan2", "hypot",
             "logaddexp", "fmod", "remainder", "floor_divide"):
    numpy_name = NUMPY_NAMES.get(name, name)
    smooth = name not in ("fmod", "remainder", "floor_divide")
    f, g = getattr(jnp, numpy_name), getattr(np, numpy_name)
    sample(name, f, [floats(2, 3), floats(2, 3, low=0.3)], numpy=g, gradient=smooth)
    sample(name, f, [floats(2, 1, 3), floats(4, 1, low=0.2)], numpy=g, gradient=smooth)
    sample(name, f, [floats(2, 3), floats(low=-2, high=-0.5)], numpy=g, gradient=smooth)
pair = [np.array([5.0, -5, 5, -5, 1, 7.5]), np.array([3.0, 3, -3, -3, 0.1, -2.5])]
sample("floor_divide", jnp.floor_divide, pair, numpy=np.floor_divide, gradient=False)
sample("remainder", jnp.remainder, [floats(6, low=0.1), floats(6, low=2.5, high=4)])
sample("fmod", jnp.fmod, [floats(6, low=0.1), floats(6, low=2.5, high=4)])
sample("hypot", None, [np.array([0.0, np.inf, np.inf, 3e200, 3.0]),
                       np.array([0.0, 1.0, -np.inf, 4e200, -4.0])],
       outputs=[np.array([0, np.inf, np.inf, 5e200, 5.0])])
sample("logaddexp", None, [np.array([-np.inf, 900.0, -900.0]), np.array([-np.inf, 900.0, -np.inf])],
       outputs=[np.logaddexp([-np.inf, 900.0, -900.0], [-np.inf, 900.0, -np.inf])])
for kinds in (("i32", "i32"), ("i8", "i8"), ("i64", "i32"), ("u8", "i32")):
    x = integers(6, dtype=kinds[0], low=0 if kinds[0] == "u8" else -9, high=10)
    y = np.array([1, -2, 3, -3, 4, 5]).astype(DTYPES[kinds[1]])
    for name in ("add", "subtract", "multiply", "floor_divide", "remainder", "fmod", "minimum",
                 "maximum"):
        sample(name, getattr(jnp, name), [x, y], numpy=getattr(np, name))
    sample("divide", None, [x, y], outputs=[(x / y).astype(np.float32)])
x = integers(6, dtype="u8", low=0, high=99)
sample("remainder", jnp.remainder, [x, x // 3 + 2], numpy=np.remainder)
sample("floor_divide", jnp.floor_divide, [x, x // 3 + 2], numpy=np.floor_divide)
# The written rule of promotion: [left, right, result].
for left, right, result in (("i32", "f32", "f32"), ("i64", "f32", "f32"), ("u8", "i8", "i32"),
                            ("u32", "i32", "i64"), ("bool", "f64", "f64"), ("bool", "u8", "u8"),
                            ("f32", "f64", "f64"), ("bool", "bool", "i32"), ("i8", "i64", "i64"),
                            ("u32", "i64", "i64"), ("u8", "u32", "u32")):
    x, y = (bools(4) if k == "bool" else integers(4, dtype=k, low=0, high=9) for k in (left, right))
    total = x.astype(np.float64) + y.astype(np.float64)
    sample("add", None, [x, y], outputs=[total.astype(DTYPES[result])])
sample("power", jnp.power, [floats(2, 3, low=0.3), floats(2, 3)], numpy=np.power)
sample("power", lambda x, y: jnp.power(x, y.astype(float)), [floats(2, 3), np.int32(3)],
       numpy=np.power)
sample("power", lambda x, y: jnp.power(x, y.astype(float)), [floats(5), np.array([2])])
sample("power", None, [np.array([1, 2, 3], np.int32), np.int32(2)],
       outputs=[np.array([1, 4, 9], np.float32)])
sample("squared_difference", lambda x, y: (x - y) ** 2, [floats(2, 3), floats(3)])
sample("clip", jnp.clip, [floats(9), np.float64(-0.505), np.float64(1.005)], numpy=np.clip,
       gradient=False)
sample("clip", lambda x: jnp.clip(x, -0.505, 1.005), [floats(9)], {"low": -0.505, "high": 1.005})
sample("clip", None, [np.array([1, 5, 9], np.int32), np.int32(2), np.int32(7)],
       outputs=[np.array([2, 5, 7], np.int32)])
sample("lerp", lambda a, b, w: a + w * (b - a), [floats(2, 3), floats(2, 3), floats(3)])
for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
    x, y = np.round(floats(8)), np.round(floats(8))
    x[0], y[1] = np.nan, np.nan
    sample(name, getattr(jnp, name), [x, y], numpy=getattr(np, name))
    sample(name, getattr(jnp, name), [integers(2, 3, low=0, high=3), integers(3, low=0, high=3)])
    sample(name, getattr(jnp, name), [bools(4), bools(4)])
for name in ("logical_and", "logical_or", "logical_xor"):
    sample(name, getattr(jnp, name), [bools(6), bools(6)], numpy=getattr(np, name))
    sample(name, getattr(jnp, name), [np.array([0.0, 1, 0, -2]), integers(4, low=0, high=2)],
           numpy=getattr(np, name))
sample("logical_not", jnp.logical_not, [bools(4)])
sample("logical_not", jnp.logical_not, [np.array([0, 1, -3], np.int32)])
for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    for dtype in ("i32", "u8", "u64"):
        x, y = integers(5, dtype=dtype, low=0, high=99), integers(5, dtype=dtype, low=0, high=99)
        sample(name, getattr(jnp, name), [x, y], numpy=getattr(np, name))
sample("bitwise_not", jnp.bitwise_not, [integers(5)], numpy=np.bitwise_not)
sample("bitwise_not", jnp.bitwise_not, [integers(5, dtype="u8", low=0)], numpy=np.bitwise_not)
for name in ("left_shift", "right_shift"):
    sample(name, getattr(jnp, name), [integers(6, low=-99, high=99), integers(6, low=0, high=6)],
           numpy=getattr(np, name))
    sample(name, getattr(jnp, name),
           [integers(6, dtype="u8", low=0, high=255), integers(6, dtype="u8", low=0, high=6)],
           numpy=getattr(np, name))
sample("where", jnp.where, [bools(2, 3), floats(2, 3), floats(2, 3)], numpy=np.where)
sample("where", jnp.where, [bools(4, 1), floats(3), floats()], numpy=np.where)
sample("where", jnp.where, [bools(2, 2), integers(2), floats(2, 2)])
for source, target in (("f64", "f32"), ("f64", "i32"), ("i32", "f64"), ("bool", "f32"),
                       ("f32", "f64"), ("i64", "u8"), ("f64", "bool")):
    x = bools(4) if source == "bool" else floats(4, dtype=source) if source[0] == "f" else integers(
        4, dtype=source, low=0)
    sample("cast", lambda v, t=target: v.astype(DTYPES[t]), [x], {"dtype": target},
           gradient=source[0] == "f" and target[0] == "f")
for source, target in (("f32", "u32"), ("i64", "f64"), ("f64", "u64"), ("i8", "u8")):
    x = floats(3, dtype=source) if source[0] == "f" else integers(3, dtype=source)
    sample("bitcast", None, [x], {"dtype": target}, outputs=[x.view(DTYPES[target])])
sample("stop_gradient", lambda x: lax.stop_gradient(x) * 1, [floats(4)])

# Reductions and scans --------------------------------------------------------------------------

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

# Shapes ----------------------------------------------------------------------------------------

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

# Indexing and sorting --------------------------------------------------------------------------

def clamped_take(x, i, axis):
    return jnp.take(x, jnp.clip(i, 0, x.shape[axis] - 1), axis)


for axis in (0, 1, -1):
    sample("take", lambda x, i: clamped_take(x, i, axis), [floats(3, 4), integers(5, low=-1)],
           {"axis": axis})
    sample("take", lambda x, i: clamped_take(x, i, axis),
           [floats(3, 4), integers(2, 2, dtype="i64", low=0, high=3)], {"axis": axis})
sample("take", lambda x, i: clamped_take(x, i, 0), [floats(3, 4), np.int32(2)])
sample("embedding_lookup", lambda x, i: clamped_take(x, i, 0),
       [floats(5, 3), integers(2, 4, dtype="u8", low=0, high=5)])
for axis in (0, 1, -1):
    sample("take_along_axis", lambda x, i: jnp.take_along_axis(x, i, axis),
           [floats(3, 3), integers(3, 3, low=0, high=3)], {"axis": axis},
           numpy=lambda x, i: np.take_along_axis(x, i, axis))
sample("take_along_axis", lambda x, i: jnp.take_along_axis(x, i, 1),
       [floats(2, 5), integers(2, 3, low=0, high=5)], {"axis": 1})
sample("gather_nd", lambda x, i: x[i[..., 0], i[..., 1]],
       [floats(3, 4), integers(5, 2, low=0, high=3)])
sample("gather_nd", lambda x, i: x[i[..., 0]], [floats(3, 2), integers(2, 2, 1, low=0, high=3)])
for name, method in (("scatter_set", "set"), ("scatter_add", "add"), ("scatter_min", "min"),
                     ("scatter_max", "max")):
    i = np.array([3, 0, 2], np.int32) if name == "scatter_set" else np.array([1, 3, 1], np.int32)
    sample(name, lambda x, i, u: getattr(x.at[i], method)(u), [floats(4, 2), i, floats(3, 2)])
    sample(name, lambda x, i, u: getattr(x.at[:, i], method)(u), [floats(2, 4), i, floats(2, 3)],
           {"axis": 1})
sample("scatter_add", lambda x, i, u: x.at[i].add(u), [floats(3), np.array([[0, 2], [2, 1]]),
                                                       floats(2, 2)])
x, u = floats(3), floats(3)  # indices out of range are dropped
expected = x.copy()
expected[1] += u[1]
sample("scatter_add", None, [x, np.array([-1, 1, 3], np.int32), u], outputs=[expected])
sample("segment_sum", lambda x, i: jax.ops.segment_sum(x, i, 4),
       [floats(5, 2), np.array([0, 3, 0, 1, 3], np.int32)], {"segments": 4})
i = np.array([[0, 2], [1, 5]], np.int32)
sample("one_hot", lambda i: jax.nn.one_hot(i, 3, dtype=jnp.float32), [i], {"depth": 3})
sample("one_hot", lambda i: jax.nn.one_hot(i, 3, dtype=jnp.int32, axis=0), [i],
       {"depth": 3, "dtype": "i32", "axis": 0})
for axis, descending in ((-1, False), (0, True), (1, True)):
    def order(x):
        return jnp.flip(jnp.sort(x, axis), axis) if descending else jnp.sort(x, axis)
    sample("sort", order, [floats(3, 4)], {"axis": axis, "descending": descending})
    x = np.round(floats(3, 4))
    found = np.argsort(-x if descending else x, axis, kind="stable").astype(np.int32)
    sample("argsort", None, [x], {"axis": axis, "descending": descending}, outputs=[found])
sample("sort", None, [np.array([3, 1, 2], np.int8)], outputs=[np.array([1, 2, 3], np.int8)])
sample("top_k", lambda x: lax.top_k(x, 2), [floats(3, 5)], {"k": 2})
samples[-1]["outputs"][1]["type"] = "i32"
x = np.array([[1.0, 3, 3, 2]]).T
sample("top_k", None, [x], {"k": 2, "axis": 0},
       outputs=[np.array([[3.0], [3]]), np.array([[1], [2]], np.int32)])
edges = np.array([-1.0, 0, 0, 2.5])
sample("searchsorted", None, [edges, np.array([[-2.0, 0, 1], [2.5, 9, -1]])],
       outputs=[np.searchsorted(edges, [[-2.0, 0, 1], [2.5, 9, -1]]).astype(np.int32)])

# Products --------------------------------------------------------------------------------------

for a, b in (((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((5, 2, 3), (3, 4)),
             ((5, 2, 3), (5, 3, 4)), ((2, 1, 2, 3), (4, 3, 2)), ((3,), (2, 3, 4)),
             ((2, 4, 3), (3,))):
    sample("matmul", jnp.matmul, [floats(*a), floats(*b)], numpy=np.matmul)
sample("matmul", jnp.matmul, [integers(2, 3), integers(3, 2)], numpy=np.matmul)
sample("matmul", jnp.matmul, [integers(2, 3), floats(3, 2)], numpy=np.matmul)
sample("dot", jnp.dot, [floats(4), floats(4)], numpy=np.dot)
sample("outer", jnp.outer, [floats(2), floats(3)], numpy=np.outer)
for axes in (0, 1, 2):
    shapes = {0: ((2,), (3, 2)), 1: ((2, 3), (3, 2)), 2: ((2, 3, 4), (3, 4, 2))}[axes]
    sample("tensordot", lambda x, y: jnp.tensordot(x, y, axes), [floats(*s) for s in shapes],
           {"axes": axes}, numpy=lambda x, y: np.tensordot(x, y, axes))
EQUATIONS = {"ij,jk->ik": ((2, 3), (3, 4)), "ij,jk": ((2, 3), (3, 4)), "ij,jk->ki": ((2, 3), (3, 4)),
             "bij,bjk->bik": ((2, 3, 2), (2, 2, 3)), "bij->bji": ((2, 3, 4),), "ii->i": ((3, 3),),
             "ii": ((3, 3),), "ij->": ((2, 3),), "ij->j": ((2, 3),), "ba": ((2, 3),),
             "i,j->ij": ((2,), (3,)), "i,i->": ((4,), (4,)), "i,i->i": ((4,), (4,)),
             "ij,ij->i": ((2, 3), (2, 3)), "ij,kj->ik": ((2, 3), (4, 3)),
             "bhqd,bhkd->bhqk": ((1, 2, 3, 2), (1, 2, 4, 2)), "ijk,k->ji": ((2, 3, 4), (4,)),
             "ij,j->i": ((2, 3), (3,)), "iij,j->i": ((2, 2, 3), (3,)), "ij,kl->il": ((2, 3), (2, 4)),
             "abc,cd->abd": ((2, 2, 3), (3, 2)), "i j , j k -> i k": ((2, 3), (3, 2)),
             ",i->i": ((), (3,)), "Aa,aB->AB": ((2, 3), (3, 2)), "ijij->ij": ((2, 3, 2, 3),)}
for equation, shapes in EQUATIONS.items():
    sample("einsum", lambda *x: jnp.einsum(equation, *x), [floats(*s) for s in shapes],
           {"equation": equation}, numpy=lambda *x: np.einsum(equation, *x))

# Convolution, pooling, normalisation, attention ------------------------------------------------

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

# Random numbers: the formulas of random.h on words of partitionable Threefry ---------------------

def threefry(key, counters):
    """jax.extend's threefry_2x32 of [n] 64-bit counters: both words combined by XOR."""
    high, low = (counters >> 32).astype(np.uint32), counters.astype(np.uint32)
    from jax.extend.random import threefry_2x32
    both = np.asarray(threefry_2x32(jnp.asarray(key), jnp.concatenate([high, low])))
    return both[:counters.size] ^ both[counters.size:]


def words(key, shape):
    count = int(np.prod(shape))
    return threefry(key, np.arange(count, dtype=np.uint64)).reshape(shape)


def split(key, count=2):
    return words(key, (count, 2))


def unit(key, shape, dtype="f64"):
    if dtype == "f64":
        a, b = split(key)
        high, low = words(a, shape) >> 6, words(b, shape) >> 5
        return (high * 2.0**27 + low) * 2.0**-53
    return ((words(key, shape) >> 8) * 2.0**-24).astype(np.float32)


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

# Of layers: the gradient of a convolution, weights of attention, positions ------------------------

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

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "function_samples.json")
with open(path, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(s, separators=(",", ":")) for s in samples) + "\n]\n")
print(len(samples), "samples of", len({s["function"] for s in samples}), "functions,",
      os.path.getsize(path), "bytes")
