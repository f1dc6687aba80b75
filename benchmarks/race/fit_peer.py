#!/usr/bin/env python3
"""One peer of C2fit, as a process: the loop that its users write around 784-128-64-10.

Reads workload and data as peer.py does, runs an epoch to warm up, then one for each line "time ..."."""
import argparse
import dataclasses
import importlib
import json
import time

from peer import MODULES, answer_requests, private_output


class TorchLoop:
    """Rows of a shuffled order by index, or by DataLoader; the loss is read in every step."""

    def __init__(self, kind, workload, weights, x, y):
        import peer_torch
        import torch

        self.torch, self.batch = torch, workload.batch
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y.astype("int64"))
        self.stepper = peer_torch.Eager(workload, weights, [], kind == "loop_fused", False)
        self.loader = None
        if kind == "dataloader":
            data = torch.utils.data.TensorDataset(self.x, self.y)
            self.loader = torch.utils.data.DataLoader(data, batch_size=self.batch, shuffle=True)

    def batches(self):
        if self.loader is not None:
            yield from self.loader
            return
        for rows in self.torch.randperm(len(self.x)).split(self.batch):
            yield self.x[rows], self.y[rows]

    def epoch(self):
        total = 0.0
        for x, y in self.batches():
            total += self.stepper.step(x, y).item() * len(x)
        return total / len(self.x)


class JaxLoop:
    """Rows of a shuffled order by NumPy; losses are read at the end of the epoch."""

    def __init__(self, kind, workload, weights, x, y):
        import numpy as np
        import peer_jax

        self.np, self.batch, self.x, self.y = np, workload.batch, x, y
        self.rng = np.random.default_rng(1)
        self.stepper = peer_jax.Jitted(workload, weights, [])

    def epoch(self):
        order = self.rng.permutation(len(self.x))
        losses, sizes = [], []
        for begin in range(0, len(order), self.batch):
            rows = order[begin : begin + self.batch]
            losses.append(self.stepper.step(self.x[rows], self.y[rows]))
            sizes.append(len(rows))
        return float(self.np.average(self.np.array([float(loss) for loss in losses]), weights=sizes))


class KerasLoop:
    """`model.fit`; fit_accuracy with the metric and the progress bar."""

    def __init__(self, kind, workload, weights, x, y):
        import keras
        import peer_keras

        many = peer_keras.STEPS_PER_EXECUTION if kind == "fit_many" else 1
        self.x, self.y, self.batch, self.verbose = x, y, workload.batch, 0
        self.model = peer_keras.Fit(workload, weights, x[None], y[None], many).model
        if kind == "fit_accuracy":
            self.model.compile(peer_keras.MatchedAdam(workload.learning_rate),
                               keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                               metrics=["accuracy"])
            self.verbose = 1

    def epoch(self):
        history = self.model.fit(self.x, self.y, batch_size=self.batch, verbose=self.verbose)
        return history.history["loss"][0]


LOOPS = {"torch": TorchLoop, "jax": JaxLoop, "keras": KerasLoop}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stack", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, required=True)
    options = parser.parse_args()
    answers = private_output()

    import arrays

    workload, x, y = arrays.read(options.folder)
    workload = dataclasses.replace(workload, batch=options.batch)
    x, y = x[0], y[0]
    library, kind = options.stack.split(".")
    module = importlib.import_module(MODULES[library])
    if library == "torch":
        module.torch.set_num_threads(options.threads)
    loop = LOOPS[library](kind, workload, arrays.read_weights(options.folder), x, y)
    loss = loop.epoch()
    print(json.dumps({"loss": loss, "versions": module.versions()}), file=answers)

    def measure(_):
        begin = time.perf_counter()
        loss = loop.epoch()
        seconds = time.perf_counter() - begin
        return {"seconds_per_step": {"minimum": seconds, "median": seconds}, "loss": loss}

    answer_requests(answers, measure)


if __name__ == "__main__":
    main()
