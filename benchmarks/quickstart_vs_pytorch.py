#!/usr/bin/env python3
"""Time per training step of the quickstart network, Tenon and PyTorch eager, in interleaved rounds.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install numpy torch
    /tmp/torch/bin/python benchmarks/quickstart_vs_pytorch.py

784-128-64-10, Adam 1e-3, batch 128, f32, Fashion-MNIST. PyTorch: eager with fused Adam, indices
shuffled beforehand, loss read at the end of a round. Tenon: `tenon train --json`, which reports the
median time of a step of the fit loop, metrics included.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "end_to_end"))
import torch
import torch.nn.functional as F

from compare_with_pytorch import FOLDER, read_images


def torch_round(images, labels, batch, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 64),
                              torch.nn.ReLU(), torch.nn.Linear(64, 10))
    update = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    order = torch.randperm(len(images))
    times = []
    for first in range(0, len(order) - batch + 1, batch):
        start = time.perf_counter()
        rows = order[first : first + batch]
        x = images[rows].reshape(batch, -1).float() * (1 / 255)
        loss = F.cross_entropy(net(x), labels[rows])
        update.zero_grad(set_to_none=True)
        loss.backward()
        update.step()
        times.append(time.perf_counter() - start)
    return statistics.median(times[20:]), loss.item()


def tenon_round(tenon, batch, threads):
    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(
            [tenon, "train", "--model", "mlp", "--hidden", "128,64", "--data", "fashion-mnist", "--epochs", "1",
             "--batch-size", str(batch), "--threads", str(threads), "--seed", "1", "--out", f"{work}/run", "--json"],
            capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return json.loads(done.stdout)["cost"]["seconds_per_step"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tenon", default="build/tenon")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    images, labels = read_images(FOLDER)
    images, labels = torch.tensor(images), torch.tensor(labels)
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        ours.append(tenon_round(arguments.tenon, arguments.batch, arguments.threads))
        theirs.append(torch_round(images, labels, arguments.batch, arguments.threads)[0])
        print(f"tenon {ours[-1] * 1e6:.0f} us, torch eager {theirs[-1] * 1e6:.0f} us", file=sys.stderr)
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"batch {arguments.batch}, {arguments.threads} threads: tenon {a * 1e6:.0f} us, torch {torch.__version__} "
          f"eager {b * 1e6:.0f} us, ratio {b / a:.2f} (min {min(ours) * 1e6:.0f} / {min(theirs) * 1e6:.0f})")


if __name__ == "__main__":
    main()
