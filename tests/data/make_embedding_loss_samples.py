#!/usr/bin/env python3
"""Writes embedding_loss_samples.json: CTC, losses of embeddings, entropies and sums of losses, in
f64, as PyTorch computes them; in-batch triplets by loops over all triplets.

    python3 -m pip install torch && python3 make_embedding_loss_samples.py

losses: as in make_loss_samples.py. ctc: {logits, targets, input_lengths, options, losses, gradient of
their sum}.
"""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F

from layer_sample_writing import tensor

rng = np.random.default_rng(5)
losses, ctc = [], []


def floats(*shape, low=-2.0, high=2.0):
    return torch.tensor(np.round(rng.uniform(low, high, shape), 2)).requires_grad_()


def weights(count):
    return torch.tensor(np.round(rng.uniform(0.1, 2, count), 2))


def loss(name, prediction, target, each, weight=None, counts=None):
    """each(prediction): a loss for each sample, [batch]; counts: what each weighs by itself."""
    own = each(prediction)
    w = torch.ones_like(own) if weight is None else weight
    total = (own * w).sum()
    all_weights = (w if counts is None else w * counts).sum()
    losses.append({"loss": name, "prediction": tensor(prediction), "target": tensor(target),
                   "sample_weight": None if weight is None else tensor(weight),
                   "sum": tensor(total), "weight": tensor(all_weights),
                   "gradient": tensor(torch.autograd.grad(total, prediction)[0])})


def ctc_of(logits, labels, input_lengths, blank, zero_infinity):
    lengths = [len(row) for row in labels]
    flat = torch.tensor([c for row in labels for c in row], dtype=torch.long)
    return F.ctc_loss(F.log_softmax(logits, -1).transpose(0, 1), flat,
                      torch.tensor(input_lengths), torch.tensor(lengths), blank, "none",
                      zero_infinity)


def padded(labels, width):
    return torch.tensor([row + [-1] * (width - len(row)) for row in labels],
                        dtype=torch.int32).reshape(len(labels), width)


# Repeated labels, none at all, as many as fit, and labels without repeats at half the time.
rows = {0: [[1, 1, 2], [], [3, 1, 2, 1], [2, 2, 2, 2]], 3: [[0, 0, 1], [], [2, 0, 1, 0], [1, 1, 1, 1]]}
for blank, labels in rows.items():
    for weight in (None, weights(4)):
        name = "ctc" if blank == 0 else f"ctc:blank={blank}"
        loss(name, floats(4, 7, 4), padded(labels, 4),
             lambda x: ctc_of(x, labels, [7] * 4, blank, False), weight)
loss("ctc", floats(2, 3, 5), padded([[], []], 0), lambda x: ctc_of(x, [[], []], [3, 3], 0, False))
loss("ctc", floats(2, 1, 5), padded([[4], []], 2), lambda x: ctc_of(x, [[4], []], [1, 1], 0, False))
# Labels that do not fit the time: a repeated one needs a blank, so two need three steps.
few = [[1, 1], [1, 2], [1, 2]]
loss("ctc:zero_infinity=1", floats(3, 2, 3), padded(few, 3),
     lambda x: ctc_of(x, few, [2] * 3, 0, True))
# Far logits: probabilities that are 0 in f64.
far = torch.tensor([[[900.0, -900.0, 0.0]] * 4], requires_grad=True)
loss("ctc", far, padded([[1, 2]], 2), lambda x: ctc_of(x, [[1, 2]], [4], 0, False))
for input_lengths in ([7, 5, 6, 7], [3, 1, 4, 7], [5, 0, 7, 7]):
    logits = floats(4, 7, 4)
    own = ctc_of(logits, rows[0], input_lengths, 0, True)
    ctc.append({"logits": tensor(logits), "targets": tensor(padded(rows[0], 5)),
                "input_lengths": tensor(torch.tensor(input_lengths, dtype=torch.int32)),
                "losses": tensor(own),
                "gradient": tensor(torch.autograd.grad(own.sum(), logits)[0])})


def distance(a, b):
    return (a - b).square().sum().sqrt()


def hard(x, labels, margin):
    own, counts = [], []
    for a in range(len(x)):
        near = [distance(x[a], x[p]) for p in range(len(x)) if p != a and labels[p] == labels[a]]
        far = [distance(x[a], x[n]) for n in range(len(x)) if labels[n] != labels[a]]
        counts.append(float(bool(near and far)))
        own.append(F.relu(max(near) - min(far) + margin) if near and far else 0 * x[a].sum())
    return torch.stack(own), torch.tensor(counts)


