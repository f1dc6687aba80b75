"""The language models of tenon/models/language.h in PyTorch, from Tenon's weights by their names.

Each takes the weights (name -> tensor), ids [batch, time] and its sizes; names come from the order
in which layers are made, as in Tenon: "dense", "dense_1", ... within each part.
"""
import numpy as np
import torch
import torch.nn.functional as F


class Part:
    """A part of a model: gives its layers' names, and their weights."""

    def __init__(self, weights, path=""):
        self.weights, self.path, self.used = weights, path, {}

    def name(self, kind):
        count = self.used.get(kind, 0)
        self.used[kind] = count + 1
        return self.path + kind + (f"_{count}" if count else "")

    def part(self, *kinds):
        return Part(self.weights, self.name(kinds[0]) + "/" + "".join(k + "/" for k in kinds[1:]))

    def layer(self, kind, *names):
        path = self.name(kind)
        return [self.weights.get(f"{path}/{name}") for name in names]


def dense(part, x):
    kernel, bias = part.layer("dense", "kernel", "bias")
    return x @ kernel if bias is None else x @ kernel + bias


def layer_norm(part, x, epsilon=1e-5):
    scale, offset = part.layer("layer_norm", "scale", "offset")
    return F.layer_norm(x, x.shape[-1:], scale, offset, epsilon)


def attention(part, x, heads, causal, allowed=None):
    """`allowed`: [batch, steps], false for padding."""
    names = [f"{what}_{kind}" for what in ("query", "key", "value", "output")
             for kind in ("kernel", "bias")]
    w = part.layer("multi_head_attention", *names)

    def project(i, y):
        return y @ w[i] if w[i + 1] is None else y @ w[i] + w[i + 1]

    def in_heads(y):
        return y.reshape(*y.shape[:2], heads, -1).transpose(1, 2)

    q, k, v = (in_heads(project(i, x)) for i in (0, 2, 4))
    mask = None if allowed is None else allowed[:, None, None, :]
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
    return project(6, y.transpose(1, 2).flatten(2))


def embedded(part, ids, tables=None):
    """`tables`: where the weights of another part are used."""
    words, = part.layer("embedding", "table")
    positions, = part.layer("learned_positions", "table")
    words, positions = tables or (words, positions)
    return words, positions, words[ids] + positions[:ids.shape[1]]


def gpt(weights, ids, layers, heads):
    model = Part(weights)
    words, _, h = embedded(model, ids)
    for _ in range(layers):
        branch = model.part("residual", "sequential")
        h = h + attention(branch, layer_norm(branch, h), heads, True)
        branch = model.part("residual", "sequential")
        inner = F.gelu(dense(branch, layer_norm(branch, h)), approximate="tanh")
        h = h + dense(branch, inner)
    return layer_norm(model, h) @ words.T


def char_lstm(weights, ids, layers=2):
    model = Part(weights)
    table, = model.layer("embedding", "table")
    h = table[ids]
    for _ in range(layers):
        kernel, recurrent, bias = model.layer("lstm", "kernel", "recurrent_kernel", "bias")
        units = recurrent.shape[0]
        start = torch.zeros(1, len(ids), units, dtype=h.dtype)
        h, _, _ = torch.lstm(h, [start, start],
                             [kernel.T, recurrent.T, bias, torch.zeros_like(bias)], True, 1, 0.0,
                             False, False, True)
    return dense(model, h)


def encoder(model, ids, layers, heads, tables=None, mask_zero=True):
    words, positions, h = embedded(model, ids, tables)
    allowed = ids != 0 if mask_zero else None
    h = layer_norm(model, h, 1e-12)
    width = model.weights.get(model.path + "layer_norm_1/scale").shape[0]
    if width != h.shape[-1]:
        h = dense(model, h)
    for _ in range(layers):
        branch = model.part("residual", "sequential")
        h = layer_norm(model, h + attention(branch, h, heads, False, allowed), 1e-12)
        branch = model.part("residual", "sequential")
        h = layer_norm(model, h + dense(branch, F.gelu(dense(branch, h))), 1e-12)
    return words, positions, h


def language_head(model, words, h):
    h = layer_norm(model, F.gelu(dense(model, h)), 1e-12)
    bias, = model.layer("tied_dense", "bias")
    return h @ words.T + bias


