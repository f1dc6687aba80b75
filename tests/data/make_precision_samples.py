#!/usr/bin/env python3
"""Writes precision_samples.json: small networks under PyTorch's autocast in bf16, and its GradScaler.

    python3 -m pip install torch && python3 make_precision_samples.py

networks: {network, inputs, weights, loss and gradients of the weights under torch.autocast on the
CPU, and the same in f64}; images are channels last, kernels [height, width, in, out].
grad_scaler: Adam's weight and the scale after each turn of a sequence with overflows and growth.
"""
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(29)


def tensor(x):
    x = x.detach().numpy() if isinstance(x, torch.Tensor) else np.asarray(x)
    name = {"f": "f32", "i": "i32"}[x.dtype.kind]
    return {"type": name, "shape": list(x.shape),
            "data": [int(v) if name == "i32" else float(f"{v:.8g}") for v in x.ravel()]}


def uniform(*shape, bound=1.0):
    return np.round(rng.uniform(-bound, bound, shape), 4).astype(np.float32)


def glorot(*shape):
    fan = math.prod(shape[:-2]) * (shape[-2] + shape[-1])
    return uniform(*shape, bound=math.sqrt(6 / fan))


def convolve(x, kernel, padding):
    y = F.conv2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), padding=padding)
    return y.permute(0, 2, 3, 1)


def pool(x):
    return F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)


def product(x, w):
    return F.mse_loss(x["x"] @ w["kernel"], x["target"])


def convolution(x, w):
    return F.mse_loss(convolve(x["x"], w["kernel"], 1), x["target"])


def mlp(x, w):
    h = F.relu(F.linear(x["x"], w["kernel_0"].T, w["bias_0"]))
    h = F.relu(F.linear(h, w["kernel_1"].T, w["bias_1"]))
    return F.cross_entropy(F.linear(h, w["kernel_2"].T, w["bias_2"]), x["labels"].long())


def lenet(x, w):
    h = pool(F.relu(convolve(x["x"], w["kernel_0"], 2)))
    h = pool(F.relu(convolve(h, w["kernel_1"], 0)))
    h = h.reshape(h.shape[0], -1)
    h = F.relu(F.linear(h, w["kernel_2"].T, w["bias_2"]))
    return F.cross_entropy(F.linear(h, w["kernel_3"].T, w["bias_3"]), x["labels"].long())


def attention(x, w):
    h = F.layer_norm(x["x"], (16,), w["scale"], w["offset"])
    q, k, v = (h @ w[name] for name in ("query", "key", "value"))
    split = lambda t: t.reshape(2, 8, 2, 8).permute(0, 2, 1, 3)
    y = F.scaled_dot_product_attention(split(q), split(k), split(v), is_causal=True)
    y = x["x"] + y.permute(0, 2, 1, 3).reshape(2, 8, 16) @ w["out"]
    return F.mse_loss(F.gelu(y @ w["up"]) @ w["down"], x["target"])


def run(network, inputs, weights, dtype, autocast):
    def convert(x):
        x = torch.tensor(x)
        return x.to(dtype) if x.is_floating_point() else x
    x = {name: convert(value) for name, value in inputs.items()}
    w = {name: convert(value).requires_grad_() for name, value in weights.items()}
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        loss = network(x, w)
    loss.backward()
    return loss, {name: value.grad for name, value in w.items()}


networks = []


def add(network, inputs, weights):
    loss, gradients = run(network, inputs, weights, torch.float32, True)
    exact_loss, exact_gradients = run(network, inputs, weights, torch.float64, False)
    networks.append({
        "network": network.__name__,
        "inputs": {k: tensor(v) for k, v in inputs.items()},
        "weights": {k: tensor(v) for k, v in weights.items()},
        "loss": loss.item(), "gradients": {k: tensor(v) for k, v in gradients.items()},
        "exact_loss": exact_loss.item(),
        "exact_gradients": {k: tensor(v) for k, v in exact_gradients.items()}})


labels = lambda n, classes: rng.integers(0, classes, n).astype(np.int32)
add(product, {"x": uniform(12, 40), "target": uniform(12, 10)}, {"kernel": glorot(40, 10)})
add(convolution, {"x": uniform(2, 9, 9, 4), "target": uniform(2, 9, 9, 6)},
    {"kernel": glorot(3, 3, 4, 6)})
add(mlp, {"x": uniform(16, 20), "labels": labels(16, 5)},
    {"kernel_0": glorot(20, 24), "bias_0": uniform(24, bound=0.1),
     "kernel_1": glorot(24, 16), "bias_1": uniform(16, bound=0.1),
     "kernel_2": glorot(16, 5), "bias_2": uniform(5, bound=0.1)})
add(lenet, {"x": uniform(4, 16, 16, 1), "labels": labels(4, 10)},
    {"kernel_0": glorot(5, 5, 1, 4), "kernel_1": glorot(5, 5, 4, 6),
     "kernel_2": glorot(24, 20), "bias_2": uniform(20, bound=0.1),
     "kernel_3": glorot(20, 10), "bias_3": uniform(10, bound=0.1)})
add(attention, {"x": uniform(2, 8, 16), "target": uniform(2, 8, 16)},
    {"scale": 1 + uniform(16, bound=0.2), "offset": uniform(16, bound=0.2),
     "query": glorot(16, 16), "key": glorot(16, 16), "value": glorot(16, 16),
     "out": glorot(16, 16), "up": glorot(16, 32), "down": glorot(32, 16)})

# A scale of 2^k overflows f32 when a gradient of 2^(128 - k) or more is multiplied with it.
weight = torch.tensor(uniform(3), requires_grad=True)
initial, growth, backoff, interval, rate = 2.0**15, 2.0, 0.5, 3, 0.01
scaler = torch.amp.GradScaler("cpu", init_scale=initial, growth_factor=growth,
                              backoff_factor=backoff, growth_interval=interval)
adam = torch.optim.Adam([weight], lr=rate)
record = {"weight": tensor(weight), "initial": initial, "growth": growth, "backoff": backoff,
          "interval": interval, "learning_rate": rate, "turns": []}
for size in [1, 1, 2**115, 1, 1, 1, 1, 1, 1, 1, 2**113, math.inf, math.nan, 1, 1, 1, 1, 1]:
    x = uniform(3)
    x[1] = size
    before = scaler.get_scale()
    adam.zero_grad()
    scaler.scale((weight * torch.tensor(x)).sum()).backward()
    scaler.step(adam)
    scaler.update()
    turn = {"x": tensor(x), "scale": scaler.get_scale(), "is_skipped": scaler.get_scale() < before,
            "weight_after": tensor(weight)}
    turn["x"]["data"] = [v if math.isfinite(v) else str(v) for v in turn["x"]["data"]]
    record["turns"].append(turn)

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "precision_samples.json")
with open(path, "w") as file:
    json.dump({"networks": networks, "grad_scaler": record}, file, separators=(",", ":"))
    file.write("\n")
print(os.path.getsize(path), "bytes;", [t["scale"] for t in record["turns"]])
