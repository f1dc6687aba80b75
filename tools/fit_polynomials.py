#!/usr/bin/env python3
"""Prints the polynomial coefficients of tenon/codegen/c_math_*.cpp.

Each polynomial is the minimax one (Remez exchange on a dense grid) of a weighted error. Its
coefficients are rounded one by one from the lowest power on; after each the rest is fitted again.
Needs mpmath. Use: tools/fit_polynomials.py [NAME...]
"""
import struct
import sys

from mpmath import atan, atanh, cos, erf, erfc, exp, log, log1p, lu_solve, matrix, mp, mpf, pi
from mpmath import sin, sqrt

mp.dps = 60


def to_f32(value):
    """The nearest f32 of an mpf (by way of f64, which is close enough for a coefficient)."""
    return struct.unpack("f", struct.pack("f", float(value)))[0]


def shortest_f32(value):
    """The shortest decimal that reads back as the f32."""
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        if to_f32(float(text)) == value:
            return text
    raise ValueError(value)


def extrema(errors, count):
    """Indices of `count` grid points where the error alternates in sign and is largest."""
    chosen = []
    for i, error in enumerate(errors):
        if chosen and (errors[chosen[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[chosen[-1]]):
                chosen[-1] = i
        else:
            chosen.append(i)
    size = [abs(errors[i]) for i in chosen]
    while len(chosen) > count:
        if len(chosen) == count + 1:
            at = 0 if size[0] < size[-1] else len(chosen) - 1
            del chosen[at], size[at]
        else:  # two neighbours, so that the rest still alternates
            at = min(range(len(chosen) - 1), key=lambda i: max(size[i], size[i + 1]))
            del chosen[at:at + 2], size[at:at + 2]
    return chosen


def remez(grid, target, weight, unknowns):
    """Coefficients of sum c_i x^i with the least max |weight * (sum - target)|; that max."""
    points = [(len(grid) - 1) * i // unknowns for i in range(unknowns + 1)]  # of a Chebyshev grid
    table = [[x**p for p in range(unknowns)] for x in grid]
    for _ in range(60):
        system = matrix(unknowns + 1, unknowns + 1)
        right = matrix(unknowns + 1, 1)
        for row, point in enumerate(points):
            for column in range(unknowns):
                system[row, column] = weight[point] * table[point][column]
            system[row, unknowns] = (-1)**row
            right[row] = weight[point] * target[point]
        solution = lu_solve(system, right)
        coefficients = [solution[i] for i in range(unknowns)]
        errors = [w * (sum(c * t for c, t in zip(coefficients, row)) - f)
                  for row, f, w in zip(table, target, weight)]
        largest = max(abs(e) for e in errors)
        next_points = extrema(errors, unknowns + 1)
        if len(next_points) < unknowns + 1 or next_points == points:
            break
        points = next_points
        if largest < abs(solution[unknowns]) * mpf("1.001"):
            break
    return coefficients, largest


def fit(name, kind, function, weight, low, high, degree, size=None, refit=True):
    """Fits function(x) on [low, high] by a polynomial of x; weight(x) scales its error.

    Without `refit` all coefficients of the first fit are rounded at once."""
    size = size or 30 * (degree + 2)
    low, high = mpf(low), mpf(high)
    grid = [low + (high - low) * (1 - cos(pi * (i + mpf("0.5")) / size)) / 2 for i in range(size)]
    target = [function(x) for x in grid]
    weights = [weight(x) for x in grid]
    rounded = []
    ideal = None
    for unknowns in range(degree + 1, 0, -1):
        coefficients, largest = remez(grid, target, weights, unknowns)
        ideal = largest if ideal is None else ideal
        if not refit:
            rounded = [float(c) for c in coefficients]
            errors = [sum(mpf(c) * x**i for i, c in enumerate(rounded)) - f
                      for x, f in zip(grid, target)]
            target = errors
            break
        value = to_f32(coefficients[0]) if kind == "f32" else float(coefficients[0])
        rounded.append(value)
        # Divided by x, what remains is again a polynomial from the constant up.
        target = [(f - mpf(value)) / x for f, x in zip(target, grid)]
        weights = [w * abs(x) for w, x in zip(weights, grid)]
    final = max(abs(w * f) for w, f in zip(weights, target))
    print(f"{name}: error 2^{float(log(final, 2)):.2f} (unrounded 2^{float(log(ideal, 2)):.2f})")
    for value in rounded:
        print("  ", shortest_f32(value) + "f" if kind == "f32" else repr(value))
    sys.stdout.flush()


def series(x, function, terms):
    """function(x), or its Taylor terms (from the constant up) where x is too small for it."""
    if abs(x) < mpf("1e-9"):
        return sum(mpf(c) * x**i for i, c in enumerate(terms))
    return function(x)


HALF_LN2 = log(2) / 2 * mpf("1.0001")
SQRT_LOW, SQRT_HIGH = sqrt(mpf("0.5")) - mpf("1e-6"), sqrt(mpf(2)) + mpf("1e-6")
S2_HIGH = ((SQRT_HIGH - 1) / (SQRT_HIGH + 1))**2  # the largest ((m - 1) / (m + 1))^2
TAN_PI_8 = sqrt(mpf(2)) - 1


def exp_rest(r):  # e^r = 1 + r + r^2 q(r)
    return series(r, lambda x: (exp(x) - 1 - x) / x**2, [0.5, mpf(1) / 6])


def log_rest(f):  # log1p(f) = f - f^2 / 2 + f^3 p(f)
    return series(f, lambda x: (log1p(x) - x + x * x / 2) / x**3, [mpf(1) / 3, -0.25])


def log_weight(f):
    return series(f, lambda x: x**3 / log1p(x), [0, 0, 1])


def atanh_rest(z):  # log((1+s)/(1-s)) = 2 s + s z r(z), z = s^2
    return series(z, lambda x: (2 * atanh(sqrt(x)) / sqrt(x) - 2) / x, [mpf(2) / 3, 0.4])


def atanh_tail(z):  # log((1+s)/(1-s)) = 2 s + 2/3 s^3 + s^5 r(z)
    return series(z, lambda x: (2 * atanh(sqrt(x)) / sqrt(x) - 2 - 2 * x / 3) / x**2,
                  [0.4, mpf(2) / 7])


def sin_rest(z):  # sin(x) = x + x^3 p(z), z = x^2
    return series(z, lambda x: (sin(sqrt(x)) / sqrt(x) - 1) / x, [-mpf(1) / 6, mpf(1) / 120])


def cos_rest(z):  # cos(x) = 1 - z / 2 + z^2 q(z)
    return series(z, lambda x: (cos(sqrt(x)) - 1 + x / 2) / x**2, [mpf(1) / 24, -mpf(1) / 720])


def atan_rest(z):  # atan(x) = x + x^3 p(z)
    return series(z, lambda x: (atan(sqrt(x)) / sqrt(x) - 1) / x, [-mpf(1) / 3, 0.2])


def erf_rest(z):  # erf(x) = x + x p(z)
    return series(z, lambda x: erf(sqrt(x)) / sqrt(x) - 1,
                  [2 / sqrt(pi) - 1, -2 / (3 * sqrt(pi))])


def erf_weight(z):
    return series(z, lambda x: sqrt(x) / erf(sqrt(x)), [sqrt(pi) / 2])


def erfc_scaled(q):  # (1 + 2 x) e^(x^2) erfc(x), x = 4 (1 + q) / (1 - q)
    x = 4 * (1 + q) / (1 - q)
    return (1 + 2 * x) * exp(x * x) * erfc(x)


def exp2_rest(r):  # 2^r = 1 + r p(r)
    return series(r, lambda x: (mpf(2)**x - 1) / x, [log(2), log(2)**2 / 2])


PI_4_SQUARED = (pi / 4)**2 * mpf("1.0001")
ERF_SPLIT = mpf("0.921875")
FITS = {
    "exp_f32": lambda n: fit(n, "f32", exp_rest, lambda r: r * r, -HALF_LN2, HALF_LN2, 4),
    "expm1_f32": lambda n: fit(n, "f32", exp_rest, abs, -HALF_LN2, HALF_LN2, 5),
    "log_f32": lambda n: fit(n, "f32", log_rest, log_weight, SQRT_LOW - 1, SQRT_HIGH - 1, 7),
    "erf_small_f32": lambda n: fit(n, "f32", erf_rest, erf_weight, 0, ERF_SPLIT**2, 6),
    "erf_large_f32": lambda n: fit(n, "f32", lambda x: log(erfc(x)),
                                   lambda x: erfc(x) / erf(x), ERF_SPLIT, 4, 8),
    "sin_short_f64": lambda n: fit(n, "f64", sin_rest, lambda z: z, 0, PI_4_SQUARED, 3),
    "cos_short_f64": lambda n: fit(n, "f64", cos_rest, lambda z: z * z, 0, PI_4_SQUARED, 3),
    "atan_short_f64": lambda n: fit(n, "f64", atan_rest, lambda z: z, 0, TAN_PI_8**2, 6),
    "log2_short_f64": lambda n: fit(
        n, "f64", lambda z: (2 + z * atanh_rest(z)) / log(2), lambda z: mpf(1), 0, S2_HIGH, 6),
    "exp2_short_f64": lambda n: fit(n, "f64", exp2_rest, abs, -0.5001, 0.5001, 7),
    "exp_f64": lambda n: fit(n, "f64", exp_rest, abs, -HALF_LN2, HALF_LN2, 10),
    "log_f64": lambda n: fit(n, "f64", atanh_rest, lambda z: z, 0, S2_HIGH, 6),
    "log_tail_f64": lambda n: fit(n, "f64", atanh_tail, lambda z: z * z, 0, S2_HIGH, 7),
    "sin_f64": lambda n: fit(n, "f64", sin_rest, lambda z: z, 0, PI_4_SQUARED, 5),
    "cos_f64": lambda n: fit(n, "f64", cos_rest, lambda z: z * z, 0, PI_4_SQUARED, 5),
    "atan_f64": lambda n: fit(n, "f64", atan_rest, lambda z: z, 0, TAN_PI_8**2, 10),
    "erf_small_f64": lambda n: fit(n, "f64", erf_rest, erf_weight, 0, ERF_SPLIT**2, 11),
    "erf_large_f64": lambda n: fit(n, "f64", lambda x: log(erfc(x)),
                                   lambda x: erfc(x) / erf(x), ERF_SPLIT, 6, 18),
    # For tenon/tensor/special_functions.cpp: x from 0.5 to 28.
    "erfc_f64": lambda n: fit(n, "f64", erfc_scaled, lambda q: mpf(1), -mpf(7) / 9, mpf("0.75"),
                              22, refit=False),
}

for fit_name in sys.argv[1:] or FITS:
    FITS[fit_name](fit_name)
