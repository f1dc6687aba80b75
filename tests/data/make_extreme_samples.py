#!/usr/bin/env python3
"""Writes extreme_samples.json: elementwise functions and their gradients at the ends of their
ranges, in every float type.

    python3 -m pip install jax scipy torch && python3 make_extreme_samples.py

Computed in 64 bits and rounded to the type: values by NumPy and SciPy where they have the function,
else by JAX; gradients by PyTorch, by JAX where PyTorch lacks the function or gives NaN, and by the
limits in LIMITS where they differ or lose range. A gradient is null where the value or all of these
are NaN. Layout: grids[dtype] = inputs; unary[function][dtype] = [values, gradients]; pairs[dtype] = x, y;
binary[function][dtype] = [values, gradients of x, gradients of y].
"""
import json
import math
import os
import warnings

os.environ.setdefault("JAX_PLATFORMS", "cpu")
warnings.filterwarnings("ignore")
import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
import torch
import torch.nn.functional as F
from jax import lax

jax.config.update("jax_enable_x64", True)
np.seterr(all="ignore")
TORCH = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32, "f64": torch.float64}


def rounded(values, dtype):
    return torch.tensor(values, dtype=torch.float64).to(TORCH[dtype]).to(torch.float64).numpy()


def number(value, dtype):
    value = float(value)
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else 0
    if dtype in ("f16", "f32"):
        value = float(str({"f16": np.float16, "f32": np.float32}[dtype](value)))
    for digits in range(1, 7) if dtype == "bf16" else ():
        if rounded([float(f"{value:.{digits}g}")], dtype)[0] == value:
            value = float(f"{value:.{digits}g}")
            break
    return int(value) if value.is_integer() and abs(value) < 1e6 else value


def grid(dtype):
    info = torch.finfo(TORCH[dtype])
    least = {"f16": 2.0**-24, "bf16": 2.0**-133, "f32": 2.0**-149, "f64": 2.0**-1074}[dtype]
    positive = [0.0, least, info.tiny, 1e-30, 1e-5, 0.01, 0.5, 1 - info.eps, 1, 1 + info.eps, 1.7, 5,
                9.5, 19.5, 20.5, 45, 88.9, 89, 100, 709, 710.3, 1e4, 3e9, 1e20, 1e30, 1e300,
                info.max / 2, info.max, np.inf]
    both = rounded(positive + [-v for v in positive] + [np.nan], dtype)
    kept = []
    for v in both:
        if not any(v == w and np.signbit(v) == np.signbit(w) for w in kept):
            kept.append(v)
    return np.array(kept)


def pair_grid(dtype):
    top = 6e4 if dtype == "f16" else 1e30
    values = rounded([0.0, -0.0, 1e-7 if dtype == "f16" else 1e-30, 0.5, 1, -1, -2.5, 100, top, -top,
                      np.inf, -np.inf, np.nan], dtype)
    x, y = np.meshgrid(values, values, indexing="ij")
    return x.ravel(), y.ravel()


# name: (value with NumPy or None, with torch or None, with JAX)
def same(name, other=None):
    return getattr(np, other or name), getattr(torch, name, None), getattr(jnp, other or name)


UNARY = {name: same(name) for name in ("negative", "abs", "sign", "floor", "ceil", "trunc", "round",
                                       "exp", "expm1", "exp2", "log", "log1p", "log2", "log10",
                                       "sqrt", "square", "reciprocal", "sin", "cos", "tan", "sinh",
                                       "cosh", "tanh")}
UNARY |= {name: same(name, other) for name, other in
          (("asin", "arcsin"), ("acos", "arccos"), ("atan", "arctan"), ("asinh", "arcsinh"),
           ("acosh", "arccosh"), ("atanh", "arctanh"))}
