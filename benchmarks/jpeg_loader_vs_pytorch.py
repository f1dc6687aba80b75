#!/usr/bin/env python3
"""Images per second that a folder of JPEG files is loaded with, Tenon and PyTorch, in interleaved
rounds.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install numpy pillow torch torchvision
    cmake --build build --target jpeg_loader
    /tmp/torch/bin/python benchmarks/jpeg_loader_vs_pytorch.py

Equal work: 2,000 images of 500 x 375 (made here: gradients, shapes and noise, quality 85), decoded,
random resized crop to 224 x 224 with antialiasing, flip, shuffled batches of 64, floats normalised by
channel, 2 workers. PyTorch: torchvision's ImageFolder (Pillow, or with --decoder torchvision its own
decoder on tensors) behind a DataLoader. Tenon: benchmarks/jpeg_loader.cpp. A round is one pass, the
start of the workers included.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np


def picture(rng, height=375, width=500):
    """Colours that change slowly, some edges, and the noise of a camera."""
    y, x = np.mgrid[0:height, 0:width]
    image = np.zeros((height, width, 3))
    for wave in range(1, 6):
        direction = rng.uniform(-1, 1, (2, 3)) * wave * 3
        phase = rng.uniform(0, 6.28, 3)
        image += np.cos(y[..., None] / height * direction[0] + x[..., None] / width * direction[1] + phase) / wave
    image = 128 + 45 * image
    for _ in range(12):
        top, left = rng.integers(0, height), rng.integers(0, width)
        radius = rng.integers(10, 90)
        inside = (y - top) ** 2 + (x - left) ** 2 < radius**2
        image[inside] = 0.5 * image[inside] + 0.5 * rng.uniform(0, 255, 3)
    image += rng.normal(0, 6, (height, width, 1)) + rng.normal(0, 3, (height, width, 3))
    return image.clip(0, 255).astype(np.uint8)


def make_images(folder, count):
    from PIL import Image

    for i in range(count):
        target = folder / f"class{i % 10}" / f"{i:05}.jpg"
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(np.random.default_rng(i))).save(target, quality=85)
    size = sum(file.stat().st_size for file in folder.rglob("*.jpg"))
    print(f"{count} images, {size / count / 1000:.0f} kB each", file=sys.stderr)


def torch_round(folder, batch, workers, decoder, seed):
    import torch
    import torchvision
    from torchvision.transforms import v2

    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    crop = [v2.RandomResizedCrop(224, antialias=True), v2.RandomHorizontalFlip()]
    scale = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, deviation)]
    if decoder == "torchvision":
        read = lambda path: torchvision.io.read_image(path, torchvision.io.ImageReadMode.RGB)
        dataset = torchvision.datasets.ImageFolder(folder, v2.Compose(crop + scale), loader=read)
    else:
        dataset = torchvision.datasets.ImageFolder(folder, v2.Compose(crop + [v2.PILToTensor()] + scale))
    torch.manual_seed(seed)
    start = time.perf_counter()
    total, seen = 0.0, 0
    for x, _ in torch.utils.data.DataLoader(dataset, batch, shuffle=True, num_workers=workers):
        total += x[0, 0, 0, 0].item()
        seen += len(x)
    return seen / (time.perf_counter() - start)


def tenon_round(program, folder, batch, workers, epoch):
    done = subprocess.run([program, folder, str(workers), str(batch), str(epoch)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    result = json.loads(done.stdout)
    return result["images"] / result["seconds"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/jpeg_loader")
    parser.add_argument("--folder", default="/tmp/tenon_jpeg_images")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--decoder", choices=["pil", "torchvision"], default="pil")
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.folder)
    make_images(folder, arguments.images)
    ours, theirs = [], []
    for i in range(arguments.rounds):
        ours.append(tenon_round(arguments.program, str(folder), arguments.batch, arguments.workers, i))
        theirs.append(torch_round(str(folder), arguments.batch, arguments.workers, arguments.decoder, i))
        print(f"tenon {ours[-1]:.0f}, torch {theirs[-1]:.0f} images/s", file=sys.stderr)
    ratios = [x / y for x, y in zip(ours, theirs)]
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"{arguments.images} JPEG images, batch {arguments.batch}, {arguments.workers} workers, "
          f"{os.cpu_count()} processors: tenon {a:.0f} images/s, torch DataLoader ({arguments.decoder}) {b:.0f} images/s, "
          f"ratio {a / b:.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
