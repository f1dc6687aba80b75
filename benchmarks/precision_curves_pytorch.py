#!/usr/bin/env python3
"""What bf16 costs PyTorch: the training of resnet20 that benchmarks/precision_curves.py times, by autocast.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install numpy torch
    /tmp/torch/bin/python benchmarks/precision_curves_pytorch.py --data FOLDER --seeds 1,2

Weights are those that Tenon draws from each seed; SGD with momentum 0.9 and PyTorch's own OneCycleLR, as
in `tenon train --optimizer sgd --schedule one_cycle`; equal batches in f32 and in bf16. Prints the mean
training loss of the last tenth of the steps, with which the figures of Tenon are to be compared.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root / "tests" / "end_to_end"))
import torch
import torch.nn.functional as F

import pytorch_image_models as networks
from compare_with_pytorch import read_images, read_safetensors

STATISTICS = ("mean", "variance")


def initial_weights(tenon, seed):
    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run([tenon, "train", "--model", "resnet20", "--data", "fashion-mnist",
                               "--validation", "none", "--epochs", "0", "--seed", str(seed), "--out",
                               f"{work}/run"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"tenon train: {done.stderr}")
        weights = read_safetensors(f"{work}/run/model.safetensors")
        return {name: torch.tensor(value) for name, value in weights.items()}


def train(options, weights, samples, labels, seed, narrow):
    weights = {name: value.clone().requires_grad_(name.rsplit("/", 1)[-1] not in STATISTICS)
               for name, value in weights.items()}
    optimizer = torch.optim.SGD([w for w in weights.values() if w.requires_grad], options.rate, 0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.rate, options.steps,
                                                   cycle_momentum=False)
    generator, losses, order = torch.Generator().manual_seed(seed), [], torch.empty(0, dtype=torch.long)
    for step in range(options.steps):
        if len(order) < options.batch_size:
            order = torch.randperm(len(samples), generator=generator)
        batch, order = order[:options.batch_size], order[options.batch_size:]
        with torch.autocast("cpu", torch.bfloat16, enabled=narrow):
            logits = networks.small_resnet(weights, samples[batch], 3)
        loss = F.cross_entropy(logits.float(), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 100 == 99:
            print(f"  step {step + 1}: {sum(losses[-100:]) / 100:.4f}", file=sys.stderr, flush=True)
    last = losses[-max(1, options.steps // 10):]
    return sum(last) / len(last)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenon", default=str(root / "build" / "tenon"))
    parser.add_argument("--data", required=True, help="folder with the idx files of Fashion-MNIST")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    samples, labels = read_images(options.data)
    samples, labels = torch.tensor(samples) / 255, torch.tensor(labels).long()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    begin = {seed: initial_weights(options.tenon, seed) for seed in seeds}
    means = []
    for narrow in (False, True):
        losses = [train(options, begin[seed], samples, labels, seed, narrow) for seed in seeds]
        means.append(sum(losses) / len(losses))
        print(f"{'bf16' if narrow else 'f32':5} train {means[-1]:.5f} ({means[-1] / means[0] - 1:+.2%}), "
              f"from {min(losses):.5f} to {max(losses):.5f}", flush=True)


if __name__ == "__main__":
    main()
