"""Tenon's random numbers, written again: JAX's Threefry, NumPy, and XXH3 for the places of layers.

Of docs/semantics.md ("Random bits") and tenon/tensor/random.h.
"""
import jax.numpy as jnp
import numpy as np


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


def fold_in(key, number):
    return words(words(key, (2,)) + np.array([number, 0], np.uint32), (2,))


def unit(key, shape, dtype="f64"):
    if dtype == "f64":
        a, b = split(key)
        high, low = words(a, shape) >> 6, words(b, shape) >> 5
        return (high * 2.0**27 + low) * 2.0**-53
    return ((words(key, shape) >> 8) * 2.0**-24).astype(np.float32)


def normal(key, shape):
    a, b = split(key)
    return np.sqrt(-2 * np.log1p(-unit(a, shape))) * np.cos(2 * np.pi * unit(b, shape))


def site_key(key, path, draws=0):
    """The key of a layer at the path that drew `draws` times before in the same trace."""
    import xxhash
    site = xxhash.xxh3_64_intdigest(path.encode(), seed=draws)
    return fold_in(fold_in(key, site & 0xffffffff), site >> 32)
