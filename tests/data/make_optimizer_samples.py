#!/usr/bin/env python3
"""Writes optimizer_samples.json: five steps of optimizers as PyTorch and optax compute them, in f64.

    python3 -m pip install torch optax && python3 make_optimizer_samples.py

optimizers: {optimizer, attributes, options, weights, gradients and weights after each step, averages
after each step if they are kept}; schedules: {schedule, attributes, warmup_steps, rates from step 0};
plateaus: {attributes, observed values, rate after each}.
PyTorch computes all but Lion and LAMB (optax) and Muon, whose matrices PyTorch orthogonalises in
bf16: its steps are written here in NumPy, and compared with PyTorch's at that precision.
"""
import json
import math
import os
import warnings

import jax
import numpy as np
import optax
import torch

warnings.filterwarnings("ignore")
jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(11)


def tensor(x):
    x = np.asarray(x.detach().numpy() if isinstance(x, torch.Tensor) else x)
    return {"type": "f64", "shape": list(x.shape), "data": [float(v) for v in x.ravel()]}


def values(*shape):
    return np.round(rng.uniform(-2, 2, shape), 2)


class Torch:
    def __init__(self, weights, make, prepare=lambda weights: None):
        self.weights = [torch.tensor(w, requires_grad=True) for w in weights]
        self.rule, self.prepare = make(self.weights), prepare

    def step(self, gradients):
        for weight, gradient in zip(self.weights, gradients):
            weight.grad = torch.tensor(gradient)
        self.prepare(self.weights)
        self.rule.step()
        return [w.detach().numpy().copy() for w in self.weights]


class Optax:
    def __init__(self, weights, rule):
        self.weights, self.rule = [jax.numpy.asarray(w) for w in weights], rule
        self.state = rule.init(self.weights)

    def step(self, gradients):
        changes, self.state = self.rule.update([jax.numpy.asarray(g) for g in gradients],
                                               self.state, self.weights)
        self.weights = optax.apply_updates(self.weights, changes)
        return [np.asarray(w) for w in self.weights]


