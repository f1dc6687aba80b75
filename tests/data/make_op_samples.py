#!/usr/bin/env python3
"""Writes op_samples.json: inputs and outputs of ops as JAX and NumPy compute them.

    python3 -m pip install jax && python3 make_op_samples.py

An entry is {op, attributes, inputs, outputs, exact}; attributes are named as the fields of Tenon's
op structs. Everything is computed in f64 (or integers) and rounded once to the type of the outputs.
"""
import json
import math
import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(20240501)
samples = []

DTYPES = {"bool": np.bool_, "i8": np.int8, "u8": np.uint8, "i32": np.int32, "u32": np.uint32,
          "i64": np.int64, "u64": np.uint64, "f32": np.float32, "f64": np.float64}
NAMES = {np.dtype(v): k for k, v in DTYPES.items()}


def number(value):
    if isinstance(value, (np.bool_, bool)):
        return int(value)
    if isinstance(value, np.integer):
        return int(value)
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    text = str(value)  # shortest text that reads back as the same f32 or f64
    whole = float(text)
    return int(whole) if whole.is_integer() and abs(whole) < 1e15 and text[0] != "-" else whole


def tensor(array):
    array = np.asarray(array)
    return {"type": NAMES[array.dtype], "shape": list(array.shape),
            "data": [number(v) for v in array.ravel()]}


def sample(op, attributes, inputs, outputs, exact=False):
    samples.append({"op": op, "attributes": attributes, "inputs": [tensor(x) for x in inputs],
                    "outputs": [tensor(x) for x in outputs], "exact": exact})


def floats(*shape, dtype="f64", low=-2.0, high=2.0):
    """Two decimals: short to write, different enough."""
    return np.round(rng.uniform(low, high, shape), 2).astype(DTYPES[dtype])


def integers(*shape, dtype="i32", low=-5, high=6):
    return rng.integers(low, high, shape).astype(DTYPES[dtype])


def wide(x):
    return x.astype(np.float64) if x.dtype == np.float32 else x


# Reductions ------------------------------------------------------------------------------------

def reduce_sample(kind, x, axes):
    attributes = {"kind": kind, "axes": list(axes), "accumulate": NAMES[x.dtype]}
    w = jnp.asarray(wide(x))
    if kind in ("argmin", "argmax"):
        index = getattr(jnp, kind)(w, axis=axes[0]).astype(jnp.int32)
        value = (jnp.min if kind == "argmin" else jnp.max)(w, axis=axes[0])
        sample("reduce", attributes, [x], [np.asarray(value).astype(x.dtype), index], True)
        return
    function = {"sum": jnp.sum, "product": jnp.prod, "min": jnp.min, "max": jnp.max,
                "all": jnp.all, "any": jnp.any}[kind]
    result = np.asarray(function(w, axis=tuple(axes))).astype(x.dtype)
    sample("reduce", attributes, [x], [result], kind not in ("sum", "product"))


for dtype in ("f64", "f32"):
    x = floats(3, 4, 5, dtype=dtype)
    for kind in ("sum", "product", "min", "max"):
        for axes in ([0], [1], [2], [0, 2], [0, 1, 2], []):
            reduce_sample(kind, x, axes)
    for kind in ("argmin", "argmax"):
        for axis in range(3):
            reduce_sample(kind, np.round(x), [axis])  # with ties
with_nan = floats(2, 5)
with_nan[0, 2] = with_nan[1, 0] = with_nan[1, 3] = np.nan
for kind in ("sum", "product", "min", "max", "argmin", "argmax"):
    reduce_sample(kind, with_nan, [1])
for dtype in ("i8", "u8", "i32", "u64"):
    low = 0 if dtype[0] == "u" else -9
    x = integers(4, 6, dtype=dtype, low=low, high=10)
    for kind in ("min", "max", "argmin", "argmax"):
        reduce_sample(kind, x, [1])
    for kind, function in (("sum", np.add), ("product", np.multiply)):  # wraps in the type
        result = function.reduce(x, axis=1, dtype=x.dtype)
        sample("reduce", {"kind": kind, "axes": [1], "accumulate": dtype}, [x], [result], True)
