#!/usr/bin/env python3
"""Writes training_layer_samples.json: layers that draw random numbers in training, as PyTorch computes
them in f64 from the numbers that Tenon's documents say they draw.

    python3 -m pip install torch jax xxhash && python3 make_training_layer_samples.py

Records are those of layer_sample_writing.py, with a key. The drawn numbers are made by
threefry_numbers.py: from the key of the step, the layer's path and the draw's number in it.
"""
import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
import jax
import numpy as np
import torch

from layer_sample_writing import LayerSamples
from threefry_numbers import normal, site_key, unit

jax.config.update("jax_enable_x64", True)
samples = LayerSamples(23)
floats = samples.floats
keys = np.random.default_rng(29)


def new_key():
    return keys.integers(0, 2**32, 2, dtype=np.uint32)


def kept(key, path, rate, shape):
    """1 / (1 - rate) where a dropout at the path keeps an element, else 0."""
    keep = unit(site_key(key, path), shape, "f32") < np.float32(1 - rate)
    assert keep.any() and not keep.all()
    return torch.tensor(np.where(keep, 1 / (1 - rate), 0.0))


for rate, shape in ((0.5, (3, 4)), (0.3, (2, 3, 2, 3))):
    key = new_key()
    samples.add("dropout", {"rate": rate}, floats(*shape), {},
                lambda x: x * kept(key, "dropout", rate, x.shape), key)

# One draw for each sample and channel.
for rate, shape in ((0.25, (3, 2, 3, 4)), (0.6, (4, 3, 5)), (0.5, (2, 2, 1, 2, 3))):
    key = new_key()
    samples.add("spatial_dropout", {"rate": rate}, floats(*shape), {},
                lambda x: x * kept(key, "spatial_dropout", rate, (
                    x.shape[0], *[1] * (x.dim() - 2), x.shape[-1])), key)


def variational(x, key, weight=1.0, noise=1.0):
    mean, log_variance = x.chunk(2, -1)
    deviation = torch.exp(log_variance / 2)
    drawn = torch.tensor(normal(site_key(key, "variational"), mean.shape))
    code, usual = (torch.distributions.Normal(*of) for of in (
        (mean, deviation), (torch.zeros_like(mean), torch.ones_like(mean))))
    divergence = torch.distributions.kl_divergence(code, usual).sum() / x.shape[0]
    return mean + noise * deviation * drawn, weight * divergence


for attributes, shape in (({}, (3, 4)), ({"weight": 0.25, "noise": 0.5}, (2, 3, 6)),
                          ({"weight": 0.0}, (2, 2))):
    key = new_key()
    samples.add("variational", attributes, floats(*shape), {},
                lambda x: variational(x, key, **attributes), key)

PATH = "multi_head_attention"


def attention_weights(features, memory_features, inner):
    weights = {}
    for name, rows, columns in (("query", features, inner), ("key", memory_features, inner),
                                ("value", memory_features, inner), ("output", inner, features)):
        weights[f"{PATH}/{name}_kernel"] = floats(rows, columns, low=-1, high=1)
        weights[f"{PATH}/{name}_bias"] = floats(columns)
    return weights


def attention(queries, memory, weights, key, heads, rate, allowed=None):
    """Drops weights after the softmax; `allowed` for [batch, heads, time, steps]."""
    wq, bq, wk, bk, wv, bv, wo, bo = weights

    def in_heads(y):
        return y.reshape(*y.shape[:2], heads, -1).transpose(1, 2)

    q, k, v = in_heads(queries @ wq + bq), in_heads(memory @ wk + bk), in_heads(memory @ wv + bv)
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -torch.inf)
    dropped = scores.softmax(-1) * kept(key, PATH, rate, tuple(scores.shape))
    return (dropped @ v).transpose(1, 2).flatten(2) @ wo + bo


for attributes, time in (({}, 3), ({"causal": True}, 4)):
    key = new_key()
    allowed = torch.ones(time, time).tril().bool() if attributes else None
    samples.add(PATH, {"heads": 2, "dropout": 0.3} | attributes, floats(2, time, 4),
                attention_weights(4, 4, 4),
                lambda x, *weights: attention(x, x, weights, key, 2, 0.3, allowed), key)
key = new_key()
padding = torch.tensor([[True, True, True, False, False], [True, True, False, True, True]])
samples.add(PATH, {"heads": 3, "width": 2, "dropout": 0.5},
            [floats(2, 3, 4), floats(2, 5, 3), padding], attention_weights(4, 3, 6),
            lambda q, m, mask, *weights:
            attention(q, m, weights, key, 3, 0.5, mask[:, None, None]), key)

samples.write("training_layer_samples.json")
