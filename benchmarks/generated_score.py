#!/usr/bin/env python3
"""Inception score (Salimans et al. 2016, section 4) of generated images, by a classifier trained with Tenon.

    build/tenon train --model lenet --data fashion-mnist --epochs 15 --schedule cosine --out runs/judge
    build/examples/example_16_dcgan full
    python3 benchmarks/generated_score.py --judge runs/judge --images generated.npy

exp(E KL(p(y|x) || p(y))): from 1, where the classifier sees nothing or one class only, to the number of
classes, where it is sure of every image and they are equally many. --real FILE.npy: the score of real
images beside it. Needs nothing but Python and the program.
"""
import argparse
import collections
import csv
import math
import pathlib
import subprocess
import sys
import tempfile


def probabilities(tenon, judge, images):
    with tempfile.TemporaryDirectory() as work:
        out = pathlib.Path(work) / "classes.csv"
        subprocess.run([tenon, "predict", judge, "--input", images, "--output", str(out)], check=True,
                       stdout=subprocess.DEVNULL)
        with open(out, newline="") as file:
            rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in ("row", "class", "probability")]
    if abs(sum(float(rows[0][name]) for name in names) - 1) > 1e-3:
        sys.exit(f"{judge}: no probabilities of classes among the columns {', '.join(rows[0])}")
    return [row["class"] for row in rows], [[float(row[name]) for name in names] for row in rows]


def score(rows):
    marginal = [sum(column) / len(rows) for column in zip(*rows)]
    divergence = sum(p * math.log(p / q) for row in rows for p, q in zip(row, marginal) if p > 0)
    return math.exp(divergence / len(rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--tenon", default=str(root / "build" / "tenon"))
    parser.add_argument("--judge", required=True, help="run folder of a classifier")
    parser.add_argument("--images", required=True, help=".npy [images, height, width] as the judge takes them")
    parser.add_argument("--real", help="the same of real images")
    options = parser.parse_args()
    for name, images in (("generated", options.images), ("real", options.real)):
        if images is None:
            continue
        classes, rows = probabilities(options.tenon, options.judge, images)
        counts = collections.Counter(classes)
        print(f"{name}: inception score {score(rows):.3f} of {len(rows)} images; seen as "
              + ", ".join(f"{label} {counts[label] / len(rows):.1%}" for label in sorted(counts)))


if __name__ == "__main__":
    main()