def semi_hard(x, labels, margin):
    own, counts = [], []
    for a in range(len(x)):
        far = [distance(x[a], x[n]) for n in range(len(x)) if labels[n] != labels[a]]
        total, count = 0 * x[a].sum(), 0
        for p in range(len(x)):
            if p == a or labels[p] != labels[a] or not far:
                continue
            near = distance(x[a], x[p])
            farther = [d for d in far if d > near]
            total = total + F.relu(near - (min(farther) if farther else max(far)) + margin)
            count += 1
        own.append(total)
        counts.append(float(count))
    return torch.stack(own), torch.tensor(counts)


def nt_xent(x, temperature):
    views = F.normalize(torch.cat([x[:, 0], x[:, 1]]), dim=-1)
    count, own = len(x), []
    for i in range(2 * count):
        similar = torch.stack([(views[i] * views[k]).sum() / temperature
                               for k in range(2 * count) if k != i])
        partner = (views[i] * views[(i + count) % (2 * count)]).sum() / temperature
        own.append(torch.logsumexp(similar, 0) - partner)
    own = torch.stack(own)
    return (own[:count] + own[count:]) / 2


def info_nce(x, temperature):
    scores = F.normalize(x[:, 0], dim=-1) @ F.normalize(x[:, 1], dim=-1).T / temperature
    return F.cross_entropy(scores, torch.arange(len(x)), reduction="none")


def contrastive(x, together, margin):
    d = F.pairwise_distance(x[:, 0], x[:, 1], eps=0)
    return (together * d ** 2 + (1 - together) * F.relu(margin - d) ** 2) / 2


nothing = torch.zeros(6, dtype=torch.int32)
for weight in (None, weights(6)):
    for margin, options in ((1.0, ""), (0.3, ":margin=0.3")):
        loss("triplet" + options, floats(6, 3, 4), nothing,
             lambda x: F.triplet_margin_loss(x[:, 0], x[:, 1], x[:, 2], margin, eps=0,
                                             reduction="none"), weight)
        together = torch.tensor([1, 0, 0, 1, 0, 1], dtype=torch.int32)
        loss("contrastive" + options, floats(6, 2, 3, low=-0.6, high=0.6), together,
             lambda x: contrastive(x, together.double(), margin), weight)
        # The last class has one sample alone, which has no positive.
        labels = torch.tensor([0, 1, 0, 1, 1, 2], dtype=torch.int32)
        for mining, find in (("triplet_hard", hard), ("triplet_semi_hard", semi_hard)):
            x = floats(6, 3, low=-1, high=1)
            loss(mining + options, x, labels, lambda x: find(x, labels, margin)[0], weight,
                 find(x, labels, margin)[1])
    for temperature, options in ((0.5, ""), (0.1, ":temperature=0.1")):
        loss("nt_xent" + options, floats(6, 2, 3), nothing, lambda x: nt_xent(x, temperature), weight)
    for temperature, options in ((0.1, ""), (0.7, ":temperature=0.7")):
        loss("info_nce" + options, floats(6, 2, 3), nothing, lambda x: info_nce(x, temperature),
             weight)
    D = torch.distributions
    loss("entropy_from_logits", floats(6, 4), nothing,
         lambda x: D.Categorical(logits=x).entropy(), weight)
    loss("entropy_from_logits", floats(6, 1), nothing,
         lambda x: D.Bernoulli(logits=x[:, 0]).entropy(), weight)
    p = torch.softmax(floats(6, 4), -1).detach().requires_grad_()
    loss("entropy", p, nothing, lambda x: -(x * x.log()).sum(-1), weight)
    loss("entropy", floats(6, 1, low=0.01, high=0.99), nothing,
         lambda x: D.Bernoulli(probs=x[:, 0]).entropy(), weight)
    labels = torch.tensor(rng.integers(0, 4, 6), dtype=torch.int32)
    loss("sparse_categorical_cross_entropy_from_logits + 0.25 * entropy_from_logits", floats(6, 4),
         labels, lambda x: F.cross_entropy(x, labels.long(), reduction="none") +
         0.25 * D.Categorical(logits=x).entropy(), weight)
    target = floats(6, 3).detach()
    loss("0.5 * mean_squared_error + 2 * mean_absolute_error", floats(6, 3), target,
         lambda x: (0.5 * (x - target) ** 2 + 2 * (x - target).abs()).sum(-1), weight,
         torch.full((6,), 3.0))

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "embedding_loss_samples.json")
with open(path, "w") as file:
    json.dump({"losses": losses, "ctc": ctc}, file, separators=(",", ":"))
    file.write("\n")
print(len(losses), "losses,", len(ctc), "ctc,", os.path.getsize(path), "bytes")