truths = rng.integers(0, 2, (4, 3)).astype(np.bool_)
for kind in ("all", "any"):
    for axes in ([0], [1], [0, 1]):
        reduce_sample(kind, truths, axes)

for reverse in (False, True):
    for kind, function in (("sum", lax.cumsum), ("product", lax.cumprod), ("min", lax.cummin),
                           ("max", lax.cummax)):
        for axis in range(3):
            x = floats(2, 5, 3)
            sample("cumulative_reduce",
                   {"kind": kind, "axis": axis, "reverse": reverse, "accumulate": "f64"}, [x],
                   [function(jnp.asarray(x), axis=axis, reverse=reverse)], kind in ("min", "max"))
        x = integers(7)
        sample("cumulative_reduce",
               {"kind": kind, "axis": 0, "reverse": reverse, "accumulate": "i32"}, [x],
               [function(jnp.asarray(x), axis=0, reverse=reverse)], True)


# Windows ---------------------------------------------------------------------------------------

def window(size, strides, low, high, dilation):
    return {"size": size, "strides": strides, "low": low, "high": high, "dilation": dilation}


def reduce_window(kind, x, w):
    start, function = {"sum": (0.0, lax.add), "max": (-np.inf, lax.max),
                       "min": (np.inf, lax.min)}[kind]
    return lax.reduce_window(x, start, function, w["size"], w["strides"],
                             list(zip(w["low"], w["high"])), None, w["dilation"])


WINDOWS = [
    ([7], window([3], [1], [0], [0], [1])),
    ([7], window([3], [2], [1], [1], [1])),
    ([9], window([3], [1], [0], [2], [2])),
    ([9], window([2], [3], [0], [0], [4])),
    ([5, 6], window([2, 3], [2, 1], [0, 1], [1, 1], [1, 1])),
    ([6, 7], window([2, 2], [3, 2], [1, 2], [2, 0], [2, 3])),
    ([2, 6, 5, 3], window([1, 2, 2, 1], [1, 2, 2, 1], [0, 0, 0, 0], [0, 0, 1, 0], [1, 1, 1, 1])),
    ([1, 5, 5, 2], window([1, 3, 3, 1], [1, 1, 1, 1], [0, 1, 1, 0], [0, 1, 1, 0], [1, 1, 1, 1])),
    ([4], window([1], [2], [3], [3], [1])),
]
for shape, w in WINDOWS:
    for kind in ("sum", "max", "min"):
        x = floats(*shape)
        result = np.asarray(reduce_window(kind, jnp.asarray(x), w))
        sample("window_reduce", {"kind": kind, "window": w, "accumulate": "f64"}, [x], [result],
               kind != "sum")
        if kind == "sum" or max(w["dilation"]) > 1:  # JAX has no derivative with dilation
            continue
        distinct = rng.permutation(x.size).reshape(shape).astype(np.float64)
        result, pull = jax.vjp(lambda v: reduce_window(kind, v, w), jnp.asarray(distinct))
        upstream = floats(*result.shape)
        attributes = {"kind": kind, "direction": "scatter", "window": w}
        sample("window_select", attributes, [distinct, upstream], list(pull(jnp.asarray(upstream))))
        if w["size"] == [1]:
            continue  # JAX's derivative gives NaN for windows that lie wholly in the padding
        tangent = floats(*shape)
        _, pushed = jax.jvp(lambda v: reduce_window(kind, v, w), [jnp.asarray(distinct)],
                            [jnp.asarray(tangent)])
        sample("window_select", dict(attributes, direction="gather"), [distinct, tangent],
               [pushed], True)


# Contractions ----------------------------------------------------------------------------------

def dot_sample(lhs, rhs, contracting, batch=((), ())):
    attributes = {"lhs_batch": list(batch[0]), "rhs_batch": list(batch[1]),
                  "lhs_contracting": list(contracting[0]), "rhs_contracting": list(contracting[1]),
                  "result": NAMES[lhs.dtype], "precision": "highest"}
    result = lax.dot_general(wide(lhs), wide(rhs), (contracting, batch),
                             precision=lax.Precision.HIGHEST)
    sample("dot", attributes, [lhs, rhs], [np.asarray(result).astype(lhs.dtype)])


