#!/usr/bin/env python3
"""Writes language_model_samples.json: small gpt, char_lstm, bert and electra with their loss and all
gradients, as PyTorch computes them in f64; layers of sequences under masks; tied heads; losses of
labels some of which are -1.

    python3 -m pip install torch && python3 make_language_model_samples.py

Models: {model, ids, labels, weights by path, loss, prediction, gradients by path}. Layers are
records of layer_sample_writing.py, losses those of make_loss_samples.py.
"""
import json
import os
import sys

import torch
import torch.nn.functional as F

from layer_sample_writing import LayerSamples, tensor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
import pytorch_language_models as models

samples = LayerSamples(23)
floats = samples.floats
VOCABULARY, TIME, WIDTH, HIDDEN = 7, 5, 4, 8


def add_norm(w, path, width):
    w[f"{path}/scale"] = floats(width, low=0.5, high=1.5)
    w[f"{path}/offset"] = floats(width)


def add_dense(w, path, rows, columns):
    w[f"{path}/kernel"] = floats(rows, columns, low=-1, high=1)
    w[f"{path}/bias"] = floats(columns, low=-1, high=1)


def add_attention(w, path, width):
    for name in ("query", "key", "value", "output"):
        w[f"{path}/{name}_kernel"] = floats(width, width, low=-1, high=1)
        w[f"{path}/{name}_bias"] = floats(width, low=-1, high=1)


def numbered(kind, i):
    return kind + (f"_{i}" if i else "")


def gpt_weights(layers):
    w = {"embedding/table": floats(VOCABULARY, WIDTH), "learned_positions/table": floats(TIME + 1, WIDTH)}
    for i in range(layers):
        a, d = (f"{numbered('residual', 2 * i + k)}/sequential" for k in (0, 1))
        add_norm(w, f"{a}/layer_norm", WIDTH)
        add_attention(w, f"{a}/multi_head_attention", WIDTH)
        add_norm(w, f"{d}/layer_norm", WIDTH)
        add_dense(w, f"{d}/dense", WIDTH, 4 * WIDTH)
        add_dense(w, f"{d}/dense_1", 4 * WIDTH, WIDTH)
    add_norm(w, "layer_norm", WIDTH)
    return w


def char_lstm_weights(units):
    w = {"embedding/table": floats(VOCABULARY, 3)}
    rows = 3
    for i, n in enumerate(units):
        path = numbered("lstm", i)
        w[f"{path}/kernel"] = floats(rows, 4 * n, low=-1, high=1)
        w[f"{path}/recurrent_kernel"] = floats(n, 4 * n, low=-1, high=1)
        w[f"{path}/bias"] = floats(4 * n, low=-1, high=1)
        rows = n
    add_dense(w, "dense", rows, VOCABULARY)
    return w


def encoder_weights(w, prefix, layers, width, tables):
    if tables:
        w[f"{prefix}embedding/table"] = floats(VOCABULARY, WIDTH)
        w[f"{prefix}learned_positions/table"] = floats(TIME + 1, WIDTH)
    add_norm(w, f"{prefix}layer_norm", WIDTH)
    denses = 0
    if width != WIDTH:
        add_dense(w, f"{prefix}dense", WIDTH, width)
        denses = 1
    for i in range(layers):
        a, d = (f"{prefix}{numbered('residual', 2 * i + k)}/sequential" for k in (0, 1))
        add_attention(w, f"{a}/multi_head_attention", width)
        add_norm(w, f"{prefix}layer_norm_{2 * i + 1}", width)
        add_dense(w, f"{d}/dense", width, 4 * width if width != WIDTH else HIDDEN)
        add_dense(w, f"{d}/dense_1", 4 * width if width != WIDTH else HIDDEN, width)
        add_norm(w, f"{prefix}layer_norm_{2 * i + 2}", width)
    return denses


def head_weights(w, prefix, layers, width, denses):
    add_dense(w, f"{prefix}{numbered('dense', denses)}", width, WIDTH)
    add_norm(w, f"{prefix}layer_norm_{2 * layers + 1}", WIDTH)
    w[f"{prefix}tied_dense/bias"] = floats(VOCABULARY)


records = []


def model(name, ids, labels, weights, compute):
    loss, prediction = compute(weights)
    gradients = torch.autograd.grad(loss, list(weights.values()))
    records.append({"model": name, "ids": tensor(ids.int()), "labels": tensor(labels.int()),
                    "loss": loss.item(), "prediction": tensor(prediction),
                    "weights": {k: tensor(v) for k, v in weights.items()},
                    "gradients": {k: tensor(g) for k, g in zip(weights, gradients)}})


def integers(low, high, *shape):
    return torch.tensor(samples.rng.integers(low, high, shape))


text = integers(0, VOCABULARY, 3, TIME + 1)


def next_token(function):
    def compute(w):
        logits = function(w, text[:, :-1])
        return F.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten()), logits
    return compute


model("gpt", text[:, :-1], text[:, 1:], gpt_weights(2),
      next_token(lambda w, ids: models.gpt(w, ids, 2, 2)))
model("char_lstm", text[:, :-1], text[:, 1:], char_lstm_weights([3, 2]), next_token(models.char_lstm))

# Id 0 is padding, the last id the mask.
original = integers(1, VOCABULARY - 1, 3, TIME)
original[1, 3:] = 0
is_masked = torch.zeros(3, TIME, dtype=torch.bool)
for row, step in ((0, 1), (0, 4), (1, 2), (2, 0), (2, 3)):
    is_masked[row, step] = True
