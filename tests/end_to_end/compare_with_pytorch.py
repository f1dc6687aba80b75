#!/usr/bin/env python3
"""Compares the loss curves of `tenon train` with PyTorch's, from the same weights and batches.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install numpy torch
    /tmp/torch/bin/python tests/end_to_end/compare_with_pytorch.py [--models resnet20,vit]

Every model of tenon/models trains 10 steps at a small size, on noise with a pattern in it; what
draws random numbers is off. In f64 every loss must agree to 1e-8. In f32, the furthest of Tenon's ten
losses from PyTorch's in f64 is held to 3 times the furthest of PyTorch's own in f32 (and one unit in the
last place of the loss, for its own rounding), by two yardsticks:

* PyTorch's plain run: f32 as anyone would train. The ratio that is printed is of this distance. "ok".
* Where that fails, the most of several runs that are equal to the plain one but for rounding
  (`equal_runs`): the rows of each batch in other orders, convolutions without oneDNN. The plain run is one
  draw of its rounding errors and may lie closer to f64 than PyTorch mostly does. "ok (of equal runs)".

The last line counts both. Exits with 1 if a model keeps to neither.

Where the input of a rectifier or of max pooling is within rounding of zero or of a tie, some of these runs
take the other branch, and their losses part by 1e-3 and more, as those of any f32 program may. Such data
would excuse large errors, so it is not used: the data is drawn from the first seed at which all of
PyTorch's runs stay within KINK of f64. Tenon's losses have no part in that choice.

--record writes tests/data/model_losses.json for the tests: the small data of a small network of every
name, PyTorch's losses in f64 from the weights of either precision, and the plain yardstick of f32.
"""
import argparse
import csv
import dataclasses
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

from model_cases import CASES

STEPS, BATCH = 10, 8
FIRST_SEED, SEEDS = 5, 20
KINK = 1e-4  # of the largest loss; what rounding alone does to the networks here stays below
FOLDER = "/usr/share/datasets/fashion-mnist"
PLAIN, EQUAL, DIFFERS = "ok", "ok (of equal runs)", "DIFFERS"
ROOT = pathlib.Path(__file__).resolve().parents[2]


def read_safetensors(path):
    raw = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    kinds = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "U32": np.uint32}
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        data = np.frombuffer(raw[8 + length + begin : 8 + length + end], kinds[entry["dtype"]])
        tensors[name] = data.reshape(entry["shape"]).copy()
    return tensors


def read_images(folder):
    import gzip

    def load(name, offset):
        for candidate in (pathlib.Path(folder) / name, pathlib.Path(folder) / (name + ".gz")):
            if candidate.exists():
                data = candidate.read_bytes()
                if data[:2] == b"\x1f\x8b":
                    data = gzip.decompress(data)
                return np.frombuffer(data, np.uint8, offset=offset)
        raise SystemExit(f"{folder} has no {name}; install the Debian package dataset-fashion-mnist")

    images = load("train-images-idx3-ubyte", 16).reshape(-1, 28, 28)
    return images, load("train-labels-idx1-ubyte", 8).astype(np.int64)


OPTIMIZERS = {
    "adam": lambda p, rate: torch.optim.Adam(p, lr=rate, betas=(0.9, 0.999), eps=1e-8),
    "sgd": lambda p, rate: torch.optim.SGD(p, lr=rate, momentum=0.9),
}
RATES = {"adam": 1e-3, "sgd": 1e-2}
DTYPES = {"f32": torch.float32, "f64": torch.float64}


def train_arguments(case, optimizer):
    return ["--model", case.model, *case.arguments, "--batch-size", str(BATCH), "--optimizer", optimizer,
            "--learning-rate", str(case.learning_rate or RATES[optimizer]), "--seed", "1", "--no-shuffle"]