dot_sample(floats(3, 4), floats(4, 5), ((1,), (0,)))
dot_sample(floats(3, 4, dtype="f32"), floats(4, 5, dtype="f32"), ((1,), (0,)))
dot_sample(integers(3, 4), integers(4, 5), ((1,), (0,)))
dot_sample(floats(4), floats(4), ((0,), (0,)))
dot_sample(floats(3), floats(2), ((), ()))
dot_sample(floats(2, 3, 4), floats(2, 4, 5), ((2,), (1,)), ((0,), (0,)))
dot_sample(floats(3, 2, 4), floats(4, 5, 2), ((2,), (0,)), ((1,), (2,)))
dot_sample(floats(2, 3, 4, 5), floats(5, 3, 6, 2), ((1, 3), (1, 0)), ((0,), (3,)))
dot_sample(floats(2, 3, 4), floats(3, 4, 2, 2), ((), ()), ((1, 0), (0, 3)))
dot_sample(floats(3, 0), floats(0, 2), ((1,), (0,)))


def convolution_sample(input, kernel, layout, strides, padding, base=None, window=None,
                       feature_groups=1, batch_groups=1):
    """layout: three strings of axes such as ("NHWC", "HWIO", "NHWC")."""
    spatial = "".join(c for c in layout[1] if c not in "IO")
    base = base or [1] * len(spatial)
    window = window or [1] * len(spatial)
    axes = [[text.index(c) for c in letters + spatial]
            for text, letters in zip(layout, ("NC", "IO", "NC"))]
    numbers = lax.ConvDimensionNumbers(tuple(axes[0]), (axes[1][1], axes[1][0], *axes[1][2:]),
                                       tuple(axes[2]))
    result = lax.conv_general_dilated(
        wide(input), wide(kernel), strides, padding, base, window, numbers, feature_groups,
        batch_groups, precision=lax.Precision.HIGHEST)
    attributes = {
        "input_batch": axes[0][0], "input_feature": axes[0][1], "input_spatial": axes[0][2:],
        "kernel_input": axes[1][0], "kernel_output": axes[1][1], "kernel_spatial": axes[1][2:],
        "output_batch": axes[2][0], "output_feature": axes[2][1], "output_spatial": axes[2][2:],
        "strides": strides, "low": [p[0] for p in padding], "high": [p[1] for p in padding],
        "base_dilation": base, "window_dilation": window, "feature_groups": feature_groups,
        "batch_groups": batch_groups, "result": NAMES[input.dtype], "precision": "highest"}
    sample("convolution", attributes, [input, kernel], [np.asarray(result).astype(input.dtype)])


NHWC = ("NHWC", "HWIO", "NHWC")
conv = convolution_sample
conv(floats(2, 5, 6, 3), floats(3, 2, 3, 4), NHWC, [1, 1], [(0, 0), (0, 0)])
conv(floats(2, 5, 6, 3, dtype="f32"), floats(3, 2, 3, 4, dtype="f32"), NHWC, [2, 1],
     [(1, 1), (0, 1)])
conv(integers(1, 5, 6, 2), integers(3, 2, 2, 3), NHWC, [2, 3], [(1, 0), (2, 1)])
conv(floats(1, 6, 6, 2), floats(3, 3, 2, 2), NHWC, [2, 2], [(1, 1), (1, 1)], window=[2, 1])
conv(floats(1, 4, 3, 2), floats(3, 3, 2, 2), NHWC, [1, 1], [(2, 2), (1, 1)], base=[2, 3])
conv(floats(1, 4, 5, 2), floats(2, 3, 2, 2), NHWC, [2, 3], [(3, 1), (0, 4)], base=[3, 2],
     window=[3, 2])
