#!/usr/bin/env python3
"""Writes layer_samples.json: layers, losses and optimizers as PyTorch computes them, in f64.

    python3 -m pip install torch && python3 make_layer_samples.py

layers: {layer, attributes, input, weights by path, output, cotangent, gradients of input and
weights}; batch_norm: steps of one layer; losses: {loss, prediction, target, weight, sum, total
weight, gradient}; optimizers: {optimizer, attributes, weight, gradients and the weight after each
step}. Images are [batch, height, width, channels]; kernels [in, out] and [height, width, in, out].
"""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(3)
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(5)
NAMES = {"float64": "f64", "float32": "f32", "int64": "i64", "int32": "i32", "bool": "bool"}


def tensor(x):
    x = x.detach().numpy() if isinstance(x, torch.Tensor) else np.asarray(x)
    return {"type": NAMES[str(x.dtype)], "shape": list(x.shape),
            "data": [int(v) if x.dtype.kind in "ib" else float(v) for v in x.ravel()]}


def floats(*shape, low=-2.0, high=2.0, gradient=True):
    x = torch.tensor(np.round(rng.uniform(low, high, shape), 2))
    return x.requires_grad_(gradient)


layers = []


def layer(kind, attributes, x, weights, compute):
    """`weights` by path; compute(x, *weights) -> y."""
    y = compute(x, *weights.values())
    c = floats(*y.shape, gradient=False)
    wrt = [v for v in (x, *weights.values()) if v.requires_grad]
    found = iter(torch.autograd.grad((y * c).sum(), wrt))
    layers.append({"layer": kind, "attributes": attributes, "input": tensor(x),
                   "weights": {k: tensor(v) for k, v in weights.items()}, "output": tensor(y),
                   "cotangent": tensor(c),
                   "input_gradient": tensor(next(found)) if x.requires_grad else None,
                   "weight_gradients": {k: tensor(next(found)) for k in weights}})


ACTIVATIONS = {"linear": lambda x: x, "relu": F.relu, "leaky_relu": F.leaky_relu, "elu": F.elu,
               "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
               "silu": F.silu, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
               "softmax": lambda x: F.softmax(x, -1), "log_softmax": lambda x: F.log_softmax(x, -1),
               "softplus": F.softplus}
for name, activation in ACTIVATIONS.items():
    layer("dense", {"units": 3, "activation": name}, floats(4, 2),
          {"dense/kernel": floats(2, 3), "dense/bias": floats(3)},
          lambda x, k, b: activation(x @ k + b))
    layer("activation", {"activation": name}, floats(2, 3), {}, activation)
layer("dense", {"units": 2, "use_bias": False}, floats(2, 3, 4), {"dense/kernel": floats(4, 2)},
      lambda x, k: x @ k)


