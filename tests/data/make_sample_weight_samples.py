"""Trainings with a weight for each sample, by PyTorch and scikit-learn:
tests/data/sample_weight_samples.json."""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import log_loss, mean_absolute_error

BATCH, EPOCHS, RATE = 5, 3, 0.25
rng = np.random.default_rng(11)
NAMES = {np.dtype("float32"): "f32", np.dtype("float64"): "f64", np.dtype("int32"): "i32"}


def tensor(array):
    array = np.asarray(array)
    return {"type": NAMES[array.dtype], "shape": list(array.shape), "data": array.ravel().tolist()}


def eighths(*shape):
    """Numbers that f32 holds exactly."""
    return np.round(rng.normal(size=shape) * 8) / 8


def weighted_mean(losses, weights):
    return (losses * weights).sum() / weights.sum()


def cross_entropy(p, y, w):
    mean = weighted_mean(F.cross_entropy(p, y, reduction="none"), w)
    # scikit-learn has the same mean.
    theirs = log_loss(y, torch.softmax(p, 1).detach().numpy(), sample_weight=w, labels=[0, 1, 2])
    assert abs(theirs - mean.item()) < 1e-12
    return mean


def squared_error(p, y, w):
    return F.mse_loss(p, y, weight=w[:, None].expand(p.shape))


def absolute_error(p, y, w):
    mean = F.l1_loss(p, y, weight=w[:, None].expand(p.shape))
    assert abs(mean_absolute_error(y, p.detach(), sample_weight=w) - mean.item()) < 1e-12
    return mean


def training(name, loss, y, outputs):
    x, w = eighths(len(y), 4), rng.integers(0, 9, len(y)) / 4
    w[3] = 0
    tensors = [torch.tensor(t) for t in (x, y, w)]
    model = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, outputs))
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.tensor(eighths(*parameter.shape) / 4))
    names = ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]

    def weights():
        values = [p.detach().numpy() for p in model.parameters()]
        return {n: tensor(np.ascontiguousarray(v.T)) for n, v in zip(names, values)}

    record = {"loss": name, "x": tensor(x.astype(np.float32)), "weights": tensor(w.astype(np.float32)),
              "y": tensor(y.astype(np.int32 if y.ndim == 1 else np.float32)), "initial": weights(),
              "losses": []}
    record["evaluated_before"] = loss(model(tensors[0]), tensors[1], tensors[2]).item()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    for _ in range(EPOCHS):
        for first in range(0, len(y), BATCH):
            bx, by, bw = (t[first:first + BATCH] for t in tensors)
            mean = loss(model(bx), by, bw)
            optimizer.zero_grad()
            mean.backward()
            optimizer.step()
            record["losses"].append(mean.item())
    record["final"] = weights()
    record["evaluated_after"] = loss(model(tensors[0]), tensors[1], tensors[2]).item()
    return record


samples = {"batch_size": BATCH, "epochs": EPOCHS, "learning_rate": RATE, "trainings": [
    training("sparse_categorical_cross_entropy_from_logits", cross_entropy,
             rng.integers(0, 3, 13), 3),
    training("mean_squared_error", squared_error, eighths(13, 2), 2),
    training("mean_absolute_error", absolute_error, eighths(13, 2), 2)]}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sample_weight_samples.json")
with open(path, "w") as out:
    json.dump(samples, out, separators=(",", ":"))
    out.write("\n")