conv(floats(1, 7, 8, 2), floats(2, 3, 2, 2), NHWC, [1, 2], [(-2, 1), (1, -3)])
conv(floats(1, 3, 4, 2), floats(2, 2, 2, 2), NHWC, [1, 1], [(-1, -1), (-2, 0)], base=[2, 2])
conv(floats(2, 5, 5, 4), floats(3, 3, 2, 6), NHWC, [1, 1], [(1, 1), (1, 1)], feature_groups=2)
conv(floats(1, 5, 5, 3), floats(3, 3, 1, 6), NHWC, [2, 2], [(1, 1), (1, 1)], feature_groups=3)
conv(floats(4, 5, 5, 3), floats(3, 3, 3, 6), NHWC, [1, 2], [(0, 1), (1, 0)], batch_groups=2)
conv(floats(3, 4, 4, 2), floats(2, 2, 2, 6), NHWC, [1, 1], [(0, 0), (0, 0)], window=[2, 2],
     batch_groups=3)
conv(floats(2, 3, 5, 6), floats(4, 3, 3, 2), ("NCHW", "OIHW", "NCHW"), [1, 1], [(1, 1), (0, 0)])
conv(floats(5, 3, 6, 2), floats(3, 4, 2, 3), ("HCWN", "IOHW", "WNHC"), [2, 1], [(1, 0), (1, 1)])
conv(floats(2, 9, 3), floats(4, 3, 5), ("NWC", "WIO", "NWC"), [2], [(2, 1)])
conv(floats(1, 4, 5, 3, 2), floats(2, 3, 2, 2, 3), ("NDHWC", "DHWIO", "NDHWC"), [1, 2, 1],
     [(0, 1), (1, 1), (0, 0)])
conv(floats(3, 4), floats(4, 2), ("NC", "IO", "NC"), [], [])


# Indexing --------------------------------------------------------------------------------------

def gather_sample(x, indices, axes, batch=0):
    outer = indices.ndim - 1
    rest = [a for a in range(batch, x.ndim) if a not in axes]
    numbers = lax.GatherDimensionNumbers(
        offset_dims=tuple(range(outer, outer + len(rest))),
        collapsed_slice_dims=tuple(sorted(axes)), start_index_map=tuple(axes),
        operand_batching_dims=tuple(range(batch)), start_indices_batching_dims=tuple(range(batch)))
    sizes = [x.shape[a] if a in rest else 1 for a in range(x.ndim)]
    result = lax.gather(x, indices, numbers, sizes, mode=lax.GatherScatterMode.CLIP)
    sample("gather", {"axes": axes, "batch_axes": batch}, [x, indices], [result], True)


gather_sample(floats(5, 3), integers(4, 1, low=0, high=5), [0])  # take
gather_sample(floats(5, 3), integers(2, 3, 1, low=-4, high=9), [1])  # out of range, rank 2
gather_sample(floats(4, 5, 3), integers(6, 2, dtype="i64", low=-2, high=7), [0, 1])
gather_sample(floats(4, 5, 3), integers(6, 2, low=0, high=4), [2, 0])  # axes not in order
gather_sample(floats(2, 5, 3), integers(2, 4, 1, low=-1, high=7), [1], 1)
gather_sample(floats(2, 3, 5), integers(2, 3, 4, 1, low=0, high=5), [2], 2)  # take_along_axis
gather_sample(floats(2, 3, 5, 2), integers(2, 4, 2, low=0, high=6), [2, 1], 1)
gather_sample(integers(300, low=-99, high=99), integers(7, 1, dtype="u8", low=0, high=256), [0])


def scatter_sample(kind, x, indices, axes, batch=0):
    outer = indices.ndim - 1
    rest = [a for a in range(batch, x.ndim) if a not in axes]
    updates = floats(*indices.shape[:-1], *[x.shape[a] for a in rest])
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=tuple(range(outer, outer + len(rest))),
        inserted_window_dims=tuple(sorted(axes)), scatter_dims_to_operand_dims=tuple(axes),
        operand_batching_dims=tuple(range(batch)),
        scatter_indices_batching_dims=tuple(range(batch)))
    function = {"add": lax.scatter_add, "multiply": lax.scatter_mul, "min": lax.scatter_min,
                "max": lax.scatter_max, "set": lax.scatter}[kind]
    result = function(x, indices, updates, numbers, mode=lax.GatherScatterMode.FILL_OR_DROP)
    sample("scatter", {"kind": kind, "axes": axes, "batch_axes": batch}, [x, indices, updates],
           [result], kind in ("set", "min", "max"))