class Muon:
    def __init__(self, weights, learning_rate, momentum, weight_decay, **adam):
        self.weights = [w.copy() for w in weights]
        self.rate, self.momentum, self.decay = learning_rate, momentum, weight_decay
        self.velocity = [np.zeros_like(w) for w in weights]
        self.check = Torch([w for w in weights if w.ndim == 2], lambda ws: torch.optim.Muon(
            ws, learning_rate, weight_decay, momentum, adjust_lr_fn="match_rms_adamw"))
        self.adam = Torch([w for w in weights if w.ndim < 2], lambda ws: torch.optim.AdamW(
            ws, learning_rate, (adam["beta1"], adam["beta2"]), adam["epsilon"], weight_decay)) \
            if any(w.ndim < 2 for w in weights) else None

    @staticmethod
    def orthogonal(x):
        if x.shape[0] > x.shape[1]:
            return Muon.orthogonal(x.T).T
        x = x / max(np.linalg.norm(x), 1e-7)
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
        return x

    def step(self, gradients):
        for i, g in enumerate(gradients):
            w = self.weights[i]
            if w.ndim < 2:
                continue
            self.velocity[i] = self.momentum * self.velocity[i] + (1 - self.momentum) * g
            ahead = self.momentum * self.velocity[i] + (1 - self.momentum) * g
            o = self.orthogonal(ahead.reshape(-1, w.shape[-1]))
            o = o.reshape(w.shape) * 0.2 * math.sqrt(max(w.shape[-1], w.size // w.shape[-1]))
            self.weights[i] = w - self.rate * (o + self.decay * w)
        matrices = [i for i, w in enumerate(self.weights) if w.ndim == 2]
        for i, other in zip(matrices, self.check.step([gradients[i] for i in matrices])):
            assert np.abs(self.weights[i] - other).max() < 0.02 * self.rate * 10
        if self.adam:
            vectors = [i for i, w in enumerate(self.weights) if w.ndim < 2]
            for i, w in zip(vectors, self.adam.step([gradients[i] for i in vectors])):
                self.weights[i] = w
        return [w.copy() for w in self.weights]


optimizers = []


def optimizer(kind, attributes, make, shapes=((3, 4), (3,)), options=None, average=None):
    weights = [values(*shape) for shape in shapes]
    rule = make(weights, attributes)
    record = {"optimizer": kind, "attributes": attributes, "options": options or {},
              "initial": [tensor(w) for w in weights], "gradients": [], "weights": [],
              "averages": []}
    averages = None
    for _ in range(5):
        gradients = [values(*shape) for shape in shapes]
        record["gradients"].append([tensor(g) for g in gradients])
        found = rule.step(gradients)
        record["weights"].append([tensor(w) for w in found])
        if average:
            averages = average(averages, found)
            record["averages"].append([tensor(w) for w in averages])
    optimizers.append(record)


def in_torch(rule, **arguments):
    """`arguments` of the PyTorch rule by the names of the hyperparameters that give them."""
    def make(weights, a):
        named = {to: a[name] for to, name in arguments.items() if name in a}
        if "beta1" in a:
            named["betas"] = (a["beta1"], a["beta2"])
        return Torch(weights, lambda ws: rule(ws, lr=a["learning_rate"], **named))
    return make


usual = {"eps": "epsilon", "weight_decay": "weight_decay"}
adam = {"learning_rate": 0.03, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-4}
optimizer("adamw", adam | {"weight_decay": 0.1}, in_torch(torch.optim.AdamW, **usual))
for extra in ({"weight_decay": 0.0}, {"weight_decay": 0.1}):
    optimizer("adamax", adam | extra, in_torch(torch.optim.Adamax, **usual))
    for decay in (4e-3, 0.5):
        optimizer("nadam", adam | {"momentum_decay": decay} | extra,
                  in_torch(torch.optim.NAdam, momentum_decay="momentum_decay", **usual))
    for centered in (False, True):
        for momentum in (0.0, 0.7):
            optimizer("rmsprop", {"learning_rate": 0.02, "rho": 0.8, "epsilon": 1e-3,
                                  "centered": centered, "momentum": momentum} | extra,
                      in_torch(torch.optim.RMSprop, alpha="rho", centered="centered",
                               momentum="momentum", **usual))
    for decay, initial in ((0.0, 0.0), (0.2, 0.5)):
        optimizer("adagrad", {"learning_rate": 0.1, "learning_rate_decay": decay,
                              "initial_accumulator": initial, "epsilon": 1e-4} | extra,
                  in_torch(torch.optim.Adagrad, lr_decay="learning_rate_decay",
                           initial_accumulator_value="initial_accumulator", **usual))
    optimizer("adadelta", {"learning_rate": 0.9, "rho": 0.8, "epsilon": 1e-3} | extra,
              in_torch(torch.optim.Adadelta, rho="rho", **usual))
    optimizer("lion", {"learning_rate": 0.03, "beta1": 0.8, "beta2": 0.95} | extra,
              lambda ws, a: Optax(ws, optax.lion(a["learning_rate"], a["beta1"], a["beta2"],
                                                 weight_decay=a["weight_decay"])))
    optimizer("lamb", adam | extra,
              lambda ws, a: Optax(ws, optax.lamb(a["learning_rate"], a["beta1"], a["beta2"],
                                                 a["epsilon"], weight_decay=a["weight_decay"])))
    for rate, threshold, shapes in ((0.03, 1.0, ((3, 4), (3,))), (0.6, 1.0, ((2, 3, 4), (5, 2)))):
        optimizer("adafactor", {"learning_rate": rate, "decay_exponent": 0.7, "epsilon": 1e-3,
                                "scale_floor": 1e-2, "threshold": threshold} | extra,
                  lambda ws, a: Torch(ws, lambda p: torch.optim.Adafactor(
                      p, a["learning_rate"], -a["decay_exponent"],
                      (a["epsilon"], a["scale_floor"]), a["threshold"], a["weight_decay"])), shapes)
    optimizer("muon", adam | {"momentum": 0.9} | extra, lambda ws, a: Muon(ws, **a),
              ((3, 4), (5, 2), (3,), (2, 2, 3, 2)))

sgd = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.05}


def clipping(clip):
    return lambda ws, a: Torch(ws, lambda p: torch.optim.SGD(
        p, a["learning_rate"], a["momentum"], weight_decay=a["weight_decay"]), clip)


def clip_each(weights):  # PyTorch adds 1e-6 to a norm before it divides by it; this does not
    for w in weights:
        w.grad *= min(1.0, 1.5 / w.grad.norm().item())


def clip_all(weights):
    total = math.sqrt(sum(w.grad.square().sum().item() for w in weights))
    for w in weights:
        w.grad *= min(1.0, 1.5 / total)
    check = torch.nn.utils.get_total_norm([w.grad for w in weights]).item()
    assert check <= 1.5 + 1e-12


optimizer("sgd", sgd, clipping(lambda ws: torch.nn.utils.clip_grad_value_(ws, 0.5)),
          options={"clip_value": 0.5})
optimizer("sgd", sgd, clipping(clip_each), options={"clip_norm": 1.5})
optimizer("sgd", sgd, clipping(clip_all), options={"clip_global_norm": 1.5})


def some_decay(make):
    return lambda ws, a: Torch(ws, lambda p: make(
        [{"params": [w for w in p if w.dim() > 1], "weight_decay": a["weight_decay"]},
         {"params": [w for w in p if w.dim() < 2], "weight_decay": 0.0}], a["learning_rate"]))


optimizer("adamw", {"learning_rate": 0.03, "weight_decay": 0.2}, some_decay(torch.optim.AdamW),
          options={"decay_matrices_only": True})
optimizer("adamax", {"learning_rate": 0.03, "weight_decay": 0.2}, some_decay(torch.optim.Adamax),
          options={"decay_matrices_only": True})


def moving_average(averages, weights):
    f = torch.optim.swa_utils.get_ema_multi_avg_fn(0.8)
    if averages is None:
        return [w.copy() for w in weights]
    moved = [torch.tensor(a) for a in averages]
    f(moved, [torch.tensor(w) for w in weights], None)
    return [m.numpy() for m in moved]


optimizer("adam", {"learning_rate": 0.1}, in_torch(torch.optim.Adam),
          options={"average_decay": 0.8}, average=moving_average)



def of_groups(factors, decays):
    """AdamW in parameter groups of one weight each."""
    return lambda ws, a: Torch(ws, lambda p: torch.optim.AdamW(
        [{"params": [w], "lr": a["learning_rate"] * f, "weight_decay": a["weight_decay"] * d}
         for w, f, d in zip(p, factors, decays)], a["learning_rate"]))


# The weights are w0, w1, ...; the first pattern that matches counts.
optimizer("adamw", {"learning_rate": 0.03, "weight_decay": 0.2}, of_groups((0.1, 2.5), (1, 1)),
          options={"rates": ["w0=0.1", "w*=2.5"]})
optimizer("adamw", {"learning_rate": 0.03, "weight_decay": 0.2}, of_groups((1, 0), (0, 1)),
          options={"rates": ["?1=0"], "no_decay": ["w0"]})


class Lookahead:
    """optax.lookahead, of which the weights are the fast ones."""

    def __init__(self, weights, rule, steps, alpha):
        self.rule = optax.lookahead(rule, steps, alpha)
        self.weights = optax.LookaheadParams.init_synced([jax.numpy.asarray(w) for w in weights])
        self.state = self.rule.init(self.weights)

    def step(self, gradients):
        changes, self.state = self.rule.update([jax.numpy.asarray(g) for g in gradients],
                                               self.state, self.weights)
        self.weights = optax.apply_updates(self.weights, changes)
        return [np.asarray(w) for w in self.weights.fast]


for steps, alpha in ((2, 0.5), (3, 0.8), (1, 0.25)):
    optimizer("adam", {"learning_rate": 0.1},
              lambda ws, a: Lookahead(ws, optax.adam(a["learning_rate"], eps=1e-8), steps, alpha),
              options={"lookahead_steps": steps, "lookahead_alpha": alpha})


class Constrained(Torch):
    """Gradient descent, after which each weight is constrained as Keras does, but for the 1e-7 that
    Keras adds to norms."""

    def __init__(self, weights, rate, constrain):
        super().__init__(weights, lambda ws: torch.optim.SGD(ws, rate))
        self.constrain = constrain

    def step(self, gradients):
        super().step(gradients)
        with torch.no_grad():
            for i, w in enumerate(self.weights):
                w.copy_(self.constrain(i, w))
        return [w.detach().numpy().copy() for w in self.weights]


def max_norm(w, limit, axes):
    norms = torch.linalg.vector_norm(w, dim=axes, keepdim=True)
    return w * (torch.clamp(norms, max=limit) / norms)


shapes = ((3, 4), (3,), (2, 2, 3, 2))
inputs = ((0,), (0,), (0, 1, 2))
optimizer("gradient_descent", {"learning_rate": 0.3},
          lambda ws, a: Constrained(ws, 0.3, lambda i, w: max_norm(w, 1.25, inputs[i])), shapes,
          options={"constraints": ["*:max_norm=1.25"]})
optimizer("gradient_descent", {"learning_rate": 0.3},
          lambda ws, a: Constrained(ws, 0.3, lambda i, w: max_norm(w, 1.5, (-1,)) if i < 2 else w),
          shapes, options={"constraints": ["w0:max_norm=1.5:axes=1", "w1:max_norm=1.5:axes=-1"]})
optimizer("gradient_descent", {"learning_rate": 0.3},
          lambda ws, a: Constrained(ws, 0.3, lambda i, w: w / torch.linalg.vector_norm(
              w, dim=inputs[i], keepdim=True) if i != 1 else w.clamp(min=0)), shapes,
          options={"constraints": ["w1:non_negative", "w*:unit_norm"]})

schedules = []


def schedule(kind, attributes, make, warmup=0, count=30):
    weight = torch.zeros(1, requires_grad=True)
    rule = torch.optim.SGD([weight], 0.4)
    scheduler = make(rule)
    if warmup > 0:
        rule = torch.optim.SGD([weight], 0.4)
        up = torch.optim.lr_scheduler.LinearLR(rule, 1 / warmup, 1.0, max(1, warmup - 1))
        scheduler = torch.optim.lr_scheduler.SequentialLR(rule, [up, make(rule)], [warmup])
    rates = []
    for _ in range(count):
        rates.append(rule.param_groups[0]["lr"])
        rule.step()
        if len(rates) < count:
            scheduler.step()
    schedules.append({"schedule": kind, "attributes": attributes, "warmup_steps": warmup,
                      "rates": rates})


S = torch.optim.lr_scheduler
for warmup in (0, 5):
    schedule("constant", {}, lambda o: S.ConstantLR(o, 1.0, 1), warmup)
    schedule("step", {"every": 4, "reduction": 0.5}, lambda o: S.StepLR(o, 4, 0.5), warmup)
    schedule("exponential", {"every": 1, "reduction": 0.9}, lambda o: S.ExponentialLR(o, 0.9), warmup)
    schedule("exponential", {"every": 10, "reduction": 0.3},
             lambda o: S.LambdaLR(o, lambda t: 0.3 ** (t / 10)), warmup)
    schedule("polynomial", {"steps": 17, "power": 2.0, "end": 0.0},
             lambda o: S.PolynomialLR(o, 17, 2.0), warmup)
    schedule("polynomial", {"steps": 17, "power": 1.0, "end": 0.25},
             lambda o: S.LinearLR(o, 1.0, 0.25, 17), warmup)
    schedule("cosine", {"steps": 24, "end": 0.125, "cycle_growth": 0},
             lambda o: S.CosineAnnealingLR(o, 24, 0.4 * 0.125), warmup, 24)
    for growth in (1, 2):
        schedule("cosine", {"steps": 4, "end": 0.25, "cycle_growth": growth},
                 lambda o: S.CosineAnnealingWarmRestarts(o, 4, growth, 0.1), warmup)
    for reduction, mode in ((1.0, "triangular"), (0.5, "triangular2")):
        for up, down in ((4, 4), (3, 5)):
            schedule("cyclical", {"rising_steps": up, "falling_steps": down, "low": 0.25,
                                  "reduction": reduction},
                     lambda o: S.CyclicLR(o, 0.1, 0.4, up, down, mode, cycle_momentum=False),
                     warmup if warmup == 0 else 0)
    schedule("inverse_square_root", {"timescale": 5},
             lambda o: S.LambdaLR(o, lambda t: math.sqrt(5 / (5 + t))), warmup)
    schedule("plateau", {"reduction": 0.1, "patience": 10, "threshold": 1e-4, "cooldown": 0,
                         "end": 0.0}, lambda o: S.ConstantLR(o, 1.0, 1), warmup)
for rising, start, end in ((0.3, 25.0, 1e4), (0.5, 10.0, 100.0)):
    schedule("one_cycle", {"steps": 30, "rising": rising, "start_divisor": start,
                           "end_divisor": end},
             lambda o: S.OneCycleLR(o, 0.4, total_steps=30, pct_start=rising,
                                    div_factor=start, final_div_factor=end))


def schedule_after(kind, attributes, make, warmup, count=30):
    """Of schedulers that set rates of their own where they are made, which SequentialLR does not
    bear: their rates by themselves, after those of a warm-up to the first of them."""
    schedule(kind, attributes, make, count=count)
    rates = schedules[-1]["rates"]
    rule = torch.optim.SGD([torch.zeros(1, requires_grad=True)], rates[0])
    up, rising = S.LinearLR(rule, 1 / warmup, 1.0, max(1, warmup - 1)), []
    for _ in range(warmup):
        rising.append(rule.param_groups[0]["lr"])
        rule.step()
        up.step()
    schedules[-1] |= {"warmup_steps": warmup, "rates": rising + rates}


for warmup, rising in ((5, 0.3), (1, 0.5)):
    schedule_after("one_cycle", {"steps": 30, "rising": rising, "start_divisor": 10.0,
                                 "end_divisor": 100.0},
                   lambda o: S.OneCycleLR(o, 0.4, total_steps=30, pct_start=rising, div_factor=10.0,
                                          final_div_factor=100.0), warmup)
for reduction, mode in ((1.0, "triangular"), (0.5, "triangular2")):
    schedule_after("cyclical", {"rising_steps": 3, "falling_steps": 5, "low": 0.25,
                                "reduction": reduction},
                   lambda o: S.CyclicLR(o, 0.1, 0.4, 3, 5, mode, cycle_momentum=False), 5)
plateaus = []
observed = [1.0, 0.8, 0.8, 0.79995, 0.7, 0.75, 0.75, 0.71, 0.72, 0.7, 0.6, math.nan, 0.6, 0.6, 0.6,
            0.6, 0.6, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
for a in ({"reduction": 0.5, "patience": 1, "threshold": 1e-4, "cooldown": 0, "end": 0.0},
          {"reduction": 0.1, "patience": 2, "threshold": 0.1, "cooldown": 2, "end": 0.0},
          {"reduction": 0.25, "patience": 0, "threshold": 0.0, "cooldown": 1, "end": 0.125}):
    for mode in ("min", "max"):
        # Values that should grow are observed as their negatives.
        values_of = observed if mode == "min" else [v - 2 for v in observed]
        rule = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.4)
        scheduler = S.ReduceLROnPlateau(rule, mode, a["reduction"], a["patience"], a["threshold"],
                                        cooldown=a["cooldown"], min_lr=a["end"] * 0.4, eps=0)
        rates = []
        for value in values_of:
            scheduler.step(value if mode == "min" else -value)
            rates.append(rule.param_groups[0]["lr"])
        plateaus.append({"attributes": a, "observed": [str(v) for v in values_of], "rates": rates})

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "optimizer_samples.json")
with open(path, "w") as file:
    json.dump({"optimizers": optimizers, "schedules": schedules, "plateaus": plateaus}, file, separators=(",", ":"))
    file.write("\n")
print(len(optimizers), "optimizers,", len(schedules), "schedules,", os.path.getsize(path), "bytes")
