"""Functions of each element, and activations. Part of make_function_samples.py."""
import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax import lax

from function_sampling import DTYPES, bools, floats, integers, sample


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