for kind in ("add", "multiply", "min", "max"):  # with duplicates and out-of-range indices
    scatter_sample(kind, floats(5, 3), integers(9, 1, low=-2, high=7), [0])
    scatter_sample(kind, floats(3, 4, 2), integers(3, 3, 2, low=-1, high=5), [1, 0])
    scatter_sample(kind, floats(2, 3, 4), integers(2, 5, 1, low=-1, high=6), [2], 1)
scatter_sample("set", floats(5, 3), np.array([[4], [0], [7], [-1], [2]], np.int32), [0])
scatter_sample("set", floats(4, 3), np.array([[2, 1], [0, 0], [3, 2]], np.int64), [0, 1])
# Order of duplicates: the last one wins, as NumPy's assignment does.
x, places, updates = floats(6), integers(12, low=0, high=6), floats(12)
result = x.copy()
for place, update in zip(places, updates):
    result[place] = update
sample("scatter", {"kind": "set", "axes": [0], "batch_axes": 0}, [x, places[:, None], updates],
       [result], True)


# Sorting ---------------------------------------------------------------------------------------

def sort_sample(axis, descending, keys, *carried):
    if descending:
        order = np.argsort(-keys, axis=axis, kind="stable")  # NaN last in both directions
    else:
        order = np.asarray(lax.sort([jnp.asarray(keys), lax.broadcasted_iota(np.int64, keys.shape,
                                                                             axis)],
                                    dimension=axis, is_stable=True, num_keys=1)[1])
    operands = [keys, *carried]
    sample("sort", {"axis": axis, "descending": descending}, operands,
           [np.take_along_axis(x, order, axis) for x in operands], True)


for descending in (False, True):
    sort_sample(0, descending, floats(9))
    for axis in range(3):
        sort_sample(axis, descending, np.round(floats(3, 4, 5)), integers(3, 4, 5))
    nan = np.round(floats(2, 7))
    nan[0, 1] = nan[0, 5] = nan[1, 0] = np.nan
    nan[1, 3], nan[1, 4] = np.inf, -np.inf
    sort_sample(1, descending, nan, floats(2, 7), integers(2, 7))
    sort_sample(0, descending, integers(8, dtype="i64"), floats(8))


# Scalar functions: NumPy and math, in f64 ------------------------------------------------------

def scalar_sample(function, compute, *arguments, exact=False, boolean=False):
    for dtype in ("f64", "f32"):
        inputs = [np.asarray(x, np.float64).astype(DTYPES[dtype]) for x in arguments]
        with np.errstate(all="ignore"):
            result = compute(*[wide(x) for x in inputs])
        result = np.asarray(result)
        result = result.astype(np.bool_ if boolean else DTYPES[dtype])
        sample("elementwise", {"function": function}, inputs, [result], exact or boolean)


INF, NAN = np.inf, np.nan
GENERAL = [-3.75, -2.5, -1.5, -1, -0.75, -0.5, -0.25, -1e-3, 0, 1e-3, 0.25, 0.5, 0.75, 1, 1.5, 2.5,
           3.75, 20.5, INF, -INF, NAN]
POSITIVE = [0, 1e-30, 1e-3, 0.25, 0.5, 0.9375, 1, 1.0625, 1.5, 2, 10, 1e4, 1e30, INF, NAN]
MODERATE = [-30, -10, -5, -2, -1, -0.5, -1e-3, -1e-8, 0, 1e-8, 1e-3, 0.5, 1, 2, 5, 10, 30, NAN]
for name, compute in (("negate", np.negative), ("abs", np.abs), ("sign", np.sign),
                      ("floor", np.floor), ("ceil", np.ceil), ("round_nearest_even", np.rint)):
    scalar_sample(name, compute, GENERAL, exact=True)
for name, compute in (("exp", np.exp), ("expm1", np.expm1),
                      ("tanh", np.tanh), ("logistic", lambda x: 1 / (1 + np.exp(-x))),
                      ("erf", np.vectorize(math.erf))):
    scalar_sample(name, compute, MODERATE + [INF, -INF])
