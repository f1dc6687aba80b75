"""Histograms, pruning, quantisation and distillation by NumPy and PyTorch:
tests/data/compression_samples.json."""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.utils import prune

rng = np.random.default_rng(4)
NAMES = {np.dtype("float32"): "f32", np.dtype("float64"): "f64", np.dtype("int8"): "i8",
         np.dtype("int32"): "i32", np.dtype("int64"): "i64"}


def tensor(array):
    array = np.asarray(array)
    return {"type": NAMES[array.dtype], "shape": list(array.shape), "data": array.ravel().tolist()}


def histogram(values, bins):
    counts, edges = np.histogram(values.astype(np.float64), bins=bins)
    return {"values": tensor(values), "bins": bins, "edges": edges.tolist(),
            "counts": counts.tolist(), "sum": float(values.astype(np.float64).sum()),
            "sum_of_squares": float((values.astype(np.float64) ** 2).sum())}


def pruned(weights, sparsity, is_global):
    modules = [torch.nn.Linear(1, 1) for _ in weights]
    for module, weight in zip(modules, weights):
        module.weight = torch.nn.Parameter(torch.tensor(weight))
    if is_global:
        prune.global_unstructured([(m, "weight") for m in modules], prune.L1Unstructured,
                                  amount=sparsity)
    else:
        for module in modules:
            prune.l1_unstructured(module, "weight", amount=sparsity)
    return {"weights": [tensor(w) for w in weights], "sparsity": sparsity, "is_global": is_global,
            "pruned": [tensor(m.weight.detach().numpy()) for m in modules]}


def zhu_gupta(options, step):
    """Equation 1 of Zhu, Gupta 2017."""
    s_i, s_f, t_0, t_n = options
    return s_f + (s_i - s_f) * (1 - (step - t_0) / (t_n - t_0)) ** 3


def quantize_kernel(kernel):
    """A scale for each channel of the last axis; PyTorch rounds and clamps alike."""
    scale = (np.abs(kernel).reshape(-1, kernel.shape[-1]).max(0).astype(np.float64) / 127)
    scale = np.where(scale == 0, 1, scale).astype(kernel.dtype)
    q = np.clip(np.round(kernel.astype(np.float64) / scale), -127, 127).astype(np.int8)
    theirs = torch.quantize_per_channel(
        torch.tensor(kernel.astype(np.float32)), torch.tensor(scale.astype(np.float64)),
        torch.zeros(kernel.shape[-1], dtype=torch.int64), kernel.ndim - 1, torch.qint8)
    assert (theirs.int_repr().numpy() == q).all()
    return q, scale


def quantize_input(x, scale, zero):
    return np.clip(np.round(x / x.dtype.type(scale)) + zero, -128, 127).astype(np.int64) - zero


def input_range(values, percentile):
    cut = (100 - percentile) / 2
    low, high = np.percentile(values.astype(np.float64), [cut, 100 - cut])
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 255
    return scale, int(np.clip(np.round(-128 - low / scale), -128, 127))


def dense(x, kernel, bias, percentile):
    q, kernel_scale = quantize_kernel(kernel)
    scale, zero = input_range(x, percentile)
    scale = x.dtype.type(scale)
    sums = quantize_input(x, scale, zero) @ q.astype(np.int64)
    y = sums.astype(np.float64) * (float(scale) * kernel_scale.astype(np.float64)) + bias
    return {"x": tensor(x), "kernel": tensor(kernel), "bias": tensor(bias), "percentile": percentile,
            "quantized": tensor(q), "kernel_scale": tensor(kernel_scale),
            "input_scale": float(scale), "zero_point": zero, "sums": tensor(sums),
            "y": tensor(np.maximum(y, 0))}


def convolution(x, kernel, bias, stride, same, groups):
    q, kernel_scale = quantize_kernel(kernel)
    scale, zero = input_range(x, 100)
    scale = x.dtype.type(scale)
    shifted = torch.tensor(quantize_input(x, scale, zero), dtype=torch.float64).permute(0, 3, 1, 2)
    weights = torch.tensor(q.astype(np.float64)).permute(3, 2, 0, 1)
    if same:  # the odd pixel after
        need = [max((-(-n // stride) - 1) * stride + k - n, 0)
                for n, k in zip(x.shape[1:3], kernel.shape[:2])]
        shifted = F.pad(shifted, (need[1] // 2, need[1] - need[1] // 2,
                                  need[0] // 2, need[0] - need[0] // 2))
    sums = F.conv2d(shifted, weights, stride=stride, groups=groups).permute(0, 2, 3, 1).numpy()
    y = sums * (float(scale) * kernel_scale.astype(np.float64)) + bias
    return {"x": tensor(x), "kernel": tensor(kernel), "bias": tensor(bias), "stride": stride,
            "same": same, "groups": groups, "quantized": tensor(q),
            "kernel_scale": tensor(kernel_scale), "input_scale": float(scale), "zero_point": zero,
            "y": tensor(y)}


def distilled(student, teacher, classes, temperature, alpha):
    s = torch.tensor(student, requires_grad=True)
    t = torch.tensor(teacher)
    soft = F.kl_div(F.log_softmax(s / temperature, -1), F.softmax(t / temperature, -1),
                    reduction="batchmean") * temperature**2
    loss = alpha * soft + (1 - alpha) * F.cross_entropy(s, torch.tensor(classes))
    loss.backward()
    return {"student": tensor(student), "teacher": tensor(teacher),
            "classes": tensor(classes.astype(np.int32)), "temperature": temperature, "alpha": alpha,
            "loss": loss.item(), "gradient": tensor(s.grad.numpy())}


f32 = lambda *shape: rng.normal(size=shape).astype(np.float32)
f64 = lambda *shape: rng.normal(size=shape)
weights = [f32(6, 5), f32(3, 3, 2, 4) * 0.3]
schedule = (0.1, 0.9, 100, 500)
samples = {
    "histograms": [
        histogram(f32(200), 30), histogram(f64(50) * 1e-3 + 7, 7),
        histogram(np.full(5, 2.5, np.float32), 4), histogram(np.array([1.0, 2.0, 3.0, 4.0]), 3),
        histogram(np.arange(20, dtype=np.int32), 5), histogram(np.array([0.1, 0.3, 0.7]), 10)],
    "pruned": [pruned(weights, s, g) for s in (0.0, 0.5, 0.85) for g in (False, True)],
    "schedule": {"options": schedule,
                 "steps": [[t, zhu_gupta(schedule, t)] for t in (100, 150, 300, 499, 500)]},
    "dense": [dense(f32(4, 6), f32(6, 5), f32(5), 100),
              dense(np.abs(f64(8, 3)) + 0.5, f64(3, 4), f64(4), 95),
              dense(f32(2, 3, 4), np.pad(f32(4, 2), ((0, 0), (0, 1))), f32(3), 100)],
    "convolution": [convolution(f32(2, 5, 4, 2), f32(3, 3, 2, 3), f32(3), 1, True, 1),
                    convolution(f32(1, 6, 6, 4), f32(3, 2, 2, 6), f32(6), 2, False, 2),
                    convolution(np.abs(f64(1, 5, 5, 1)), f64(2, 2, 1, 2), f64(2), 2, True, 1)],
    "distilled": [distilled(f64(5, 4), f64(5, 4) * 3, rng.integers(0, 4, 5), t, a)
                  for t, a in ((1.0, 0.5), (4.0, 0.9), (2.0, 0.0), (2.5, 1.0))],
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compression_samples.json")
with open(path, "w") as file:
    json.dump(samples, file, separators=(",", ":"))
    file.write("\n")