def tenon_train(arguments, case, optimizer, dtype, work, *more):
    command = [arguments.tenon, "train", "--data", f"npz:{work}/data.npz", "--device", arguments.device,
               *train_arguments(case, optimizer), "--dtype", dtype, *more, "--overwrite"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")


def initial_weights(arguments, case, optimizer, dtype, work):
    """What Tenon begins with, left in `work` for tenon_losses."""
    tenon_train(arguments, case, optimizer, dtype, work, "--epochs", "0", "--out", f"{work}/{dtype}")
    return read_safetensors(f"{work}/{dtype}/model.safetensors")


def tenon_losses(arguments, case, optimizer, dtype, work):
    tenon_train(arguments, case, optimizer, dtype, work, "--epochs", "1", "--max-steps", str(STEPS),
                "--log-every", "1", "--initial", f"{work}/{dtype}/model.safetensors", "--out",
                f"{work}/run")
    rows = list(csv.DictReader(open(f"{work}/run/metrics.csv")))
    losses = [float(r["loss"]) for r in rows if r["split"] == "train"][:STEPS]
    if len(losses) != STEPS:
        raise RuntimeError(f"{case.model}: {len(losses)} losses were logged, {STEPS} expected")
    return losses


def is_statistic(name):
    return "batch_norm" in name and name.endswith(("/mean", "/variance"))


def torch_losses(case, optimizer, dtype, weights, x, y):
    kind = DTYPES[dtype]
    parameters = {name: torch.tensor(value, dtype=kind, requires_grad=not is_statistic(name))
                  for name, value in weights.items()}
    update = OPTIMIZERS[optimizer]([p for p in parameters.values() if p.requires_grad],
                                   case.learning_rate or RATES[optimizer])
    if x.dtype == np.uint8:
        x = x.astype(np.float32) * np.float32(1 / 255)
    losses = []
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        batch = torch.tensor(x[rows])
        batch = batch.to(kind) if batch.is_floating_point() else batch
        loss = case.loss(case.network(parameters, batch), batch, torch.tensor(y[rows]))
        update.zero_grad()
        loss.backward()
        update.step()
        losses.append(loss.item())
    return losses


def distance(losses, others):
    return max(abs(a - b) for a, b in zip(losses, others))


def equal_runs(case, optimizer, weights, x, y):
    """PyTorch's f32 losses, by computations that are equal but for rounding; the plain run first."""
    rng = np.random.default_rng(0)
    orders = [np.arange(BATCH), np.arange(BATCH)[::-1], *[rng.permutation(BATCH) for _ in range(3)]]
    for order in orders:
        rows = np.arange(len(x)).reshape(-1, BATCH)[:, order].ravel()
        yield torch_losses(case, optimizer, "f32", weights, x[rows], y[rows])
    with torch.backends.mkldnn.flags(enabled=False):
        yield torch_losses(case, optimizer, "f32", weights, x, y)


@dataclasses.dataclass
class Yardsticks:
    """Of f32, from the weights that Tenon begins with in f32."""
    exact: list  # PyTorch's losses in f64
    plain: float  # how far PyTorch's plain run in f32 is from them, at most
    most: float  # and the furthest of its equal runs
    seed: int  # of the data

    def verdict(self, f32):
        own = float(np.spacing(np.float32(max(self.exact))))
        for name, distance in ((PLAIN, self.plain), (EQUAL, self.most)):
            if f32 <= 3 * distance + own:
                return name
        return DIFFERS


def choose_data(case, optimizer, arguments, work):
    """Writes data.npz; gives x, y and the yardsticks."""
    for seed in range(FIRST_SEED, FIRST_SEED + SEEDS):
        x, y = case.data(np.random.default_rng(seed), STEPS * BATCH)
        np.savez(f"{work}/data.npz", x=x, y=y)
        weights = initial_weights(arguments, case, optimizer, "f32", work)
        exact = torch_losses(case, optimizer, "f64", weights, x, y)
        distances = []
        for losses in equal_runs(case, optimizer, weights, x, y):
            distances.append(distance(losses, exact))
            if distances[-1] > KINK * max(exact):
                break
        else:
            return x, y, Yardsticks(exact, distances[0], max(distances), seed)
    raise RuntimeError(f"in f32, equal runs of PyTorch part at every seed from {FIRST_SEED} on")


def compare(case, optimizer, arguments):
    """One line of the report, and the verdict."""
    begin = time.time()
    with tempfile.TemporaryDirectory() as work:
        x, y, yardsticks = choose_data(case, optimizer, arguments, work)
        f32 = distance(tenon_losses(arguments, case, optimizer, "f32", work), yardsticks.exact)
        weights = initial_weights(arguments, case, optimizer, "f64", work)
        exact = torch_losses(case, optimizer, "f64", weights, x, y)
        f64 = distance(tenon_losses(arguments, case, optimizer, "f64", work), exact)
    verdict = yardsticks.verdict(f32) if f64 <= 1e-8 else DIFFERS
    ratio = f32 / yardsticks.plain if yardsticks.plain > 0 else float(f32 > 0) * float("inf")
    line = (f"{case.model:60} {optimizer:4} loss {exact[0]:7.4f} to {exact[-1]:7.4f}  f64 {f64:.1e}  "
            f"f32 {f32:.1e}, PyTorch {yardsticks.plain:.1e}, ratio {ratio:4.2f} (equal runs "
            f"{yardsticks.most:.1e}, seed {yardsticks.seed})  {time.time() - begin:5.1f} s  {verdict}")
    return line, verdict


def record(arguments):
    """Small data and what PyTorch makes of it, from the weights that Tenon begins with."""
    records, datasets = [], []
    kinds = {"uint8": "u8", "int32": "i32", "float32": "f32"}
    for case in CASES:
        if not case.is_recorded:
            continue
        with tempfile.TemporaryDirectory() as work:
            x, y, yardsticks = choose_data(case, "sgd", arguments, work)
            weights = initial_weights(arguments, case, "sgd", "f64", work)
            losses = torch_losses(case, "sgd", "f64", weights, x, y)
        dataset = {name: {"type": kinds[str(a.dtype)], "shape": a.shape,
                          "data": [v.item() for v in a.ravel()]} for name, a in (("x", x), ("y", y))}
        if dataset not in datasets:
            datasets.append(dataset)
        records.append({"arguments": train_arguments(case, "sgd"), "data": datasets.index(dataset),
                        "f64": losses, "f32": {"exact": yardsticks.exact, "plain": yardsticks.plain}})
        print(case.model, flush=True)
    path = ROOT / "tests/data/model_losses.json"
    path.write_text(json.dumps({"datasets": datasets, "models": records}, separators=(",", ":")) + "\n")
    print(path, len(records), "models,", path.stat().st_size, "bytes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tenon", default="build/tenon")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--models", help="names with commas between them; all if not given")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the networks are too small for more
    if arguments.record:
        return record(arguments)
    chosen = arguments.models.split(",") if arguments.models else None
    verdicts = []
    for case in CASES:
        if chosen and case.model.split(":")[0] not in chosen:
            continue
        for optimizer in case.optimizers:
            try:
                line, verdict = compare(case, optimizer, arguments)
            except RuntimeError as error:
                line, verdict = f"{case.model} {optimizer}: {error}", DIFFERS
            print(line, flush=True)
            verdicts.append(verdict)
    print(f"{len(verdicts)} comparisons: in f32, {verdicts.count(PLAIN)} within 3 times PyTorch's plain run, "
          f"{verdicts.count(EQUAL)} within 3 times its equal runs; {verdicts.count(DIFFERS)} differ")
    return 1 if DIFFERS in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
