#!/usr/bin/env python3
"""Validation loss of char-lstm and gpt after equal trainings by Tenon and by PyTorch.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install numpy torch
    /tmp/torch/bin/python benchmarks/text_models_vs_pytorch.py tinyshakespeare.txt

The first nine tenths of the text train, the rest is for validation, in windows of 64 characters. Same
sizes, optimizer (Adam), schedule (a rise over 50 steps, then half a cosine to 0) and number of steps;
weights are drawn from the same distributions and batches at random, each side by itself. Exits 1 if the
loss of Tenon, as a mean over --seeds, is more than --tolerance above PyTorch's.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "end_to_end"))
import torch
import torch.nn.functional as F

import pytorch_language_models as networks
from compare_with_pytorch import read_safetensors

WINDOW, RATE, WARMUP, LAYERS = 64, 1e-3, 50, 4
MODELS = {
    "char-lstm:embedding=128:units=256/256": (32, networks.char_lstm),
    f"gpt:layers={LAYERS}:heads=4:width=128":
        (12, lambda weights, ids: networks.gpt(weights, ids, LAYERS, 4)),
}


def tenon(options, *arguments):
    done = subprocess.run([options.tenon, *arguments, "--threads", str(options.threads)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"tenon {' '.join(arguments)}: {done.stderr}")
    return json.loads(done.stdout) if "--json" in arguments else None


def train_with_tenon(options, model, batch, seed, work):
    """Its loss; leaves the initial weights of another seed in `work`."""
    common = ["train", "--model", model, "--data", f"text:{work}/train.txt", "--validation",
              f"text:{work}/validation.txt", "--window", str(WINDOW), "--batch-size", str(batch),
              "--optimizer", "adam", "--learning-rate", str(RATE), "--schedule", "cosine",
              "--schedule-steps", str(options.steps - WARMUP), "--warmup-steps", str(WARMUP), "--seed",
              str(seed), "--overwrite"]
    tenon(options, *common, "--epochs", "0", "--out", f"{work}/initial")
    tenon(options, *common, "--epochs", "1000", "--max-steps", str(options.steps), "--out",
          f"{work}/run")
    return tenon(options, "evaluate", f"{work}/run", "--data", f"text:{work}/validation.txt",
                 "--json")["loss"]


def drawn(name, shape, is_gpt):
    """By the distributions that tenon/models/language.h and tenon/nn/recurrent.h state."""
    value = torch.zeros(shape)
    if name.endswith("scale"):
        torch.nn.init.ones_(value)
    elif name.startswith("lstm") and name.endswith("/bias"):
        value[shape[0] // 4 : shape[0] // 2] = 1  # of the forget gate
    elif name.endswith(("bias", "offset")):
        pass
    elif is_gpt:
        ends_branch = name.endswith(("output_kernel", "dense_1/kernel"))
        value.normal_(0, 0.02 / (math.sqrt(2 * LAYERS) if ends_branch else 1))
    elif name.endswith("table"):
        value.uniform_(-0.05, 0.05)
    elif name.endswith("recurrent_kernel"):
        torch.nn.init.orthogonal_(value)
    else:
        torch.nn.init.xavier_uniform_(value)
    return value.requires_grad_()


def windows(text, characters):
    ids = torch.tensor([characters.index(c) for c in text])
    count = (len(ids) - 1) // WINDOW
    return ids[:count * WINDOW].view(count, WINDOW), ids[1 : count * WINDOW + 1].view(count, WINDOW)


def rate_factor(step, steps):
    if step < WARMUP:
        return (step + 1) / WARMUP
    return (1 + math.cos(math.pi * (step - WARMUP) / (steps - WARMUP))) / 2


def train_with_pytorch(options, model, batch, network, seed, work):
    """Its loss, from weights of the names and shapes that Tenon's have."""
    torch.manual_seed(seed)
    torch.set_num_threads(options.threads)
    texts = [pathlib.Path(f"{work}/{part}.txt").read_text() for part in ("train", "validation")]
    characters = sorted(set(texts[0]))
    (x, y), (validation_x, validation_y) = (windows(text, characters) for text in texts)
    shapes = {name: value.shape
              for name, value in read_safetensors(f"{work}/initial/model.safetensors").items()}
    weights = {name: drawn(name, shape, model.startswith("gpt")) for name, shape in shapes.items()}
    adam = torch.optim.Adam(list(weights.values()), lr=RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: rate_factor(step, options.steps))
    order = torch.tensor([], dtype=torch.int64)
    for _ in range(options.steps):
        if len(order) < batch:
            order = torch.randperm(len(x))
        rows, order = order[:batch], order[batch:]
        loss = F.cross_entropy(network(weights, x[rows]).flatten(0, 1), y[rows].flatten())
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
    total = 0.0
    with torch.no_grad():
        for rows in torch.arange(len(validation_x)).split(128):
            logits = network(weights, validation_x[rows]).flatten(0, 1)
            total += F.cross_entropy(logits, validation_y[rows].flatten(), reduction="sum").item()
    return total / validation_y.numel()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("text")
    parser.add_argument("--tenon", default=str(root / "build" / "tenon"))
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tolerance", type=float, default=0.02)
    parser.add_argument("--models", default=",".join(m.split(":")[0] for m in MODELS))
    options = parser.parse_args()
    text = pathlib.Path(options.text).read_text()
    is_farther = False
    for model, (batch, network) in MODELS.items():
        if model.split(":")[0] not in options.models.split(","):
            continue
        with tempfile.TemporaryDirectory() as work:
            cut = len(text) * 9 // 10
            pathlib.Path(work, "train.txt").write_text(text[:cut])
            pathlib.Path(work, "validation.txt").write_text(text[cut:])
            losses = []
            for seed in options.seeds.split(","):
                begin = time.time()
                ours = train_with_tenon(options, model, batch, int(seed), work)
                middle = time.time()
                theirs = train_with_pytorch(options, model, batch, network, int(seed), work)
                losses.append((ours, theirs))
                print(f"  seed {seed}: Tenon {ours:.4f} ({middle - begin:.0f} s), PyTorch {theirs:.4f} "
                      f"({time.time() - middle:.0f} s)", flush=True)
        ours, theirs = (sum(side) / len(side) for side in zip(*losses))
        is_farther |= ours > (1 + options.tolerance) * theirs
        print(f"{model}, {options.steps} steps of {batch}: Tenon {ours:.4f}, PyTorch {theirs:.4f}, "
              f"{ours / theirs - 1:+.2%}", flush=True)
    sys.exit(1 if is_farther else 0)


if __name__ == "__main__":
    main()
