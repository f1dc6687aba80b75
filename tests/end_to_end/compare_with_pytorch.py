#!/usr/bin/env python3
"""Compares the loss curves of `tenon train` with PyTorch's, from the same weights and batches.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install numpy torch
    /tmp/torch/bin/python tests/end_to_end/compare_with_pytorch.py

Each model trains 20 steps on Fashion-MNIST in file order. In f64 every loss must agree to 1e-8; in
f32 to 1e-5 relative at step 1 and 1e-4 at step 10. Exits with 1 if one does not.
"""
import argparse
import csv
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F

STEPS, BATCH = 20, 64
FOLDER = "/usr/share/datasets/fashion-mnist"


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


def mlp(w, x):
    h = x.reshape(len(x), -1)
    h = F.relu(h @ w["dense/kernel"] + w["dense/bias"])
    h = F.relu(h @ w["dense_1/kernel"] + w["dense_1/bias"])
    return h @ w["dense_2/kernel"] + w["dense_2/bias"]


def lenet(w, x):
    def convolve(h, name, padding):  # kernels are [h, w, in, out]
        return F.conv2d(h, w[name + "/kernel"].permute(3, 2, 0, 1), w[name + "/bias"], padding=padding)

    h = x[:, None]
    h = F.max_pool2d(F.relu(convolve(h, "conv2d", 2)), 2)
    h = F.max_pool2d(F.relu(convolve(h, "conv2d_1", 0)), 2)
    h = h.permute(0, 2, 3, 1).reshape(len(x), -1)  # channels last
    h = F.relu(h @ w["dense/kernel"] + w["dense/bias"])
    h = F.relu(h @ w["dense_1/kernel"] + w["dense_1/bias"])
    return h @ w["dense_2/kernel"] + w["dense_2/bias"]


MODELS = {"mlp": (mlp, ["--hidden", "128,64"]), "lenet": (lenet, [])}
OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, lr=1e-3, betas=(0.9, 0.999), eps=1e-8),
    "sgd": lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9),
}
RATES = {"adam": "1e-3", "sgd": "1e-2"}


def tenon_losses(tenon, model, optimizer, dtype, device, work):
    common = [tenon, "train", "--model", model, *MODELS[model][1], "--data", "fashion-mnist", "--batch-size",
              str(BATCH), "--optimizer", optimizer, "--learning-rate", RATES[optimizer], "--dtype", dtype,
              "--device", device, "--seed", "1", "--no-shuffle"]
    initial, run = f"{work}/initial", f"{work}/run"
    for extra in (["--epochs", "0", "--out", initial],
                  ["--epochs", "1", "--max-steps", str(STEPS), "--log-every", "1", "--initial",
                   f"{initial}/model.safetensors", "--out", run]):
        done = subprocess.run(common + extra, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(common + extra)}\n{done.stderr}")
    rows = list(csv.DictReader(open(f"{run}/metrics.csv")))
    losses = [float(r["loss"]) for r in rows if r["split"] == "train"][:STEPS]
    return read_safetensors(f"{initial}/model.safetensors"), losses


def torch_losses(model, optimizer, dtype, weights, images, labels):
    kind = {"f32": torch.float32, "f64": torch.float64}[dtype]
    parameters = {k: torch.tensor(v, dtype=kind, requires_grad=True) for k, v in weights.items()}
    update = OPTIMIZERS[optimizer](list(parameters.values()))
    losses = []
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        x = torch.tensor(images[rows].astype(np.float32) * np.float32(1 / 255), dtype=kind)
        loss = F.cross_entropy(MODELS[model][0](parameters, x), torch.tensor(labels[rows]))
        update.zero_grad()
        loss.backward()
        update.step()
        losses.append(loss.item())
    return losses


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tenon", default="build/tenon")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--data", default=FOLDER)
    arguments = parser.parse_args()
    images, labels = read_images(arguments.data)
    bad = False
    for model in MODELS:
        for optimizer in OPTIMIZERS:
            for dtype in ("f64", "f32"):
                with tempfile.TemporaryDirectory() as work:
                    weights, ours = tenon_losses(arguments.tenon, model, optimizer, dtype, arguments.device, work)
                theirs = torch_losses(model, optimizer, dtype, weights, images, labels)
                if len(ours) != STEPS:
                    raise SystemExit(f"{model}: {len(ours)} losses were logged, {STEPS} expected")
                difference = [abs(a - b) / (1 if dtype == "f64" else abs(b)) for a, b in zip(ours, theirs)]
                allowed = [1e-8] * STEPS if dtype == "f64" else [1e-5] + [1e-4] * 9
                ok = all(d <= a for d, a in zip(difference, allowed))
                bad |= not ok
                print(f"{model:6} {optimizer:5} {dtype}: step 1 {difference[0]:.1e}, step 10 {difference[9]:.1e}, "
                      f"step 20 {difference[19]:.1e}  {'ok' if ok else 'DIFFERS'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