UNARY |= {
    "rsqrt": (lambda x: 1 / np.sqrt(x), torch.rsqrt, lax.rsqrt),
    "cbrt": (np.cbrt, None, jnp.cbrt),
    "erf": (scipy.special.erf, torch.erf, jax.scipy.special.erf),
    "erfc": (scipy.special.erfc, torch.erfc, jax.scipy.special.erfc),
    "degrees": (np.degrees, torch.rad2deg, jnp.degrees),
    "radians": (np.radians, torch.deg2rad, jnp.radians),
    "relu": (None, F.relu, jax.nn.relu),
    "relu6": (None, F.relu6, jax.nn.relu6),
    "leaky_relu": (lambda x: np.where(x > 0, x, 0.01 * x), F.leaky_relu, jax.nn.leaky_relu),
    "elu": (None, F.elu, jax.nn.elu),
    "selu": (None, F.selu, jax.nn.selu),
    "gelu": (None, F.gelu, lambda x: jax.nn.gelu(x, approximate=False)),
    "gelu_tanh": (None, lambda x: F.gelu(x, approximate="tanh"), jax.nn.gelu),
    "silu": (None, F.silu, jax.nn.silu),
    "mish": (None, F.mish, lambda x: x * jnp.tanh(jax.nn.softplus(x))),
    "sigmoid": (scipy.special.expit, torch.sigmoid, jax.nn.sigmoid),
    "log_sigmoid": (scipy.special.log_expit, F.logsigmoid, jax.nn.log_sigmoid),
    "softplus": (lambda x: np.logaddexp(0, x), None, jax.nn.softplus),
    "hard_sigmoid": (None, F.hardsigmoid, jax.nn.hard_sigmoid),
    "hard_swish": (None, F.hardswish, jax.nn.hard_swish),
}
BINARY = {
    "add": same("add"), "subtract": same("subtract"), "multiply": same("multiply"),
    "divide": same("divide"), "remainder": same("remainder"), "fmod": same("fmod"),
    "floor_divide": (np.floor_divide, None, None), "power": (np.power, torch.pow, jnp.power),
    "minimum": (np.minimum, None, jnp.minimum), "maximum": (np.maximum, None, jnp.maximum),
    "atan2": same("atan2", "arctan2"), "hypot": same("hypot"),
    "logaddexp": same("logaddexp"),
    "squared_difference": (None, lambda x, y: (x - y)**2, lambda x, y: (x - y)**2),
}
# By function and operand; NaN leaves the choice to PyTorch and JAX.
LIMITS = {
    ("expm1", 0): np.exp,
    ("atan", 0): lambda x: 1 / np.hypot(1, x) / np.hypot(1, x),
    ("asinh", 0): lambda x: 1 / np.hypot(1, x),
    ("acosh", 0): lambda x: np.where(x > 1e9, 1 / x, np.nan),
    ("log10", 0): lambda x: np.where(x > 1, 1 / np.log(10) / x, np.nan),
    ("hard_sigmoid", 0): lambda x: np.where(abs(x) < 3, 1 / 6, np.nan),
    ("rsqrt", 0): lambda x: np.where(x == 0, -np.inf, np.nan),
    ("cbrt", 0): lambda x: 1 / (3 * np.cbrt(x)**2),
    ("sinh", 0): np.cosh,
    ("cosh", 0): np.sinh,
    ("softplus", 0): lambda x: np.where(x < 0, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x))),
    ("logaddexp", 0): lambda x, y: np.where((x == y) & np.isinf(x), 0.5, np.nan),
    ("logaddexp", 1): lambda x, y: np.where((x == y) & np.isinf(x), 0.5, np.nan),
    ("gelu_tanh", 0): lambda x: np.where(np.isfinite(x) & (abs(x) > 50), x > 0, np.nan),
    ("hypot", 0): lambda x, y: np.where((x == 0) & (y == 0), 0, np.nan),
    ("hypot", 1): lambda x, y: np.where((x == 0) & (y == 0), 0, np.nan),
    ("power", 1): lambda x, y: np.where(x <= 0, 0, np.nan),  # as docs/semantics.md says
}


def gradients_by_torch(function, xs):
    ts = [torch.tensor(x, requires_grad=True) for x in xs]
    found = torch.autograd.grad(function(*ts).sum(), ts, allow_unused=True)
    return [np.zeros(x.shape) if g is None else g.numpy() for g, x in zip(found, xs)]


def gradients_by_jax(function, xs):
    return [np.asarray(g) for g in
            jax.grad(lambda *v: jnp.sum(function(*v)), tuple(range(len(xs))))(*map(jnp.asarray, xs))]


def limits(name, operand, xs):
    return LIMITS.get((name, operand), lambda *v: np.full(v[0].shape, np.nan))(*xs)


def compute(name, entry, xs, dtype):
    by_numpy, by_torch, by_jax = entry
    values = by_numpy(*xs) if by_numpy else np.asarray(by_jax(*map(jnp.asarray, xs)))
    found = [gradients_by_torch(by_torch, xs) if by_torch else None,
             gradients_by_jax(by_jax, xs) if by_jax else None]
    result = [[number(v, dtype) for v in rounded(values, dtype)]]
    for operand in range(len(xs)):
        if found[0] is None and found[1] is None:
            result.append(None)
            continue
        a, b = [np.full(values.shape, np.nan) if g is None else rounded(g[operand], dtype)
                for g in found]
        limit = rounded(limits(name, operand, xs), dtype)
        chosen = np.where(np.isnan(limit), np.where(np.isnan(a), b, a), limit)
        result.append([None if np.isnan(v) or np.isnan(g) else number(g, dtype)
                       for v, g in zip(values, chosen)])
    return result


grids = {dtype: grid(dtype) for dtype in TORCH}
pairs = {dtype: pair_grid(dtype) for dtype in TORCH}
file = {
    "grids": {d: [number(v, d) for v in x] for d, x in grids.items()},
    "pairs": {d: [[number(v, d) for v in x] for x in xs] for d, xs in pairs.items()},
    "unary": {f: {d: compute(f, e, [grids[d]], d) for d in TORCH} for f, e in UNARY.items()},
    "binary": {f: {d: compute(f, e, pairs[d], d) for d in TORCH} for f, e in BINARY.items()},
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "extreme_samples.json")
with open(path, "w") as out:
    text = json.dumps(file, separators=(",", ":"))
    out.write(text.replace('"f16":', '\n"f16":').replace('"bf16":', '\n"bf16":').replace(
        '"f32":', '\n"f32":').replace('"f64":', '\n"f64":') + "\n")
print(os.path.getsize(path), "bytes")