def same_amounts(extent, window, stride, dilation=1):
    total = max(0, (-(-extent // stride) - 1) * stride + (window - 1) * dilation + 1 - extent)
    return total // 2, total - total // 2


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def padded(x, size, strides, dilation, value=0.0):
    top, bottom = same_amounts(x.shape[2], size[0], strides[0], dilation[0])
    left, right = same_amounts(x.shape[3], size[1], strides[1], dilation[1])
    return F.pad(x, (left, right, top, bottom), value=value)


def convolution(attributes, channels=2):
    a = {"filters": 4, "size": [3, 2], "strides": [1, 1], "dilation": [1, 1], "groups": 1,
         "same_padding": False, "activation": "linear"} | attributes
    size = a["size"] * 2 if len(a["size"]) == 1 else a["size"]

    def compute(x, k, b):
        y = channels_first(x)
        if a["same_padding"]:
            y = padded(y, size, a["strides"], a["dilation"])
        y = F.conv2d(y, k.permute(3, 2, 0, 1), b, a["strides"], 0, a["dilation"], a["groups"])
        return ACTIVATIONS[a["activation"]](channels_last(y))

    layer("conv2d", a, floats(2, 6, 5, channels),
          {"conv2d/kernel": floats(*size, channels // a["groups"], a["filters"]),
           "conv2d/bias": floats(a["filters"])}, compute)


for attributes in ({}, {"strides": [2, 1]}, {"same_padding": True},
                   {"same_padding": True, "strides": [2, 2], "activation": "relu"},
                   {"dilation": [2, 1]}, {"groups": 2}, {"size": [2], "same_padding": True}):
    convolution(attributes)
for size, strides in (([2, 2], []), ([3, 2], [2, 1])):
    for same in (False, True):
        steps = strides or size
        attributes = {"size": size, "strides": strides, "same_padding": same}

        def pool(x, value, f):
            y = channels_first(x)
            return channels_last(f(padded(y, size, steps, (1, 1), value) if same else y))

        layer("max_pool2d", attributes, floats(2, 5, 6, 3), {},
              lambda x: pool(x, float("-inf"), lambda y: F.max_pool2d(y, size, steps)))
        layer("avg_pool2d", attributes, floats(2, 5, 6, 3), {},
              lambda x: pool(x, 0.0, lambda y: F.avg_pool2d(y, size, steps)) /
              pool(torch.ones_like(x), 0.0, lambda y: F.avg_pool2d(y, size, steps)))
layer("layer_norm", {"epsilon": 1e-5}, floats(2, 3, 4),
      {"layer_norm/scale": floats(4), "layer_norm/offset": floats(4)},
      lambda x, s, o: F.layer_norm(x, (4,), s, o, 1e-5))
layer("embedding", {"rows": 5, "width": 3}, torch.tensor(rng.integers(0, 5, (2, 4))),
      {"embedding/table": floats(5, 3)}, lambda x, t: F.embedding(x, t))
layer("flatten", {}, floats(2, 3, 4), {}, lambda x: x.reshape(2, 12))
layer("reshape", {"shape": [4, -1]}, floats(2, 12), {}, lambda x: x.reshape(2, 4, 3))

batch_norm = []
for shape in ((6, 3), (2, 3, 4, 3)):
    module = torch.nn.BatchNorm1d(3, eps=1e-3, momentum=0.2)
    with torch.no_grad():
        module.weight.copy_(floats(3))
        module.bias.copy_(floats(3))
    steps = []
    for _ in range(3):
        x, c = floats(*shape), floats(*shape, gradient=False)
        y = module(x.reshape(-1, 3)).reshape(shape)
        found = torch.autograd.grad((y * c).sum(), [x, module.weight, module.bias])
        steps.append({"input": tensor(x), "cotangent": tensor(c), "output": tensor(y),
                      "gradients": [tensor(g) for g in found],
                      "mean": tensor(module.running_mean.clone()),
                      "variance": tensor(module.running_var.clone())})
    module.eval()
    x = floats(*shape)
    batch_norm.append({"scale": tensor(module.weight), "offset": tensor(module.bias),
                       "steps": steps, "inference_input": tensor(x),
                       "inference_output": tensor(module(x.reshape(-1, 3)).reshape(shape))})

losses = []


def loss(name, prediction, target, values, weight=None):
    """`values(prediction)`: one loss for each row (or element), before weights."""
    each = values(prediction)
    w = torch.ones_like(each)
    if weight is not None:
        w = w * weight.reshape(-1, *([1] * (each.dim() - 1)))
    total = (each * w).sum()
    losses.append({"loss": name, "prediction": tensor(prediction), "target": tensor(target),
                   "sample_weight": None if weight is None else tensor(weight),
                   "sum": tensor(total), "weight": tensor(w.sum()),
                   "gradient": tensor(torch.autograd.grad(total, prediction)[0])})


def clipped(p):
    return p.clamp(1e-7, 1 - 1e-7)


for weight in (None, floats(4, low=0, high=2, gradient=False)):
    labels = torch.tensor(rng.integers(0, 3, 4))
    logits = floats(4, 3)
    probabilities = torch.softmax(floats(4, 3), -1).detach().requires_grad_()
    soft = torch.softmax(floats(4, 3), -1).detach()
    one_hot = F.one_hot(labels, 3)
    loss("sparse_categorical_cross_entropy_from_logits", logits, labels,
         lambda p: F.cross_entropy(p, labels, reduction="none"), weight)
    loss("sparse_categorical_cross_entropy", probabilities, labels,
         lambda p: F.nll_loss(clipped(p).log(), labels, reduction="none"), weight)
    for target in (soft, one_hot):
        loss("categorical_cross_entropy_from_logits", logits, target,
             lambda p: F.cross_entropy(p, target.double(), reduction="none"), weight)
        loss("categorical_cross_entropy", probabilities, target,
             lambda p: -(target * clipped(p).log()).sum(-1), weight)
    for target in (floats(4, 2, low=0, high=1, gradient=False),
                   torch.tensor(rng.integers(0, 2, (4, 2)))):
        loss("binary_cross_entropy_from_logits", floats(4, 2), target,
             lambda p: F.binary_cross_entropy_with_logits(p, target.double(), reduction="none"),
             weight)
        loss("binary_cross_entropy", floats(4, 2, low=0.01, high=0.99), target,
             lambda p: F.binary_cross_entropy(clipped(p), target.double(), reduction="none"), weight)
    target = floats(4, 2, gradient=False)
    loss("mean_squared_error", floats(4, 2), target,
         lambda p: F.mse_loss(p, target, reduction="none"), weight)
# Probabilities of 0 and 1 are clipped at 1e-7: the loss stays finite and nothing flows.
edge = torch.tensor([[0.0, 1.0], [1.0, 0.0]], requires_grad=True)
loss("categorical_cross_entropy", edge, torch.eye(2), lambda p: -(torch.eye(2) * clipped(p).log())
     .sum(-1))
loss("sparse_categorical_cross_entropy", edge, torch.tensor([0, 0]),
     lambda p: F.nll_loss(clipped(p).log(), torch.tensor([0, 0]), reduction="none"))
labels = torch.tensor(rng.integers(0, 3, (2, 4)))
loss("sparse_categorical_cross_entropy_from_logits", floats(2, 4, 3), labels,
     lambda p: F.cross_entropy(p.permute(0, 2, 1), labels, reduction="none"))
# Far logits do not overflow.
far = torch.tensor([[800.0, -800.0]], requires_grad=True)
loss("binary_cross_entropy_from_logits", far, torch.tensor([[0.0, 1.0]]),
     lambda p: F.binary_cross_entropy_with_logits(p, torch.tensor([[0.0, 1.0]]), reduction="none"))

optimizers = []


def single(x):
    """The value that an f32 option holds."""
    return float(np.float32(x))


def optimizer(kind, attributes, make):
    attributes = {k: v if isinstance(v, bool) else single(v) for k, v in attributes.items()}
    weight = floats(3)
    record = {"optimizer": kind, "attributes": attributes, "weight": tensor(weight.clone()),
              "gradients": [], "weights": []}
    rule = make(weight, attributes)
    for _ in range(5):
        weight.grad = floats(3, gradient=False)
        record["gradients"].append(tensor(weight.grad))
        rule.step()
        record["weights"].append(tensor(weight.clone()))
    optimizers.append(record)


optimizer("gradient_descent", {"learning_rate": 0.1},
          lambda w, a: torch.optim.SGD([w], a["learning_rate"]))
for attributes in ({"momentum": 0.9}, {"momentum": 0.8, "nesterov": True},
                   {"momentum": 0.9, "weight_decay": 0.05}):
    optimizer("sgd", {"learning_rate": 0.05} | attributes,
              lambda w, a: torch.optim.SGD([w], a["learning_rate"], momentum=a["momentum"],
                                           nesterov=a.get("nesterov", False),
                                           weight_decay=a.get("weight_decay", 0)))
for attributes in ({}, {"weight_decay": 0.1}, {"beta1": 0.7, "beta2": 0.95, "epsilon": 1e-3}):
    a = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
         "weight_decay": 0.0} | attributes
    optimizer("adam", a, lambda w, a: torch.optim.AdamW([w], a["learning_rate"],
                                                        (a["beta1"], a["beta2"]), a["epsilon"],
                                                        a["weight_decay"]))

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "layer_samples.json")
with open(path, "w") as file:
    json.dump({"layers": layers, "batch_norm": batch_norm, "losses": losses,
               "optimizers": optimizers}, file, separators=(",", ":"))
    file.write("\n")
print(len(layers), "layers,", len(losses), "losses,", len(optimizers), "optimizers,",
      os.path.getsize(path), "bytes")