def bert(weights, ids, layers, heads, mask_zero=True):
    model = Part(weights)
    words, _, h = encoder(model, ids, layers, heads, mask_zero=mask_zero)
    return language_head(model, words, h)


def masked_loss(logits, labels):
    """Labels below 0 are left out."""
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-1)


def electra_loss(weights, ids, labels, layers, heads, generator_heads, weight=50.0, mask_zero=True):
    """With the likeliest tokens filled in, so that nothing is random."""
    small = Part(weights, "generator/sequential/")
    words, positions, h = encoder(small, ids, layers, generator_heads, mask_zero=mask_zero)
    guesses = language_head(small, words, h)
    is_masked = labels >= 0
    filled = torch.where(is_masked, guesses.detach().argmax(-1), ids)
    is_replaced = is_masked & (filled != labels)
    large = Part(weights, "discriminator/sequential/")
    _, _, h = encoder(large, filled, layers, heads, (words, positions), mask_zero)
    logits = dense(large, F.gelu(dense(large, h)))[..., 0]
    costs = F.binary_cross_entropy_with_logits(logits, is_replaced.to(logits.dtype),
                                               reduction="none")
    counted = filled != 0 if mask_zero else torch.ones_like(filled, dtype=torch.bool)
    return masked_loss(guesses, labels) + weight * costs[counted].mean(), logits


# For model_cases.py.


def sentences(vocabulary, time):
    """Ids that follow one another by a rule, with noise, and the same one step later."""
    def make(rng, count):
        text = np.zeros((count, time + 1), np.int32)
        text[:, 0] = rng.integers(0, vocabulary, count)
        for t in range(time):
            noise = rng.integers(0, 4, count) // 3
            text[:, t + 1] = (3 * text[:, t] + 1 + noise) % vocabulary
        text[0, :vocabulary] = np.arange(vocabulary)  # every class is there
        return text[:, :-1].copy(), text[:, 1:].copy()
    return make


def masked_sentences(vocabulary, time):
    """Sentences padded by id 0, each fifth id the last of the vocabulary; the labels are what it was,
    and -1 elsewhere."""
    def make(rng, count):
        x, _ = sentences(vocabulary - 2, time)(rng, count)
        x += 1
        x[np.arange(time)[None] >= rng.integers(time // 2, time + 1, count)[:, None]] = 0
        masked = (rng.integers(0, 5, x.shape) == 0) & (x != 0)
        masked[:, 0] = True
        y = np.where(masked, x, -1).astype(np.int32)
        y[0, 0] = vocabulary - 1
        return np.where(masked, vocabulary - 1, x).astype(np.int32), y
    return make


def masked_cross_entropy(prediction, x, y):
    return masked_loss(prediction, y.long())


def cases(case):
    """What compare_with_pytorch.py compares, by the function `case` of model_cases.py."""
    both = ("sgd", "adam")
    electra_sizes = {"layers": 1, "heads": 2, "generator_heads": 1}

    def electra_cost(weights, x, y):
        return electra_loss(weights, x.long(), y.long(), **electra_sizes)[0]

    return [
        case("gpt:layers=2:heads=3:width=24", gpt, sentences(11, 16), layers=2, heads=3,
             optimizers=both),
        case("gpt:layers=1:heads=2:width=8", gpt, sentences(5, 6), layers=1, heads=2,
             is_recorded=True),
        case("char-lstm:embedding=12:units=20/16", char_lstm, sentences(11, 16), optimizers=both),
        case("char-lstm:embedding=3:units=4", char_lstm, sentences(5, 6), layers=1, is_recorded=True),
        case("bert:layers=2:heads=2:width=16:dropout=0:masks=0:mask_zero=1", bert, masked_sentences(11, 12),
             layers=2, heads=2, loss=masked_cross_entropy, optimizers=both),
        case("bert:layers=1:heads=1:width=8:dropout=0:masks=0", bert, masked_sentences(7, 6), layers=1,
             heads=1, mask_zero=False, loss=masked_cross_entropy, is_recorded=True),
        case("electra:layers=1:heads=2:width=16:dropout=0:masks=0:mask_zero=1:draws=0",
             lambda weights, x: weights, masked_sentences(11, 12), loss=electra_cost),
        case("electra:layers=1:heads=2:width=8:dropout=0:masks=0:mask_zero=1:draws=0",
             lambda weights, x: weights, masked_sentences(7, 6), loss=electra_cost, is_recorded=True),
    ]
