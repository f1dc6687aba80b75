#!/usr/bin/env python3
"""Loss curves and step times of one training in f32, bf16 and fp16, from equal weights and batches.

    python3 benchmarks/precision_curves.py -- --model lenet --data idx:MNIST --epochs 5 \\
        --schedule cosine
    python3 benchmarks/precision_curves.py -- --model resnet20 --data fashion-mnist --epochs 3
    python3 benchmarks/precision_curves.py -- --model gpt --data text:tinyshakespeare.txt --epochs 1

What follows -- is given to `tenon train`, once for each precision and each of --seeds. Prints the mean
training loss of the last tenth of the steps, the last validation loss if there is one, and the median
time of a step; exits 1 if the training loss of bf16, as a mean over the seeds, is farther from that of
f32 than --tolerance. How far f32 scatters from seed to seed says what such a difference means.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile


def run(tenon, arguments, precision, seed, out):
    done = subprocess.run([tenon, "train", *arguments, "--precision", precision, "--seed", str(seed),
                           "--out", str(out), "--overwrite", "--log-every", "1", "--json"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"tenon train --precision {precision}: {done.stderr}")
    train, validation = [], []
    with open(out / "metrics.csv", newline="") as file:
        for row in csv.DictReader(file):
            (train if row["split"] == "train" else validation).append(float(row["loss"]))
    last = train[-max(1, len(train) // 10):]
    return {"train": sum(last) / len(last), "validation": validation[-1] if validation else None,
            "step": json.loads(done.stdout)["cost"]["seconds_per_step"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--tenon", default=str(root / "build" / "tenon"))
    parser.add_argument("--tolerance", type=float, default=0.01)
    parser.add_argument("--precisions", default="f32,bf16,fp16", help="f32 first")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    arguments = [a for a in options.arguments if a != "--"]
    results = {}
    with tempfile.TemporaryDirectory() as work:
        for precision in options.precisions.split(","):
            runs = [run(options.tenon, arguments, precision, seed, pathlib.Path(work) / "run")
                    for seed in options.seeds.split(",")]
            losses = [each["train"] for each in runs]
            results[precision] = sum(losses) / len(losses)
            print(f"{precision:5} train {results[precision]:.5f} "
                  f"({results[precision] / next(iter(results.values())) - 1:+.2%})"
                  + (f", from {min(losses):.5f} to {max(losses):.5f}" if len(losses) > 1 else "")
                  + "".join(f", validation {each['validation']:.5f}" for each in runs
                            if each["validation"])
                  + f", {1000 * min(each['step'] for each in runs):.1f} ms a step", flush=True)
    if "bf16" in results:
        farther = abs(results["bf16"] / results["f32"] - 1) > options.tolerance
        sys.exit(1 if farther else 0)


if __name__ == "__main__":
    main()