ids = torch.where(is_masked, VOCABULARY - 1, original)
labels = torch.where(is_masked, original, -1)

weights = {}
head_weights(weights, "", 2, WIDTH, encoder_weights(weights, "", 2, WIDTH, True))


def bert_loss(w):
    logits = models.bert(w, ids, 2, 2)
    return models.masked_loss(logits, labels), logits


model("bert", ids, labels, weights, bert_loss)

weights = {}
denses = encoder_weights(weights, "generator/sequential/", 1, 2, True)
head_weights(weights, "generator/sequential/", 1, 2, denses)
encoder_weights(weights, "discriminator/sequential/", 1, WIDTH, False)
add_dense(weights, "discriminator/sequential/dense", WIDTH, WIDTH)
add_dense(weights, "discriminator/sequential/dense_1", WIDTH, 1)


def electra_loss(w):
    loss, logits = models.electra_loss(w, ids, labels, 1, 2, 1)
    return loss, logits[..., None]  # one output for two classes


model("electra", ids, labels, weights, electra_loss)

# Layers of sequences under masks: packed sequences in PyTorch.
mask = torch.tensor([[True, True, True, True], [True, True, False, False], [True, False, False, False]])


def masked_recurrent(kind, keeps):
    def compute(x, _, k, r, bias):
        units = r.shape[0]
        gates = [k, r, bias] if kind != "gru" else []
        if kind == "gru":  # r, z, n
            def order(w):
                z, reset, g = w.split(units, -1)
                return torch.cat([reset, z, g], -1)
            gates = [order(k), order(r), order(bias)]
        module = {"simple_rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](
            x.shape[-1], units, batch_first=True)
        biases = (gates[2][0], gates[2][1]) if kind == "gru" else (bias, torch.zeros_like(bias))
        parameters = {"weight_ih_l0": gates[0].T, "weight_hh_l0": gates[1].T, "bias_ih_l0": biases[0],
                      "bias_hh_l0": biases[1]}
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, mask.sum(1), batch_first=True)
        outputs, last = torch.func.functional_call(module, parameters, (packed,))
        last = (last[0] if kind == "lstm" else last)[0]
        if not keeps:
            return last
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
        return torch.where(mask[..., None], y, last[:, None])  # Tenon's steps stay what they were
    return compute


GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}
for kind, count in GATES.items():
    for keeps in (False, True):
        n = count * 2
        samples.add(kind, {"units": 2} | ({"return_sequences": True} if keeps else {}),
                    [floats(3, 4, 3), mask],
                    {f"{kind}/kernel": floats(3, n), f"{kind}/recurrent_kernel": floats(2, n),
                     f"{kind}/bias": floats(2, n) if kind == "gru" else floats(n)},
                    masked_recurrent(kind, keeps))

samples.add("tied_dense", {"units": 5}, floats(2, 3, 4), {"tied_dense/table": floats(5, 4)},
            lambda x, table: x @ table.T)
samples.add("tied_dense", {"units": 5, "use_bias": True}, floats(2, 4),
            {"tied_dense/table": floats(5, 4), "tied_dense/bias": floats(5)},
            lambda x, table, bias: F.linear(x, table, bias))

# Labels of -1 are left out of losses of classes.
losses = []


def ignoring(loss, from_logits, shape, classes, compute):
    target = integers(0, classes, *shape)
    target[tuple(0 for _ in shape)] = -1
    target[tuple(-1 for _ in shape)] = -1
    p = floats(*shape, classes)
    if not from_logits:
        p = torch.softmax(p, -1).detach().requires_grad_()
    present = target >= 0
    total, weight = compute(p.flatten(0, -2), target.flatten())
    losses.append({"loss": loss, "prediction": tensor(p), "target": tensor(target.int()),
                   "sample_weight": None, "sum": tensor(total),
                   "weight": tensor(weight if weight is not None else present.sum().double()),
                   "gradient": tensor(torch.autograd.grad(total, p)[0])})


W = torch.tensor([0.5, 2.0, 1.0, 0.25])


def cross_entropy(p, t, smoothing=0.0, weights=None):
    total = F.cross_entropy(p, t, ignore_index=-1, reduction="sum", label_smoothing=smoothing,
                            weight=weights)
    return total, None if weights is None else weights[t[t >= 0]].sum()


SPARSE = "sparse_categorical_cross_entropy"
for shape in ((6,), (2, 3)):
    ignoring(f"{SPARSE}_from_logits", True, shape, 4, cross_entropy)
    ignoring(f"{SPARSE}_from_logits:label_smoothing=0.1:class_weights=0.5/2/1/0.25", True, shape, 4,
             lambda p, t: cross_entropy(p, t, 0.1, W))
    ignoring(SPARSE, False, shape, 4,
             lambda p, t: (F.nll_loss(p.log(), t, ignore_index=-1, reduction="sum"), None))


def focal(p, t):
    logs = F.log_softmax(p, -1)[t >= 0].gather(1, t[t >= 0][:, None])
    return (-(1 - logs.exp()) ** 2 * logs).sum(), None


ignoring("sparse_categorical_focal_cross_entropy_from_logits", True, (2, 3), 4, focal)

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "language_model_samples.json")
with open(path, "w") as file:
    json.dump({"models": records, "layers": samples.layers, "losses": losses}, file, separators=(",", ":"))
    file.write("\n")
print(len(records), "models,", len(samples.layers), "layers,", len(losses), "losses,", os.path.getsize(path), "bytes")