for name, compute in (("log", np.log), ("sqrt", np.sqrt), ("rsqrt", lambda x: 1 / np.sqrt(x))):
    scalar_sample(name, compute, POSITIVE + [-1])
scalar_sample("log1p", np.log1p, POSITIVE + [-1e-3, -0.5, -0.9375, -1, -2, 1e-8])
scalar_sample("cbrt", np.cbrt, GENERAL + [1e30, 8, 27])
for name, compute in (("sin", np.sin), ("cos", np.cos), ("tan", np.tan)):
    scalar_sample(name, compute, MODERATE + [100, 1000.5, INF])
scalar_sample("is_finite", np.isfinite, GENERAL, boolean=True)

PAIRS = [(a, b) for a in (-2.5, -1, -0.5, 0, 0.75, 2, 3, INF, NAN) for b in (-3, -0.5, 0, 0.5, 2, 3,
                                                                            -INF, NAN)]
LEFT, RIGHT = [p[0] for p in PAIRS], [p[1] for p in PAIRS]
for name, compute in (("add", np.add), ("subtract", np.subtract), ("multiply", np.multiply),
                      ("divide", np.divide), ("remainder", np.fmod), ("minimum", np.minimum),
                      ("maximum", np.maximum)):
    scalar_sample(name, compute, LEFT, RIGHT, exact=True)
scalar_sample("power", np.power, LEFT, RIGHT)
scalar_sample("atan2", np.arctan2, LEFT, RIGHT)
for name, compute in (("equal", np.equal), ("not_equal", np.not_equal), ("less", np.less),
                      ("less_equal", np.less_equal), ("greater", np.greater),
                      ("greater_equal", np.greater_equal)):
    scalar_sample(name, compute, LEFT, RIGHT, boolean=True)

for dtype in ("i8", "u8", "i32", "u32", "i64", "u64"):
    kind = DTYPES[dtype]
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    x = np.concatenate([rng.integers(low, high, 6, dtype=kind, endpoint=True),
                        np.array([low, high, 0, 1], kind)])
    y = rng.permutation(x)
    y[y == 0] = 7
    small = rng.integers(0, np.iinfo(kind).bits, x.size).astype(kind)
    unsigned = x.view("u" + str(x.dtype.name).lstrip("u"))

    def integer_sample(function, inputs, result):
        sample("elementwise", {"function": function}, inputs, [result], True)

    with np.errstate(over="ignore"):
        for name, compute in (("add", np.add), ("subtract", np.subtract),
                              ("multiply", np.multiply), ("minimum", np.minimum),
                              ("maximum", np.maximum), ("remainder", np.fmod),
                              ("logical_and", np.bitwise_and), ("logical_or", np.bitwise_or),
                              ("logical_xor", np.bitwise_xor), ("less", np.less),
                              ("equal", np.equal)):
            integer_sample(name, [x, y], compute(x, y))
        integer_sample("negate", [x], np.negative(x))
        integer_sample("logical_not", [x], np.invert(x))
        integer_sample("population_count", [x],
                       np.array([bin(int(v)).count("1") for v in unsigned]).astype(kind))
        integer_sample("shift_left", [x, small], np.left_shift(x, small))
        integer_sample("shift_right_logical", [x, small],
                       np.right_shift(unsigned, small.astype(unsigned.dtype)).view(kind))
        signed = x.view(str(x.dtype.name).lstrip("u"))
        integer_sample("shift_right_arithmetic", [x, small],
                       np.right_shift(signed, small.astype(signed.dtype)).view(kind))
    quotients = [int(a) // int(b) if (int(a) < 0) == (int(b) < 0) else -(abs(int(a)) // abs(int(b)))
                 for a, b in zip(x, y)]  # towards zero
    keep = [low <= q <= high for q in quotients]
    integer_sample("divide", [x[keep], y[keep]],
                   np.array([q for q, k in zip(quotients, keep) if k], kind))

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "op_samples.json")
with open(path, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(s, separators=(",", ":")) for s in samples) + "\n]\n")
print(len(samples), "samples,", os.path.getsize(path), "bytes")
